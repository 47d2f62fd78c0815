package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Asks for what a block copies first before it waits for the launches in front of its own, so that memory is busy while those
 * end and their last results are on their way.
 *
 * <pre>
 *                                                 if %first < %tiles {
 *                                                   %i = …
 *                                                   for %k in lo … min(hi, lo + 4 · step) {
 *                                                     prefetch_bulk %ta, [%i, %k], %a
 *   role {name = "producer"} {                      } }
 *     for %tile in %first … %tiles {          →   role {name = "producer"} {
 *       %i = …                                      …
 *       for %k in lo … hi {
 *         copy_bulk %ta, [%i, %k], %a, … } } }
 * </pre>
 *
 * As many rounds of the first tile's first loop as its ring has slots, with all that stands in front of that loop. Only of tensors
 * that are arguments which nothing writes in the kernel: they need not be in any state for it, since the cache sees what others
 * write. What depends on memory, or stands under a branch, is left out.
 *
 * <p>For targets whose launches begin early; the lowering waits behind these prefetches, before the first access to memory.
 */
public final class PrefetchFirst {
  private final Cloner copies = new Cloner();
  /** What is not computed here. */
  private final Set<Value> unknown = Collections.newSetFromMap(new IdentityHashMap<>());

  private PrefetchFirst() {}

  public static void run(Func func, PassContext context) {
    List<Inst> insts = func.body().insts();
    for (int i = 0; i < insts.size(); i++) {
      if (insts.get(i).op() instanceof ControlOp.Role role) {
        if (copies(role.body())) {
          PrefetchFirst first = new PrefetchFirst();
          first.follow(role.body().insts(), new Builder(func.body(), i).at(insts.get(i).loc()));
        }
        return;
      }
    }
  }

  private static boolean copies(Region region) {
    boolean[] found = {false};
    region.walk(i -> found[0] |= i.op() instanceof AsyncOp.CopyBulk);
    return found[0];
  }

  /** Goes the way of the first copies, to the end of the first loop that copies in itself. */
  private void follow(List<Inst> insts, Builder b) {
    for (Inst inst : insts) {
      boolean known = inst.operands().stream().noneMatch(unknown::contains);
      switch (inst.op()) {
        case ControlOp.For loop when copies(loop.body()) -> {
          if (!unknown.contains(loop.lo()) && !unknown.contains(loop.hi()) && !loop.reversed()) {
            loop(loop, b);
          }
          return;
        }
        case AsyncOp.CopyBulk copy when copy.indices().stream().noneMatch(unknown::contains) && isArgument(copy.tensor()) ->
            b.append(new AsyncOp.PrefetchBulk(
            copies.get(copy.tensor()), copy.indices().stream().map(copies::get).toList(), Optional.empty(), copy.buffer()));
        default -> {
          if (known && isPlace(inst)) {
            b.insert(copies.clone(inst));
          } else {
            unknown.addAll(inst.results());
          }
        }
      }
    }
  }

  /** What says where a copy is: scalars, ranges and tensors. */
  private static boolean isPlace(Inst inst) {
    return inst.regions().isEmpty() && Effects.isPure(inst)
        && inst.results().stream().noneMatch(v -> v.type() instanceof TileType t && t.rank() > 0);
  }

  private static boolean isArgument(Value tensor) {
    return tensor.definition() != null && tensor.definition().op() instanceof MemoryOp.MakeTensor t
        && t.access() == MemoryOp.Access.IN;
  }

  private void loop(ControlOp.For loop, Builder b) {
    Value lo = copies.get(loop.lo());
    Value hi = copies.get(loop.hi());
    List<Value> params = loop.body().params();
    unknown.addAll(params.subList(1, params.size()));
    int rounds = slots(loop.body());
    if (rounds == 0) {
      b.branch(b.compare(CompareKind.LT, lo, hi), () -> {
        copies.define(params.getFirst(), lo);
        follow(loop.body().insts(), b);
        b.yield(List.of());
      }, () -> b.yield(List.of()));
    } else {
      Value end = b.binary(BinaryKind.MIN, hi, b.add(lo, b.constant(rounds * loop.step())));
      b.loop(lo, end, loop.step(), false, List.of(), inside -> {
        copies.define(params.getFirst(), inside.getFirst());
        follow(loop.body().insts(), b);
        b.yield(List.of());
      });
    }
  }

  /** The slots of the rings that a loop's own copies go to; 0 where it copies only in loops of its own. */
  private static int slots(Region body) {
    List<Integer> slots = new ArrayList<>();
    boolean[] inner = {false};
    for (Inst inst : body.insts()) {
      if (inst.op() instanceof AsyncOp.CopyBulk copy) {
        slots.add(((SharedType) copy.buffer().type()).stages());
      }
      inner[0] |= inst.op() instanceof ControlOp.For f && copies(f.body());
    }
    return inner[0] || slots.isEmpty() ? 0 : Collections.max(slots);
  }
}
