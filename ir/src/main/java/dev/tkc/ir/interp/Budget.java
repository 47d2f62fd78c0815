package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.diag.ByteText;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Span;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What an interpretation may still use, shared by all its threads: steps, memory, and the caller's patience.
 *
 * <p>An instruction costs one step, and one more for every 1024 elements it makes, or multiplications of a dot, or
 * elements it combines; a statement of host code costs one. Memory is asked for before it is allocated.
 */
final class Budget {
  private static final int ELEMENTS_PER_STEP = 1024;

  private final long maxSteps;
  private final long maxBytes;
  private final AtomicLong steps = new AtomicLong();
  private final AtomicLong bytes = new AtomicLong();
  private volatile boolean cancelled;

  Budget(long maxSteps, long maxBytes) {
    this.maxSteps = maxSteps;
    this.maxBytes = maxBytes;
  }

  void step(Inst inst) {
    steps(inst, 1);
  }

  /** Accounts for work in proportion to {@code elements}, beyond the instruction's own step. */
  void work(Inst inst, long elements) {
    if (elements >= ELEMENTS_PER_STEP) {
      steps(inst, elements / ELEMENTS_PER_STEP);
    }
  }

  private void steps(Inst inst, long n) {
    if (steps.addAndGet(n) > maxSteps) {
      throw new DiagnosticException(Faults.error(Code.STEP_LIMIT, inst, "stopped after " + maxSteps + " steps")
          .note("a step is one instruction, or 1024 elements of work")
          .help("raise the limit with --max-steps, or look for a loop that runs too long"));
    }
    checkInterrupt(inst);
  }

  /** Accounts for a statement that makes no instruction: loops of host code over numbers have only such. */
  void step(Span statement) {
    if (steps.incrementAndGet() > maxSteps) {
      throw new DiagnosticException(Diagnostic.error(Code.STEP_LIMIT, "stopped after " + maxSteps + " steps")
          .label(statement, "")
          .note("a step is one statement of a test or one instruction, or 1024 elements of work")
          .help("raise the limit with --max-steps, or look for a loop that runs too long"));
    }
    if (isInterrupted()) {
      throw new DiagnosticException(Diagnostic.error(Code.INTERRUPTED, "interrupted").label(statement, ""));
    }
  }

  /** Stops if the caller has interrupted the thread, or another thread of this interpretation has stopped. */
  void checkInterrupt(Inst inst) {
    if (isInterrupted()) {
      throw Faults.fault(Code.INTERRUPTED, inst, "interrupted");
    }
  }

  private boolean isInterrupted() {
    cancelled = cancelled || Thread.interrupted();
    return cancelled;
  }

  /** Makes every thread of the interpretation stop at its next step. */
  void cancel() {
    cancelled = true;
  }

  /** A new run begins. */
  void resume() {
    cancelled = false;
  }

  /** Checks that an array of so many elements can be made now. */
  void ask(Inst inst, long elements, long size) {
    if (elements > Tile.MAX_ELEMENTS || size > left()) {
      throw new DiagnosticException(refusal(inst, elements + " elements", size));
    }
    work(inst, elements);
  }

  /** Checks that memory for a {@code temp} can be had now. */
  void askTemp(Inst inst, String name, long elements, long size) {
    if (size > left()) {
      throw new DiagnosticException(refusal(inst, "the temp `" + name + "` of " + elements + " elements", size));
    }
  }

  private Diagnostic refusal(Inst inst, String what, long size) {
    return Faults.error(Code.MEMORY_LIMIT, inst, what + " would take " + ByteText.of(size) + " here, and "
        + ByteText.of(left()) + " of " + ByteText.of(maxBytes) + " are left")
        .help("use smaller sizes or tiles, or give the process more memory");
  }

  /** Bytes that may still be taken. */
  long left() {
    return Math.max(0, maxBytes - bytes.get());
  }

  /** Notes that memory is held from now on; negative to give it back. */
  void hold(long size) {
    bytes.addAndGet(size);
  }

  long held() {
    return bytes.get();
  }
}
