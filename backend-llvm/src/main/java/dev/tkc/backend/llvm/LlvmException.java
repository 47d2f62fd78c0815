package dev.tkc.backend.llvm;

/**
 * LLVM refused text that tkc wrote, or could not generate code for it: a defect of tkc, never of the user's program.
 * The message quotes the offending line where LLVM names one.
 */
public final class LlvmException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  LlvmException(String message) {
    super(message);
  }
}
