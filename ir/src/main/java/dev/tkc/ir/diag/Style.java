package dev.tkc.ir.diag;

/** What a piece of a rendered diagnostic is, and with that its colour. */
enum Style {
  PLAIN(""),
  MESSAGE("1"),
  ERROR("1;31"),
  WARNING("1;33"),
  /** Line numbers, bars and what belongs to secondary labels. */
  GUTTER("1;34"),
  NOTE("1;32"),
  HELP("1;36"),
  REMOVED("31"),
  ADDED("32");

  private final String code;

  Style(String code) {
    this.code = code;
  }

  /** {@code text} in this style, for a terminal that understands ANSI colours. */
  String paint(String text) {
    return code.isEmpty() || text.isEmpty() ? text : "\u001b[" + code + "m" + text + "\u001b[0m";
  }
}
