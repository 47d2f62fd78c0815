package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.rules.Effects;
import dev.tkc.ir.type.RangeType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.ReadOnly;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Makes one phase of two where a tile of the second needs no more than the parts of that tile which the first one left:
 * whoever is the last to leave a part goes on with what the second phase does for the tile.
 *
 * <pre>
 *   %part = temp [4, …]                               %part = temp [4, …]     %counters = counter %tiles
 *   parallel s in 4 { parallel i, j {                 parallel s in 4 { parallel i, j {
 *     …                                                 …
 *     store %part, [s, i, j], %acc                      store %part, [s, i, j], %acc
 *   } }                                          →      %last = last_arrival %counters, (number of i, j), 4
 *   parallel i, j {                                     if %last {
 *     … load %part, [t, i, j] …                           … load %part, [t, i, j] …
 *     store %c, …                                         store %c, …
 *   }                                                 } } }
 * </pre>
 *
 * That saves the second launch and the way to it. Parts are added in the order in which the second phase read them, so
 * the result is the same to the bit, whoever is last. Where tiles are full, that block has its own part in registers
 * still: {@code if t == s { yield %acc } { yield (load %part, [t, i, j]) }}.
 *
 * <p>The first phase has one domain more, the outermost, of a constant number of single positions; the other domains
 * are the same in both. It writes only temps, each part where the second phase, from the same expressions of its own
 * position, reads it. The second phase has no products, and writes nothing that the first one accesses.
 */
public final class MergePhases {
  /** Loops over the parts of a tile that have no more rounds than that are written out. */
  private static final long MOST_ROUNDS = 8;

  private final Func kernel;
  /** 32-bit registers of a multiprocessor. */
  private final int registers;

  private MergePhases(Func kernel, int registers) {
    this.kernel = kernel;
    this.registers = registers;
  }

  public static void run(Func kernel, PassContext cx) {
    if (kernel.kind() == Func.Kind.KERNEL) {
      new MergePhases(kernel, cx.target().registers().perProcessor()).all();
    }
  }

  private void all() {
    List<Inst> insts = kernel.body().insts();
    for (int at = 0; at < insts.size(); at++) {
      OptionalLong next = insts.get(at).op() instanceof ControlOp.Parallel ? next(at) : OptionalLong.empty();
      if (next.isPresent()) {
        Inst second = insts.get((int) next.getAsLong());
        Optional<Pair> pair = Pair.of(Nest.of(insts.get(at)), Nest.of(second));
        if (pair.isPresent()) {
          merge(at, second, pair.get());
        }
      }
    }
  }

  /** The phase that follows, if nothing but arithmetic on sizes comes between. */
  private OptionalLong next(int at) {
    List<Inst> insts = kernel.body().insts();
    for (int n = at + 1; n < insts.size(); n++) {
      if (insts.get(n).op() instanceof ControlOp.Parallel) {
        return OptionalLong.of(n);
      }
      if (!Effects.isPure(insts.get(n))) {
        return OptionalLong.empty();
      }
    }
    return OptionalLong.empty();
  }

  /** Two phases that can be one: what follows what, and how many parts a tile has. */
  private record Pair(Nest first, Nest second, long parts) {

    static Optional<Pair> of(Nest first, Nest second) {
      List<Nest.Domain> domains = first.domains();
      int n = second.domains().size();
      OptionalLong lo = Regions.integer(domains.getFirst().lo());
      OptionalLong hi = Regions.integer(domains.getFirst().hi());
      if (domains.size() != n + 1 || domains.getFirst().step() != 1 || lo.isEmpty() || hi.isEmpty()
          || lo.getAsLong() != 0 || hi.getAsLong() < 2 || !first.rectangular() || !second.rectangular()) {
        return Optional.empty();
      }
      Map<Value, Value> positions = new IdentityHashMap<>();
      for (int d = 0; d < n; d++) {
        Nest.Domain a = domains.get(d + 1);
        Nest.Domain b = second.domains().get(d);
        if (a.step() != b.step() || !same(a.lo(), b.lo(), positions) || !same(a.hi(), b.hi(), positions)) {
          return Optional.empty();
        }
        positions.put(a.position(), b.position());
      }
      return new Parts(first, second, positions).fit() ? Optional.of(new Pair(first, second, hi.getAsLong()))
          : Optional.empty();
    }
  }

  /** Whether two values are computed alike, one from the first phase's positions and one from the second's. */
  private static boolean same(Value a, Value b, Map<Value, Value> positions) {
    if (a == b || positions.get(a) == b) {
      return true;
    }
    Inst x = a.definition();
    Inst y = b.definition();
    if (x == null || y == null || x.op().getClass() != y.op().getClass() || !Effects.isPure(x) || !x.regions().isEmpty()
        || x.operands().size() != y.operands().size()) {
      return false;
    }
    for (int n = 0; n < x.operands().size(); n++) {
      if (!same(x.operands().get(n), y.operands().get(n), positions)) {
        return false;
      }
    }
    return OpShape.key(x.op(), _ -> 0).equals(OpShape.key(y.op(), _ -> 0));
  }

  /** What the phases write and read of each other's. */
  private static final class Parts {
    private final Nest first;
    private final Nest second;
    private final Map<Value, Value> positions;
    private final Map<Value, MemoryOp.Store> stores = new HashMap<>();
    private final Set<Value> read = new HashSet<>();
    private boolean fit = true;

    Parts(Nest first, Nest second, Map<Value, Value> positions) {
      this.first = first;
      this.second = second;
      this.positions = positions;
    }

    boolean fit() {
      walk(first, this::leaves);
      fit &= stores.values().stream().allMatch(s -> isInnermost(s) && share(s).isPresent());
      fit &= read.stream().noneMatch(stores::containsKey) && !stores.isEmpty();
      walk(second, this::goesOn);
      return fit;
    }

    private static void walk(Nest nest, Consumer<Inst> visit) {
      for (Inst inst : nest.contents()) {
        visit.accept(inst);
        inst.regions().forEach(r -> r.walk(visit));
      }
    }

    private boolean isInnermost(MemoryOp.Store store) {
      return first.domains().getLast().before().stream().anyMatch(i -> i.op() == store);
    }

    /** An instruction of the first phase: each temp is written in one place. */
    private void leaves(Inst inst) {
      switch (inst.op()) {
        case MemoryOp.Load l -> read.add(ReadOnly.root(l.tensor()));
        case MemoryOp.Store s -> fit &= s.tensor().definition() != null
            && s.tensor().definition().op() instanceof MemoryOp.Temp && stores.put(s.tensor(), s) == null;
        case MemoryOp.Atomic _, MemoryOp.LastArrival _ -> fit = false;
        default -> { }
      }
    }

    /** The place among a store's indices of the number of the part. */
    private OptionalLong share(MemoryOp.Store s) {
      Value share = first.domains().getFirst().position();
      return s.indices().stream().filter(v -> v == share).count() == 1
          ? OptionalLong.of(s.indices().indexOf(share)) : OptionalLong.empty();
    }

    /** An instruction of the second phase: it reads the parts of its own tile. */
    private void goesOn(Inst inst) {
      switch (inst.op()) {
        case MemoryOp.Load l -> {
          MemoryOp.Store s = stores.get(ReadOnly.root(l.tensor()));
          fit &= s == null || s.tensor() == l.tensor() && isPart(s, l);
        }
        case MemoryOp.Store s -> fit &= isApart(s.tensor());
        case MemoryOp.Atomic a -> fit &= isApart(a.tensor());
        case MatrixOp _, MemoryOp.LastArrival _ -> fit = false;
        default -> { }
      }
    }

    private boolean isPart(MemoryOp.Store s, MemoryOp.Load l) {
      long share = share(s).orElse(-1);
      boolean part = true;
      for (int n = 0; n < s.indices().size(); n++) {
        part &= n == share ? l.indices().get(n).type().equals(s.indices().get(n).type())
            : same(s.indices().get(n), l.indices().get(n), positions);
      }
      return part;
    }

    private boolean isApart(Value tensor) {
      Value root = ReadOnly.root(tensor);
      return !read.contains(root) && !stores.containsKey(root);
    }
  }

  // ------------------------------------------------------------------------------------------------ merging

  private void merge(int at, Inst second, Pair pair) {
    List<Inst> insts = kernel.body().insts();
    Map<Value, MemoryOp.Store> own = own(pair);
    insts.remove(second);
    // What the second phase's bounds are made of comes first; it is arithmetic.
    List<Inst> between = new ArrayList<>();
    int end = at + 1;
    while (end < insts.size() && Effects.isPure(insts.get(end))) {
      between.add(insts.get(end++));
    }
    insts.removeAll(between);
    insts.addAll(at, between);
    Inst first = insts.get(at + between.size());
    Builder host = new Builder(kernel.body(), at + between.size()).at(first.loc());
    Map<Value, Value> hoisted = new HashMap<>();
    List<Value> counts = new ArrayList<>();
    List<Value> lows = new ArrayList<>();
    Value tiles = host.constant(1);
    for (Nest.Domain d : pair.first.domains().subList(1, pair.first.domains().size())) {
      Value lo = pair.first.hoist(d.lo(), host, hoisted);
      Value count = OutlinePhases.count(host, lo, pair.first.hoist(d.hi(), host, hoisted), d.step());
      lows.add(lo);
      counts.add(count);
      tiles = host.mul(tiles, count);
    }
    Value counters = host.emit(new MemoryOp.Counter(tiles));
    counters.setName("counters");
    Region last = goOn(innermost((ControlOp.Parallel) first.op()), pair, counters, lows, counts);
    keepOwn(last, own, pair.first.domains().getFirst().position());
    first.annotations().putAll(second.annotations());
  }

  private static Region innermost(ControlOp.Parallel outer) {
    Region body = outer.body();
    List<Inst> insts = body.insts();
    return insts.size() >= 2 && insts.get(insts.size() - 2).op() instanceof ControlOp.Parallel inner
        ? innermost(inner) : body;
  }

  /** At the end of a part: the last one does what the second phase did, in the region that is returned. */
  private static Region goOn(Region body, Pair pair, Value counters, List<Value> lows, List<Value> counts) {
    Builder b = new Builder(body, body.insts().size() - 1).at(pair.second.outer().loc());
    Cloner cloner = new Cloner();
    Value number = b.constant(0);
    for (int d = 0; d < lows.size(); d++) {
      Nest.Domain domain = pair.first.domains().get(d + 1);
      cloner.define(pair.second.domains().get(d).position(), domain.position());
      Value index = b.binary(BinaryKind.DIV, b.sub(domain.position(), lows.get(d)), b.constant(domain.step()));
      number = b.add(b.mul(number, counts.get(d)), index);
    }
    Value last = b.emit(new MemoryOp.LastArrival(counters, number, b.constant(pair.parts)));
    last.setName("last");
    Inst branch = b.branch(last, () -> {
      for (Inst inst : pair.second.contents()) {
        Inst copy = cloner.clone(inst);
        rounds(copy).ifPresent(n -> copy.annotate("unroll", n));
        b.insert(copy);
      }
      b.yield(List.of());
    }, () -> b.yield(List.of()));
    return branch.regions().getFirst();
  }

  /**
   * The stores of parts whose lanes are all there, by the temp: what is loaded of them is what was stored. A part stays
   * where it, the sum and another part that is read take no more than half of the registers.
   */
  private Map<Value, MemoryOp.Store> own(Pair pair) {
    Bounds bounds = new Bounds(kernel);
    Map<Value, MemoryOp.Store> own = new HashMap<>();
    for (Inst inst : pair.first.domains().getLast().before()) {
      if (inst.op() instanceof MemoryOp.Store s && 3 * s.value().tile().count() <= registers / 2
          && s.indices().stream().allMatch(i -> isFull(bounds, inst, i))) {
        own.put(s.tensor(), s);
      }
    }
    return own;
  }

  private static boolean isFull(Bounds bounds, Inst place, Value index) {
    return index.type() instanceof RangeType t
        ? index.definition() != null && index.definition().op() instanceof MemoryOp.Range r
            && bounds.atLeast(place, r.count(), t.size())
        : index.tile().isScalar();
  }

  /** Replaces loads of parts by a choice between the part that this block computed and what is in memory. */
  private static void keepOwn(Region region, Map<Value, MemoryOp.Store> own, Value share) {
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(r -> keepOwn(r, own, share));
      if (inst.op() instanceof MemoryOp.Load load && own.containsKey(load.tensor())) {
        MemoryOp.Store mine = own.get(load.tensor());
        Value part = load.indices().get(mine.indices().indexOf(share));
        Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
        Value chosen = b.branch(b.compare(CompareKind.EQ, part, share), () -> b.yield(List.of(mine.value())),
            () -> b.yield(List.of(b.emit(load)))).result();
        chosen.setName(inst.result().name());
        region.insts().remove(inst);
        region.replaceUses(Map.of(inst.result(), chosen));
      }
    }
  }

  /** The rounds of a loop over a few parts: written out, each need not wait for what the one before it loads. */
  private static OptionalLong rounds(Inst inst) {
    if (inst.op() instanceof ControlOp.For loop && loop.body().insts().stream().allMatch(i -> i.regions().isEmpty())
        && Regions.integer(loop.lo()).isPresent() && Regions.integer(loop.hi()).isPresent()) {
      long n = Math.ceilDiv(Regions.integer(loop.hi()).getAsLong() - Regions.integer(loop.lo()).getAsLong(),
          loop.step());
      return n > 1 && n <= MOST_ROUNDS ? OptionalLong.of(n) : OptionalLong.empty();
    }
    return OptionalLong.empty();
  }
}
