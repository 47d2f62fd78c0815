package dev.tkc.ir;

/**
 * A parameter of a function, with what the caller promises about it.
 *
 * @param value the SSA value; its name is the parameter's name
 * @param divisibility the largest power of two (at most 128) known to divide it: the value of an integer, the address
 *     in bytes of a pointer; 1 when nothing is known
 */
public record Param(Value value, int divisibility) {
  public Param {
    if (Integer.bitCount(divisibility) != 1) {
      throw new IllegalArgumentException("divisibility " + divisibility + " is not a power of two");
    }
  }
}
