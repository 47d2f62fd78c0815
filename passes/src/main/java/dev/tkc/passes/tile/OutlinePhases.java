package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Divisibility;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Turns each phase of the kernel into a device function and a launch of it.
 *
 * <pre>
 *   kernel @f(%x: ptr&lt;f32&gt;, %N: i64) {         kernel @f(%x: ptr&lt;f32&gt;, %N: i64) {
 *     %t = make_tensor %x, …                      %t = make_tensor %x, …
 *     parallel %c0, %N {step = 64} (%i) {  →      %p = address_of %t : ptr&lt;f32&gt;
 *       …                                         launch %g, [%p, %N] {callee = "f_0"}   // %g = cdiv(N, 64)
 *       yield []                                  yield []
 *     }                                         }
 *     yield []                                  device @f_0(%x: ptr&lt;f32&gt;, %N: i64) { %b = block_id … }
 *   }
 * </pre>
 *
 * A nest whose inner bounds can be computed before it is a grid: the number of blocks is the product of the domains'
 * tile counts, and a block finds its positions from its number, the first domain varying slowest (but
 * {@link Nest#slowestFirst}; fastest where its blocks are a cluster, {@link #CLUSTER}), or in bands of g rows of the
 * last two domains under the annotation {@code grouped = g} (where none is said and there is a product over two tiled
 * domains, as many as {@link #band} finds). Any other nest is ragged: a fixed number of blocks walk all of it and share
 * out the tiles of the innermost domain in order. An empty domain gives a grid of 0.
 * {@link PersistGrid} acts on {@code persistent}. Where tiles of a product take longer the further they are along the
 * last domain, {@link LongestFirst} says which has which number.
 *
 * <p>Settings of the kernel, and over them those on the {@code parallel} itself, become annotations of the device
 * function; {@code label} names it. Needs constants folded and equal values merged. Guarantees what {@code docs/ir.md}
 * says under "Outlined phases".
 */
public final class OutlinePhases {
  /** Blocks of a ragged nest: enough for every multiprocessor of today's devices several times over. */
  private static final long RAGGED_BLOCKS = 1024;

  /** On a phase and its device function: so many neighbouring blocks run as a cluster, the first domain in each. */
  public static final String CLUSTER = "cluster";

  /** Tiles of a grid have numbers below this. */
  private static final long MOST_TILES = 1L << 31;

  /**
   * On a division or remainder of i64: operands and result are below 2^31 and not negative. On a loop: so are its
   * positions, of which a device function that is given the limit could not know.
   */
  private static final String SMALL = "small";

  /** Of a large device, where no target is known. */
  private static final int PROCESSORS = 128;

  private final Module module;
  private final int processors;
  private final Func kernel;
  private final Divisibility divisibility;
  private int phases;

  private OutlinePhases(Module module, int processors) {
    this.module = module;
    this.processors = processors;
    this.kernel = module.kernel();
    this.divisibility = new Divisibility(kernel);
  }

  public static void run(Module module, PassContext cx) {
    cx.enter(module.kernel());
    new OutlinePhases(module, cx.hasTarget() ? cx.target().processors() : PROCESSORS).all();
  }

  private void all() {
    List<Inst> old = new ArrayList<>(kernel.body().insts());
    kernel.body().insts().clear();
    for (Inst inst : old) {
      if (inst.op() instanceof ControlOp.Parallel) {
        phase(Nest.of(inst));
      } else {
        kernel.body().insts().add(inst);
      }
    }
  }

  private void phase(Nest nest) {
    Builder host = new Builder(kernel.body()).at(nest.outer().loc());
    Region body = new Region();
    Captures captures = new Captures(host, body, divisibility);
    captures.define(nest.positions());
    Map<String, Object> settings = settings(nest);
    Value blocks = nest.rectangular() ? grid(nest, captures, settings) : ragged(nest, captures);
    if (!nest.rectangular()) {
      // Its blocks share out the tiles already.
      settings.remove("persistent");
    }
    captures.device().yield(List.of());
    Func f = new Func(Func.Kind.DEVICE, name(nest), captures.params(), body, kernel.deterministic(),
        nest.outer().loc());
    f.annotations().putAll(settings);
    module.funcs().add(f);
    new Builder(kernel.body()).at(nest.outer().loc())
        .append(new ControlOp.Launch(f.name(), blocks, captures.arguments()));
  }

  private String name(Nest nest) {
    String suffix = nest.outer().annotations().get("label") instanceof String s ? s : String.valueOf(phases);
    phases++;
    return kernel.name() + "_" + suffix;
  }

  private Map<String, Object> settings(Nest nest) {
    Map<String, Object> all = new HashMap<>(module.annotations());
    all.putAll(kernel.annotations());
    all.putAll(nest.outer().annotations());
    if (nest.sharesOperands() && nest.contents().stream().anyMatch(OutlinePhases::multiplies)) {
      all.putIfAbsent("grouped", band(nest));
    }
    return all;
  }

  /**
   * The tiles that run at once, one on each multiprocessor, read the fewest rows and columns if they cover a square:
   * the power of two next to that many rows of tiles.
   */
  private long band(Nest nest) {
    List<Nest.Domain> domains = nest.domains();
    double rows = domains.get(domains.size() - 2).step();
    double columns = domains.getLast().step();
    double wanted = Math.sqrt(processors * columns / rows);
    return 1L << Math.max(0, Math.round(Math.log(wanted) / Math.log(2)));
  }

  private static boolean multiplies(Inst inst) {
    return inst.op() instanceof MatrixOp.Dot || inst.anyInside(i -> i.op() instanceof MatrixOp.Dot);
  }

  /** How many steps from lo below hi, and 0 if there is none. */
  static Value count(Builder b, Value lo, Value hi, long step) {
    Value distance = b.add(b.sub(hi, lo), b.constant(step - 1));
    return b.binary(BinaryKind.MAX, b.binary(BinaryKind.DIV, distance, b.constant(step)), b.constant(0));
  }

  // ------------------------------------------------------------------------------------------------ a grid

  private Value grid(Nest nest, Captures captures, Map<String, Object> settings) {
    Map<Value, Value> hoisted = new HashMap<>();
    List<Value> lows = new ArrayList<>();
    List<Value> counts = new ArrayList<>();
    Value tiles = null;
    for (Nest.Domain d : nest.domains()) {
      Value lo = nest.hoist(d.lo(), captures.host(), hoisted);
      Value hi = nest.hoist(d.hi(), captures.host(), hoisted);
      Value n = count(captures.host(), lo, hi, d.step());
      tiles = tiles == null ? n : captures.host().mul(tiles, n);
      lows.add(lo);
      counts.add(n);
    }
    captures.host().append(new ControlOp.Assert(
        captures.host().compare(CompareKind.LT, tiles, captures.host().constant(MOST_TILES)),
        "a phase with more tiles than can be numbered"));
    boolean clustered = settings.containsKey(CLUSTER);
    Optional<LongestFirst> longest = !clustered && nest.contents().stream().anyMatch(OutlinePhases::multiplies)
        ? LongestFirst.of(nest) : Optional.empty();
    Optional<LongestFirst.Sections> onHost = longest.map(l -> l.sections(captures.host(), counts));
    markSmall(nest);
    captures.prepare(nest.contents());
    lows.replaceAll(captures::get);
    counts.replaceAll(captures::get);
    Optional<LongestFirst.Sections> sections = onHost.map(s -> s.map(captures::get));
    long group = settings.get("grouped") instanceof Long g ? g : 1;
    Builder b = captures.device();
    Value number = b.emit(new ControlOp.BlockId());
    Value[] index;
    if (longest.isPresent()) {
      index = longest.get().indices(b, number, counts, sections.get());
      settings.putIfAbsent("uneven", true);
    } else if (clustered) {
      index = new Value[counts.size()];
      index[0] = small(b, BinaryKind.REM, number, counts.getFirst());
      Value tile = small(b, BinaryKind.DIV, number, counts.getFirst());
      Value[] others = indices(b, tile, counts.subList(1, counts.size()), group);
      System.arraycopy(others, 0, index, 1, others.length);
    } else {
      List<Integer> order = nest.slowestFirst();
      Value[] ordered = indices(b, number, order.stream().map(counts::get).toList(), group);
      index = new Value[ordered.length];
      for (int d = 0; d < ordered.length; d++) {
        index[order.get(d)] = ordered[d];
      }
    }
    assertInside(b, index, counts);
    tile(nest, captures, b, lows, index);
    return tiles;
  }

  /** Marks loops from 0 to a quotient of sizes, such as how many heads share their keys. */
  private void markSmall(Nest nest) {
    Set<Value> sizes = new HashSet<>();
    kernel.body().walk(i -> {
      if (i.op() instanceof MemoryOp.MakeTensor t) {
        sizes.addAll(t.sizes());
      }
    });
    nest.contents().forEach(inst -> {
      if (inst.op() instanceof ControlOp.For loop && Regions.isInteger(loop.lo(), 0)
          && loop.hi().definition() != null && loop.hi().definition().op() instanceof Binary b
          && b.kind() == BinaryKind.DIV && sizes.contains(b.lhs()) && sizes.contains(b.rhs())) {
        inst.annotate(SMALL, true);
      }
    });
  }

  /** The nest's instructions for one position. */
  private static void tile(Nest nest, Captures captures, Builder b, List<Value> lows, Value[] index) {
    for (int d = 0; d < index.length; d++) {
      Nest.Domain domain = nest.domains().get(d);
      Value position = b.add(lows.get(d), b.mul(index[d], b.constant(domain.step())));
      position.setName(domain.position().name());
      captures.put(domain.position(), position);
    }
    captures.copy(nest.contents(), b);
  }

  /** Which tile of each domain has a number. */
  private static Value[] indices(Builder b, Value number, List<Value> counts, long group) {
    int rank = counts.size();
    boolean grouped = rank >= 2 && group > 1;
    Value[] index = new Value[rank];
    Value rest = number;
    int last = rank - 1;
    if (grouped) {
      rest = grouped(b, rest, counts.get(rank - 2), counts.get(rank - 1), group, index);
      last = rank - 3;
    }
    for (int d = last; d > 0; d--) {
      index[d] = small(b, BinaryKind.REM, rest, counts.get(d));
      rest = small(b, BinaryKind.DIV, rest, counts.get(d));
    }
    if (last >= 0) {
      index[0] = rest;
    }
    return index;
  }

  /** For whoever asks for bounds later: what the grid ensures of a tile's indices. */
  private static void assertInside(Builder b, Value[] index, List<Value> counts) {
    for (int d = 0; d < index.length; d++) {
      Value inside = b.binary(BinaryKind.AND, b.compare(CompareKind.GE, index[d], b.constant(0)),
          b.compare(CompareKind.LT, index[d], counts.get(d)));
      b.append(new ControlOp.Assert(inside, "a block outside its grid"));
    }
  }

  private Value ragged(Nest nest, Captures captures) {
    Value blocks = captures.host().constant(RAGGED_BLOCKS);
    captures.prepare(nest.contents());
    new RaggedNest(nest, captures, RAGGED_BLOCKS).build();
    return blocks;
  }

  /**
   * The last two domains, m by n tiles, in bands of g rows; within a band the rows vary fastest, so that blocks that
   * run together share rows and columns in cache. Gives what is left of the block number for the domains before.
   */
  private static Value grouped(Builder b, Value number, Value m, Value n, long g, Value[] index) {
    Value area = b.mul(m, n);
    Value inside = number;
    Value rest = number;
    if (index.length > 2) {
      inside = small(b, BinaryKind.REM, number, area);
      rest = small(b, BinaryKind.DIV, number, area);
    }
    // No tile is in a second band of more tiles than can be numbered.
    Value band = b.binary(BinaryKind.MIN, b.mul(n, b.constant(g)), b.constant(MOST_TILES - 1));
    Value first = b.mul(small(b, BinaryKind.DIV, inside, band), b.constant(g));
    Value rows = b.binary(BinaryKind.MIN, b.sub(m, first), b.constant(g));
    Value within = small(b, BinaryKind.REM, inside, band);
    index[index.length - 2] = b.add(first, small(b, BinaryKind.REM, within, rows));
    index[index.length - 1] = small(b, BinaryKind.DIV, within, rows);
    return rest;
  }

  /** A division of numbers that are all no larger than that of tiles. */
  static Value small(Builder b, BinaryKind kind, Value x, Value y) {
    return b.append(new ElementwiseOp.Binary(kind, x, y)).annotate(SMALL, true).result();
  }
}
