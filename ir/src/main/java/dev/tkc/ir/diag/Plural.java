package dev.tkc.ir.diag;

/** Numbers of things as they are said in messages: {@code 1 value}, {@code 2 values}. */
public final class Plural {
  private Plural() {}

  public static String of(long n, String noun) {
    return n + " " + noun + (n == 1 ? "" : "s");
  }
}
