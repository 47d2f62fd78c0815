package dev.tkc;

import dev.tkc.ir.num.Decimals;
import dev.tkc.ir.type.Element;
import java.util.Optional;

/** Numbers and truth values as a command line writes and shows them. */
public final class Literals {
  private static final String WHOLE = "[+-]?\\d+";
  private static final String REAL = "[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?";

  private Literals() {}

  /** A {@code Long}, {@code Double} or {@code Boolean}; empty for any other text. */
  public static Optional<Object> parse(String text) {
    if (text.equals("true") || text.equals("false")) {
      return Optional.of(Boolean.valueOf(text));
    }
    try {
      if (text.matches(WHOLE)) {
        return Optional.of(Long.valueOf(text));
      }
      return text.matches(REAL) ? Optional.of(Double.valueOf(text)).filter(Double::isFinite).map(x -> x)
          : Optional.empty();
    } catch (NumberFormatException tooLarge) {
      return Optional.empty();
    }
  }

  /** The floating-point values that have no digits: {@code nan}, {@code inf} and {@code -inf}, as the language says. */
  public static Optional<Object> special(String text) {
    return switch (text) {
      case "nan" -> Optional.of(Double.NaN);
      case "inf", "+inf" -> Optional.of(Double.POSITIVE_INFINITY);
      case "-inf" -> Optional.of(Double.NEGATIVE_INFINITY);
      default -> Optional.empty();
    };
  }

  /** What is wrong with a text that is no value, for a sentence that begins with the text. */
  public static String refusal(String text) {
    return text.matches(WHOLE) ? "is too large: whole numbers have 64 bits"
        : text.matches(REAL) ? "is too large for a floating-point number" : "is neither a number nor true or false";
  }

  /** A value in the fewest digits that its type needs. */
  public static String text(Object value, Element element) {
    return value instanceof Double x ? Decimals.text(element.isFloat() ? element : Element.F64, x)
        : String.valueOf(value);
  }
}
