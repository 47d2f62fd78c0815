package dev.tkc.ir.interp;

import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import java.util.function.IntBinaryOperator;

/**
 * The rules of padding provenance (LANGUAGE.md §5, "Padding is never silent").
 *
 * <p>The state of an element is an int: 0 is <em>inside</em>; otherwise the number of the load that read outside,
 * doubled, plus 1 if <em>foreign</em> and plus 0 if <em>neutral</em>. An array of states may be null: all inside. A
 * value that exists to be repeated ({@link Tile#spread()}) is what the rules call a scalar or broadcast; a repeated 0
 * counts as full size, since IR does not tell {@code zeros(…) + x} from {@code 0 + x} and neither hurts.
 */
final class Padding {
  private Padding() {}

  static int neutral(int load) {
    return load << 1;
  }

  static int foreign(int state) {
    return state | 1;
  }

  static boolean isNeutral(int state) {
    return state != 0 && (state & 1) == 0;
  }

  static boolean isForeign(int state) {
    return (state & 1) != 0;
  }

  /** The number of the load that a state other than inside stems from. */
  static int load(int state) {
    return state >>> 1;
  }

  /** A product: neutral if either factor is. */
  static int product(int a, int b) {
    if (isNeutral(a) || a != 0 && !isNeutral(b)) {
      return isNeutral(a) ? a : foreign(a);
    }
    return b;
  }

  /** A sum of two full-size operands. */
  static int sum(int a, int b) {
    if (isForeign(a) || isForeign(b)) {
      return isForeign(a) ? a : b;
    }
    return a == 0 || b == 0 ? 0 : a;
  }

  /** Anything that no rule treats kindly. */
  static int any(int a, int b) {
    int state = a != 0 ? a : b;
    return state == 0 ? 0 : foreign(state);
  }

  private static int quotient(int a, int b) {
    return b == 0 ? a : foreign(b);
  }

  static int[] binary(BinaryKind kind, Tile a, Tile b) {
    if (a.origins() == null && b.origins() == null) {
      return null;
    }
    return switch (kind) {
      case MUL, AND -> combine(a, b, Padding::product);
      case ADD, SUB -> sums(a, b);
      case DIV -> combine(a, b, Padding::quotient);
      case REM, POW, MIN, MAX, OR, XOR, SHL, SHR -> combine(a, b, Padding::any);
    };
  }

  static int[] combine(Tile a, Tile b, IntBinaryOperator rule) {
    if (a.origins() == null && b.origins() == null) {
      return null;
    }
    int[] out = new int[a.count()];
    for (int i = 0; i < out.length; i++) {
      out[i] = rule.applyAsInt(a.origin(i), b.origin(i));
    }
    return out;
  }

  /** As {@link #sum}, where an inside operand that is only a scalar or broadcast makes a neutral one foreign. */
  private static int[] sums(Tile a, Tile b) {
    boolean smallA = a.spread() && !b.spread();
    boolean smallB = b.spread() && !a.spread();
    int[] out = new int[a.count()];
    for (int i = 0; i < out.length; i++) {
      int x = a.origin(i);
      int y = b.origin(i);
      boolean shifted = smallA && x == 0 && isNeutral(y) && !a.isZero(i) || smallB && y == 0 && isNeutral(x)
          && !b.isZero(i);
      out[i] = shifted ? any(x, y) : sum(x, y);
    }
    return out;
  }

  /** {@code where(c, a, b)}: {@code chosen} is the result. */
  static int[] select(Tile c, Tile a, Tile b, Tile chosen) {
    if (c.origins() == null && a.origins() == null && b.origins() == null) {
      return null;
    }
    int[] out = new int[c.count()];
    for (int i = 0; i < out.length; i++) {
      int condition = c.origin(i);
      if (condition == 0) {
        out[i] = c.asBool(i) ? a.origin(i) : b.origin(i);
      } else {
        out[i] = isNeutral(condition) && chosen.isZero(i) ? condition : foreign(condition);
      }
    }
    return out;
  }

  /** Null when every state is inside, so that the common case stays cheap. */
  static int[] simplified(int[] states) {
    if (states == null) {
      return null;
    }
    for (int s : states) {
      if (s != 0) {
        return states;
      }
    }
    return null;
  }
}
