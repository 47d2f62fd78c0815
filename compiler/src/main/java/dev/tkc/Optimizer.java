package dev.tkc;

import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.Pipeline;
import dev.tkc.passes.Step;
import dev.tkc.passes.target.TargetInfo;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Passes over IR text: what {@code tkc opt} does. */
public final class Optimizer {
  private Optimizer() {}

  /** Reads and verifies {@code .tir} text. */
  public static Module parse(Source source) {
    if (source.name().endsWith(".tk")) {
      throw new DiagnosticException(
          Diagnostic.error(Code.USAGE, source.name() + " is a program, and the passes work on IR")
              .help("`tkc compile " + source.name() + " --emit tir` prints its IR"));
    }
    Module module = IrParser.parse(source);
    List<Diagnostic> findings = Verifier.verify(module);
    if (findings.stream().anyMatch(Diagnostic::isError)) {
      throw new DiagnosticException(findings);
    }
    return module;
  }

  /**
   * Runs passes over a module in place.
   *
   * @param log receives what printing after passes and timing show
   */
  public static void run(Module module, Optional<TargetInfo> target, PassOptions options, Consumer<String> log) {
    PassContext context = new PassContext(target, options, log, PassContext.NONE);
    PassDriver.run(module, context);
  }

  public static String print(Module module) {
    return IrPrinter.print(module);
  }

  /** The pipeline's table, one line for each pass. */
  public static String table() {
    StringBuilder text = new StringBuilder();
    for (Step step : Pipeline.STEPS) {
      text.append("%-24s %-7s %-16s %s%n".formatted(
          step.name(), step.out().name().toLowerCase(java.util.Locale.ROOT),
          step.needs().map(c -> c.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' ')).orElse(""), step.why()));
    }
    return text.toString();
  }
}
