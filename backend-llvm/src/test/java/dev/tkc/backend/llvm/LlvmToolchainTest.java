package dev.tkc.backend.llvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The native half: what it produces, how it complains, and that threads do not disturb one another. */
class LlvmToolchainTest {
  private static final LlvmTarget SM_80 = new LlvmTarget("nvptx64-nvidia-cuda", "sm_80", "+ptx80");
  private static final LlvmTarget GFX942 = new LlvmTarget("amdgcn-amd-amdhsa", "gfx942", "");

  private static String kernel(String triple, String convention, int constant) {
    return """
        target triple = "%s"
        define %s void @k(ptr addrspace(1) %%p) {
          %%v = load i32, ptr addrspace(1) %%p
          %%w = mul i32 %%v, %d
          store i32 %%w, ptr addrspace(1) %%p
          ret void
        }
        """.formatted(triple, convention, constant);
  }

  @Test
  void quotesTheLineItCannotRead() {
    assertThatThrownBy(() -> LlvmToolchain.instance()
        .parse("define void @k(i32 %a) {\n  %b = add i32 %a, %c\n  ret void\n}\n"))
        .isInstanceOf(LlvmException.class)
        .hasMessageContaining("line 2:")
        .hasMessageContaining("undefined value '%c'")
        .hasMessageContaining("%b = add i32 %a, %c");
  }

  @Test
  void reportsWhatTheVerifierFinds() {
    assertThatThrownBy(() -> LlvmToolchain.instance()
        .parse("define void @k(i32 %a) {\n %b = add i32 %b, %a\n ret void\n}\n"))
        .isInstanceOf(LlvmException.class)
        .hasMessageContaining("Only PHI nodes may reference their own value");
  }

  @Test
  void reportsWhatCodeGenerationFinds() {
    String tooMuch = """
        target triple = "amdgcn-amd-amdhsa"
        @l = internal addrspace(3) global [100000 x i8] undef, align 16
        define amdgpu_kernel void @k(i32 %i) {
          %p = getelementptr i8, ptr addrspace(3) @l, i32 %i
          store volatile i8 1, ptr addrspace(3) %p
          ret void
        }
        """;
    try (LlvmToolchain.Unit unit = LlvmToolchain.instance().parse(tooMuch)) {
      assertThatThrownBy(() -> unit.object(GFX942)).isInstanceOf(LlvmException.class)
          .hasMessageContaining("local memory (100000) exceeds limit (65536)");
    }
  }

  @Test
  void emitsTextAndObjectFromOneUnit() {
    try (LlvmToolchain.Unit unit = LlvmToolchain.instance().parse(kernel("amdgcn-amd-amdhsa", "amdgpu_kernel", 3))) {
      unit.optimise(GFX942, "default<O3>");
      assertThat(unit.assembly(GFX942)).contains("s_mul_i32").contains(".amdhsa_kernel k");
      assertThat(unit.object(GFX942)).startsWith(0x7F, 'E', 'L', 'F');
      assertThat(unit.text()).contains("mul i32");
    }
  }

  @Test
  void threadsCompileIndependently() throws Exception {
    LlvmToolchain toolchain = LlvmToolchain.instance();
    try (var pool = Executors.newFixedThreadPool(4)) {
      List<Callable<String>> work = IntStream.range(0, 16).<Callable<String>>mapToObj(i -> () -> toolchain
          .compileToAssembly(kernel("nvptx64-nvidia-cuda", "ptx_kernel", 1000 + i), SM_80, "default<O3>")).toList();
      List<Future<String>> done = pool.invokeAll(work);
      for (int i = 0; i < done.size(); i++) {
        assertThat(done.get(i).get()).contains(", " + (1000 + i) + ";");
      }
    }
  }

  /** A kernel that stores its thread's warp, for blocks of at most so many threads. */
  private static String warps(int threads) {
    return """
        target triple = "nvptx64-nvidia-cuda"
        define ptx_kernel void @k(ptr addrspace(1) %%p) {
          %%t = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
          %%w = lshr i32 %%t, 5
          store i32 %%w, ptr addrspace(1) %%p
          ret void
        }
        declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
        !nvvm.annotations = !{!0}
        !0 = !{ptr @k, !"maxntidx", i32 %d}
        """.formatted(threads);
  }

  /** LLVM finds annotations by addresses, and modules that are compiled in turn come to lie where others have been. */
  @Test
  void noModuleIsTakenForOneThatWasFreed() {
    LlvmToolchain toolchain = LlvmToolchain.instance();
    Map<Integer, String> first = new HashMap<>();
    Random random = new Random(1);
    for (int round = 0; round < 400; round++) {
      int threads = 32 << random.nextInt(4);
      if (round % 2 == 0) {
        String ptx = toolchain.compileToAssembly(warps(threads), SM_80, "default<O3>");
        assertThat(ptx).as("round " + round).contains(".maxntid " + threads + ",")
            .isEqualTo(first.computeIfAbsent(threads, _ -> ptx));
      } else {
        try (LlvmToolchain.Unit unit = toolchain.parse(warps(threads))) {
          unit.optimise(SM_80, "default<O3>");
        }
      }
    }
    assertThat(first.get(32)).doesNotContain("%tid.x");
    assertThat(first.get(64)).contains("shr.u32");
  }
}
