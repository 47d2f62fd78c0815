package dev.tkc.passes;

import dev.tkc.ir.diag.Diagnostic;

/**
 * A block's shared memory is too small for what was decided before layouts told how much scratch there is. The driver
 * goes back with the number of bytes, which is then kept free, and reports the finding where that does not help.
 */
public final class SharedShortage extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String func;
  private final long bytes;
  private final transient Diagnostic finding;

  /** {@code bytes}: how many more than there are the function {@code func} needs. */
  public SharedShortage(String func, long bytes, Diagnostic finding) {
    super(finding.message());
    this.func = func;
    this.bytes = bytes;
    this.finding = finding;
  }

  public String func() {
    return func;
  }

  public long bytes() {
    return bytes;
  }

  public Diagnostic finding() {
    return finding;
  }
}
