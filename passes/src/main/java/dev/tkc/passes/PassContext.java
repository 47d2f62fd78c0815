package dev.tkc.passes;

import dev.tkc.passes.target.TargetInfo;
import java.util.Objects;
import java.util.Optional;

/** What a pass may know besides the module: the target, where there is one. */
public record PassContext(Optional<TargetInfo> maybeTarget) {
  public PassContext {
    Objects.requireNonNull(maybeTarget);
  }

  public static PassContext of(TargetInfo target) {
    return new PassContext(Optional.of(target));
  }

  /** For the passes that need no target. */
  public static PassContext portable() {
    return new PassContext(Optional.empty());
  }

  /** The target; the pipeline runs a pass that asks for it only where there is one. */
  public TargetInfo target() {
    return maybeTarget.orElseThrow(() -> new IllegalStateException("this pass needs a target"));
  }
}
