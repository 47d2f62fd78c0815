package dev.tkc.grammar.lower;

/** Numbers of things as they are said in messages: {@code 1 value}, {@code 2 values}. */
final class Plural {
  private Plural() {}

  static String of(int n, String noun) {
    return n + " " + noun + (n == 1 ? "" : "s");
  }
}
