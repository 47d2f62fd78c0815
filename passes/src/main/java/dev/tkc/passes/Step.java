package dev.tkc.passes;

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
 * @param needs the capability without which it is left out, if any
 * @param when whether it applies to this run
 * @param why why it is in the pipeline, and there
 */
public record Step(
    String name, Pass pass, Level in, Level out, Optional<Capability> needs, Predicate<PassContext> when, String why) {
  public Step {
    Objects.requireNonNull(pass);
    if (!name.matches("[a-z][a-z0-9-]*")) {
      throw new IllegalArgumentException("a step called " + name);
    }
  }

  /** A step that keeps the level and always applies. */
  static Step step(String name, Level level, Pass pass, String why) {
    return new Step(name, pass, level, level, Optional.empty(), cx -> true, why);
  }

  Step to(Level level) {
    return new Step(name, pass, in, level, needs, when, why);
  }

  Step needs(Capability c) {
    return new Step(name, pass, in, out, Optional.of(c), when, why);
  }

  Step when(Predicate<PassContext> condition) {
    return new Step(name, pass, in, out, needs, condition, why);
  }

  public boolean applies(PassContext cx) {
    return (needs.isEmpty() || cx.target().has(needs.get())) && when.test(cx);
  }
}
