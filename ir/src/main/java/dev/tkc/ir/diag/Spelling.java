package dev.tkc.ir.diag;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;

/** "Did you mean": the names closest to a misspelt one. */
public final class Spelling {
  private Spelling() {}

  /**
   * The candidate that {@code word} most likely stands for: at most a third of its letters wrong, and not all of them
   * (swapped neighbours count once, a difference in case next to nothing), ties in the order given.
   */
  public static Optional<String> closest(String word, Iterable<String> candidates) {
    return ranked(word, candidates).stream().findFirst();
  }

  /** All candidates close enough, the closest first. */
  public static List<String> ranked(String word, Iterable<String> candidates) {
    record Rated(String name, int distance) {}
    return StreamSupport.stream(candidates.spliterator(), false)
        .filter(c -> !c.equals(word) && Math.abs(c.length() - word.length()) <= limit(word))
        .map(c -> new Rated(c, distance(word, c)))
        .filter(r -> r.distance() <= 2 * limit(word) && r.distance() < 2 * word.length())
        .sorted(Comparator.comparingInt(Rated::distance))
        .map(Rated::name)
        .toList();
  }

  /** {@code  help: did you mean `x`?} added to {@code d} when there is a close name. */
  public static Diagnostic suggest(Diagnostic d, Span at, Iterable<String> candidates) {
    Optional<String> meant = closest(at.text(), candidates);
    return meant.map(name -> d.help("did you mean `" + name + "`?", at, name)).orElse(d);
  }

  private static int limit(String word) {
    return Math.max(1, word.length() / 3);
  }

  /** Twice the Damerau-Levenshtein distance (neighbours swapped at most once), a difference in case counting half. */
  private static int distance(String a, String b) {
    int[] older = new int[b.length() + 1];
    int[] last = new int[b.length() + 1];
    int[] row = new int[b.length() + 1];
    Arrays.setAll(last, j -> 2 * j);
    for (int i = 1; i <= a.length(); i++) {
      row[0] = 2 * i;
      for (int j = 1; j <= b.length(); j++) {
        row[j] = Math.min(Math.min(last[j], row[j - 1]) + 2, last[j - 1] + replace(a.charAt(i - 1), b.charAt(j - 1)));
        boolean swapped =
            i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
        if (swapped) {
          row[j] = Math.min(row[j], older[j - 2] + 2);
        }
      }
      int[] free = older;
      older = last;
      last = row;
      row = free;
    }
    return last[b.length()];
  }

  private static int replace(char a, char b) {
    if (a == b) {
      return 0;
    }
    return Character.toLowerCase(a) == Character.toLowerCase(b) ? 1 : 2;
  }
}
