package dev.tkc.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Unpacks the archive that the profile {@code dist} built and runs it with an empty PATH: no Java but its own. */
@Tag("slow")
class DistributionTest {
  private static final long LIMIT = 58_000_000;

  @TempDir private Path folder;

  @Test
  void unpackedArchiveRunsWithoutJava() throws Exception {
    Path archive = Path.of(System.getProperty("tkc.distribution"));
    assertThat(Files.size(archive)).isLessThan(LIMIT);
    run(List.of("tar", "-xJf", archive.toString(), "-C", folder.toString()), System.getenv());
    Path home = folder.resolve(archive.getFileName().toString().replace(".tar.xz", ""));
    Path tkc = home.resolve("bin/tkc");
    Map<String, String> bare = Map.of("PATH", folder.resolve("nothing").toString());

    assertThat(run(List.of(tkc.toString(), "--version"), bare)).contains("tkc");
    assertThat(run(List.of(tkc.toString(), "explain", "TK0001"), bare)).contains("TK0001");
    assertThat(run(List.of(tkc.toString(), "targets"), bare)).contains("sm_80", "gfx942");
    assertThat(run(List.of(tkc.toString(), "test", home.resolve("kernels/transpose.tk").toString(), "--device",
        "interpreter"), bare)).contains("0 failed");

    // The native libraries: LLVM and NVIDIA's compiler, LLVM and the linker.
    String gemm = home.resolve("kernels/gemm.tk").toString();
    for (List<String> emitted : List.of(List.of("sm_80", "cubin"), List.of("gfx942", "hsaco"))) {
      Path out = folder.resolve("gemm." + emitted.get(1));
      run(List.of(tkc.toString(), "compile", gemm, "--kernel", "gemm", "-D", "M=4096", "-D", "N=4096", "-D", "K=4096",
          "--target", emitted.get(0), "--emit", emitted.get(1), "-o", out.toString()), bare);
      assertThat(Files.readAllBytes(out)).startsWith(0x7F, 'E', 'L', 'F');
    }

    // Through a link, as one puts a program on PATH.
    Path link = Files.createSymbolicLink(folder.resolve("link"), tkc);
    assertThat(run(List.of("/usr/bin/env", "-i", link.toString(), "--version"), System.getenv())).contains("tkc");
  }

  private String run(List<String> command, Map<String, String> environment) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(command)).redirectErrorStream(true);
    builder.directory(folder.toFile());
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(3, TimeUnit.MINUTES)).as("%s ends", command).isTrue();
    assertThat(process.exitValue()).as("%s says: %s", command, output).isZero();
    return output;
  }
}
