package dev.tkc.cli;

import dev.tkc.OpReference;
import picocli.CommandLine.Parameters;

/** {@code tkc ops}: the ops of the IR with their operands, attributes and meaning. */
@picocli.CommandLine.Command(name = "ops", description = "List the ops of the IR and what they mean.")
final class OpsCommand extends Command {
  @Parameters(paramLabel = "WORD", arity = "0..1", description = "Show only ops whose line holds this word.")
  private String word;

  OpsCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() {
    String group = "";
    for (OpReference.Line line : OpReference.lines()) {
      if (word != null && !(line.form() + " " + line.meaning()).contains(word)) {
        continue;
      }
      if (!line.group().equals(group)) {
        terminal().out().println((group.isEmpty() ? "" : "\n") + line.group());
        group = line.group();
      }
      terminal().out().println("  " + line.form() + (line.meaning().isEmpty() ? "" : "\n      " + line.meaning()));
    }
    if (group.isEmpty()) {
      throw usage("no op has `" + word + "` in its line; tkc ops, without a word, lists them all");
    }
    return 0;
  }
}
