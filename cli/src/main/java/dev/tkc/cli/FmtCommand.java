package dev.tkc.cli;

import dev.tkc.Formatting;
import dev.tkc.Sources;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Source;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tkc fmt}: lays out files in place, or standard input to standard output. */
@picocli.CommandLine.Command(name = "fmt",
    description = "Lay out files in place; - formats standard input to standard output.")
final class FmtCommand extends Command {
  @Parameters(paramLabel = "PATH", arity = "1..*", description = "Files, folders (their .tk files), or -.")
  private List<String> paths;

  @Option(names = "--check", description = "Change nothing; name the files that would change and exit with 1.")
  private boolean check;

  FmtCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() {
    int changed = 0;
    for (String path : terminal().tkFiles(paths)) {
      try {
        changed += format(path, terminal().source(path)) ? 1 : 0;
      } catch (DiagnosticException e) {
        terminal().report(e.diagnostics());
      }
    }
    return check && changed > 0 ? 1 : terminal().exit();
  }

  private boolean format(String path, Source source) {
    String text = Formatting.format(source);
    boolean changes = !text.equals(source.text());
    if (path.equals("-") && !check) {
      terminal().out().print(text);
    } else if (changes && check) {
      terminal().out().println(path);
    } else if (changes) {
      Sources.write(Path.of(path), text.getBytes(StandardCharsets.UTF_8));
      terminal().remark("formatted " + path);
    }
    return changes;
  }
}
