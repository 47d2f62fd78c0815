package dev.tkc.cli;

import picocli.CommandLine.Option;

/**
 * The options that every command has, and {@code tkc} itself in front of one. They are understood before the others,
 * by {@link Commands}, because a wrong option is itself a message; here they are only declared.
 */
final class MessageOptions {
  @Option(
      names = "--message-format",
      paramLabel = "FORMAT",
      description = "How findings are written: ${COMPLETION-CANDIDATES} (default human).")
  private Terminal.MessageFormat format;

  @Option(
      names = "--color",
      paramLabel = "WHEN",
      description = "Colours in findings: ${COMPLETION-CANDIDATES} (default auto).")
  private Terminal.Color color;

  @Option(names = {"-h", "--help"}, usageHelp = true, description = "Show this help.")
  private boolean help;
}
