package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.FastMath;
import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.MatrixFragments.Fragments;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Matrix products of register tiles: for each fragment of the accumulator, k step after k step, the operands' fragments
 * are found among the thread's registers by their coordinates. Without a matrix instruction the fragment is a single
 * element, and the product a multiply-add. Padding along k counts as zero.
 */
final class DotLowering {
  private final FunctionLowering f;

  DotLowering(FunctionLowering f) {
    this.f = f;
  }

  Lowered lower(Inst inst, MatrixOp.Dot o) {
    TileType sum = o.acc().tile();
    TargetLowering.MatrixInstruction instruction = inst.annotations().get("instruction") instanceof String name
        ? f.target().matrix(name)
        : new MultiplyAdd(sum.element());
    Operand a = operand(o.a(), 1, sum.element(), instruction);
    Operand b = operand(o.b(), 0, sum.element(), instruction);
    LayoutView c = f.view(inst.result().tile());
    if (!o.acc().tile().layout().equals(c.layout())) {
      throw new IllegalStateException(inst + " changes the accumulator's layout");
    }
    Fragments shape = instruction.fragments();
    requireLanes(inst, c.layout(), shape.c());
    requireLanes(inst, a.view.layout(), shape.a());
    requireLanes(inst, b.view.layout(), shape.b());
    LlvmValue[] values = f.registers(o.acc()).toArray(LlvmValue[]::new);
    int depth = o.a().tile().shape().get(o.a().tile().rank() - 1);
    List<List<Integer>> origins = origins(c, shape);
    for (int k = 0; k < depth; k += shape.k()) {
      for (List<Integer> origin : origins) {
        step(instruction, origin, k, a, b, c, values);
      }
    }
    return c.map(RegisterTypes.zero(sum.element()), r -> values[r]);
  }

  /** An operand's registers, padding along k made zero. */
  private record Operand(LayoutView view, List<LlvmValue> registers) {}

  private Operand operand(Value x, int kFromEnd, Element sum, TargetLowering.MatrixInstruction instruction) {
    TileType type = x.tile();
    LayoutView view = f.view(type);
    int axis = type.rank() - 2 + kFromEnd;
    List<LlvmValue> registers = new ArrayList<>();
    LlvmValue zero = RegisterTypes.zero(type.element());
    for (int r = 0; r < view.registers(); r++) {
      registers.add(view.isFirst(r)
          ? Padding.select(f, view, r, List.of(axis), f.registers(x).get(r), zero)
          : registers.get(view.twin(r)));
    }
    if (instruction instanceof MultiplyAdd) {
      registers = new CastMath(f.b(), f.target()).convert(registers, type.element(), sum, false);
    }
    return new Operand(view, registers);
  }

  /** Coordinates, by the accumulator's registers alone, of the fragments that hold something. */
  private static List<List<Integer>> origins(LayoutView c, Fragments shape) {
    List<List<Integer>> origins = new ArrayList<>();
    int rank = c.rank();
    for (int r = 0; r < c.registers(); r++) {
      List<Integer> at = c.layout().coordinates(c.place(r));
      boolean corner = at.get(rank - 2) % shape.m() == 0 && at.get(rank - 1) % shape.n() == 0;
      if (c.isFirst(r) && corner && !c.allPadding(r)) {
        origins.add(at);
      }
    }
    return origins;
  }

  private void step(TargetLowering.MatrixInstruction instruction, List<Integer> origin, int k, Operand a, Operand b,
      LayoutView c, LlvmValue[] values) {
    int rank = origin.size();
    Fragments shape = instruction.fragments();
    List<Integer> leftOrigin = new ArrayList<>(origin);
    leftOrigin.set(rank - 1, k);
    List<Integer> rightOrigin = new ArrayList<>(origin);
    rightOrigin.set(rank - 2, k);
    int[] sums = registers(c, shape.c(), origin);
    List<LlvmValue> accumulator = new ArrayList<>();
    for (int r : sums) {
      accumulator.add(values[r]);
    }
    List<LlvmValue> next = instruction.multiply(
        f.b(), fragment(a, shape.a(), leftOrigin), fragment(b, shape.b(), rightOrigin), accumulator);
    for (int i = 0; i < sums.length; i++) {
      values[sums[i]] = next.get(i);
    }
  }

  private static List<LlvmValue> fragment(Operand operand, LinearLayout shape, List<Integer> origin) {
    List<LlvmValue> values = new ArrayList<>();
    for (int r : registers(operand.view, shape, origin)) {
      values.add(operand.registers.get(r));
    }
    return values;
  }

  /** The registers of a tile that make up the fragment at {@code origin}, in the fragment's order. */
  static int[] registers(LayoutView view, LinearLayout fragment, List<Integer> origin) {
    int rank = origin.size();
    int[] found = new int[fragment.registersPerThread()];
    for (int i = 0; i < found.length; i++) {
      List<Integer> inside = fragment.coordinates(fragment.applyFlat(InDim.REGISTER, i));
      List<Integer> at = new ArrayList<>(origin);
      at.set(rank - 2, at.get(rank - 2) ^ inside.get(0));
      at.set(rank - 1, at.get(rank - 1) ^ inside.get(1));
      found[i] = view.layout().matrix(InDim.REGISTER).solve(flat(view.layout(), at)).orElseThrow(
          () -> new IllegalStateException("no register holds " + at + " of a dot's operand " + view.layout()))
              .intValue();
    }
    return found;
  }

  private static long flat(LinearLayout layout, List<Integer> at) {
    long flat = 0;
    for (int axis = 0; axis < at.size(); axis++) {
      flat = flat * layout.size(axis) + at.get(axis);
    }
    return flat;
  }

  /** Lanes must lie as the instruction wants them; without one they may lie anyhow. */
  private static void requireLanes(Inst inst, LinearLayout layout, LinearLayout fragment) {
    if (fragment.bits(InDim.LANE) == 0) {
      return;
    }
    for (int i = 0; i < fragment.bits(InDim.LANE); i++) {
      List<Integer> have = layout.basis(InDim.LANE).get(i);
      if (!have.subList(have.size() - 2, have.size()).equals(fragment.basis(InDim.LANE).get(i))) {
        throw new IllegalStateException(inst + ": the layout " + layout + " does not follow the fragment " + fragment);
      }
    }
  }

  /** The product of two elements added to a third. Operands come in the accumulator's type. */
  private record MultiplyAdd(Element sum) implements TargetLowering.MatrixInstruction {
    private static final LinearLayout ONE = LinearLayout.ofFlat(
        List.of(1, 1), Map.of(InDim.REGISTER, List.of(), InDim.LANE, List.of()));

    @Override
    public Fragments fragments() {
      return new Fragments(ONE, ONE, ONE);
    }

    @Override
    public List<LlvmValue> multiply(
        LlvmBuilder b, List<LlvmValue> left, List<LlvmValue> right, List<LlvmValue> accumulator) {
      LlvmValue x = left.get(0);
      LlvmValue y = right.get(0);
      LlvmValue old = accumulator.get(0);
      return List.of(sum.isFloat()
          ? b.fadd(old, b.fmul(x, y, FastMath.CONTRACT), FastMath.CONTRACT)
          : b.add(old, b.mul(x, y)));
    }
  }
}
