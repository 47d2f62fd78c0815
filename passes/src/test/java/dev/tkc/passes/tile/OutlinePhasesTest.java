package dev.tkc.passes.tile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.passes.TestTarget;
import org.junit.jupiter.api.Test;

class OutlinePhasesTest {
  @Test
  void oneDomain() {
    String text = TestTarget.text(TestTarget.kernel("    store %y, [%r], %t\n"), "outline-phases");
    assertThat(text).contains("launch").contains("device @f_0(").contains("block_id");
    assertThat(text.substring(0, text.indexOf("device"))).doesNotContain("parallel").doesNotContain("load");
  }
}
