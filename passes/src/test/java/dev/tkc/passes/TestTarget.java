package dev.tkc.passes;

import dev.tkc.ir.Module;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.passes.target.TargetInfo;

/** How tests run passes: text in, one or more rows of the pipeline, text out. */
public final class TestTarget {
  public static final TargetInfo TARGET = TestTargets.NARROW;

  private TestTarget() {}

  /** The module after the rows, which must parse, verify before and after, and print as something that parses. */
  public static Module run(String text, String... rows) {
    Module m = IrParser.parse(text);
    if (!Verifier.verify(m).isEmpty()) {
      throw new IllegalArgumentException(Verifier.verify(m).toString());
    }
    PassDriver.run(m, PassContext.of(TARGET, PassOptions.checked().withOnly(rows)));
    IrParser.parse(IrPrinter.print(m));
    return m;
  }

  public static String text(String text, String... rows) {
    return IrPrinter.print(run(text, rows));
  }

  /** The body lines of a function that does what {@code lines} say, in a kernel around them. */
  public static String kernel(String lines) {
    return """
        kernel @f(%px: ptr<f32> div 16, %py: ptr<f32> div 16, %N: i64 div 16, %a: f32, %n: i64, %b: bool) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %x = make_tensor %px, [%N], [%c1] {access = in, name = "x"} : tensor<f32, 1>
          %y = make_tensor %py, [%N], [%c1] {access = out, name = "y"} : tensor<f32, 1>
          parallel %c0, %N {step = 64} (%i: i64) {
            %left = sub %N, %i : i64
            %r = range %i, %c1, %left {size = 64} : range<64>
            %t = load %x, [%r], _ : f32[64]
        """ + lines + """
            yield []
          }
          yield []
        }
        """;
  }
}
