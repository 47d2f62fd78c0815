package dev.tkc.backend.ptx;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.backend.llvm.lower.TargetLowering;
import dev.tkc.ir.layout.MatrixFragments.Fragments;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.MatrixInstruction;
import java.util.ArrayList;
import java.util.List;

/**
 * One {@code mma.sync}: packs fragments into the registers it takes. Where PTX is too old for products of 8-bit floats
 * they are widened to f16, which is exact, and done by two f16 products, each over half of every lane's k.
 */
final class PtxMatrix implements TargetLowering.MatrixInstruction {
  private final PtxLowering target;
  private final MatrixInstruction row;

  PtxMatrix(PtxLowering target, MatrixInstruction row) {
    this.target = target;
    this.row = row;
  }

  @Override
  public Fragments fragments() {
    return row.fragments();
  }

  @Override
  public List<LlvmValue> multiply(
      LlvmBuilder b, List<LlvmValue> left, List<LlvmValue> right, List<LlvmValue> accumulator) {
    return switch (row.precision()) {
      case DEFAULT -> byType(b, left, right, accumulator);
      case TF32 -> tf32(b, rounded(b, left), rounded(b, right), accumulator);
      case TF32X3 -> tf32x3(b, left, right, accumulator);
      case IEEE -> throw new IllegalStateException("no matrix instruction for " + row.precision());
    };
  }

  private List<LlvmValue> byType(LlvmBuilder b, List<LlvmValue> left, List<LlvmValue> right, List<LlvmValue> sum) {
    if (row.a().isFp8() && !target.has(intrinsic())) {
      return viaHalf(b, left, right, sum);
    }
    return switch (row.a()) {
      case F16 -> call(b, PtxIntrinsic.MMA_F16, pairs(b, left), pairs(b, right), sum);
      case BF16, I8, U8, E4M3, E5M2 -> call(b, intrinsic(), words(b, left), words(b, right), sum);
      case F64 -> call(b, PtxIntrinsic.MMA_F64, left, right, sum);
      case BOOL, I16, I32, I64, U16, U32, U64, F32, I4, U4, E2M1, E8M0 ->
          throw new IllegalStateException("mma of " + row.a().text());
    };
  }

  private PtxIntrinsic intrinsic() {
    return PtxIntrinsic.valueOf(row.name());
  }

  private static List<LlvmValue> call(
      LlvmBuilder b, PtxIntrinsic mma, List<LlvmValue> left, List<LlvmValue> right, List<LlvmValue> sum) {
    List<LlvmValue> operands = new ArrayList<>(left);
    operands.addAll(right);
    operands.addAll(sum);
    return b.unpack(b.call(mma, operands));
  }

  /** Elements packed into i32 in order. */
  static List<LlvmValue> words(LlvmBuilder b, List<LlvmValue> elements) {
    int pack = 32 / elements.get(0).type().bits();
    List<LlvmValue> words = new ArrayList<>();
    for (int i = 0; i < elements.size(); i += pack) {
      words.add(b.bitcast(b.vector(elements.subList(i, i + pack)), LlvmType.I32));
    }
    return words;
  }

  private static List<LlvmValue> pairs(LlvmBuilder b, List<LlvmValue> halves) {
    List<LlvmValue> pairs = new ArrayList<>();
    for (int i = 0; i < halves.size(); i += 2) {
      pairs.add(b.vector(halves.subList(i, i + 2)));
    }
    return pairs;
  }

  // tf32.

  private static List<LlvmValue> rounded(LlvmBuilder b, List<LlvmValue> xs) {
    return xs.stream().map(x -> b.call(PtxIntrinsic.CVT_TF32, x)).toList();
  }

  private static List<LlvmValue> tf32(LlvmBuilder b, List<LlvmValue> left, List<LlvmValue> right, List<LlvmValue> sum) {
    return call(b, PtxIntrinsic.MMA_TF32, left, right, sum);
  }

  /** Each operand as a tf32 and the tf32 of what that lost; the product of the two losses is left out. */
  private static List<LlvmValue> tf32x3(LlvmBuilder b, List<LlvmValue> left, List<LlvmValue> right,
      List<LlvmValue> sum) {
    List<LlvmValue> leftHigh = rounded(b, left);
    List<LlvmValue> rightHigh = rounded(b, right);
    List<LlvmValue> small = tf32(b, lost(b, left, leftHigh), rightHigh, sum);
    small = tf32(b, leftHigh, lost(b, right, rightHigh), small);
    return tf32(b, leftHigh, rightHigh, small);
  }

  private static List<LlvmValue> lost(LlvmBuilder b, List<LlvmValue> xs, List<LlvmValue> high) {
    List<LlvmValue> rest = new ArrayList<>();
    for (int i = 0; i < xs.size(); i++) {
      rest.add(b.fsub(xs.get(i), b.bitcast(high.get(i), LlvmType.FLOAT)));
    }
    return rounded(b, rest);
  }

  // 8-bit floats as f16.

  /**
   * A lane's register of an 8-bit fragment holds four consecutive k. The order of k within a product does not matter as
   * long as both operands agree, so the first f16 product takes the lower two of every four, the second the upper two.
   */
  private List<LlvmValue> viaHalf(LlvmBuilder b, List<LlvmValue> left, List<LlvmValue> right, List<LlvmValue> sum) {
    List<LlvmValue> a = halves(b, left, row.a());
    List<LlvmValue> c = halves(b, right, row.b());
    List<LlvmValue> total = sum;
    for (int part = 0; part < 2; part++) {
      total = call(b, PtxIntrinsic.MMA_F16, pairs(b, everyOther(a, part)), pairs(b, everyOther(c, part)), total);
    }
    return total;
  }

  private List<LlvmValue> halves(LlvmBuilder b, List<LlvmValue> xs, Element from) {
    return TargetLowering.convertExactly(b, target, xs, from, Element.F16);
  }

  /** Of every four elements the lower or the upper two. */
  private static List<LlvmValue> everyOther(List<LlvmValue> xs, int part) {
    List<LlvmValue> chosen = new ArrayList<>();
    for (int i = 2 * part; i < xs.size(); i += 4) {
      chosen.addAll(xs.subList(i, i + 2));
    }
    return chosen;
  }

  /** The PTX version at which the instruction of this name needs no detour. */
  static int newestPtx(String name) {
    return name.startsWith("MMA_TF32") ? PtxIntrinsic.MMA_TF32.minimumPtx() : PtxIntrinsic.valueOf(name).minimumPtx();
  }
}
