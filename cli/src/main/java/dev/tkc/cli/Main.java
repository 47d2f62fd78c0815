package dev.tkc.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * The entry point of {@code tkc}. Exit status: 0 when all is well, 1 when a problem was found in what was asked about, 2 when
 * the question itself was wrong.
 */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
    int exit = run(args, System.in, out, err);
    out.flush();
    System.exit(exit);
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
