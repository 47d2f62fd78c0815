package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmModule;
import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Placed modules to LLVM modules: each device function becomes a kernel of the same name. Its parameters are those of
 * the device function in order, a pointer as an address of global memory and a scalar as its own type (a bool as a
 * byte).
 */
public final class OpLowering {
  /**
   * What the caller may choose.
   *
   * @param asserts whether {@code assert} is compiled, as a trap
   * @param lineTable the main source's name, where {@code .tk} lines are wanted in the output
   */
  public record Options(boolean asserts, Optional<String> lineTable) {
    public static final Options DEFAULT = new Options(false, Optional.empty());
  }

  /** A kernel's launch facts: threads of a block and bytes of dynamic shared memory. */
  public record KernelShape(String name, int threads, long sharedBytes) {}

  /** The LLVM module and what launching its kernels takes, in the order of the device functions. */
  public record Result(LlvmModule module, List<KernelShape> kernels) {
    public Result {
      kernels = List.copyOf(kernels);
    }
  }

  private OpLowering() {}

  public static Result lower(Module module, TargetLowering target, Options options) {
    LlvmModule out = new LlvmModule(target.triple());
    options.lineTable().ifPresent(out::debug);
    List<KernelShape> kernels = new ArrayList<>();
    for (Func f : module.funcs()) {
      if (f.kind() == Func.Kind.DEVICE) {
        kernels.add(new FunctionLowering(f, out, target, options).run());
      }
    }
    return new Result(out, kernels);
  }
}
