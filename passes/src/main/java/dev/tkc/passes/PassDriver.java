package dev.tkc.passes;

import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrPrinter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Runs the steps of a table over a module, in place. Between steps it verifies, prints, measures and calls the observer
 * as the options say; whatever a pass throws, other than a diagnostic for the user, becomes a {@link PassFailure} that
 * names the pass and the function and leaves the module as it was before in a file.
 *
 * <p>How much scratch a block needs is known when layouts are, long after buffers have got their slots. If both are too
 * much for its shared memory, the driver goes back to {@link #AGAIN_FROM} with that many bytes more set aside, a few
 * times.
 */
public final class PassDriver {
  /** On a function: bytes of shared memory that were short when it was compiled before, all times together. */
  public static final String SHORTAGE = "shortage";

  /** On a function: how often that was so. */
  public static final String SHORTAGES = "shortages";

  /** The first step that looks at what {@link #SHORTAGE} says, and what depends on that. */
  private static final String AGAIN_FROM = "choose-instructions";
  private static final int MOST_SHORTAGES = 3;

  private final List<Step> table;

  public PassDriver(List<Step> table) {
    this.table = List.copyOf(table);
  }

  /** Runs tkc's own pipeline. */
  public static void run(Module module, PassContext cx) {
    new PassDriver(Pipeline.STEPS).runOn(module, cx);
  }

  public void runOn(Module module, PassContext cx) {
    PassOptions options = cx.options();
    require(cx);
    cx.observer().before(module);
    Map<String, Long> nanos = new LinkedHashMap<>();
    List<Step> steps = chosen(cx);
    Optional<Module> early = Optional.empty();
    for (int n = 0; n < steps.size(); n++) {
      Step step = steps.get(n);
      if (step.name().equals(AGAIN_FROM) && options.only().isEmpty()) {
        early = Optional.of(Cloner.clone(module));
      }
      Optional<Module> before = options.reproducers().map(p -> Cloner.clone(module));
      long start = System.nanoTime();
      try {
        one(step, module, cx, before);
      } catch (SharedShortage e) {
        Module again = early.filter(m -> noted(e, m)).orElseThrow(() -> new DiagnosticException(e.finding()));
        module.funcs().clear();
        module.funcs().addAll(Cloner.clone(again).funcs());
        n = steps.stream().map(Step::name).toList().indexOf(AGAIN_FROM) - 1;
        cx.leave();
        continue;
      }
      nanos.merge(step.name(), System.nanoTime() - start, Long::sum);
      if (options.printAfter().contains(step.name()) || options.printAfter().contains("all")) {
        cx.print("// after " + step.name() + "\n" + IrPrinter.print(module));
      }
      cx.observer().after(step, module);
    }
    if (options.time()) {
      cx.print(timings(nanos));
    }
  }

  /** Notes on a function that it was short of shared memory, if it may be tried again. */
  private static boolean noted(SharedShortage e, Module module) {
    Func func = module.func(e.func()).orElseThrow();
    long times = func.annotation(SHORTAGES, 0) + 1;
    func.annotations().put(SHORTAGES, times);
    func.annotations().put(SHORTAGE, func.annotation(SHORTAGE, 0) + e.bytes());
    return times <= MOST_SHORTAGES;
  }

  /** The steps that will run, in order. */
  public List<Step> chosen(PassContext cx) {
    PassOptions o = cx.options();
    List<Step> steps = new ArrayList<>();
    if (!o.only().isEmpty()) {
      o.only().forEach(name -> steps.add(table.stream().filter(s -> s.name().equals(name)).findFirst().orElseThrow()));
      return steps;
    }
    for (Step s : table) {
      if (!o.disabled().contains(s.name()) && s.applies(cx)) {
        steps.add(s);
      }
      if (o.stopAfter().equals(Optional.of(s.name()))) {
        break;
      }
    }
    return steps;
  }

  private static void one(Step step, Module module, PassContext cx, Optional<Module> before) {
    try {
      step.pass().run(module, cx);
    } catch (DiagnosticException | SharedShortage e) {
      throw e;
    } catch (RuntimeException | StackOverflowError e) {
      throw new PassFailure(step.name(), cx.current(), String.valueOf(e.getMessage()), save(step, before, cx), e);
    }
    cx.leave();
    if (cx.options().verify()) {
      List<Diagnostic> wrong = Verifier.verify(module);
      if (!wrong.isEmpty()) {
        throw new PassFailure(step.name(), "", "leaves an invalid module: " + wrong.get(0).message() + "\n"
            + IrPrinter.print(module), save(step, before, cx), null);
      }
    }
  }

  /** The command that shows the failure again, if the module before the step could be saved. */
  private static Optional<String> save(Step step, Optional<Module> before, PassContext cx) {
    if (before.isEmpty()) {
      return Optional.empty();
    }
    Path file = cx.options().reproducers().orElseThrow().resolve("tkc-crash-" + step.name() + ".tir");
    try {
      String text = "// RUN: " + reproducer(step, "%s", cx) + "\n" + IrPrinter.print(before.get(), true);
      Files.writeString(file, text);
      return Optional.of(reproducer(step, file.toString(), cx));
    } catch (IOException e) {
      // The failure itself matters more than the file about it.
      return Optional.empty();
    }
  }

  /** The command that runs the step once more on what was saved. */
  private static String reproducer(Step step, String file, PassContext cx) {
    return "tkc opt " + file + " --passes=" + step.name()
        + (cx.hasTarget() ? " --target " + cx.target().name() : "")
        + (cx.options().verify() ? " --verify-each" : "")
        + (cx.options().debugAsserts() ? " --debug-asserts" : "");
  }

  /** Refuses options that name no pass, or ask for what the table does not allow. */
  private void require(PassContext cx) {
    PassOptions o = cx.options();
    requireKnown(o);
    for (Step s : table) {
      if (s.required() && o.disabled().contains(s.name())) {
        throw new DiagnosticException(
            Diagnostic.error(Code.USAGE, "the pass `" + s.name() + "` cannot be left out: those behind it rely on it")
                .note("why it is there: " + s.why()));
      }
      if (s.needsTarget() && !cx.hasTarget()
          && (o.only().contains(s.name()) || o.stopAfter().equals(Optional.of(s.name())))) {
        throw new DiagnosticException(Diagnostic.error(Code.USAGE, "the pass `" + s.name() + "` needs a target")
            .help("name one with --target; `tkc targets` lists them"));
      }
    }
  }

  private void requireKnown(PassOptions o) {
    o.only().forEach(this::requireKnown);
    o.disabled().forEach(this::requireKnown);
    o.stopAfter().ifPresent(this::requireKnown);
    o.printAfter().stream().filter(n -> !n.equals("all")).forEach(this::requireKnown);
  }

  private void requireKnown(String name) {
    if (table.stream().noneMatch(s -> s.name().equals(name))) {
      Diagnostic d = Diagnostic.error(Code.USAGE, "there is no pass called `" + name + "`");
      throw new DiagnosticException(nearest(name).map(n -> d.help("did you mean `" + n + "`?")).orElse(d)
          .note("`tkc opt --list-passes` shows them all"));
    }
  }

  /** The row whose name takes the fewest edits, if that is few enough to be what was meant. */
  private Optional<String> nearest(String name) {
    return table.stream().map(Step::name).min(Comparator.comparingInt(n -> edits(n, name)))
        .filter(n -> edits(n, name) <= Math.max(2, name.length() / 2));
  }

  private static int edits(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(change, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }

  private static String timings(Map<String, Long> nanos) {
    StringBuilder text = new StringBuilder("// time in passes\n");
    nanos.forEach((name, n) -> text.append(String.format(Locale.ROOT, "// %8.3f ms  %s%n", n / 1e6, name)));
    return text.toString();
  }
}
