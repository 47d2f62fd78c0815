package dev.tkc.cli;

import dev.tkc.Version;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Spelling;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** The table of commands, and what becomes of the exceptions they end with. */
final class Commands {
  private Commands() {}

  static int execute(Terminal terminal, String[] args) {
    CommandLine line = commandLine(terminal);
    preset(terminal, args);
    line.setOut(new java.io.PrintWriter(terminal.out(), true));
    line.setErr(new java.io.PrintWriter(terminal.err(), true));
    line.setColorScheme(CommandLine.Help.defaultColorScheme(terminal.colors() ? Ansi.ON : Ansi.OFF));
    line.setParameterExceptionHandler((e, words) -> usage(terminal, e));
    line.setExecutionExceptionHandler((e, command, words) -> failed(terminal, e, args));
    return line.execute(args);
  }

  private static CommandLine commandLine(Terminal t) {
    CommandSpec spec = CommandSpec.create().name("tkc");
    spec.usageMessage().description("Compiles and runs tile programs (*.tk).").customSynopsis("tkc COMMAND …");
    spec.usageMessage().footer("", "Exit status: 0 all is well; 1 a problem was found in a program, its data or its "
        + "run;", "2 the command line is wrong: an option, or the name of a device, target, pass or code that does not "
        + "exist.");
    spec.versionProvider(() -> new String[] {"tkc " + Version.text()});
    CommandLine line = new CommandLine(spec);
    line.addMixin("messages", new MessageOptions());
    spec.addOption(OptionSpec.builder("-V", "--version").versionHelp(true).type(boolean.class)
        .description("Show the version.").build());
    spec.usageMessage().synopsisSubcommandLabel("COMMAND");
    for (Command command : List.<Command>of(
        new RunCommand(t), new CheckCommand(t), new TestCommand(t), new CompileCommand(t), new BenchCommand(t),
        new TuneCommand(t), new FuzzCommand(t), new TargetsCommand(t), new FmtCommand(t), new OptCommand(t),
        new ExplainCommand(t), new ExplainScheduleCommand(t), new OpsCommand(t))) {
      line.addSubcommand(command);
    }
    line.setUsageHelpWidth(100).setUsageHelpAutoWidth(false).setCaseInsensitiveEnumValuesAllowed(true);
    line.setExecutionStrategy(new CommandLine.RunLast());
    return line;
  }

  /**
   * The options of {@link MessageOptions} matter before the others are understood: a wrong option is itself a message.
   */
  private static void preset(Terminal terminal, String[] args) {
    List<String> words = List.of(args);
    terminal.show(
        word(words, "--message-format", Terminal.MessageFormat.values()).orElse(Terminal.MessageFormat.human),
        word(words, "--color", Terminal.Color.values()).orElse(Terminal.Color.auto));
  }

  /** What an option names among the values, in whatever case. */
  private static <T extends Enum<T>> Optional<T> word(List<String> words, String option, T[] values) {
    for (int i = 0; i < words.size(); i++) {
      String said = words.get(i).startsWith(option + "=") ? words.get(i).substring(option.length() + 1)
          : words.get(i).equals(option) && i + 1 < words.size() ? words.get(i + 1) : "";
      Optional<T> value = Arrays.stream(values).filter(v -> v.name().equalsIgnoreCase(said)).findFirst();
      if (value.isPresent()) {
        return value;
      }
    }
    return Optional.empty();
  }

  private static int usage(Terminal terminal, ParameterException e) {
    if (e.getCause() instanceof DiagnosticException known) {
      terminal.report(known.diagnostics());
      return 2;
    }
    Diagnostic d = Diagnostic.error(Code.USAGE, message(e));
    Optional<String> command = unknownCommand(e);
    if (command.isPresent()) {
      Optional<String> near = Spelling.closest(command.get(), e.getCommandLine().getSubcommands().keySet());
      d = near.isPresent() ? d.help("did you mean " + near.get() + "?") : d;
    } else if (e instanceof CommandLine.UnmatchedArgumentException unmatched) {
      List<String> near = unmatched.getSuggestions();
      if (!near.isEmpty()) {
        d = d.help("did you mean " + String.join(" or ", near.subList(0, Math.min(3, near.size()))) + "?");
      }
    }
    terminal.report(d.help("see " + e.getCommandLine().getCommandSpec().qualifiedName() + " --help"));
    return 2;
  }

  /** What is wrong with a command line; picocli's own words where they serve. */
  private static String message(ParameterException e) {
    Optional<String> command = unknownCommand(e);
    if (command.isPresent()) {
      return "there is no command `" + command.get() + "`";
    }
    if (e.getMessage().equals("Missing required subcommand")) {
      return "a command is missing";
    }
    if (e instanceof CommandLine.UnmatchedArgumentException unmatched && !unmatched.isUnknownOption()) {
      List<String> words = unmatched.getUnmatched();
      return "`" + String.join(" ", words) + "` is more than the command takes";
    }
    // picocli calls an option of several values an option twice.
    return lowerFirst(e.getMessage().lines().findFirst().orElse("").replace("option option", "option"));
  }

  /** The word in the place of a command that is none. */
  private static Optional<String> unknownCommand(ParameterException e) {
    boolean root = e.getCommandLine().getParent() == null;
    return root && e instanceof CommandLine.UnmatchedArgumentException unmatched
        ? unmatched.getUnmatched().stream().findFirst().filter(w -> !w.startsWith("-")) : Optional.empty();
  }

  private static String lowerFirst(String text) {
    boolean word = text.length() > 1 && Character.isLowerCase(text.charAt(1));
    return word ? Character.toLowerCase(text.charAt(0)) + text.substring(1) : text;
  }

  static int failed(Terminal terminal, Throwable e, String[] args) {
    switch (e) {
      case DiagnosticException known -> {
        terminal.report(known.diagnostics());
        return known.diagnostics().stream().allMatch(d -> d.code() == Code.USAGE || d.code() == Code.UNKNOWN_CODE)
            ? 2 : 1;
      }
      case OutOfMemoryError full -> terminal.report(
          Diagnostic.error(Code.MEMORY_LIMIT, "Java's memory is used up: " + full.getMessage())
              .help("use smaller sizes"));
      case ParameterException wrong -> {
        return usage(terminal, wrong);
      }
      default -> terminal.report(internal(e, args));
    }
    return 1;
  }

  /** A defect of tkc: where it was noticed and how to show it again, in place of a stack trace. */
  private static Diagnostic internal(Throwable e, String[] args) {
    StackTraceElement[] trace = e.getStackTrace();
    String where =
        Arrays.stream(trace)
            .filter(f -> f.getClassName().startsWith("dev.tkc"))
            .findFirst()
            .map(f -> f.getFileName() + ":" + f.getLineNumber())
            .orElse("an unknown place");
    return Diagnostic.error(Code.INTERNAL, "tkc itself failed: " + e)
        .note("noticed at " + where + ", tkc " + Version.text() + ", Java " + Runtime.version())
        .note("to show it again: tkc " + String.join(" ", args))
        .help("please report this, with the file");
  }
}
