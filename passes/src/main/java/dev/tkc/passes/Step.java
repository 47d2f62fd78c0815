package dev.tkc.passes;

import dev.tkc.passes.target.Capability;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * A row of the pipeline's table.
 *
 * @param name what options and test folders call it
 * @param pass what it does
 * @param in the level of the IR it reads
 * @param out the level it leaves
 * @param needsTarget whether it asks for the target; without one it is left out
 * @param needs the capability without which it is left out, if any
 * @param when whether it applies to this run
 * @param required whether what follows relies on it, so that it cannot be left out
 * @param why why it is in the pipeline, and there
 */
public record Step(
    String name,
    Pass pass,
    Level in,
    Level out,
    boolean needsTarget,
    Optional<Capability> needs,
    Predicate<PassContext> when,
    boolean required,
    String why) {
  public Step {
    Objects.requireNonNull(pass);
    if (!name.matches("[a-z][a-z0-9-]*")) {
      throw new IllegalArgumentException("a step called " + name);
    }
  }

  /** A step that keeps the level, needs no target and always applies. */
  static Step step(String name, Level level, Pass pass, String why) {
    return new Step(name, pass, level, level, false, Optional.empty(), cx -> true, false, why);
  }

  /** A step that asks for the target. */
  static Step targeted(String name, Level level, Pass pass, String why) {
    return new Step(name, pass, level, level, true, Optional.empty(), cx -> true, false, why);
  }

  Step to(Level level) {
    return new Step(name, pass, in, level, needsTarget, needs, when, required, why);
  }

  Step needs(Capability c) {
    return new Step(name, pass, in, out, true, Optional.of(c), when, required, why);
  }

  Step when(Predicate<PassContext> condition) {
    return new Step(name, pass, in, out, needsTarget, needs, condition, required, why);
  }

  /** The same step, which no option may leave out. */
  Step isRequired() {
    return new Step(name, pass, in, out, needsTarget, needs, when, true, why);
  }

  public boolean applies(PassContext cx) {
    return (!needsTarget || cx.hasTarget()) && needs.stream().allMatch(c -> cx.target().has(c)) && when.test(cx);
  }
}
