package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Effects that only some threads have. */
final class Guarded {
  private Guarded() {}

  /** Collects effects; those that follow each other under one condition share one branch. */
  static final class Run {
    private final LlvmBuilder b;
    private final List<Runnable> waiting = new ArrayList<>();
    private Optional<LlvmValue> condition = Optional.empty();

    Run(LlvmBuilder b) {
      this.b = b;
    }

    /**
     * Adds an effect under a condition, or for every thread. Its operands must not depend on earlier effects' blocks.
     */
    void add(Optional<LlvmValue> guard, Runnable effect) {
      if (!guard.equals(condition)) {
        flush();
        condition = guard;
      }
      waiting.add(effect);
    }

    void flush() {
      if (waiting.isEmpty()) {
        return;
      }
      List<Runnable> now = List.copyOf(waiting);
      waiting.clear();
      if (condition.isPresent()) {
        b.ifThen(condition.get(), () -> now.forEach(Runnable::run));
      } else {
        now.forEach(Runnable::run);
      }
    }
  }
}
