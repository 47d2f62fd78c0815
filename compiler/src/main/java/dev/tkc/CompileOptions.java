package dev.tkc;

import dev.tkc.backend.llvm.lower.OpLowering;
import dev.tkc.passes.PassOptions;
import java.util.Optional;

/**
 * How a kernel is compiled.
 *
 * @param passes how the pipeline is run
 * @param asserts whether {@code assert}s are compiled
 * @param lineTable whether the code says which source line it comes from
 */
public record CompileOptions(PassOptions passes, boolean asserts, boolean lineTable) {
  public static CompileOptions defaults() {
    return new CompileOptions(PassOptions.defaults(), false, false);
  }

  public CompileOptions withPasses(PassOptions options) {
    return new CompileOptions(options, asserts, lineTable);
  }

  public CompileOptions withAsserts(boolean on) {
    return new CompileOptions(passes.withDebugAsserts(on), on, lineTable);
  }

  /** How the IR is lowered, of a kernel of this source. */
  OpLowering.Options lowering(String source) {
    return new OpLowering.Options(asserts, lineTable ? Optional.of(source) : Optional.empty());
  }
}
