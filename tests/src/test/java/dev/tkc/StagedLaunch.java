package dev.tkc;

import dev.tkc.ir.Cloner;
import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Datum;
import dev.tkc.launch.Argument;
import dev.tkc.launch.Binding;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.Step;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A launch of a kernel: the module as written and after each pass for a target, and the arguments as the interpreter
 * takes them. In this package because a kernel's lowering is.
 */
public record StagedLaunch(Module original, Map<String, Module> stages, List<Datum> arguments) {
  public static StagedLaunch of(Kernel kernel, Target target, Constants constants, Object... given) {
    Kernel.Bound bound = kernel.bind(constants, Arrays.stream(given).map(Argument::of).toList(), target);
    Binding binding = bound.binding();
    Module original = kernel.lower(bound.specialisation());
    Map<String, Module> stages = new LinkedHashMap<>();
    PassContext.Observer observer = new PassContext.Observer() {
      @Override
      public void before(Module module) {}

      @Override
      public void after(Step step, Module module) {
        stages.put(step.name(), Cloner.clone(module));
      }
    };
    PassDriver.run(
        Cloner.clone(original), new PassContext(Optional.of(target.info()), PassOptions.checked(), _ -> { }, observer));
    return new StagedLaunch(original, stages, LaunchData.of(original.kernel(), kernel, binding, Tensor::buffer));
  }

  /** The target with few multiprocessors, so that a persistent block has several tiles of a small problem. */
  public static Target withProcessors(Target target, int n) {
    return new Target(target.info().withProcessors(n), target.backend());
  }
}
