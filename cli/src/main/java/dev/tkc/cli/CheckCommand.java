package dev.tkc.cli;

import dev.tkc.Tkc;
import dev.tkc.ir.diag.DiagnosticException;
import java.util.List;
import picocli.CommandLine.Parameters;

/** {@code tkc check}: everything that is wrong with files, without running them. */
@picocli.CommandLine.Command(name = "check", description = "Find what is wrong with files without running them.")
final class CheckCommand extends Command {
  @Parameters(paramLabel = "PATH", arity = "1..*",
      description = "Files, folders (their .tk files), or - for standard input.")
  private List<String> paths;

  CheckCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() {
    for (String path : terminal().tkFiles(paths)) {
      try {
        terminal().report(Tkc.check(terminal().source(path)));
      } catch (DiagnosticException e) {
        terminal().report(e.diagnostics());
      }
    }
    terminal().summary();
    return terminal().exit();
  }
}
