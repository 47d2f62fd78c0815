package dev.tkc.passes.place;

import dev.tkc.ir.Inst;
import dev.tkc.passes.analysis.AccessPattern;
import dev.tkc.passes.target.TargetInfo;

/** Whether a load's places in memory are aligned enough for asynchronous copies. */
public final class CopyWidth {
  private CopyWidth() {}

  /** Whether one of the target's copy sizes divides the load into whole, aligned pieces. */
  public static boolean isAsync(Inst load, AccessPattern.Finder patterns, TargetInfo target) {
    if (target.asyncCopyBytes().isEmpty()) {
      return false;
    }
    Access access = Access.of(load).orElseThrow();
    int bytes = Access.widest(load, patterns, target.vectorBytes()) * access.element().bits() / 8;
    return bytes >= target.asyncCopyBytes().getFirst();
  }
}
