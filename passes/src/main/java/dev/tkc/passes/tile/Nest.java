package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.rules.Effects;
import dev.tkc.passes.analysis.Scalars;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** A phase's {@code parallel}s, one inside the other, as {@link OutlinePhases} sees them. */
final class Nest {
  /**
   * One {@code parallel}.
   *
   * @param position its body's parameter
   * @param before the instructions of its body up to the next inner {@code parallel}, or all but the yield
   */
  record Domain(Value lo, Value hi, long step, Value position, List<Inst> before) {}

  private final Inst outer;
  private final List<Domain> domains = new ArrayList<>();
  private final Set<Value> inside = new HashSet<>();

  private Nest(Inst outer) {
    this.outer = outer;
    Inst level = outer;
    while (level != null) {
      level = add((ControlOp.Parallel) level.op());
    }
  }

  static Nest of(Inst parallel) {
    return new Nest(parallel);
  }

  private Inst add(ControlOp.Parallel p) {
    Region body = p.body();
    List<Inst> before = new ArrayList<>(body.insts().subList(0, body.insts().size() - 1));
    Inst inner = null;
    if (!before.isEmpty() && before.get(before.size() - 1).op() instanceof ControlOp.Parallel) {
      inner = before.remove(before.size() - 1);
    }
    inside.addAll(body.params());
    before.forEach(i -> inside.addAll(i.results()));
    domains.add(new Domain(p.lo(), p.hi(), p.step(), body.params().get(0), before));
    return inner;
  }

  /** All of the nest's own instructions, the {@code parallel}s apart. */
  List<Inst> contents() {
    return domains.stream().flatMap(d -> d.before().stream()).toList();
  }

  List<Value> positions() {
    return domains.stream().map(Domain::position).toList();
  }

  /** Whether the last two domains are tiled, as those of a matrix product's rows and columns are. */
  boolean sharesOperands() {
    int n = domains.size();
    return n >= 2 && domains.get(n - 1).step() > 1 && domains.get(n - 2).step() > 1;
  }

  Inst outer() {
    return outer;
  }

  /** Outermost first. */
  List<Domain> domains() {
    return domains;
  }

  /**
   * The domains by their numbers, the one that varies slowest first: as written, but the leading ones of single
   * positions by how many of the tiles that rounds load depend on each. What few depend on varies faster, so that
   * blocks that run together load the same.
   */
  List<Integer> slowestFirst() {
    List<Integer> order = new ArrayList<>(IntStream.range(0, domains.size()).boxed().toList());
    int single = (int) domains.stream().takeWhile(d -> d.step() == 1).count();
    order.subList(0, single).sort(Comparator.comparingInt(d -> -dependent(domains.get(d).position())));
    return order;
  }

  /** How many tiles that are loaded in loops are elsewhere for another position. */
  private int dependent(Value position) {
    int[] count = {0};
    contents().stream().filter(i -> i.op() instanceof ControlOp.For).flatMap(i -> i.regions().stream())
        .forEach(r -> r.walk(i -> {
      if (i.op() instanceof MemoryOp.Load l && i.result().tile().rank() > 1
          && l.indices().stream().anyMatch(x -> Scalars.follows(x, position))) {
        count[0]++;
      }
    }));
    return count[0];
  }

  /** Whether all bounds can be computed before the nest. */
  boolean rectangular() {
    return domains.stream().allMatch(d -> hoistable(d.lo()) && hoistable(d.hi()));
  }

  private boolean hoistable(Value v) {
    if (!inside.contains(v)) {
      return true;
    }
    Inst def = v.definition();
    return def != null && Effects.isPure(def) && def.regions().isEmpty()
        && def.operands().stream().allMatch(this::hoistable);
  }

  /** A bound as a value outside the nest, computed there if need be. */
  Value hoist(Value v, Builder host, Map<Value, Value> done) {
    if (!inside.contains(v)) {
      return v;
    }
    if (!done.containsKey(v)) {
      Op op = OpShape.withOperands(v.definition().op(), o -> hoist(o, host, done));
      done.put(v, host.append(op, List.of(v.type())).result());
    }
    return done.get(v);
  }
}
