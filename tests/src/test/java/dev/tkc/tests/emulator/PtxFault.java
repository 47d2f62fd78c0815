package dev.tkc.tests.emulator;

/** What a kernel did that hardware leaves undefined, or PTX that the emulator does not know. */
final class PtxFault extends RuntimeException {
  private static final long serialVersionUID = 1;

  PtxFault(String message) {
    super(message);
  }

  PtxFault(String message, Throwable cause) {
    super(message, cause);
  }
}
