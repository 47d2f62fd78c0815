package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.target.MatrixInstruction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Cuts a dot whose operands come from shared memory into steps along k, each of which reads only its part: an operand's
 * registers then live for one step.
 *
 * <pre>
 *   %x = shared_load %b, %s {offsets = [0, 0], shape = [128, 32]}      two shared_loads of [128, 16] and two dots,
 *   %d = dot %x, %y, %acc                                         →   the second into the first
 * </pre>
 *
 * A step is the matrix instruction's k. The sum's order is unchanged. An operand that is in registers anyway is cut by
 * {@code slice}, which moves nothing there.
 */
public final class SliceDots {
  private final PassContext context;

  private SliceDots(PassContext context) {
    this.context = context;
  }

  public static void run(Func func, PassContext context) {
    new SliceDots(context).visit(func.body());
  }

  private void visit(Region region) {
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(this::visit);
      if (inst.op() instanceof MatrixOp.Dot dot) {
        step(inst, dot).filter(_ -> isWorthIt(dot, region)).ifPresent(k -> slice(region, inst, dot, k));
      }
    }
  }

  private Optional<Integer> step(Inst inst, MatrixOp.Dot dot) {
    List<Integer> a = dot.a().tile().shape();
    int k = a.getLast();
    return Optional.ofNullable((String) inst.annotations().get("instruction"))
        .flatMap(context.target()::matrixInstruction).map(MatrixInstruction::k).filter(s -> s < k && k % s == 0);
  }

  private static boolean isWorthIt(MatrixOp.Dot dot, Region region) {
    return fromShared(dot.a(), region) || fromShared(dot.b(), region);
  }

  /**
   * Whether the value is read from shared memory in this region, possibly transposed; reading it once more is cheap.
   */
  private static boolean fromShared(Value v, Region region) {
    return v.definition() != null && region.insts().contains(v.definition())
        && (v.definition().op() instanceof SharedOp.SharedLoad
            || v.definition().op() instanceof ShapeOp.Permute p && fromShared(p.x(), region));
  }

  private void slice(Region region, Inst inst, MatrixOp.Dot dot, int step) {
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    int rank = dot.a().tile().rank();
    int k = dot.a().tile().shape().getLast();
    Value acc = dot.acc();
    for (int from = 0; from < k; from += step) {
      Value x = part(dot.a(), rank - 1, from, step, b);
      Value y = part(dot.b(), rank - 2, from, step, b);
      MatrixOp.Dot piece = new MatrixOp.Dot(x, y, acc, dot.precision());
      if (from + step < k) {
        Inst made = b.append(piece);
        made.annotations().putAll(inst.annotations());
        acc = made.result();
      } else {
        inst.setOp(piece);
      }
    }
  }

  /**
   * The part of {@code size} at {@code from} along {@code axis}, read anew where the value comes from shared memory.
   */
  private static Value part(Value v, int axis, int from, int size, Builder b) {
    List<Integer> shape = new ArrayList<>(v.tile().shape());
    shape.set(axis, size);
    if (fromShared(v, b.region()) && v.definition().op() instanceof SharedOp.SharedLoad load) {
      List<Integer> offsets = new ArrayList<>(load.offsets());
      offsets.set(axis, offsets.get(axis) + from);
      return b.emit(new SharedOp.SharedLoad(load.buffer(), load.stage(), offsets, shape));
    }
    if (fromShared(v, b.region()) && v.definition().op() instanceof ShapeOp.Permute p) {
      return b.emit(new ShapeOp.Permute(part(p.x(), p.order().get(axis), from, size, b), p.order()));
    }
    List<Integer> offsets = new ArrayList<>(StageLoads.zeros(v.tile().rank()));
    offsets.set(axis, from);
    return b.emit(new ShapeOp.Slice(v, offsets, shape));
  }
}
