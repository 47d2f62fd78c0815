package dev.tkc.passes.place;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Regions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Has the cache read what a block copies in its first rounds while the launch in front is still at work.
 *
 * <pre>
 *   device @f(…) #{prefetch = 2} {               device @f(…) {
 *     …                                            …
 *                                                  %k0 = range %0, …    prefetch_bulk %ta, [%i, %k0], %a_map, %a
 *     role {name = "producer"} {           →       %k1 = range %64, …   prefetch_bulk %ta, [%i, %k1], %a_map, %a
 *       for %0, %K {step = 64} (%k) {              role {name = "producer"} {
 *         %rk = range %k, …                          for %0, %K {step = 64} (%k) {
 *         copy_bulk %ta, [%i, %rk], %a_map, %a …       …
 *   } } }                                        } } }
 * </pre>
 *
 * Kernels wait for the launch in front right before their roles, where memory is first touched. A prefetch touches
 * nothing: the cache is where the writes of that launch end up too. So memory goes on being read from launch to launch,
 * where it would rest from the last block's sums until the first copies of the next launch are on their way.
 *
 * <p>How many rounds is the annotation's number, which a schedule or the estimate sets where memory is what a launch
 * waits for. Positions beyond a loop's end are left to the engine, which reads nothing outside a tensor. What a
 * position is computed from must be computed before the roles, or be scalars that can be computed there again; a copy
 * whose place depends on memory is not asked for.
 *
 * <p>Needs tensor maps. Guarantees nothing: a prefetch is a hint.
 */
public final class PrefetchRounds {
  /** On the function: of how many rounds. */
  public static final String PREFETCH = "prefetch";

  private final Builder at;
  private final long rounds;
  private final Set<Value> outside;

  private PrefetchRounds(Func func, int place, long rounds) {
    this.at = new Builder(func.body(), place).at(func.loc());
    this.rounds = rounds;
    this.outside = Set.copyOf(Regions.freeValues(((ControlOp.Role) func.body().insts().get(place).op()).body()));
  }

  public static void run(Func func, PassContext context) {
    Object rounds = func.annotations().remove(PREFETCH);
    List<Inst> insts = func.body().insts();
    for (int place = 0; rounds instanceof Long n && place < insts.size(); place++) {
      if (insts.get(place).op() instanceof ControlOp.Role role && copies(role.body())) {
        new PrefetchRounds(func, place, n).ask(role.body(), Map.of());
        return;
      }
    }
  }

  private static boolean copies(Region region) {
    return region.anyMatch(i -> i.op() instanceof AsyncOp.CopyBulk);
  }

  /** What the region copies outside loops, and in the first rounds of its first loop. */
  private void ask(Region region, Map<Value, Value> known) {
    for (Inst inst : region.insts()) {
      if (inst.op() instanceof AsyncOp.CopyBulk copy) {
        ask(copy, new HashMap<>(known));
      } else if (inst.op() instanceof ControlOp.For loop && copies(loop.body())) {
        rounds(loop, known);
        return;
      }
    }
  }

  /** The innermost loop goes through its rounds, those around it are in their first. */
  private void rounds(ControlOp.For loop, Map<Value, Value> known) {
    boolean innermost = loop.body().insts().stream().anyMatch(i -> i.op() instanceof AsyncOp.CopyBulk);
    Map<Value, Value> before = new HashMap<>(known);
    if (loop.reversed() || !isKnown(loop.lo(), before)) {
      return;
    }
    Value first = compute(loop.lo(), before);
    for (long n = 0; n < (innermost ? rounds : 1); n++) {
      Map<Value, Value> there = new HashMap<>(before);
      there.put(loop.body().params().getFirst(), n == 0 ? first : at.add(first, at.constant(n * loop.step())));
      ask(loop.body(), there);
    }
  }

  private void ask(AsyncOp.CopyBulk copy, Map<Value, Value> known) {
    if (copy.map().isPresent() && copy.indices().stream().allMatch(v -> isKnown(v, known))
        && outside.contains(copy.tensor())) {
      List<Value> indices = copy.indices().stream().map(v -> compute(v, known)).toList();
      at.append(new AsyncOp.PrefetchBulk(copy.tensor(), indices, copy.map(), copy.buffer()));
    }
  }

  /** Whether the value exists in front of the roles, or can be computed there. */
  private boolean isKnown(Value v, Map<Value, Value> known) {
    return known.containsKey(v) || outside.contains(v) || v.definition() != null && Effects.isPure(v.definition())
        && v.definition().regions().isEmpty() && v.definition().operands().stream().allMatch(o -> isKnown(o, known));
  }

  private Value compute(Value v, Map<Value, Value> known) {
    if (!known.containsKey(v) && !outside.contains(v)) {
      v.definition().operands().forEach(o -> compute(o, known));
      at.insert(new Cloner(known).clone(v.definition()));
    }
    return known.getOrDefault(v, v);
  }
}
