package dev.tkc.tests.golden;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A {@code .tk} or {@code .tir} file that says in its comments how it is run and what must come out:
 *
 * <ul>
 *   <li>{@code // RUN: …}: one or more lines, see {@link RunLine}; a file without one fails;
 *   <li>{@code // CHECK…}: read by {@link FileCheck} when a RUN line ends in it;
 *   <li>{@code // EXPECT:}: everything from there to the end of the file is, behind {@code // }, exactly what the RUN
 *       lines without FileCheck print; rewritten by {@code -Dtkc.bless=true}, and the run that rewrites still fails;
 *   <li>{@code // error: text} at the end of a line (or {@code // error@+1: text}, {@code @-1}): an error there whose
 *       code or message contains the text. The errors found and the errors announced must be the same, one to one.
 * </ul>
 *
 * <p>In the output, the file's own path is its name, the folder of the sources {@code %root}, the scratch folder
 * {@code %t}, the version {@code VERSION}, and a time {@code TIME}.
 */
final class GoldenFile {
  private static final Pattern RUN = Pattern.compile("^\\s*//\\s*RUN:(.*)$", Pattern.MULTILINE);
  private static final Pattern EXPECT = Pattern.compile("^// EXPECT:[ \\t]*\\n", Pattern.MULTILINE);

  private final Path path;
  private final Path root;
  private final String text;
  private final Bless bless;

  /** What to do when the exact block differs. */
  enum Bless { NO, REWRITE, REFUSE }

  private GoldenFile(Path path, Path root, String text, Bless bless) {
    this.path = path;
    this.root = root;
    this.text = text;
    this.bless = bless;
  }

  /** Runs the file; the answer is the reason of a failure. */
  static Optional<String> run(Path path, Path root, Bless bless) throws IOException {
    GoldenFile file = new GoldenFile(path, root, Files.readString(path), bless);
    Path scratch = Files.createTempDirectory("golden");
    try {
      file.run(scratch);
      return Optional.empty();
    } catch (FileCheck.Failure failure) {
      return Optional.of(path.getFileName() + ": " + file.normalise(failure.getMessage(), scratch));
    } finally {
      delete(scratch);
    }
  }

  private void run(Path scratch) throws IOException, FileCheck.Failure {
    Matcher expect = EXPECT.matcher(text);
    boolean exact = expect.find();
    String program = exact ? text.substring(0, expect.start()) : text;
    List<Announced> announced = Announced.in(program);
    Map<String, String> words = new LinkedHashMap<>();
    words.put("%s", path.toString());
    words.put("%S", path.getParent().toString());
    words.put("%t", scratch.toString());
    words.put("%root", root.toString());
    List<RunLine> lines = new ArrayList<>();
    Matcher m = RUN.matcher(program);
    while (m.find()) {
      lines.add(RunLine.parse(m.group(1), words));
    }
    if (lines.isEmpty()) {
      throw new FileCheck.Failure("the file has no RUN line, so it tests nothing");
    }
    StringBuilder printed = new StringBuilder();
    for (RunLine line : lines) {
      boolean json = !announced.isEmpty();
      RunLine.Outcome outcome = line.execute(json ? List.of("--message-format=json") : List.of());
      String output = normalise(outcome.output(), scratch);
      if (outcome.fileCheck()) {
        Optional<String> failure = FileCheck.check(program, outcome.prefix(), output);
        if (failure.isPresent()) {
          throw new FileCheck.Failure(failure.get());
        }
      } else if (json) {
        Announced.compare(announced, output, path.getFileName().toString());
      } else {
        printed.append(output);
      }
    }
    if (exact) {
      compare(program, text.substring(expect.end()), printed.toString());
    }
  }

  private void compare(String program, String block, String printed) throws IOException, FileCheck.Failure {
    String wanted = block.replaceAll("(?m)^// ?", "").stripTrailing();
    String found = printed.replaceAll("(?m)[ \\t]+$", "").stripTrailing();
    if (wanted.equals(found)) {
      return;
    }
    String help =
        switch (bless) {
          case NO -> "if it is right now, run with -Dtkc.bless=true";
          case REFUSE -> "refused to rewrite it: CI=true";
          case REWRITE -> {
            String commented = found.isEmpty() ? ""
                : ("// " + found.replace("\n", "\n// ")).replaceAll("(?m)[ \\t]+$", "") + "\n";
            Files.writeString(path, program + "// EXPECT:\n" + commented);
            yield "the block was rewritten; look at the change and run again";
          }
        };
    throw new FileCheck.Failure("the output differs from the EXPECT block; " + help + "\n" + difference(wanted, found));
  }

  private static String difference(String wanted, String found) {
    String[] w = wanted.split("\n", -1);
    String[] f = found.split("\n", -1);
    int i = 0;
    while (i < Math.min(w.length, f.length) && w[i].equals(f[i])) {
      i++;
    }
    return "first difference in line %d\n  wanted: %s\n  found:  %s\nwhole output:\n%s"
        .formatted(i + 1, i < w.length ? w[i] : "(the end)", i < f.length ? f[i] : "(the end)", found);
  }

  private String normalise(String output, Path scratch) {
    return output
        .replace(path.toString(), path.getFileName().toString())
        .replace(scratch.toString(), "%t")
        .replace(root.toString(), "%root")
        .replaceAll("\\b\\d+\\.\\d+\\.\\d+-SNAPSHOT\\b", "VERSION")
        .replaceAll("\\b\\d+(\\.\\d+)? (s|ms|µs)\\b", "TIME");
  }

  private static void delete(Path folder) throws IOException {
    try (var files = Files.walk(folder)) {
      for (Path p : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(p);
      }
    }
  }
}
