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
    return answers(Device.interpreter(), requests);
  }

  private List<String> answers(Device device, String... requests) throws IOException {
    List<String> answers = new ArrayList<>();
    try (Tkc tkc = Tkc.create(device)) {
      String text = String.join("\n", requests).replace('\'', '"').replace("FILE", program.toString())
          .replace("DIR", folder.toString());
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
    assertThat(answers.get(0)).contains("no request is called `dance`");
    assertThat(answers.get(1)).contains("the request is not JSON: ").doesNotContain("java.");
    assertThat(answers.get(2)).contains("TK0512");
    assertThat(answers.get(5)).isEqualTo("{\"check\":\"wrong\"}");
    assertThat(answers.get(6)).contains("there is no parameter z");
  }

  private static final String PRODUCT =
      """
      kernel gemm<BM = 128, BN = 128, BK = 32>(a: bf16[M, K], b: bf16[K, N], out c: bf16[M, N]) {
        parallel i in M by BM, j in N by BN {
          var acc = zeros(f32[BM, BN])
          for k in K by BK { acc += a[i, k] @ b[k, j] }
          c[i, j] = acc as bf16
        }
      }
      """;

  private static String field(String answer, String name) {
    return answer.replaceAll(".*\"" + name + "\":\"?([^,\"}]+).*", "$1");
  }

  @Test
  void codeIsMadeWithoutSomePasses() throws IOException {
    program = Files.writeString(folder.resolve("gemm.tk"), PRODUCT);
    String request =
        "{'do': 'code', 'file': 'FILE', 'values': {'M': 4096, 'N': 4096, 'K': 4096, 'BM': 128, 'BN': 128, 'BK': 64}";
    List<String> answers = answers(Device.passes(Target.find("sm_90a").orElseThrow()),
        request + "}",
        request + ", 'disable': ['rotate-loops']}",
        request + ", 'disable': ['delay-waits']}",
        request + ", 'disable': ['choose-async']}",
        request + ", 'disable': ['insert-barriers']}",
        request + ", 'disable': ['delay-wait']}");
    assertThat(answers.get(0)).contains("\"BN\":128", "\"asynchronous\":1", "\"synchronous\":0");
    assertThat(field(answers.get(1), "code")).isEqualTo(field(answers.get(0), "code"));
    assertThat(field(answers.get(2), "code")).isNotEqualTo(field(answers.get(0), "code"));
    assertThat(answers.get(3)).contains("\"asynchronous\":0");
    assertThat(answers.get(4)).contains("cannot be left out");
    assertThat(answers.get(5)).contains("there is no pass called `delay-wait`");
  }

  @Test
  void theInterpreterLeavesOutNoPasses() throws IOException {
    assertThat(answers("{'do': 'prepare', 'name': 'a', 'file': 'FILE', 'kernel': 'twice', 'disable': ['delay-waits']}"))
        .singleElement().asString().contains("the interpreter runs no passes");
  }
}
