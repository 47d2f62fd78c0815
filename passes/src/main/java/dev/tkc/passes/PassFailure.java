package dev.tkc.passes;

import java.nio.file.Path;
import java.util.Optional;

/** A pass threw, or left a module that doesn't verify: a defect of tkc, with all that is needed to see it again. */
public final class PassFailure extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  private final String pass;
  private final transient Optional<Path> reproducer;

  PassFailure(String pass, String func, String what, Optional<Path> reproducer, Throwable cause) {
    super("pass " + pass + (func.isEmpty() ? "" : " on @" + func) + ": " + what
        + reproducer.map(p -> "\nreproduce with: tkc opt " + p + " --passes=" + pass).orElse(""), cause);
    this.pass = pass;
    this.reproducer = reproducer;
  }

  public String pass() {
    return pass;
  }

  /** The file with the module as it was before the pass. */
  public Optional<Path> reproducer() {
    return reproducer;
  }
}
