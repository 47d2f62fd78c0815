package dev.tkc.grammar.lower;

import java.util.Collection;
import java.util.Optional;

/** The name that was probably meant. */
final class Suggest {
  private Suggest() {}

  /** The closest of {@code candidates} if it is close enough to be a slip. */
  static Optional<String> closest(String word, Collection<String> candidates) {
    String best = null;
    int least = Math.max(1, word.length() / 3) + 1;
    for (String c : candidates) {
      int d = c.equalsIgnoreCase(word) ? 0 : distance(word, c);
      // Of two that are as close, the one that goes on where the word stops.
      boolean begun = best != null && d == least && c.startsWith(word) && !best.startsWith(word);
      if ((d < least || begun) && !c.equals(word)) {
        least = d;
        best = c;
      }
    }
    return Optional.ofNullable(best);
  }

  /** {@code text} with brackets around it, unless it binds as tightly as anything: a name, a call, an access. */
  static String grouped(String text) {
    return text.matches("[A-Za-z_][\\w.]*(\\[[^\\[\\]]*]|\\([^()]*\\)|\\.\\w+)*") ? text : "(" + text + ")";
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
