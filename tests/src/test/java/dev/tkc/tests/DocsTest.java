package dev.tkc.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.tkc.cli.Main;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the documents show, works: each {@code tk} sample is checked, and tested if it holds tests; each {@code tir}
 * sample is parsed and verified; each {@code ./tkc} line of an {@code sh} sample is run from the project's folder and
 * must succeed; each {@code java} sample is compiled, and its {@code main} called.
 */
class DocsTest {
  private static final Pattern SAMPLE = Pattern.compile("(?m)^```(\\w+)\\n((?:.*\\n)*?)```$");

  /** Beginnings of commands that a test cannot run: the tests themselves, what needs a GPU, and what takes minutes. */
  private static final List<String> ELSEWHERE = List.of(
      "mvn verify", "./tkc test kernels --device", "./tkc fuzz", "python3 tests/gpu/");

  @TempDir Path folder;

  @TestFactory
  Stream<DynamicTest> samples() throws IOException {
    List<Path> documents = new ArrayList<>(Project.files(Project.ROOT.resolve("docs"), ".md"));
    documents.add(Project.ROOT.resolve("README.md"));
    List<DynamicTest> tests = new ArrayList<>();
    for (Path document : documents) {
      String text = Files.readString(document);
      Matcher m = SAMPLE.matcher(text);
      while (m.find()) {
        int line = (int) text.substring(0, m.start()).lines().count() + 1;
        String language = m.group(1);
        String sample = m.group(2);
        String name = Project.ROOT.relativize(document) + ":" + line + " " + language;
        tests.add(dynamicTest(name, () -> sample(language, sample)));
      }
    }
    assertThat(tests).isNotEmpty();
    return tests.stream();
  }

  private void sample(String language, String text) throws IOException {
    switch (language) {
      case "tk" -> {
        Path file = Files.writeString(folder.resolve("sample.tk"), text);
        run("check", file.toString());
        if (text.contains("test \"")) {
          run("test", "--device", "interpreter", file.toString());
        }
      }
      case "tir" -> run("opt", Files.writeString(folder.resolve("sample.tir"), text).toString());
      case "sh" -> text.lines().map(l -> l.replaceAll("\\s*#.*", "").strip())
          .filter(l -> !l.isEmpty() && ELSEWHERE.stream().noneMatch(l::startsWith)).forEach(this::shell);
      case "java" -> main(text);
      case "json", "antlr" -> { }
      default -> throw new AssertionError("nobody runs samples in " + language);
    }
  }

  private void main(String text) throws IOException {
    Matcher name = Pattern.compile("public class (\\w+)").matcher(text);
    assertThat(name.find()).isTrue();
    Path file = Files.writeString(folder.resolve(name.group(1) + ".java"), text);
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    int failed = ToolProvider.getSystemJavaCompiler().run(null, said, said, "-d", folder.toString(),
        "-cp", System.getProperty("java.class.path"), "-proc:none", file.toString());
    assertThat(failed).describedAs(said.toString(StandardCharsets.UTF_8)).isZero();
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, getClass().getClassLoader())) {
      loader.loadClass(name.group(1)).getMethod("main", String[].class).invoke(null, (Object) new String[0]);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e.getCause() == null ? e : e.getCause());
    }
  }

  private void shell(String line) {
    assertThat(line).startsWith("./tkc ");
    String[] words = line.substring("./tkc ".length()).strip().split("\\s+");
    for (int i = 0; i < words.length; i++) {
      boolean file = words[i].contains("/") && Files.exists(Project.ROOT.resolve(words[i]));
      words[i] = file ? Project.ROOT.resolve(words[i]).toString() : words[i];
    }
    run(words);
  }

  private static void run(String... words) {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
    int exit = Main.run(words, new ByteArrayInputStream(new byte[0]), out, out);
    assertThat(exit)
        .describedAs("tkc " + String.join(" ", words) + "\n" + printed.toString(StandardCharsets.UTF_8)).isZero();
  }
}
