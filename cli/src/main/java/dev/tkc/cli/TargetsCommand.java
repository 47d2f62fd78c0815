package dev.tkc.cli;

import dev.tkc.Target;
import dev.tkc.passes.target.Capability;
import dev.tkc.passes.target.TargetInfo;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** {@code tkc targets}: what code can be made for, and what each target can do. */
@picocli.CommandLine.Command(name = "targets", description = "List the targets and what each can do.")
final class TargetsCommand extends Command {
  @Option(names = "--long", description = "Also list capabilities and matrix instructions.")
  private boolean details;

  TargetsCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() {
    String row = "%-8s %-14s %-28s %5s %8s %10s%n";
    terminal().out().printf(Locale.ROOT, row, "name", "makes", "devices", "lanes", "shared", "registers");
    for (Target target : Target.all()) {
      TargetInfo info = target.info();
      terminal().out().printf(
          Locale.ROOT, row, info.name(), target.backend().assemblyName() + ", " + target.backend().binaryName(),
          info.description(), info.lanes(), info.shared().perBlock(), info.registers().perThread());
      if (details) {
        terminal().out().println("    can: " + info.capabilities().stream().sorted()
            .map(TargetsCommand::words).collect(Collectors.joining(", ")));
        terminal().out().println("    matrix instructions: "
            + info.matrixInstructions().stream().map(m -> m.name()).collect(Collectors.joining(", ")));
      }
    }
    return 0;
  }

  private static String words(Capability c) {
    return c.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
