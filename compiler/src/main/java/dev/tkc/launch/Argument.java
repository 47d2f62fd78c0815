package dev.tkc.launch;

import dev.tkc.Tensor;
import dev.tkc.ir.num.Decimals;
import dev.tkc.ir.type.Element;

/** What is given for one parameter of a kernel. */
public sealed interface Argument {
  /** A tensor, for a parameter with brackets. */
  record Array(Tensor tensor) implements Argument {}

  /** A whole number, for an integer scalar (and for a float one, if it holds it exactly). */
  record Whole(long value) implements Argument {}

  /** A number, for a float scalar. */
  record Real(double value) implements Argument {}

  /** A truth value, for a bool scalar. */
  record Truth(boolean value) implements Argument {}

  /** The argument that a Java value stands for: a tensor, an integer, a floating-point number or a boolean. */
  static Argument of(Object value) {
    return switch (value) {
      case Argument a -> a;
      case Tensor t -> new Array(t);
      case Long n -> new Whole(n);
      case Integer n -> new Whole(n);
      case Short n -> new Whole(n);
      case Byte n -> new Whole(n);
      case Double x -> new Real(x);
      case Float x -> new Real(x);
      case Boolean b -> new Truth(b);
      case null, default ->
          throw new IllegalArgumentException("a kernel takes tensors, numbers and booleans, not " + value);
    };
  }

  /** What it is, for messages: {@code f32[3, 4]}, {@code the number 3}. */
  default String text() {
    return switch (this) {
      case Array a -> a.tensor().toString();
      case Whole w -> "the number " + w.value();
      case Real r -> "the number " + Decimals.text(Element.F64, r.value());
      case Truth t -> "the value " + t.value();
    };
  }
}
