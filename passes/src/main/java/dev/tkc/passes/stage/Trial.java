package dev.tkc.passes.stage;

import dev.tkc.ir.Module;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.Pipeline;
import dev.tkc.passes.Step;

/**
 * What the passes would make of a rewritten copy of a kernel, for passes that rewrite only what then becomes
 * asynchronous.
 */
final class Trial {
  private Trial() {}

  /** Runs the steps behind the one of this name on {@code copy}, up to and with {@code choose-async}. */
  static void decide(Module copy, String after, PassContext cx) {
    boolean begun = false;
    for (Step s : Pipeline.STEPS) {
      if (begun && s.applies(cx) && !cx.options().disabled().contains(s.name())) {
        s.pass().run(copy, cx);
      }
      if (s.name().equals("choose-async")) {
        return;
      }
      begun |= s.name().equals(after);
    }
  }
}
