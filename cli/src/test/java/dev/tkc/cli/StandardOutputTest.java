package dev.tkc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StandardOutputTest {
  @Test
  void resultsThatAreLostAreAProblem() {
    assertThat(targets("No space left on device"))
        .isEqualTo("1 error[TK0502]: standard output cannot be written: No space left on device");
  }

  @Test
  void aReaderThatHasSeenEnoughIsNone() {
    assertThat(targets("Broken pipe")).isEqualTo("0");
  }

  private static String targets(String failure) {
    OutputStream broken = new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        throw new IOException(failure);
      }
    };
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int exit = Main.run(new String[] {"targets"}, new ByteArrayInputStream(new byte[0]), broken,
        new PrintStream(err, true, StandardCharsets.UTF_8));
    return (exit + " " + err.toString(StandardCharsets.UTF_8)).strip();
  }
}
