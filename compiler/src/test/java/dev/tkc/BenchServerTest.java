package dev.tkc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests and answers of {@link BenchServer}, on the interpreter. */
class BenchServerTest {
  private static final String PROGRAM =
      """
      kernel twice<B = 16>(x: f32[N], out y: f32[N]) {
        parallel i in N by B { y[i] = x[i] * 2 }
      }
      kernel broken<B = 16>(x: f32[N], out y: f32[N]) {
        parallel i in N by B { y[i] = x[i] * 3 }
      }
      test "twice" {
        for n in [5] {
          let x = randn(f32[n], seed = 1)
          var y = empty(f32[n])
          twice(x, y)
          expect y == x * 2
          broken(x, y)
          expect y == x * 2
        }
      }
      """;

  @TempDir Path folder;
  private Path program;

  @BeforeEach
  void write() throws IOException {
    program = Files.writeString(folder.resolve("twice.tk"), PROGRAM);
  }

  private List<String> answers(String... requests) throws IOException {
    List<String> answers = new ArrayList<>();
    try (Tkc tkc = Tkc.create(Device.interpreter())) {
      String text = String.join("\n", requests).replace('\'', '"').replace("FILE", program.toString()).replace("DIR", folder.toString());
      new BenchServer(tkc).serve(new BufferedReader(new StringReader(text)), answers::add);
    }
    return answers;
  }

  @Test
  void aKernelIsPreparedCheckedRunAndTimed() throws IOException {
    List<String> answers = answers(
        "{'do': 'hello'}",
        "{'do': 'prepare', 'name': 'a', 'file': 'FILE', 'kernel': 'twice', 'values': {'N': 40}}",
        "{'do': 'run', 'name': 'a', 'outputs': {'y': 'DIR/y.npy'}}",
        "{'do': 'prepare', 'name': 'b', 'file': 'FILE', 'kernel': 'broken', 'inputs': {'x': 'DIR/y.npy'}}",
        "{'do': 'check', 'name': 'a'}",
        "{'do': 'time', 'name': 'b'}",
        "{'do': 'sustained', 'name': 'b', 'millis': 1}",
        "{'do': 'release', 'name': 'a'}",
        "{'do': 'time', 'name': 'a'}",
        "{'do': 'quit'}",
        "{'do': 'hello'}");
    assertThat(answers).hasSize(9);
    assertThat(answers.get(0)).contains("\"device\":\"interpreter\"");
    assertThat(answers.get(1)).contains("\"shapes\":{\"x\":[40],\"y\":[40]}", "\"bytes\":320", "\"copies\":1");
    assertThat(folder.resolve("y.npy")).exists();
    assertThat(answers.get(3)).contains("\"x\":[40]");
    assertThat(answers.get(4)).isEqualTo("{\"check\":\"ok\"}");
    assertThat(answers.get(5)).contains("\"protocol\":\"wall\"", "\"runs\":5");
    assertThat(answers.get(6)).startsWith("{\"us\":");
    assertThat(answers.get(8)).contains("nothing is prepared as a");
  }

  @Test
  void whatFailsIsAnsweredAndTheNextRequestIsServed() throws IOException {
    List<String> answers = answers(
        "{'do': 'dance'}",
        "not JSON",
        "{'do': 'prepare', 'name': 'a', 'file': 'FILE', 'kernel': 'thrice'}",
        "{'do': 'prepare', 'file': 'FILE'}",
        "{'do': 'prepare', 'name': 'b', 'file': 'FILE', 'kernel': 'broken', 'values': {'N': 5}}",
        "{'do': 'check', 'name': 'b'}",
        "{'do': 'run', 'name': 'b', 'outputs': {'z': 'DIR/z.npy'}}");
    assertThat(answers.subList(0, 4)).allMatch(a -> a.contains("\"error\":") && a.contains("\"lost\":false"));
    assertThat(answers.get(2)).contains("TK0512");
    assertThat(answers.get(5)).isEqualTo("{\"check\":\"wrong\"}");
    assertThat(answers.get(6)).contains("there is no parameter z");
  }
}
