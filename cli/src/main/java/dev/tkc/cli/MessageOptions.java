package dev.tkc.cli;

import picocli.CommandLine.Option;

/** The options that every command has. */
final class MessageOptions {
  @Option(
      names = "--message-format",
      paramLabel = "FORMAT",
      description = "How findings are written: ${COMPLETION-CANDIDATES} (default ${DEFAULT-VALUE}).",
      defaultValue = "human")
  private Terminal.MessageFormat format;

  @Option(
      names = "--color",
      paramLabel = "WHEN",
      description = "Colours in findings: ${COMPLETION-CANDIDATES} (default ${DEFAULT-VALUE}).",
      defaultValue = "auto")
  private Terminal.Color color;

  @Option(names = {"-h", "--help"}, usageHelp = true, description = "Show this help.")
  private boolean help;

  void apply(Terminal terminal) {
    terminal.show(format, color);
  }
}
