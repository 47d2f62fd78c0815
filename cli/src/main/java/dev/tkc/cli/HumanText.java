package dev.tkc.cli;

import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticRenderer;

/** A finding for a person to read; one that shows source lines is followed by an empty line. */
final class HumanText {
  private HumanText() {}

  static String of(Diagnostic d, boolean colors) {
    return new DiagnosticRenderer(colors).render(d) + (d.labels().isEmpty() ? "" : "\n");
  }
}
