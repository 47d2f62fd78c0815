package dev.tkc.cli;

import dev.tkc.Optimizer;
import dev.tkc.Target;
import dev.tkc.ir.Module;
import dev.tkc.passes.PassOptions;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
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

  @Option(
      names = "--target", paramLabel = "T", converter = TargetName.class,
      description = "One of tkc targets; without one the pipeline has only the passes that need none.")
  private Target target;

  @Option(names = "--stop-after", paramLabel = "NAME", description = "The last pass of the pipeline to run.")
  private String stopAfter;

  @Mixin private PassChoices choices;

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
    requireSense();
    Module module = Optimizer.parse(terminal().source(file));
    if (pipeline || !passes.isEmpty()) {
      Optimizer.run(module, Optional.ofNullable(target).map(Target::info), options(),
          text -> terminal().err().print(text));
    }
    terminal().out().print(Optimizer.print(module));
    return 0;
  }

  private void requireSense() {
    if (file == null) {
      throw usage("opt needs a file, or - for standard input");
    }
    if (pipeline && !passes.isEmpty()) {
      throw usage("--passes and --pipeline exclude each other");
    }
    if (!pipeline && (stopAfter != null || choices.leavesOut())) {
      throw usage((stopAfter != null ? "--stop-after" : "--disable") + " concerns --pipeline, which is not given");
    }
  }

  private PassOptions options() {
    PassOptions options = choices.options().withOnly(passes.toArray(String[]::new));
    return stopAfter == null ? options : options.withStopAfter(stopAfter);
  }
}
