package dev.tkc.cli;

import dev.tkc.ir.diag.Diagnostic;

/** A finding for a person to read. */
final class HumanText {
  private HumanText() {}

  static String of(Diagnostic d, boolean colors) {
    StringBuilder text = new StringBuilder();
    text.append(d.severity().word()).append('[').append(d.code().id()).append("]: ").append(d.message()).append('\n');
    d.labels().forEach(l -> text.append("  --> ").append(l.span()).append(' ').append(l.text()).append('\n'));
    d.notes().forEach(n -> text.append("  = note: ").append(n).append('\n'));
    d.suggestions().forEach(s -> text.append("  = help: ").append(s.text()).append('\n'));
    return text.toString();
  }
}
