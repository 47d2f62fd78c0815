package dev.tkc.cli;

import dev.tkc.CompileOptions;
import dev.tkc.Constants;
import dev.tkc.Device;
import dev.tkc.ScheduleExplanation;
import dev.tkc.Target;
import dev.tkc.Tkc;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tkc explain-schedule}: what was chosen for a kernel on a target, and why. */
@picocli.CommandLine.Command(
    name = "explain-schedule",
    description = "Say which tile sizes, instructions, copies, roles and buffers a kernel gets on a target, and why.")
final class ExplainScheduleCommand extends Command {
  @Parameters(paramLabel = "FILE", description = "A .tk file, or - for standard input.")
  private String file;

  @Mixin private KernelOptions options;

  @Option(
      names = "--target", paramLabel = "T", converter = TargetName.class, required = true,
      description = "One of tkc targets.")
  private Target target;

  @Mixin private PassChoices passes;

  ExplainScheduleCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() {
    try (Tkc tkc = Tkc.create(Device.interpreter())) {
      CompileOptions compile = CompileOptions.defaults().withPasses(passes.options());
      terminal().out().print(ScheduleExplanation
          .of(options.in(tkc, terminal().source(file), this), target, new Constants(options.values()), compile).text());
    }
    return 0;
  }
}
