package dev.tkc.backend.llvm;

import static dev.tkc.backend.llvm.LlvmType.FLOAT;
import static dev.tkc.backend.llvm.LlvmType.GLOBAL;
import static dev.tkc.backend.llvm.LlvmType.I32;
import static dev.tkc.backend.llvm.LlvmType.I64;
import static dev.tkc.backend.llvm.LlvmValue.i32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmBuilder.Unroll;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the builder refuses, folds and prints. */
class LlvmBuilderTest {
  private final LlvmModule module = new LlvmModule("nvptx64-nvidia-cuda");
  private final LlvmFunction kernel = module.kernel("ptx_kernel", "k",
      List.of(new LlvmFunction.Parameter("x", GLOBAL, List.of("align 16")), new LlvmFunction.Parameter("n", I32)));
  private final LlvmBuilder b = kernel.builder();
  private final LlvmValue n = kernel.argument(1);

  @Test
  void refusesOperandsOfDifferentTypesWhereTheyAreBuilt() {
    LlvmValue wide = b.sext(n, I64);
    assertThatThrownBy(() -> b.add(n, wide)).isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("add of i32");
    assertThatThrownBy(() -> b.fadd(n, n)).hasMessageContaining("fadd of i32");
    assertThatThrownBy(() -> b.select(n, n, n)).hasMessageContaining("select");
    assertThatThrownBy(() -> b.load(FLOAT, n, 4)).hasMessageContaining("load");
    assertThatThrownBy(() -> b.extractElement(n, 0)).hasMessageContaining("extractelement");
    assertThatThrownBy(() -> b.shl(n, i32(32))).hasMessageContaining("shl");
  }

  @Test
  void refusesWrongArityOfIntrinsics() {
    LlvmIntrinsic smax = LlvmIntrinsic.uniform("llvm.smax", I32, 2);
    assertThatThrownBy(() -> b.call(smax, n)).hasMessageContaining("takes (i32, i32) and was given (i32)");
  }

  @Test
  void refusesInstructionsAfterATerminator() {
    b.retVoid();
    assertThatThrownBy(() -> b.add(n, n)).isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("already ended");
  }

  @Test
  void refusesToPrintAnOpenBlock() {
    assertThatThrownBy(module::text).hasMessageContaining("no terminator");
  }

  @Test
  void foldsIntegerConstantsAndNeutralOperands() {
    assertThat(b.add(n, i32(0))).isEqualTo(n);
    assertThat(b.mul(i32(1), n)).isEqualTo(n);
    assertThat(b.mul(n, i32(0))).isEqualTo(i32(0));
    assertThat(b.add(i32(3), i32(4))).isEqualTo(i32(7));
    assertThat(b.mul(i32(1 << 20), i32(1 << 12))).isEqualTo(i32(0));
    assertThat(b.shl(i32(3), i32(4))).isEqualTo(i32(48));
    assertThat(b.lshr(i32(-1), i32(28))).isEqualTo(i32(15));
    assertThat(b.ashr(i32(-16), i32(2))).isEqualTo(i32(-4));
    assertThat(b.and(n, i32(-1))).isEqualTo(n);
    assertThat(b.xor(i32(6), i32(3))).isEqualTo(i32(5));
    assertThat(b.udiv(n, i32(1))).isEqualTo(n);
    assertThat(b.zext(LlvmValue.constant(LlvmType.I8, -1), I32)).isEqualTo(i32(255));
    assertThat(b.sext(LlvmValue.i1(true), I32)).isEqualTo(i32(-1));
    assertThat(b.icmp(Compare.ULT, i32(1), i32(-1))).isEqualTo(LlvmValue.i1(true));
    assertThat(b.not(LlvmValue.i1(true))).isEqualTo(LlvmValue.i1(false));
    assertThat(b.select(LlvmValue.i1(false), n, i32(2))).isEqualTo(i32(2));
    b.retVoid();
    assertThat(module.text()).doesNotContain("%v");
  }

  @Test
  void spellsFloatingConstantsExactly() {
    assertThat(LlvmValue.f32(1.0).text()).isEqualTo("0x3FF0000000000000");
    assertThat(LlvmValue.real(LlvmType.HALF, 1.5).text()).isEqualTo("0xH3E00");
    assertThat(LlvmValue.real(LlvmType.BFLOAT, 1.00390625).text()).isEqualTo("0xR3F80");
    assertThat(LlvmValue.real(LlvmType.BFLOAT, Double.NEGATIVE_INFINITY).text()).isEqualTo("0xRFF80");
    assertThat(LlvmValue.real(LlvmType.vector(2, FLOAT), 0).text()).isEqualTo("splat (float 0x0000000000000000)");
  }

  @Test
  void constantConditionLeavesOneBranch() {
    List<LlvmValue> one = b.ifElse(LlvmValue.i1(true), () -> List.of(n), () -> {
      throw new AssertionError("built the dead branch");
    });
    assertThat(one).containsExactly(n);
  }

  @Test
  void nestedControlFlowParsesAndVerifies() {
    module.debug("gemm.tk");
    kernel.debug(1);
    b.at("gemm.tk", 2, 3);
    LlvmValue x = kernel.argument(0);
    List<LlvmValue> sum = b.forLoop(i32(0), n, i32(1), List.of(LlvmValue.f32(0)), Unroll.NEVER, (i, outer) ->
        b.forLoop(i32(0), i, i32(4), outer, new Unroll(java.util.OptionalInt.of(2)), (j, inner) -> {
          b.at("library.tk", 7, 1);
          LlvmValue v = b.load(LlvmType.vector(4, FLOAT), b.gep(FLOAT, x, b.sext(j, I64)), 16);
          LlvmValue total = b.unpack(v).stream().reduce((p, q) -> b.fadd(p, q, FastMath.CONTRACT)).orElseThrow();
          return b.ifElse(b.icmp(Compare.SGT, j, i32(8)), () -> List.of(b.fadd(inner.get(0), total)), () -> inner);
        }));
    b.ifThen(b.icmp(Compare.NE, n, i32(0)), () -> b.store(sum.get(0), x, 4));
    b.retVoid();
    LlvmTarget target = new LlvmTarget("nvptx64-nvidia-cuda", "sm_80", "+ptx80");
    String ptx = LlvmToolchain.instance().compileToAssembly(module.text(), target, "default<O3>");
    assertThat(ptx).contains(".visible .entry k(", "ld.global.v4.f32", ".file\t1 \"gemm.tk\"", "\"library.tk\"")
        .containsPattern("\\.loc\t2 7 1");
  }
}
