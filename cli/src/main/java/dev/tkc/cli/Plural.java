package dev.tkc.cli;

/** A number of things in words: {@code 1 error}, {@code 2 errors}. */
final class Plural {
  private Plural() {}

  static String of(int n, String what) {
    return n + " " + what + (n == 1 ? "" : "s");
  }
}
