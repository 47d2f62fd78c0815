package dev.tkc.passes.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.TestTargets;
import org.junit.jupiter.api.Test;

/** Which waits stand behind which sums. */
class HoldWaitsTest {
  private static String held(String between) {
    Module m = IrParser.parse("""
        kernel @k(%px: ptr<f32>) {
          %0 = constant {value = 1 : i64} : i64
          launch %0, [%px] {callee = "f"}
          yield []
        }

        device @f(%px: ptr<f32>) #{warps = 4} {
          %a = shared_alloc {type = shared<bf16[64, 64], 1>, name = "a"} : shared<bf16[64, 64], 1>
          barrier
          role {name = "consumer", warps = 4, registers = 200} () {
            %c0 = constant {value = 0 : i64} : i64
            %z = constant {value = 1.0 : f32} : f32
            %x = splat %z {shape = [64, 64]} : f32[64, 64]
            %v = shared_view %a, %c0 {offsets = [0, 0], shape = [64, 64], order = [0, 1]} : shared<bf16[64, 64], 1>
            %none = undefined {element = f32, shape = [64, 64]} : f32[64, 64]
            %no = constant {value = false : bool} : bool
            dot_fence
            %d = dot_async %v, %v, %none, %no {precision = default} #{instruction = "wgmma.bf16"} : f32[64, 64]
            dot_commit
            BETWEEN
            %w = dot_wait [%d] {pending = 0} : f32[64, 64]
            yield []
          }
          yield []
        }
        """.replace("BETWEEN", between));
    assertThat(Verifier.verify(m)).isEmpty();
    PassDriver.run(m, PassContext.of(TestTargets.BULK, PassOptions.checked().withOnly("hold-waits")));
    return IrPrinter.print(m);
  }

  @Test
  void aSumBesideTheProductGoesThroughItsWait() {
    String sum = "%p = exp2 %x : f32[64, 64]\n    %l = reduce %p {kind = sum, axes = [1]} : f32[64, 1]";
    assertThat(held(sum)).containsPattern(
        "= dot_wait \\[%d, %l\\] \\{pending = 0\\} #\\{behind = 1\\} : f32\\[64, 64\\], f32\\[64, 1\\]");
  }

  @Test
  void withoutOneAWaitIsAsItWas() {
    assertThat(held("%p = exp2 %x : f32[64, 64]")).contains("%w = dot_wait [%d] {pending = 0} : f32[64, 64]");
    String waited = "%l = reduce %x {kind = sum, axes = [1]} : f32[64, 1]\n    dot_wait [] {pending = 1}";
    assertThat(held(waited)).contains("%w = dot_wait [%d] {pending = 0} : f32[64, 64]");
  }
}
