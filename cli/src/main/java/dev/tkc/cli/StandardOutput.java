package dev.tkc.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;

/**
 * Standard output that remembers why it could not be written: a {@link java.io.PrintStream} around it tells nobody. A
 * reader that went away has seen what it wanted; anything else means that results are lost.
 */
final class StandardOutput extends OutputStream {
  private static final String READER_GONE = "Broken pipe";

  private final OutputStream to;
  private String failure;

  StandardOutput(OutputStream to) {
    this.to = to;
  }

  @Override
  public void write(int b) throws IOException {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int from, int count) throws IOException {
    try {
      to.write(bytes, from, count);
    } catch (IOException e) {
      failure = failure == null ? String.valueOf(e.getMessage()) : failure;
      throw e;
    }
  }

  @Override
  public void flush() throws IOException {
    to.flush();
  }

  /** Why results were lost, if any were. */
  Optional<String> lost() {
    return Optional.ofNullable(failure).filter(f -> !f.equals(READER_GONE));
  }
}
