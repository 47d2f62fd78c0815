package dev.tkc.tests.golden;

import dev.tkc.cli.Main;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One {@code RUN:} line: commands joined by {@code |}, run in this process. A command is {@code tkc …}, by itself or
 * after {@code not} (it must exit with 1) or {@code %exit N} (it must exit with N); the last may be
 * {@code FileCheck %s}.
 *
 * <p>What flows to the next command is standard output; to FileCheck and to the golden block it is standard output and
 * standard error in the order in which they were written.
 */
record RunLine(List<List<String>> commands) {

  /** What the line printed, and how FileCheck is to be called, if it is. */
  record Outcome(String output, boolean fileCheck, String prefix) {}

  static RunLine parse(String text, Map<String, String> substitutions) throws FileCheck.Failure {
    List<List<String>> commands = new ArrayList<>();
    commands.add(new ArrayList<>());
    for (String word : words(text)) {
      if (word.equals("|")) {
        commands.add(new ArrayList<>());
        continue;
      }
      String w = word;
      for (Map.Entry<String, String> s : substitutions.entrySet()) {
        w = w.replaceAll(s.getKey() + "(?![A-Za-z])", java.util.regex.Matcher.quoteReplacement(s.getValue()));
      }
      commands.get(commands.size() - 1).add(w);
    }
    for (List<String> command : commands) {
      if (command.isEmpty()) {
        throw new FileCheck.Failure("RUN: an empty command in: " + text);
      }
    }
    return new RunLine(commands);
  }

  private static List<String> words(String text) throws FileCheck.Failure {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean open = false;
    char quote = 0;
    for (char c : text.toCharArray()) {
      if (quote != 0) {
        if (c == quote) {
          quote = 0;
        } else {
          word.append(c);
        }
      } else if (c == '"' || c == '\'') {
        quote = c;
        open = true;
      } else if (!Character.isWhitespace(c)) {
        word.append(c);
        open = true;
      } else if (open) {
        words.add(word.toString());
        word.setLength(0);
        open = false;
      }
    }
    if (quote != 0) {
      throw new FileCheck.Failure("RUN: a quote is not closed in: " + text);
    }
    if (open) {
      words.add(word.toString());
    }
    return words;
  }

  Outcome execute(List<String> extraArguments) throws FileCheck.Failure {
    byte[] input = {};
    byte[] both = {};
    for (List<String> command : commands) {
      if (command.get(0).equals("FileCheck")) {
        return new Outcome(utf8(both), true, prefix(command));
      }
      List<String> arguments = new ArrayList<>(command);
      int expected = expectedExit(arguments);
      if (arguments.isEmpty() || !arguments.get(0).equals("tkc")) {
        throw new FileCheck.Failure("RUN: only tkc, FileCheck, not and %exit N can be run, found: " + command);
      }
      arguments.addAll(extraArguments);
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      int exit = run(arguments.subList(1, arguments.size()), input, out, all);
      if (exit != expected) {
        throw new FileCheck.Failure(
            "%s\n  exited with %d instead of %d and printed\n%s"
                .formatted(String.join(" ", arguments), exit, expected, utf8(all.toByteArray())));
      }
      input = out.toByteArray();
      both = all.toByteArray();
    }
    return new Outcome(utf8(both), false, "");
  }

  private static int run(List<String> arguments, byte[] in, ByteArrayOutputStream out, ByteArrayOutputStream all) {
    try (PrintStream o = new PrintStream(new Tee(out, all), true, StandardCharsets.UTF_8);
        PrintStream e = new PrintStream(all, true, StandardCharsets.UTF_8)) {
      return Main.run(arguments.toArray(String[]::new), new ByteArrayInputStream(in), o, e);
    }
  }

  private static int expectedExit(List<String> arguments) throws FileCheck.Failure {
    if (arguments.get(0).equals("not")) {
      arguments.remove(0);
      return 1;
    }
    if (!arguments.get(0).equals("%exit")) {
      return 0;
    }
    if (arguments.size() < 2 || !arguments.get(1).matches("\\d+")) {
      throw new FileCheck.Failure("RUN: %exit needs a number");
    }
    arguments.remove(0);
    return Integer.parseInt(arguments.remove(0));
  }

  private String prefix(List<String> command) throws FileCheck.Failure {
    if (command != commands.get(commands.size() - 1)) {
      throw new FileCheck.Failure("RUN: FileCheck must come last");
    }
    String prefix = "CHECK";
    for (String word : command.subList(1, command.size())) {
      if (word.startsWith("--check-prefix=")) {
        prefix = word.substring("--check-prefix=".length());
      } else if (word.startsWith("-")) {
        throw new FileCheck.Failure("RUN: FileCheck has no option " + word);
      }
    }
    return prefix;
  }

  private static String utf8(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Writes to two places. */
  private static final class Tee extends java.io.OutputStream {
    private final ByteArrayOutputStream one;
    private final ByteArrayOutputStream two;

    Tee(ByteArrayOutputStream one, ByteArrayOutputStream two) {
      this.one = one;
      this.two = two;
    }

    @Override
    public void write(int b) {
      one.write(b);
      two.write(b);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      one.write(bytes, offset, length);
      two.write(bytes, offset, length);
    }
  }
}
