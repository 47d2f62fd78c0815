package dev.tkc.tests.golden;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * The subset of LLVM's FileCheck that the goldens use: {@code CHECK}, {@code -NEXT}, {@code -SAME}, {@code -NOT},
 * {@code
 * -LABEL}, {@code -COUNT-n}, <code>{{regex}}</code> and {@code [[NAME:regex]]}. Runs of blanks match any run of blanks.
 *
 * <p>Nothing is skipped in silence: a directive that does not exist or lacks its colon, a word that only looks like the
 * prefix, a text without directives, and a variable used before it is defined are all failures.
 */
final class FileCheck {
  private enum Kind { PLAIN, NEXT, SAME, NOT, LABEL, COUNT }

  private record Check(Kind kind, int count, String pattern, int line) {
    String text() {
      return "line " + line + ": " + pattern;
    }
  }

  /** The check file itself is at fault, or the input does not satisfy it. */
  static final class Failure extends Exception {
    private static final long serialVersionUID = 1L;

    Failure(String message) {
      super(message);
    }
  }

  private final List<Check> checks = new ArrayList<>();
  private final Map<String, String> variables = new HashMap<>();
  private final String input;

  private FileCheck(String input) {
    this.input = input;
  }

  /** Checks {@code input} against the directives in {@code text}; the answer is the reason of a failure. */
  static Optional<String> check(String text, String prefix, String input) {
    try {
      FileCheck check = new FileCheck(input);
      check.parse(text, prefix);
      check.run();
      return Optional.empty();
    } catch (Failure failure) {
      return Optional.of(failure.getMessage());
    }
  }

  private void parse(String text, String prefix) throws Failure {
    Pattern directive = Pattern.compile("(?<![\\w-])" + Pattern.quote(prefix) + "((?:-\\w+)*)(:?)");
    Pattern comment = Pattern.compile("^\\s*(?://|#)\\s*([A-Z]{4,})[-\\w]*:");
    String[] lines = text.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      Matcher m = directive.matcher(lines[i]);
      boolean inComment = lines[i].strip().startsWith("//") || lines[i].strip().startsWith("#");
      if (m.find() && (m.group(2).equals(":") || inComment && lines[i].substring(0, m.start()).strip().length() <= 2)) {
        if (m.group(2).isEmpty()) {
          throw new Failure("line " + (i + 1) + ": '" + m.group() + "' lacks its colon");
        }
        checks.add(directive(m.group(1), lines[i].substring(m.end()).strip(), i + 1));
        continue;
      }
      Matcher near = comment.matcher(lines[i]);
      if (near.find() && !near.group(1).equals(prefix) && distance(near.group(1), prefix) <= 2) {
        throw new Failure("line " + (i + 1) + ": '" + near.group(1) + "' looks like a misspelt '" + prefix + "'");
      }
    }
    if (checks.isEmpty()) {
      throw new Failure("no " + prefix + " line in the file");
    }
    Kind first = checks.get(0).kind();
    if (first == Kind.NEXT || first == Kind.SAME) {
      throw new Failure(checks.get(0).text() + "\n  the first directive cannot continue another");
    }
  }

  private static Check directive(String suffix, String pattern, int line) throws Failure {
    if (pattern.isEmpty()) {
      throw new Failure("line " + line + ": an empty pattern");
    }
    if (suffix.matches("-COUNT-[1-9]\\d*")) {
      return new Check(Kind.COUNT, Integer.parseInt(suffix.substring(7)), pattern, line);
    }
    return switch (suffix) {
      case "" -> new Check(Kind.PLAIN, 1, pattern, line);
      case "-NEXT" -> new Check(Kind.NEXT, 1, pattern, line);
      case "-SAME" -> new Check(Kind.SAME, 1, pattern, line);
      case "-NOT" -> new Check(Kind.NOT, 1, pattern, line);
      case "-LABEL" -> new Check(Kind.LABEL, 1, pattern, line);
      default -> throw new Failure("line " + line + ": there is no directive CHECK" + suffix);
    };
  }

  /** Finds the labels first, then runs the checks between two labels over the text between their matches. */
  private void run() throws Failure {
    int at = 0;
    int i = 0;
    while (i < checks.size()) {
      int from = at;
      boolean labelled = checks.get(i).kind() == Kind.LABEL;
      if (labelled) {
        from = find(checks.get(i), at, input.length()).end();
        i++;
      }
      int j = i;
      while (j < checks.size() && checks.get(j).kind() != Kind.LABEL) {
        j++;
      }
      int limit = j < checks.size() ? find(checks.get(j), from, input.length()).start() : input.length();
      block(checks.subList(i, j), from, limit);
      at = limit;
      i = j;
    }
  }

  private void block(List<Check> block, int start, int limit) throws Failure {
    int at = start;
    List<Check> forbidden = new ArrayList<>();
    for (Check check : block) {
      if (check.kind() == Kind.NOT) {
        forbidden.add(check);
        continue;
      }
      int before = at;
      for (int n = 0; n < check.count(); n++) {
        Matcher m = find(check, at, limit);
        place(check, at, m);
        forbid(forbidden, before, n == 0 ? m.start() : before);
        at = m.end();
      }
      forbidden.clear();
    }
    forbid(forbidden, at, limit);
  }

  private void place(Check check, int at, Matcher m) throws Failure {
    long lines = input.substring(at, m.start()).chars().filter(c -> c == '\n').count();
    if (check.kind() == Kind.NEXT && lines != 1 || check.kind() == Kind.SAME && lines != 0) {
      String where = check.kind() == Kind.NEXT ? "not on the next line but " : "not on the same line but ";
      throw new Failure(check.text() + "\n  found " + where + lines + " below\n" + context(at));
    }
  }

  private void forbid(List<Check> forbidden, int from, int to) throws Failure {
    for (Check check : forbidden) {
      Matcher m = compile(check, false).matcher(input).region(from, to);
      if (m.find()) {
        throw new Failure(check.text() + "\n  must not occur, but does\n" + context(m.start()));
      }
    }
  }

  private Matcher find(Check check, int from, int limit) throws Failure {
    Matcher m = compile(check, true).matcher(input).region(from, limit);
    if (!m.find()) {
      throw new Failure(check.text() + "\n  not found from here" + values(check) + "\n" + context(from));
    }
    for (Map.Entry<String, Integer> group : m.namedGroups().entrySet()) {
      variables.put(group.getKey().substring(1), m.group(group.getValue()));
    }
    return m;
  }

  private String values(Check check) {
    StringBuilder text = new StringBuilder();
    variables.forEach(
        (name, value) -> {
          if (check.pattern().contains("[[" + name + "]]")) {
            text.append("; ").append(name).append(" is '").append(value).append("'");
          }
        });
    return text.toString();
  }

  /** The pattern as a regular expression; variables are groups named {@code v} and the name. */
  private Pattern compile(Check check, boolean define) throws Failure {
    Matcher m = Pattern.compile("\\{\\{(.*?)\\}\\}|\\[\\[([A-Za-z]\\w*)(?::(.*?))?\\]\\](?!\\])|[ \\t]+|.")
        .matcher(check.pattern());
    StringBuilder regex = new StringBuilder();
    List<String> here = new ArrayList<>();
    while (m.find()) {
      String name = m.group(2);
      if (m.group(1) != null) {
        regex.append("(?:").append(m.group(1)).append(')');
      } else if (name == null) {
        regex.append(m.group().isBlank() ? "[ \\t]+" : Pattern.quote(m.group()));
      } else if (m.group(3) != null && define) {
        regex.append("(?<v").append(name).append('>').append(m.group(3)).append(')');
        here.add(name);
      } else if (here.contains(name)) {
        regex.append("\\k<v").append(name).append('>');
      } else if (m.group(3) == null && variables.containsKey(name)) {
        regex.append(Pattern.quote(variables.get(name)));
      } else {
        throw new Failure(check.text() + "\n  the variable " + name + (define ? " has no value yet" : " in a -NOT"));
      }
    }
    try {
      return Pattern.compile(regex.toString());
    } catch (PatternSyntaxException e) {
      throw new Failure(check.text() + "\n  not a regular expression: " + e.getDescription());
    }
  }

  private String context(int at) {
    int end = at;
    for (int lines = 0; lines < 12 && end < input.length(); lines++) {
      int next = input.indexOf('\n', end);
      end = next < 0 ? input.length() : next + 1;
    }
    return "  | " + input.substring(at, end).stripTrailing().replace("\n", "\n  | ");
  }

  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int swap = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(swap, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[b.length()];
  }
}
