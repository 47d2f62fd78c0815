package dev.tkc.passes.tile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassOptions;
import org.junit.jupiter.api.Test;

/** Which of a loop's carried scalars are one. */
class CarriedTwinsTest {
  private static String passed(String secondStart, String secondStep) {
    Module m = IrParser.parse("""
        kernel @k(%p: ptr<i32>, %n: i64) {
          launch %n, [%p, %n] {callee = "f"}
          yield []
        }

        device @f(%p: ptr<i32>, %n: i64) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %t = make_tensor %p, [%n], [%c1] {access = out, name = "t"} : tensor<i32, 1>
          %zero = constant {value = 0 : i32} : i32
          %one = constant {value = 1 : i32} : i32
          %two = constant {value = 2 : i32} : i32
          %a, %b = for %c0, %n, [%zero, START] {step = 1} (%i: i64, %x: i32, %y: i32) {
            %x1 = add %x, %one : i32
            %x2 = and %x1, %one : i32
            %y1 = add %y, STEP : i32
            %y2 = and %y1, %one : i32
            store %t, [%i], %y
            yield [%x2, %y2]
          } : i32, i32
          %s = add %a, %b : i32
          store %t, [%c0], %s
          yield []
        }
        """.replace("START", secondStart).replace("STEP", secondStep));
    assertThat(Verifier.verify(m)).isEmpty();
    PassContext context = PassContext.portable(PassOptions.checked());
    EliminateCommon.run(m.func("f").orElseThrow(), context);
    EliminateDead.run(m.func("f").orElseThrow(), context);
    assertThat(Verifier.verify(m)).isEmpty();
    return IrPrinter.print(m);
  }

  @Test
  void equalOnesAreOne() {
    assertThat(passed("%zero", "%one")).contains("%a = for %c0, %n, [%zero]").contains("store %t, [%i], %x")
        .contains("%s = add %a, %a");
  }

  @Test
  void whatStartsOrGoesOnElsewhereStays() {
    assertThat(passed("%one", "%one")).contains("%a, %b = for");
    assertThat(passed("%zero", "%two")).contains("%a, %b = for");
  }
}
