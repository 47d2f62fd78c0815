package dev.tkc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.ir.diag.DiagnosticException;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SourcesTest {
  private static final byte[] LATIN_1 = {'/', '/', ' ', (byte) 0xE9, '\n'};

  @Test
  void textIsUtf8FromFilesAndStreamsAlike(@TempDir Path dir) throws Exception {
    Path file = Files.write(dir.resolve("a.tk"), LATIN_1);
    assertThatThrownBy(() -> Sources.read(file)).isInstanceOf(DiagnosticException.class)
        .hasMessageContaining("not UTF-8");
    assertThatThrownBy(() -> Sources.read(new ByteArrayInputStream(LATIN_1)))
        .isInstanceOf(DiagnosticException.class).hasMessageContaining("<stdin> cannot be read: it is not UTF-8");
    assertThat(Sources.read(new ByteArrayInputStream("// é\n".getBytes(StandardCharsets.UTF_8))).text())
        .isEqualTo("// é\n");
  }
}
