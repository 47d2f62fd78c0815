package dev.tkc.passes;

import dev.tkc.passes.tile.AccumulateDots;
import dev.tkc.passes.tile.Canonicalize;
import dev.tkc.passes.tile.EliminateCommon;
import dev.tkc.passes.tile.EliminateDead;
import dev.tkc.passes.tile.HoistInvariant;
import dev.tkc.passes.tile.OutlinePhases;
import java.util.List;
import java.util.Optional;

/**
 * Every pass, in the order in which a compilation runs them, and why each stands where it does. What must come before
 * what is {@link #ORDER}, which is checked when this class loads.
 */
public final class Pipeline {
  private Pipeline() {}

  /** One row: a name, what runs, whether it asks for a target, and why it stands here. */
  public record Step(String name, Pass pass, boolean needsTarget, String why) {}

  /** {@code first} must come before {@code then}, wherever both stand. */
  public record Before(String first, String then, String why) {}

  public static final List<Step> STEPS = List.of(
      step("canonicalize", Canonicalize::run, "constants and identities out of the way of all analyses"),
      step("eliminate-common", EliminateCommon::run, "equal bounds become one value, which later passes compare by identity"),
      step("accumulate-dots", AccumulateDots::run, "while the sum still stands beside its product"),
      step("hoist-invariant", HoistInvariant::run, "bounds leave the phase, so that its grid is seen to be rectangular"),
      step("eliminate-dead", EliminateDead::run, "nothing dead is outlined or placed"),
      step("outline-phases", OutlinePhases::run, "from here on a block's code is a function"),
      step("canonicalize-device", Canonicalize::run, "positions at known grids become constants"),
      step("eliminate-common-device", EliminateCommon::run, "what the outlining repeated"),
      step("hoist-invariant-device", HoistInvariant::run, "nothing invariant in a loop that will be pipelined"));

  public static final List<Before> ORDER = List.of(
      before("eliminate-common", "hoist-invariant", "a bound is hoisted once"),
      before("hoist-invariant", "outline-phases", "a bound computed in the nest would make it ragged"));

  static {
    for (Before b : ORDER) {
      if (index(b.first) >= index(b.then)) {
        throw new IllegalStateException(b.first + " must come before " + b.then + ": " + b.why);
      }
    }
  }

  private static Step step(String name, Pass pass, String why) {
    return new Step(name, pass, false, why);
  }

  private static Step place(String name, Pass pass, String why) {
    return new Step(name, pass, true, why);
  }

  private static Before before(String first, String then, String why) {
    return new Before(first, then, why);
  }

  private static int index(String name) {
    for (int i = 0; i < STEPS.size(); i++) {
      if (STEPS.get(i).name.equals(name)) {
        return i;
      }
    }
    throw new IllegalStateException("no pass is called " + name);
  }

  public static Optional<Step> step(String name) {
    return STEPS.stream().filter(s -> s.name.equals(name)).findFirst();
  }

  /** The steps that need no target: what the interpreter may run as well. */
  public static List<Step> portable() {
    return STEPS.stream().filter(s -> !s.needsTarget).toList();
  }
}
