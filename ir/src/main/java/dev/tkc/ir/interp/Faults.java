package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Loc;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.op.OpShape;
import java.util.Optional;

/** Turns what goes wrong while interpreting into diagnostics at the instruction's place in the source. */
final class Faults {
  private Faults() {}

  /** An error whose primary label is the instruction, and then the calls through which it was inlined. */
  static Diagnostic error(Code code, Inst inst, String message, String label) {
    Diagnostic d = place(Diagnostic.error(code, message), inst, label);
    for (Optional<Loc> c = inst.loc().caller(); c.isPresent(); c = c.get().caller()) {
      d = place(d, c.get(), "called from here");
    }
    return d;
  }

  static Diagnostic error(Code code, Inst inst, String message) {
    return error(code, inst, message, "");
  }

  /** Adds the instruction's place as a label, or as a note when the text is not at hand or it has no place. */
  static Diagnostic place(Diagnostic d, Inst inst, String text) {
    if (inst.loc().isKnown()) {
      return place(d, inst.loc(), text);
    }
    return d.note((text.isEmpty() ? "" : text + ", ") + "by a `" + OpShape.mnemonic(inst.op())
        + "` that has no place in a source");
  }

  private static Diagnostic place(Diagnostic d, Loc loc, String text) {
    if (loc.span().isPresent()) {
      return d.label(loc.span().get(), text);
    }
    return loc.isKnown() ? d.note((text.isEmpty() ? "" : text + ", ") + "at " + loc) : d;
  }

  static DiagnosticException fault(Code code, Inst inst, String message) {
    return new DiagnosticException(error(code, inst, message));
  }
}
