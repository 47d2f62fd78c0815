package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.text.IrPrinter;

/**
 * An error in staged code as it is put together: it names lines of the IR, since most of such code is no line of the
 * source, and those of the source where they are known.
 */
record Fault(Module module, Diagnostic diagnostic) {
  private static final int WIDTH = 140;

  static Fault of(Module module, Code code, String message) {
    return new Fault(module, Diagnostic.error(code, message));
  }

  /** Adds an instruction that takes part in it. */
  Fault at(Inst inst, String what) {
    Diagnostic d = inst.loc().isKnown() ? Faults.place(diagnostic, inst, what) : diagnostic;
    return new Fault(module, d.note(what + ": " + line(inst)));
  }

  Fault note(String text) {
    return new Fault(module, diagnostic.note(text));
  }

  Fault help(String text) {
    return new Fault(module, diagnostic.help(text));
  }

  DiagnosticException exception() {
    return new DiagnosticException(diagnostic);
  }

  private String line(Inst inst) {
    IrPrinter.Line line = IrPrinter.line(module, inst);
    String text = line.text().length() > WIDTH ? line.text().substring(0, WIDTH) + "…" : line.text();
    return (line.number() > 0 ? "line " + line.number() + " of the IR, `" : "`") + text + "`";
  }
}
