package dev.tkc.tests.emulator;

import dev.tkc.tests.emulator.Instruction.Lanewise;

/** {@code setp} and {@code set}: comparisons of integers, bits and floats, ordered and unordered. */
final class Comparison {
  private Comparison() {}

  static Lanewise of(Statement s) {
    PtxType t = s.type();
    String how = s.suffixes().stream().filter(Comparison::isComparison).findFirst().orElseThrow(s::unknown);
    if (t.isFloat()) {
      boolean flush = s.has("ftz");
      return (a, b, c) -> holds(how, Floats.flush(t.number(a), flush), Floats.flush(t.number(b), flush)) ? 1 : 0;
    }
    boolean unsigned = !t.isSigned();
    return (a, b, c) -> {
      long x = t.integer(a);
      long y = t.integer(b);
      int order = unsigned || how.length() == 2 && "lo ls hi hs".contains(how) ? Long.compareUnsigned(x, y)
          : Long.compare(x, y);
      return holds(how, order) ? 1 : 0;
    };
  }

  private static boolean isComparison(String suffix) {
    return switch (suffix) {
      case "eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num",
          "nan" -> true;
      default -> false;
    };
  }

  private static boolean holds(String how, int order) {
    return switch (how) {
      case "eq" -> order == 0;
      case "ne" -> order != 0;
      case "lt", "lo" -> order < 0;
      case "le", "ls" -> order <= 0;
      case "gt", "hi" -> order > 0;
      case "ge", "hs" -> order >= 0;
      default -> throw new PtxFault("no integer comparison: " + how);
    };
  }

  private static boolean holds(String how, double x, double y) {
    boolean unordered = Double.isNaN(x) || Double.isNaN(y);
    return switch (how) {
      case "num" -> !unordered;
      case "nan" -> unordered;
      case "eq" -> x == y;
      case "ne" -> !unordered && x != y;
      case "lt" -> x < y;
      case "le" -> x <= y;
      case "gt" -> x > y;
      case "ge" -> x >= y;
      case "equ" -> unordered || x == y;
      case "neu" -> x != y;
      case "ltu" -> unordered || x < y;
      case "leu" -> unordered || x <= y;
      case "gtu" -> unordered || x > y;
      case "geu" -> unordered || x >= y;
      default -> throw new PtxFault("no float comparison: " + how);
    };
  }
}
