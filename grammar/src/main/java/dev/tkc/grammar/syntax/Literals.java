package dev.tkc.grammar.syntax;

import dev.tkc.grammar.TkParser;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import java.math.BigInteger;
import java.util.List;
import org.antlr.v4.runtime.Token;

/** The values of literal tokens; one that has none is reported and stands for 0. */
final class Literals {
  private static final int MAX_DIGITS = 400;

  private final List<Diagnostic> diagnostics;

  Literals(List<Diagnostic> diagnostics) {
    this.diagnostics = diagnostics;
  }

  Expr literal(Token token, Span span) {
    return switch (token.getType()) {
      case TkParser.INT -> new Expr.IntLit(integer(token.getText(), span), span);
      case TkParser.FLOAT -> new Expr.FloatLit(decimal(token.getText(), span), span);
      case TkParser.STRING -> new Expr.StringLit(string(token, span), span);
      default -> new Expr.BoolLit(token.getText().equals("true"), span);
    };
  }

  private BigInteger integer(String text, Span span) {
    String digits = text.replace("_", "");
    boolean hex = digits.startsWith("0x");
    String body = hex ? digits.substring(2) : digits;
    if (body.isEmpty()) {
      diagnostics.add(
          Diagnostic.error(Code.BAD_NUMBER, "this number has no digits").label(span, "digits expected after `0x`"));
      return BigInteger.ZERO;
    }
    // A text of a million digits is refused by its length; converting it would take quadratic time.
    BigInteger value = body.length() > MAX_DIGITS ? null : new BigInteger(body, hex ? 16 : 10);
    if (value == null || value.bitLength() > 64) {
      diagnostics.add(
          Diagnostic.error(Code.BAD_NUMBER, "integer literal out of range")
              .label(span, "does not fit in 64 bits")
              .note("the largest integer is 18446744073709551615 (2^64 - 1)")
              .help("write a decimal point or an exponent for a floating-point number"));
      return BigInteger.ZERO;
    }
    return value;
  }

  private double decimal(String text, Span span) {
    String digits = text.replace("_", "");
    double value = Double.parseDouble(digits);
    String mantissa = digits.split("[eE]", 2)[0];
    boolean lost = value == 0 && mantissa.chars().anyMatch(c -> c >= '1' && c <= '9');
    if (Double.isInfinite(value) || lost) {
      Diagnostic d =
          Diagnostic.error(Code.BAD_NUMBER, "floating-point literal out of range")
              .label(span, lost ? "rounds to 0 even in f64" : "is infinite even in f64")
              .note("f64 holds magnitudes from 4.9e-324 to 1.8e308");
      diagnostics.add(lost ? d.help("write 0.0") : d.help("write `inf` for infinity"));
      return 0;
    }
    return value;
  }

  /** The text between the quotes with its escapes resolved. */
  String string(Token token, Span span) {
    String text = token.getText();
    boolean closed = text.length() >= 2 && text.endsWith("\"");
    String body = text.substring(1, closed ? text.length() - 1 : text.length());
    if (body.indexOf('\\') < 0) {
      return body;
    }
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < body.length(); i++) {
      char c = body.charAt(i);
      if (c != '\\' || i + 1 == body.length()) {
        out.append(c);
        continue;
      }
      char escape = body.charAt(++i);
      switch (escape) {
        case 'n' -> out.append('\n');
        case 't' -> out.append('\t');
        case '"', '\\' -> out.append(escape);
        default -> {
          int at = span.start() + i;
          diagnostics.add(
              Diagnostic.error(Code.BAD_STRING, "unknown escape `\\" + escape + "`")
                  .label(new Span(span.source(), at, at + 1), "not an escape")
                  .note("the escapes are \\n, \\t, \\\" and \\\\"));
        }
      }
    }
    return out.toString();
  }
}
