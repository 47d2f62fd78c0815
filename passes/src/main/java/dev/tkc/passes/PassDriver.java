package dev.tkc.passes;

import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrPrinter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Runs passes over a module, verifying after each. A pass that fails, or leaves a module that does not verify, is named
 * in the exception, and the module as it was before is written beside the command that repeats it. Findings about the
 * user's program ({@link DiagnosticException}) pass through untouched.
 */
public final class PassDriver {

  /** Told of each pass when it has run and verified: printing, timing and interpreting after passes hang here. */
  @FunctionalInterface
  public interface Observer {
    void after(Pipeline.Step step, Module module, long nanoseconds);
  }

  private final PassContext context;
  private final Optional<Path> reproducers;
  private final Observer observer;

  /** {@code reproducers} is the folder for the modules on which a pass failed; without one none is written. */
  public PassDriver(PassContext context, Optional<Path> reproducers, Observer observer) {
    this.context = context;
    this.reproducers = reproducers;
    this.observer = observer;
  }

  public PassDriver(PassContext context) {
    this(context, Optional.empty(), (_, _, _) -> { });
  }

  public void run(List<Pipeline.Step> steps, Module module) {
    for (Pipeline.Step step : steps) {
      if (step.needsTarget() && context.maybeTarget().isEmpty()) {
        throw new IllegalStateException("the pass " + step.name() + " needs a target");
      }
      // Printing costs little beside the passes, and after a failure the module may be in pieces.
      String before = reproducers.isPresent() ? IrPrinter.print(module) : "";
      long start = System.nanoTime();
      try {
        step.pass().run(module, context);
        verify(module);
      } catch (DiagnosticException e) {
        throw e;
      } catch (RuntimeException e) {
        throw new IllegalStateException("pass " + step.name() + " failed" + reproducer(step, before), e);
      }
      observer.after(step, module, System.nanoTime() - start);
    }
  }

  private static void verify(Module module) {
    List<Diagnostic> found = Verifier.verify(module);
    if (!found.isEmpty()) {
      throw new IllegalStateException(
          "it leaves an invalid module:\n" + found.stream().map(Diagnostic::toString).collect(Collectors.joining("\n"))
              + "\n" + IrPrinter.print(module));
    }
  }

  private String reproducer(Pipeline.Step step, String before) {
    if (reproducers.isEmpty()) {
      return "";
    }
    Path file = reproducers.get().resolve("tkc-crash-" + step.name() + ".tir");
    String target = context.maybeTarget().map(t -> " --target " + t.name()).orElse("");
    try {
      Files.writeString(file, "// RUN: tkc opt %s --passes=" + step.name() + target + "\n" + before);
    } catch (IOException e) {
      throw new UncheckedIOException("the module before " + step.name() + " cannot be written to " + file, e);
    }
    return "; the module before it is " + file;
  }
}
