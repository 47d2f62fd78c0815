package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Scalars;
import dev.tkc.passes.analysis.Uses;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * Under the setting {@code split_k = n}, shares out the loop that accumulates a product among n blocks: a first phase
 * leaves each share's sum in a temp, a second one adds the sums in the order of the shares and does the rest.
 *
 * <pre>
 *   parallel i, j {                                 %part = temp [n, I, J, 64, 64]
 *     %acc = for %lo, %hi, [%zeros] { dot … }       parallel s in n { parallel i, j {
 *     store %c, …, %acc                      →        %acc = for %lo + s·share, min(%hi, …), [%zeros] { dot … }
 *   }                                                 store %part, [s, i / 64, j / 64, …], %acc } }
 *                                                   parallel i, j { %acc = Σ load %part, [s, …];  store %c, …, %acc }
 * </pre>
 *
 * Wanted are a rectangular nest and, directly in it, one loop whose only carried value is the accumulator of a product,
 * starting from zeros, with nothing written before it; a setting for which no phase is like that is an error. The
 * result does not depend on the order in which blocks run.
 */
public final class SplitAccumulations {
  private final Func kernel;

  /** The loop to share out: its place among the innermost domain's instructions. */
  private record Site(Nest nest, int at, Inst inst, ControlOp.For loop) {}

  private SplitAccumulations(Func kernel) {
    this.kernel = kernel;
  }

  public static void run(Func kernel, PassContext cx) {
    if (kernel.kind() == Func.Kind.KERNEL) {
      new SplitAccumulations(kernel).all();
    }
  }

  private void all() {
    Object general = kernel.annotations().remove("split_k");
    long ways = general instanceof Long n ? n : 1;
    boolean found = false;
    List<Inst> old = new ArrayList<>(kernel.body().insts());
    kernel.body().insts().clear();
    for (Inst inst : old) {
      Optional<Long> own = Optional.ofNullable((Long) inst.annotations().remove("split_k"));
      long n = own.orElse(ways);
      Optional<Site> site = n > 1 && inst.op() instanceof ControlOp.Parallel ? site(Nest.of(inst)) : Optional.empty();
      if (site.isPresent()) {
        split(site.get(), n);
        found = true;
      } else if (own.orElse(1L) > 1) {
        throw impossible(inst, n);
      } else {
        kernel.body().insts().add(inst);
      }
    }
    if (ways > 1 && !found) {
      throw impossible(old.stream().filter(i -> i.op() instanceof ControlOp.Parallel).findFirst().orElse(old.get(0)),
          ways);
    }
  }

  private static DiagnosticException impossible(Inst phase, long n) {
    return new DiagnosticException(Diagnostic
        .error(Code.SETTING_VALUE, phase.loc().span().orElse(null), "`split_k = " + n + "` has no loop to split here")
        .note("it needs bounds known before the phase, and one loop that does nothing but `acc += a @ b`, from zeros")
        .help("leave the setting out, or write the sum of the shares as a second phase"));
  }

  // ------------------------------------------------------------------------------------------------ finding

  private static Optional<Site> site(Nest nest) {
    List<Inst> insts = nest.domains().getLast().before();
    for (int at = 0; at < insts.size() && nest.rectangular(); at++) {
      if (insts.get(at).op() instanceof ControlOp.For f && accumulates(f)) {
        return Optional.of(new Site(nest, at, insts.get(at), f));
      }
      if (Effects.of(insts.get(at)).contains(Effects.WRITES_GLOBAL)) {
        break;
      }
    }
    return Optional.empty();
  }

  private static boolean accumulates(ControlOp.For f) {
    if (f.inits().size() != 1 || f.reversed()
        || Scalars.literal(f.inits().get(0)).filter(l -> l.bits() == 0).isEmpty()) {
      return false;
    }
    Value sum = f.body().params().get(1);
    Value next = f.body().terminator().operands().get(0);
    boolean writes = f.body().insts().stream().anyMatch(i -> Effects.of(i).contains(Effects.WRITES_GLOBAL));
    return !writes && next.definition() != null && next.definition().op() instanceof MatrixOp.Dot d && d.acc() == sum
        && f.body().insts().contains(next.definition()) && new Uses(f.body()).of(sum).size() == 1;
  }

  // ------------------------------------------------------------------------------------------------ splitting

  private void split(Site site, long ways) {
    Nest nest = site.nest();
    Builder host = new Builder(kernel.body()).at(nest.outer().loc());
    Map<Value, Value> hoisted = new HashMap<>();
    List<Value> sizes = new ArrayList<>(List.of(host.constant(ways)));
    List<Value> lows = new ArrayList<>();
    for (Nest.Domain d : nest.domains()) {
      Value lo = nest.hoist(d.lo(), host, hoisted);
      sizes.add(OutlinePhases.count(host, lo, nest.hoist(d.hi(), host, hoisted), d.step()));
      lows.add(lo);
    }
    TileType tile = site.inst().result().tile();
    tile.shape().forEach(n -> sizes.add(host.constant(n)));
    // Whole tiles are kept, lanes beyond the tensors' ends as well; they are dropped where the sum is stored.
    Inst temp = host.append(new MemoryOp.Temp(sizes, tile.element(), "parts")).annotate("padded", true);
    Value parts = temp.result();
    Region shares = new Region(List.of(new Value(TileType.integer(), "share")));
    host.in(shares, () -> {
      Value share = shares.params().get(0);
      level(nest, 0, new Cloner(), host, (b, c) -> sumOfShare(site, share, ways, c, b, parts, lows));
      host.yield(List.of());
    });
    Inst first = host.append(new ControlOp.Parallel(host.constant(0), sizes.get(0), 1, shares));
    Inst second = level(nest, 0, new Cloner(), host, (b, c) -> rest(site, ways, c, b, parts, lows));
    first.annotations().putAll(nest.outer().annotations());
    first.annotations().computeIfPresent("label", (k, v) -> v + "_shares");
    second.annotations().putAll(nest.outer().annotations());
  }

  /** A copy of the nest from a domain on, with other contents in the innermost one. */
  private static Inst level(Nest nest, int depth, Cloner cloner, Builder b, BiConsumer<Builder, Cloner> innermost) {
    Nest.Domain d = nest.domains().get(depth);
    Value position = new Value(TileType.integer(), d.position().name());
    Value lo = cloner.get(d.lo());
    Value hi = cloner.get(d.hi());
    cloner.define(d.position(), position);
    Region body = new Region(List.of(position));
    b.in(body, () -> {
      if (depth == nest.domains().size() - 1) {
        innermost.accept(b, cloner);
      } else {
        d.before().forEach(i -> b.insert(cloner.clone(i)));
        level(nest, depth + 1, cloner, b, innermost);
      }
      b.yield(List.of());
    });
    return b.append(new ControlOp.Parallel(lo, hi, d.step(), body));
  }

  private static void sumOfShare(
      Site site, Value share, long ways, Cloner cloner, Builder b, Value parts, List<Value> lows) {
    List<Inst> insts = site.nest().domains().getLast().before();
    insts.subList(0, site.at()).forEach(i -> b.insert(cloner.clone(i)));
    ControlOp.For f = site.loop();
    Value lo = cloner.get(f.lo());
    Value hi = cloner.get(f.hi());
    // Whole rounds for every share, so that a range is partial only at the loop's own end.
    Value rounds = OutlinePhases.count(b, lo, hi, f.step());
    Value each = b.binary(BinaryKind.DIV, b.add(rounds, b.constant(ways - 1)), b.constant(ways));
    Value length = b.mul(each, b.constant(f.step()));
    Value from = b.add(lo, b.mul(share, length));
    Value to = b.binary(BinaryKind.MIN, hi, b.add(from, length));
    Inst loop = b.append(new ControlOp.For(from, to, f.step(), List.of(cloner.get(f.inits().get(0))), false,
        cloner.clone(f.body())), List.of(site.inst().result().type()));
    loop.annotations().putAll(site.inst().annotations());
    b.append(new MemoryOp.Store(parts, place(site, share, cloner, b, lows), loop.result()));
  }

  private static void rest(Site site, long ways, Cloner cloner, Builder b, Value parts, List<Value> lows) {
    List<Inst> insts = site.nest().domains().getLast().before();
    insts.subList(0, site.at()).forEach(i -> b.insert(cloner.clone(i)));
    Value zeros = b.full(site.inst().result().tile(), Literal.of(site.inst().result().tile().element(), 0));
    Inst sum = b.loop(b.constant(0), b.constant(ways), 1, false, List.of(zeros), params -> {
      Value part = b.emit(new MemoryOp.Load(parts, place(site, params.get(0), cloner, b, lows), Optional.empty()));
      b.yield(List.of(b.add(params.get(1), part)));
    });
    cloner.define(site.inst().result(), sum.result());
    insts.subList(site.at() + 1, insts.size()).forEach(i -> b.insert(cloner.clone(i)));
  }

  /** Where a share's sum for the tile at hand lies. */
  private static List<Value> place(Site site, Value share, Cloner cloner, Builder b, List<Value> lows) {
    List<Value> indices = new ArrayList<>(List.of(share));
    for (int d = 0; d < lows.size(); d++) {
      Nest.Domain domain = site.nest().domains().get(d);
      Value distance = b.sub(cloner.get(domain.position()), lows.get(d));
      indices.add(b.binary(BinaryKind.DIV, distance, b.constant(domain.step())));
    }
    for (int n : site.inst().result().tile().shape()) {
      indices.add(b.emit(new MemoryOp.Range(b.constant(0), b.constant(1), b.constant(n), n)));
    }
    return indices;
  }
}
