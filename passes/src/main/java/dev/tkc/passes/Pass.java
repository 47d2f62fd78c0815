package dev.tkc.passes;

import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import java.util.List;
import java.util.function.Predicate;

/**
 * One rewriting of a module. A pass is stateless, keeps the program's meaning, leaves a module that verifies, and finds
 * what it may depend on in the context. A class with a pass has a static {@code run} that is named in
 * {@link Pipeline#STEPS}.
 */
@FunctionalInterface
public interface Pass {
  void run(Module module, PassContext cx);

  /** A pass over one function at a time. */
  @FunctionalInterface
  interface OnFunc {
    void run(Func func, PassContext cx);
  }

  /** Runs over every function. */
  static Pass each(OnFunc pass) {
    return over(f -> true, pass);
  }

  /** Runs over the device functions. */
  static Pass devices(OnFunc pass) {
    return over(f -> f.kind() == Func.Kind.DEVICE, pass);
  }

  private static Pass over(Predicate<Func> which, OnFunc pass) {
    return (module, cx) -> {
      for (Func f : List.copyOf(module.funcs())) {
        if (which.test(f)) {
          cx.enter(f);
          pass.run(f, cx);
        }
      }
    };
  }
}
