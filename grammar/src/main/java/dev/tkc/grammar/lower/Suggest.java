package dev.tkc.grammar.lower;

import java.util.Arrays;
import java.util.Collection;
import java.util.Optional;

/** The name that was probably meant. */
final class Suggest {
  private Suggest() {}

  /**
   * The closest of {@code candidates} if it is close enough to be a slip: at most a third of the longer one's letters
   * differ, or the case or order of all of them. So of a single letter only the case can be wrong.
   */
  static Optional<String> closest(String word, Collection<String> candidates) {
    String best = null;
    int least = Integer.MAX_VALUE;
    for (String c : candidates) {
      int d = c.equalsIgnoreCase(word) ? 0 : distance(word, c);
      if (d > Math.max(word.length(), c.length()) / 3 && !(d == 1 && swapped(word, c))) {
        continue;
      }
      // Of two that are as close, the one that goes on where the word stops.
      boolean begun = best != null && d == least && c.startsWith(word) && !best.startsWith(word);
      if ((d < least || begun) && !c.equals(word)) {
        least = d;
        best = c;
      }
    }
    return Optional.ofNullable(best);
  }

  private static boolean swapped(String a, String b) {
    int[] x = a.chars().sorted().toArray();
    return Arrays.equals(x, b.chars().sorted().toArray());
  }

  /**
   * {@code text} with brackets around it, unless it binds as tightly as anything: a number, a name, a call, an access.
   */
  static String grouped(String text) {
    return text.matches("[0-9][\\w.]*|[A-Za-z_][\\w.]*(\\[[^\\[\\]]*]|\\([^()]*\\)|\\.\\w+)*")
        ? text : "(" + text + ")";
  }

  /** Edits between two words, a swap of neighbours counted once. */
  static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int change = d[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        d[i][j] = Math.min(change, Math.min(d[i - 1][j], d[i][j - 1]) + 1);
        if (i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
