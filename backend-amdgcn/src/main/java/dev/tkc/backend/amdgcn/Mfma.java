package dev.tkc.backend.amdgcn;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.backend.llvm.lower.TargetLowering;
import dev.tkc.ir.layout.MatrixFragments.Fragments;
import dev.tkc.passes.target.MatrixInstruction;
import java.util.ArrayList;
import java.util.List;

/**
 * One matrix instruction of a wave, emitted. Its capability row says what it multiplies and how fragments lie (CDNA3
 * ISA 7.1.4.2); the row's name is the intrinsic's. A lane's elements fill the operand's register in order, the first
 * one lowest.
 */
record Mfma(MatrixInstruction row, AmdgcnIntrinsic intrinsic) implements TargetLowering.MatrixInstruction {
  /** Broadcast within the wave and rotation of blocks: modifiers of every MFMA, unused. */
  private static final int MODIFIERS = 3;

  static Mfma of(MatrixInstruction row) {
    return new Mfma(row, AmdgcnIntrinsic.valueOf(row.name()));
  }

  @Override
  public Fragments fragments() {
    return row.fragments();
  }

  @Override
  public List<LlvmValue> multiply(
      LlvmBuilder b, List<LlvmValue> left, List<LlvmValue> right, List<LlvmValue> accumulator) {
    LlvmType operand = intrinsic.parameters().get(0);
    List<LlvmValue> arguments = new ArrayList<>();
    arguments.add(pack(b, left, operand));
    arguments.add(pack(b, right, operand));
    arguments.add(b.vector(accumulator));
    for (int i = 0; i < MODIFIERS; i++) {
      arguments.add(LlvmValue.i32(0));
    }
    return b.unpack(b.call(intrinsic, arguments));
  }

  private static LlvmValue pack(LlvmBuilder b, List<LlvmValue> elements, LlvmType operand) {
    LlvmValue packed = elements.size() == 1 ? elements.get(0) : b.vector(elements);
    return b.bitcast(packed, operand);
  }
}
