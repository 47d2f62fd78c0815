package dev.tkc.cli;

import dev.tkc.KernelModule;
import dev.tkc.Tkc;
import dev.tkc.host.TestResult;
import dev.tkc.ir.diag.DiagnosticException;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tkc test}: the tests of files. */
@picocli.CommandLine.Command(name = "test", description = "Run the tests of files.")
final class TestCommand extends Command {
  @Parameters(paramLabel = "PATH", arity = "0..*",
      description = "Files or folders (their .tk files); the current folder without.")
  private List<String> paths = List.of(".");

  @Mixin private DeviceOptions device;

  @Option(names = "--filter", paramLabel = "TEXT", defaultValue = "",
      description = "Only tests whose title holds this text.")
  private String filter;

  @Option(
      names = "--check", negatable = true, defaultValue = "true", fallbackValue = "true",
      description = "In the interpreter, also look for races, unwritten outputs and leaking padding (default: on).")
  private boolean check;

  private int passed;
  private int failed;

  TestCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() {
    try (Tkc tkc = device.session(check)) {
      for (String path : terminal().tkFiles(paths)) {
        test(tkc, path);
      }
    }
    terminal().out().println(passed + " passed, " + failed + " failed, on " + device.device());
    return terminal().exit();
  }

  private void test(Tkc tkc, String path) {
    try {
      KernelModule module = tkc.load(terminal().source(path));
      terminal().report(module.warnings());
      for (TestResult result : module.test(filter)) {
        passed += result.passed() ? 1 : 0;
        failed += result.passed() ? 0 : 1;
        terminal().out().println(line(path, result));
        terminal().out().flush();
        terminal().report(result.findings());
      }
    } catch (DiagnosticException e) {
      terminal().report(e.diagnostics());
    }
  }

  private static String line(String path, TestResult result) {
    return String.format(
        Locale.ROOT, "%s %s: %s (%.2f s)", result.passed() ? "ok  " : "FAIL", path, result.title(),
        result.nanos() / 1e9);
  }
}
