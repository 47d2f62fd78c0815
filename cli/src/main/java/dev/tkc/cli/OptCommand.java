package dev.tkc.cli;

import dev.tkc.Optimizer;
import dev.tkc.ir.Module;
import dev.tkc.passes.PassOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tkc opt}: passes over IR text. */
@picocli.CommandLine.Command(name = "opt", description = "Run passes over IR text (*.tir) and print the result.")
final class OptCommand extends Command {
  @Parameters(paramLabel = "FILE", arity = "0..1", description = "A .tir file, or - for standard input.")
  private String file;

  @Option(names = "--passes", paramLabel = "NAME", split = ",", description = "The passes to run, in this order.")
  private List<String> passes = List.of();

  @Option(names = "--pipeline", description = "Run the whole pipeline in place of single passes.")
  private boolean pipeline;

  @Option(names = "--disable", paramLabel = "NAME", split = ",", description = "Passes of the pipeline to leave out.")
  private Set<String> disable = Set.of();

  @Option(names = "--stop-after", paramLabel = "NAME", description = "The last pass of the pipeline to run.")
  private String stopAfter;

  @Option(
      names = "--print-after", paramLabel = "NAME", split = ",",
      description = "Print the module after these passes (or after all) to standard error.")
  private Set<String> printAfter = Set.of();

  @Option(names = "--verify-each", description = "Verify after every pass.")
  private boolean verifyEach;

  @Option(names = "--time-passes", description = "Print the time that each pass took to standard error.")
  private boolean timePasses;

  @Option(names = "--list-passes", description = "Print the table of passes and end.")
  private boolean listPasses;

  OptCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() {
    if (listPasses) {
      terminal().out().print(Optimizer.table());
      return 0;
    }
    if (file == null) {
      throw usage("opt needs a file, or - for standard input");
    }
    if (pipeline && !passes.isEmpty()) {
      throw usage("--passes and --pipeline exclude each other");
    }
    Module module = Optimizer.parse(terminal().source(file));
    if (pipeline || !passes.isEmpty()) {
      Optimizer.run(module, Optional.empty(), options(), text -> terminal().err().print(text));
    }
    terminal().out().print(Optimizer.print(module));
    return 0;
  }

  private PassOptions options() {
    PassOptions options = PassOptions.defaults()
        .withOnly(passes.toArray(String[]::new))
        .withDisabled(disable)
        .withPrintAfter(printAfter)
        .withVerify(verifyEach)
        .withTime(timePasses)
        .withReproducers(Path.of(""));
    return stopAfter == null ? options : options.withStopAfter(stopAfter);
  }
}
