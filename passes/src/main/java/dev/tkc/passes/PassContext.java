package dev.tkc.passes;

import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import dev.tkc.passes.target.TargetInfo;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What a pass may know besides the module: the target if there is one, the options, and where to report. Lives for one
 * run of the driver and is used by one thread.
 */
public final class PassContext {
  /** Sees the module before the first pass and after every one: how tests run the interpreter beside the pipeline. */
  public interface Observer {
    void before(Module module);

    void after(Step step, Module module);
  }

  public static final Observer NONE = new Observer() {
    @Override
    public void before(Module module) {}

    @Override
    public void after(Step step, Module module) {}
  };

  private final Optional<TargetInfo> target;
  private final PassOptions options;
  private final Consumer<String> out;
  private final Observer observer;
  private String func = "";

  /** {@code out} receives what {@code --print-after} and {@code --time-passes} show. */
  public PassContext(Optional<TargetInfo> target, PassOptions options, Consumer<String> out, Observer observer) {
    this.target = Objects.requireNonNull(target);
    this.options = Objects.requireNonNull(options);
    this.out = Objects.requireNonNull(out);
    this.observer = Objects.requireNonNull(observer);
  }

  public static PassContext of(TargetInfo target, PassOptions options) {
    return new PassContext(Optional.of(target), options, s -> { }, NONE);
  }

  /** For the passes that need no target. */
  public static PassContext portable(PassOptions options) {
    return new PassContext(Optional.empty(), options, s -> { }, NONE);
  }

  public boolean hasTarget() {
    return target.isPresent();
  }

  /** The target; the pipeline runs a pass that asks for it only where there is one. */
  public TargetInfo target() {
    return target.orElseThrow(() -> new IllegalStateException("this pass needs a target"));
  }

  public PassOptions options() {
    return options;
  }

  public Observer observer() {
    return observer;
  }

  public void print(String text) {
    out.accept(text);
  }

  /** Notes which function is being worked on, for the message if the pass fails. */
  public void enter(Func f) {
    func = f.name();
  }

  void leave() {
    func = "";
  }

  /** The function being worked on, or empty. */
  String current() {
    return func;
  }
}
