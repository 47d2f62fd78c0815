package dev.tkc.cli;

import dev.tkc.KernelModule;
import dev.tkc.TestRecords;
import dev.tkc.Tkc;
import dev.tkc.host.TestResult;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Plural;
import dev.tkc.ir.diag.Spelling;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tkc test}: the tests of files. */
@picocli.CommandLine.Command(name = "test", description = "Run the tests of files.")
final class TestCommand extends Command {
  private static final int NEAR = 5;

  @Parameters(paramLabel = "PATH", arity = "0..*",
      description = "Files or folders (their .tk files); the current folder without.")
  private List<String> paths = List.of(".");

  @Mixin private DeviceOptions device;

  @Option(names = "--filter", paramLabel = "TEXT", defaultValue = "",
      description = "Only tests whose title holds this text; that none does is an error.")
  private String filter;

  @Option(
      names = "--check", negatable = true, defaultValue = "true", fallbackValue = "true",
      description = "In the interpreter, also look for races, unwritten outputs and leaking padding (default: on).")
  private boolean check;

  /** Nobody reads what is printed any more, so there is nothing to go on for. */
  private static final class ReaderGone extends RuntimeException {
    private static final long serialVersionUID = 1;

    ReaderGone() {
      super("standard output is closed", null, false, false);
    }
  }

  private List<String> files = List.of();
  private int passed;
  private int failed;
  private final List<String> inError = new ArrayList<>();
  private final List<String> titles = new ArrayList<>();

  TestCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() {
    long start = System.nanoTime();
    try (Tkc tkc = device.session(check)) {
      files = terminal().tkFiles(paths);
      files.forEach(path -> test(tkc, path));
    } catch (ReaderGone e) {
      return terminal().exit();
    }
    boolean none = passed + failed == 0 && inError.isEmpty() && !files.isEmpty();
    if (none) {
      terminal().report(noTest());
    }
    String broken = inError.isEmpty() ? "" : ", " + Plural.of(inError.size(), "file") + " not run for errors";
    terminal().out().println(terminal().isJson()
        ? TestRecords.summary(passed, failed, inError, System.nanoTime() - start, device.device())
        : passed + " passed, " + failed + " failed" + broken + ", on " + device.device());
    return none && !titles.isEmpty() ? 2 : terminal().exit();
  }

  private void test(Tkc tkc, String path) {
    KernelModule module;
    try {
      module = tkc.loadTests(terminal().source(path));
    } catch (DiagnosticException e) {
      inError.add(path);
      terminal().report(e.diagnostics());
      return;
    }
    titles.addAll(module.tests());
    terminal().report(module.warnings());
    module.test(filter, result -> ended(path, result));
  }

  private void ended(String path, TestResult result) {
    passed += result.passed() ? 1 : 0;
    failed += result.passed() ? 0 : 1;
    terminal().out().println(
        terminal().isJson() ? TestRecords.test(path, result, device.device()) : line(path, result));
    terminal().report(result.findings());
    if (terminal().out().checkError()) {
      throw new ReaderGone();
    }
  }

  private static String line(String path, TestResult result) {
    return String.format(
        Locale.ROOT, "%s %s: %s (%.2f s)", result.passed() ? "ok  " : "FAIL", path, result.title(),
        result.nanos() / 1e9);
  }

  /** What to say where the filter leaves nothing: the titles that were likely meant. */
  private Diagnostic noTest() {
    if (titles.isEmpty()) {
      return Diagnostic.error(Code.TEST_CHOICE, "there are no tests in " + String.join(", ", paths));
    }
    Diagnostic d = Diagnostic.error(Code.TEST_CHOICE, "no test has `" + filter + "` in its title");
    String wanted = filter.toLowerCase(Locale.ROOT);
    List<String> near = titles.stream().filter(t -> isNear(t.toLowerCase(Locale.ROOT), wanted)).distinct().toList();
    if (!near.isEmpty()) {
      return d.help("did you mean " + String.join(" or ",
          near.stream().limit(NEAR).map(t -> "`" + t + "`").toList()) + "?");
    }
    return d.note("there " + (titles.size() == 1 ? "is " : "are ") + Plural.of(titles.size(), "test")
        + "; tkc test without --filter names " + (titles.size() == 1 ? "it" : "them"));
  }

  /** Whether a title holds the words, each as it is or misspelt a little. */
  private static boolean isNear(String title, String wanted) {
    List<String> words = List.of(title.split("\\W+"));
    return title.contains(wanted) || List.of(wanted.split("\\W+")).stream()
        .allMatch(w -> words.contains(w) || !Spelling.ranked(w, words).isEmpty());
  }
}
