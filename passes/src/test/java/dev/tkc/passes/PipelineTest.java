package dev.tkc.passes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import org.junit.jupiter.api.Test;

class PipelineTest {
  static String portable(String program) {
    Module module = IrParser.parse(program);
    new PassDriver(PassContext.portable()).run(Pipeline.portable(), module);
    String text = IrPrinter.print(module);
    assertThat(IrPrinter.print(IrParser.parse(text))).isEqualTo(text);
    return text;
  }

  @Test
  void phasesBecomeDeviceFunctions() {
    String text = portable(Programs.AXPY);
    assertThat(text).contains("launch", "device @axpy_0(", "%N: i64 div 16").doesNotContain("parallel");
    assertThat(portable(Programs.GEMM)).contains("device @gemm_0(", "block_id").doesNotContain("parallel");
  }
}
