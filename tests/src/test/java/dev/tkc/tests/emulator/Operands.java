package dev.tkc.tests.emulator;

import java.util.ArrayList;
import java.util.List;

/** Splits operand lists. */
final class Operands {
  private Operands() {}

  /** At commas that are in no brackets; {@code |} separates the two results of an instruction. */
  static List<String> split(String text) {
    List<String> out = new ArrayList<>();
    int depth = 0;
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      depth += c == '{' || c == '[' || c == '(' ? 1 : c == '}' || c == ']' || c == ')' ? -1 : 0;
      if (depth == 0 && (c == ',' || c == '|')) {
        out.add(text.substring(start, i).strip());
        start = i + 1;
      }
    }
    if (!text.substring(start).isBlank()) {
      out.add(text.substring(start).strip());
    }
    return out;
  }

  static List<String> parts(String operand) {
    return operand.startsWith("{") ? split(operand.substring(1, operand.length() - 1)) : List.of(operand);
  }
}
