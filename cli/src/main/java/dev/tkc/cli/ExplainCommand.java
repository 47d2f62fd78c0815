package dev.tkc.cli;

import dev.tkc.Explanations;
import picocli.CommandLine.Parameters;

/** {@code tkc explain TK0123}: what a diagnostic means, with an example; without a code, the list of all. */
@picocli.CommandLine.Command(
    name = "explain",
    description = "Say what a diagnostic means, with an example; without CODE, list them all.")
final class ExplainCommand extends Command {
  @Parameters(paramLabel = "CODE", arity = "0..1", description = "A code such as TK0101.")
  private String code;

  ExplainCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() {
    terminal().out().print(code == null ? Explanations.list() : Explanations.of(code));
    return 0;
  }
}
