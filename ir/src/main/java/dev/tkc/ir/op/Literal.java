package dev.tkc.ir.op;

import dev.tkc.ir.type.Element;

/**
 * A scalar constant. {@code bits} is the value of an integer or bool (sign- or zero-extended to 64 bits), or the IEEE
 * double bits of a float's value, which the element type must hold exactly.
 */
public record Literal(Element element, long bits) {
  public static Literal ofInt(long value) {
    return new Literal(Element.I64, value);
  }

  public static Literal of(Element element, long value) {
    return element.isFloat() ? of(element, (double) value) : new Literal(element, value);
  }

  /** {@code value} must already be rounded to a float {@code element}. */
  public static Literal of(Element element, double value) {
    if (!element.isFloat()) {
      throw new IllegalArgumentException("a " + element.text() + " literal from a float");
    }
    return new Literal(element, Double.doubleToLongBits(value));
  }

  public static Literal of(boolean value) {
    return new Literal(Element.BOOL, value ? 1 : 0);
  }

  public double asDouble() {
    return element.isFloat() ? Double.longBitsToDouble(bits) : element == Element.U64
        && bits < 0 ? bits + 0x1p64 : bits;
  }

  public boolean asBool() {
    return bits != 0;
  }

  /** {@code 3 : i32}, {@code true : bool}, {@code 0.5 : f32}, {@code inf}, {@code -inf}, {@code nan}. */
  public String text() {
    String value;
    if (element.isBool()) {
      value = String.valueOf(bits != 0);
    } else if (element.isFloat()) {
      double d = asDouble();
      value = Double.isNaN(d) ? "nan" : Double.isInfinite(d) ? (d > 0 ? "inf" : "-inf") : Double.toString(d);
    } else {
      value = element == Element.U64 ? Long.toUnsignedString(bits) : Long.toString(bits);
    }
    return value + " : " + element.text();
  }
}
