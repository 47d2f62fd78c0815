package dev.tkc.cli;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * The entry point of {@code tkc}. Exit status: 0 when all is well, 1 when a problem was found in what was asked about,
 * 2 when the question itself was wrong.
 */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
    System.exit(run(args, System.in, new FileOutputStream(FileDescriptor.out), err));
  }

  /** Runs one command line; results that cannot be written are a problem of their own. */
  static int run(String[] args, InputStream in, OutputStream to, PrintStream err) {
    StandardOutput results = new StandardOutput(to);
    PrintStream out = new PrintStream(results, false, StandardCharsets.UTF_8);
    int exit = run(args, in, out, err);
    if (results.lost().isEmpty()) {
      return exit;
    }
    new Terminal(in, out, err).report(
        Diagnostic.error(Code.FILE_ACCESS, "standard output cannot be written: " + results.lost().get()));
    return Math.max(exit, 1);
  }

  /** Runs one command line in this process, with nothing shared between two runs: what the tests call. */
  public static int run(String[] args, InputStream in, PrintStream out, PrintStream err) {
    Terminal terminal = new Terminal(in, out, err);
    try {
      return Commands.execute(terminal, args);
    } catch (VirtualMachineError | LinkageError e) {
      return Commands.failed(terminal, e, args);
    } finally {
      out.flush();
      err.flush();
    }
  }
}
