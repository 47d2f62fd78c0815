package dev.tkc.ir.rules;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.TileType;

/**
 * Which code one thread can do for its team: scalars, waits, and what is started by one thread anyway. A role of
 * nothing else is entered by that thread alone, so that in it a value is known to whoever it concerns.
 */
public final class OneThread {
  private OneThread() {}

  /** Whether one thread can do all that the region does. */
  public static boolean suffices(Region region) {
    return !region.anyMatch(inst -> !suffices(inst));
  }

  private static boolean suffices(Inst inst) {
    boolean scalars = inst.results().stream().allMatch(v -> !(v.type() instanceof TileType t) || t.isScalar());
    return scalars && switch (inst.op()) {
      case ControlOp _, ElementwiseOp _ -> true;
      case MemoryOp o -> switch (o) {
        case MemoryOp.MakeTensor _, MemoryOp.View _, MemoryOp.Range _, MemoryOp.Load _, MemoryOp.AddressOf _ -> true;
        case MemoryOp.Temp _, MemoryOp.Counter _, MemoryOp.MakeTensorMap _, MemoryOp.Lanes _, MemoryOp.Valid _,
            MemoryOp.Store _, MemoryOp.Atomic _, MemoryOp.LastArrival _ -> false;
      };
      case AsyncOp o -> o instanceof AsyncOp.BarrierWait || o instanceof AsyncOp.NumberDraw
          || o instanceof AsyncOp.NumberPost
          || o instanceof AsyncOp.NumberRead || isElected(o);
      case ShapeOp _, ReductionOp _, MatrixOp _, SharedOp _ -> false;
    };
  }

  /** Whether it is done by one thread whatever its team is. */
  public static boolean isElected(AsyncOp op) {
    return switch (op) {
      case AsyncOp.BarrierExpect _, AsyncOp.CopyBulk _, AsyncOp.PrefetchBulk _, AsyncOp.StoreBulk _,
          AsyncOp.StoreCommit _, AsyncOp.StoreWait _ -> true;
      case AsyncOp.BarrierAlloc _, AsyncOp.BarrierArrive _, AsyncOp.BarrierWait _, AsyncOp.ProxyFence _,
          AsyncOp.NumberDraw _, AsyncOp.NumberPost _, AsyncOp.NumberRead _, AsyncOp.SharedView _, AsyncOp.Undefined _,
          AsyncOp.DotFence _, AsyncOp.DotAsync _, AsyncOp.DotCommit _, AsyncOp.DotWait _, AsyncOp.TurnTake _,
          AsyncOp.TurnPass _ -> false;
    };
  }
}
