package dev.tkc.passes;

import java.util.Optional;

/** A pass threw, or left a module that doesn't verify: a defect of tkc, with all that is needed to see it again. */
public final class PassFailure extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  private final String pass;

  /** {@code again}: the command that shows the failure again, where the module was saved. */
  PassFailure(String pass, String func, String what, Optional<String> again, Throwable cause) {
    super("pass " + pass + (func.isEmpty() ? "" : " on @" + func) + ": " + what
        + again.map(command -> "\nreproduce with: " + command).orElse(""), cause);
    this.pass = pass;
  }

  public String pass() {
    return pass;
  }
}
