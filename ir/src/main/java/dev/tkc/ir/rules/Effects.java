package dev.tkc.ir.rules;

import dev.tkc.ir.Inst;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import java.util.EnumSet;
import java.util.Set;

/** What an op does besides computing its results. Decides what may be moved, merged or dropped. */
public enum Effects {
  READS_GLOBAL,
  WRITES_GLOBAL,
  READS_SHARED,
  WRITES_SHARED,
  /** Orders accesses or transfers control: never moved, merged or dropped. */
  SYNCHRONISES;

  /** The effects of the op itself, without those of its regions. */
  public static Set<Effects> of(Op op) {
    return switch (op) {
      case ControlOp o -> control(o);
      case MemoryOp o -> memory(o);
      case ElementwiseOp _, ShapeOp _, ReductionOp _, MatrixOp _ -> EnumSet.noneOf(Effects.class);
      case SharedOp o -> shared(o);
      case AsyncOp o -> async(o);
    };
  }

  private static Set<Effects> control(ControlOp op) {
    return switch (op) {
      case ControlOp.For _, ControlOp.While _, ControlOp.If _, ControlOp.BlockId _, ControlOp.BlockCount _ ->
          EnumSet.noneOf(Effects.class);
      case ControlOp.Parallel _, ControlOp.Role _, ControlOp.Yield _, ControlOp.Assert _ -> EnumSet.of(SYNCHRONISES);
      case ControlOp.Launch _ -> EnumSet.of(READS_GLOBAL, WRITES_GLOBAL, SYNCHRONISES);
    };
  }

  private static Set<Effects> memory(MemoryOp op) {
    return switch (op) {
      case MemoryOp.MakeTensor _, MemoryOp.View _, MemoryOp.AddressOf _, MemoryOp.MakeTensorMap _, MemoryOp.Range _,
          MemoryOp.Lanes _, MemoryOp.Valid _ -> EnumSet.noneOf(Effects.class);
      case MemoryOp.Temp _, MemoryOp.Counter _, MemoryOp.LastArrival _ -> EnumSet.of(SYNCHRONISES);
      case MemoryOp.Load _ -> EnumSet.of(READS_GLOBAL);
      case MemoryOp.Store _ -> EnumSet.of(WRITES_GLOBAL);
      case MemoryOp.Atomic _ -> EnumSet.of(READS_GLOBAL, WRITES_GLOBAL);
    };
  }

  private static Set<Effects> shared(SharedOp op) {
    return switch (op) {
      case SharedOp.SharedAlloc _ -> EnumSet.of(SYNCHRONISES);
      case SharedOp.SharedLoad _, SharedOp.GroupLoad _ -> EnumSet.of(READS_SHARED);
      case SharedOp.SharedStore _ -> EnumSet.of(WRITES_SHARED);
      case SharedOp.CopyAsync _ -> EnumSet.of(READS_GLOBAL, WRITES_SHARED);
      case SharedOp.CopyCommit _, SharedOp.CopyWait _, SharedOp.Barrier _ -> EnumSet.of(SYNCHRONISES);
    };
  }

  private static Set<Effects> async(AsyncOp op) {
    return switch (op) {
      case AsyncOp.SharedView _, AsyncOp.Undefined _ -> EnumSet.noneOf(Effects.class);
      case AsyncOp.BarrierAlloc _, AsyncOp.BarrierExpect _, AsyncOp.BarrierArrive _, AsyncOp.BarrierWait _,
          AsyncOp.PrefetchBulk _, AsyncOp.StoreCommit _, AsyncOp.StoreWait _, AsyncOp.ProxyFence _, AsyncOp.DotFence _,
          AsyncOp.DotCommit _, AsyncOp.DotWait _, AsyncOp.TurnTake _, AsyncOp.TurnPass _,
          AsyncOp.NumberDraw _ -> EnumSet.of(SYNCHRONISES);
      case AsyncOp.CopyBulk _ -> EnumSet.of(READS_GLOBAL, WRITES_SHARED, SYNCHRONISES);
      case AsyncOp.StoreBulk _ -> EnumSet.of(READS_SHARED, WRITES_GLOBAL, SYNCHRONISES);
      case AsyncOp.DotAsync _, AsyncOp.NumberRead _ -> EnumSet.of(READS_SHARED, SYNCHRONISES);
      case AsyncOp.NumberPost _ -> EnumSet.of(WRITES_SHARED, SYNCHRONISES);
    };
  }

  /** The effects of an instruction and everything inside it; a region's own yield doesn't count. */
  public static Set<Effects> of(Inst inst) {
    EnumSet<Effects> all = EnumSet.noneOf(Effects.class);
    all.addAll(of(inst.op()));
    inst.regions().forEach(r -> r.walk(i -> {
      if (!(i.op() instanceof ControlOp.Yield)) {
        all.addAll(of(i.op()));
      }
    }));
    return all;
  }

  /** Whether the instruction only computes its results from its operands. */
  public static boolean isPure(Inst inst) {
    return of(inst).isEmpty();
  }
}
