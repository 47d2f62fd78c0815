package dev.tkc.passes;

import dev.tkc.ir.Module;

/** Changes a module in place. A pass may assume that the module verifies, and leaves one that does and means the same. */
@FunctionalInterface
public interface Pass {
  void run(Module module, PassContext context);
}
