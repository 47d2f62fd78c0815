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
import java.util.List;
import org.junit.jupiter.api.Test;

/** Rows that end inside their tensor become rows at the end of one whose addresses wrap around. */
class RaggedTensorsTest {
  /** A product of all rows of b from a number in memory up to another one, with a. */
  private static String program(int rows, String columns) {
    return """
        kernel @k(%pa: ptr<bf16> div 16, %pb: ptr<bf16> div 16, %ps: ptr<i32>, %pc: ptr<f32> div 16, %K: i64 div 16) {
          %0 = constant {value = 1 : i64} : i64
          launch %0, [%pa, %pb, %ps, %pc, %K] {callee = "f"}
          yield []
        }

        device @f(%pa: ptr<bf16> div 16, %pb: ptr<bf16> div 16, %ps: ptr<i32>, %pc: ptr<f32> div 16, %K: i64 div 16) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %c2 = constant {value = 2 : i64} : i64
          %n = constant {value = 64 : i64} : i64
          %rows = constant {value = ROWS : i64} : i64
          %a = make_tensor %pa, [%rows, %K], [%K, %c1] {access = in, name = "a"} : tensor<bf16, 2>
          %b = make_tensor %pb, [%K, %n], [%n, %c1] {access = in, name = "b"} : tensor<bf16, 2>
          %s = make_tensor %ps, [%c2], [%c1] {access = in, name = "s"} : tensor<i32, 1>
          %c = make_tensor %pc, [%rows, %n], [%n, %c1] {access = out, name = "c"} : tensor<f32, 2>
          %ri = range %c0, %c1, %rows {size = ROWS} : range<ROWS>
          %rj = range %c0, %c1, %n {size = 64} : range<64>
          %lo32 = load %s, [%c0], _ : i32
          %hi32 = load %s, [%c1], _ : i32
          %lo = cast %lo32 {to = i64, kind = saturate} : i64
          %hi = cast %hi32 {to = i64, kind = saturate} : i64
          %z = constant {value = 0.0 : f32} : f32
          %zeros = splat %z {shape = [ROWS, 64]} : f32[ROWS, 64]
          %sum = for %lo, %hi, [%zeros] {step = 64} (%k: i64, %acc: f32[ROWS, 64]) {
            %left = sub %hi, %k : i64
            %rk = range %k, %c1, %left {size = 64} : range<64>
            %rc = range COLUMNS {size = 64} : range<64>
            %x = load %a, [%ri, %rc], _ : bf16[ROWS, 64]
            %y = load %b, [%rk, %rj], _ : bf16[64, 64]
            %d = dot %x, %y, %acc {precision = default} : f32[ROWS, 64]
            yield [%d]
          } : f32[ROWS, 64]
          store %c, [%ri, %rj], %sum
          yield []
        }
        """.replace("ROWS", "" + rows).replace("COLUMNS", columns);
  }

  private static String passed(String program) {
    Module m = IrParser.parse(program);
    assertThat(Verifier.verify(m)).isEmpty();
    PassDriver.run(m, PassContext.of(TestTargets.BULK, PassOptions.checked().withOnly("ragged-tensors")));
    return IrPrinter.print(m);
  }

  private static final String WHOLE = "%c0, %c1, %n";

  @Test
  void rowsThatEndInsideTheirTensorEndWithAnotherOne() {
    String text = passed(program(64, WHOLE));
    List<String> lines = text.lines().map(String::strip).toList();
    assertThat(lines)
        .anyMatch(l -> l.contains("= make_tensor %pb,") && l.contains("#{wraps}") && l.contains("tensor<bf16, 4>"));
    assertThat(text).containsPattern("%y = load %\\S+, \\[%\\S+, %\\S+, %\\S+, %rj\\], _ : bf16\\[64, 64\\]")
        .containsPattern("%x = load %a, \\[%ri, %rc\\]");
  }

  /** The host knows nothing of numbers in memory: rows are those inside the tensor, and none from a negative one on. */
  @Test
  void rowsFromANumberInMemoryAreCutOffAtTheirTensor() {
    assertThat(passed(program(64, WHOLE))).containsPattern("%\\S+ = sub %K, %k").contains(" = select ");
  }

  @Test
  void rowsThatMayBeginBeforeTheirTensorStay() {
    String around = program(64, WHOLE).replace("%rk = range %k,", "%before = sub %k, %c1 : i64\n%rk = range %before,");
    assertThat(passed(around)).doesNotContain("wraps");
  }

  @Test
  void whatDoesNotBecomeAsynchronousStays() {
    // Too few rows for the instruction; and columns, which an engine cannot be told the end of.
    for (String program : List.of(program(16, WHOLE), program(64, "%k, %c1, %left"))) {
      assertThat(passed(program)).doesNotContain("wraps");
    }
  }
}
