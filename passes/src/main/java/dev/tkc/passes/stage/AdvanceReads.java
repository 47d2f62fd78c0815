package dev.tkc.passes.stage;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.BarrierType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/**
 * Reads tiles that meet a product's result while the product runs, instead of when it is there.
 *
 * <pre>
 *   %x = dot_async …  dot_commit                 %x = dot_async …  dot_commit
 *   %s = dot_wait {pending = 0} %x               barrier_wait %full, %slot, %parity
 *   %t = mul %s, %scale                     →    %b = shared_load %bias, %slot
 *   barrier_wait %full, %slot, %parity           %s = dot_wait {pending = 0} %x
 *   %b = shared_load %bias, %slot                %t = mul %s, %scale
 *   %u = add %t, …                               %u = add %t, …
 * </pre>
 *
 * A group of warps has nothing else to do then, and what it does behind the wait nothing hides but the other group's products. The tile's
 * registers are taken beside the product's operands, so they must be there ({@link RegisterPressure}).
 *
 * <p>A wait for a copy moves over the releases of other rings, whose producer fills slots in the program's order: that
 * is safe where one of the two rings has another slot, as in {@link DelayWaits}.
 */
public final class AdvanceReads {
  /** Registers of a consumer that are none of a tile's elements: addresses, cursors, a row's maximum and sum. */
  private static final int RESERVE = 40;

  private final long threads;
  private final long registers;

  private AdvanceReads(long threads, long registers) {
    this.threads = threads;
    this.registers = registers;
  }

  public static void run(Func func, PassContext context) {
    for (Inst inst : func.body().insts()) {
      if (inst.op() instanceof ControlOp.Role role && role.registers() > 0) {
        new AdvanceReads((long) role.warps() * context.target().lanes(), role.registers() - RESERVE).advance(role.body());
      }
    }
  }

  private void advance(Region region) {
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(this::advance);
      if (inst.op() instanceof AsyncOp.DotWait wait && !wait.values().isEmpty()) {
        advance(region, inst);
      }
    }
  }

  private void advance(Region region, Inst wait) {
    List<Inst> before = List.copyOf(region.insts());
    List<Inst> reads = reads(region, wait);
    if (reads.isEmpty()) {
      return;
    }
    long least = pressure(region);
    region.insts().removeAll(reads);
    region.insts().addAll(region.insts().indexOf(wait), reads);
    if (pressure(region) + rows(reads) > Math.max(least, registers)) {
      region.insts().clear();
      region.insts().addAll(before);
    }
  }

  private long pressure(Region region) {
    return new RegisterPressure(region, threads, _ -> false, _ -> false).most(region);
  }

  /** At most so many registers for tiles of one dimension, which the estimate does not count. */
  private long rows(List<Inst> reads) {
    long most = 0;
    for (Inst read : reads) {
      if (read.op() instanceof SharedOp.SharedLoad && read.result().type() instanceof TileType t && t.rank() == 1) {
        most += t.element().bytes(t.count()) / (4 * 4);
      }
    }
    return most;
  }

  /** What follows the wait and may stand in front of it: waits for copies, reads of what was copied, and their numbers. */
  private static List<Inst> reads(Region region, Inst wait) {
    List<Inst> insts = region.insts();
    Set<Value> behind = Collections.newSetFromMap(new IdentityHashMap<>());
    behind.addAll(wait.results());
    List<Inst> reads = new ArrayList<>();
    boolean anyLoad = false;
    boolean single = false;
    for (Inst inst : insts.subList(insts.indexOf(wait) + 1, insts.size())) {
      boolean free = inst.operands().stream().noneMatch(behind::contains);
      boolean moves = switch (inst.op()) {
        case AsyncOp.BarrierWait w -> free && !(single && slots(w.barrier()) < 2);
        case SharedOp.SharedLoad _ -> free;
        case ElementwiseOp _ -> free && isNumber(inst);
        default -> false;
      };
      if (inst.op() instanceof AsyncOp.BarrierArrive a) {
        single |= slots(a.barrier()) < 2;
      } else if (!moves && !isPlain(inst)) {
        break;
      }
      if (moves) {
        anyLoad |= inst.op() instanceof SharedOp.SharedLoad;
        reads.add(inst);
      } else {
        behind.addAll(inst.results());
      }
    }
    while (!reads.isEmpty() && !(reads.getLast().op() instanceof SharedOp.SharedLoad)) {
      reads.removeLast();
    }
    return anyLoad ? reads : List.of();
  }

  private static boolean isNumber(Inst inst) {
    return inst.results().stream().allMatch(r -> r.type() instanceof TileType t && t.isScalar());
  }

  /** Whether the instruction only computes, so that reads may move over it. */
  private static boolean isPlain(Inst inst) {
    return inst.op() instanceof ElementwiseOp || inst.op() instanceof ShapeOp || inst.op() instanceof ReductionOp;
  }

  private static int slots(Value barrier) {
    return ((BarrierType) barrier.type()).slots();
  }
}
