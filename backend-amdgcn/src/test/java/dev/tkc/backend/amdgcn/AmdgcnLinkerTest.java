package dev.tkc.backend.amdgcn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.DiagnosticException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class AmdgcnLinkerTest {
  @Test
  void aLinkerThatIsNotThereIsSaid() {
    DiagnosticException e = catchThrowableOfType(
        DiagnosticException.class, () -> AmdgcnLinker.link(Path.of("no", "such", "lld"), new byte[0]));
    assertThat(e.diagnostics().get(0).code()).isEqualTo(Code.NO_LINKER);
  }
}
