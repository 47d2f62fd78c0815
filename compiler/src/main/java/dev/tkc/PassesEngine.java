package dev.tkc;

import dev.tkc.grammar.lower.Specialisation;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Datum;
import dev.tkc.launch.Argument;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Launches of what the passes for a target, or those that need none, make of a kernel; the verifier runs after every
 * pass.
 */
final class PassesEngine implements Engine {
  private final Optional<Target> target;
  private final Set<String> disabled;
  private final PassContext.Observer observer;
  private final Execution execution;
  private final Map<Key, Module> placed = new ConcurrentHashMap<>();

  private record Key(Kernel kernel, Specialisation specialisation) {}

  PassesEngine(Optional<Target> target, Set<String> disabled, PassContext.Observer observer, Execution execution) {
    this.target = target;
    this.disabled = Set.copyOf(disabled);
    this.observer = observer;
    this.execution = execution;
  }

  @Override
  public Optional<Target> target() {
    return target;
  }

  @Override
  public Timing launch(Kernel kernel, Constants constants, List<Argument> given) {
    long start = System.nanoTime();
    Kernel.Bound bound = target.map(t -> kernel.bind(constants, given, t))
        .orElseGet(() -> kernel.bind(constants, given));
    Module module = placed.computeIfAbsent(new Key(kernel, bound.specialisation()), this::place);
    List<Datum> arguments = LaunchData.of(module.kernel(), kernel, bound.binding(), Tensor::buffer);
    long ready = System.nanoTime();
    execution.run(module, arguments);
    long end = System.nanoTime();
    bound.binding().arguments().forEach(a -> {
      if (a instanceof Argument.Array array) {
        array.tensor().buffer().trustAll();
      }
    });
    return new Timing(end - ready, end - start);
  }

  private Module place(Key key) {
    Module module = Cloner.clone(key.kernel().lower(key.specialisation()));
    PassContext context = new PassContext(target.map(Target::info), PassOptions.checked().withDisabled(disabled),
        _ -> { }, observer);
    PassDriver.run(module, context);
    return module;
  }

  @Override
  public void close() {}
}
