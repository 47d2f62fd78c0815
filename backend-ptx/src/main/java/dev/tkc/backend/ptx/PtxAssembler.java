package dev.tkc.backend.ptx;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.nvptxcompiler.JNvPTXCompiler;
import jcuda.nvptxcompiler.nvPTXCompileResult;
import jcuda.nvptxcompiler.nvPTXCompilerHandle;

/**
 * PTX to machine code without a device, with the assembler's own report of registers, spills and shared memory.
 *
 * <p>Two assemblers are known: the {@code ptxas} program where one is on {@code PATH}, and the compiler library that
 * JCuda carries, which needs nothing installed but knows PTX up to 8.0. The program is preferred because it is as new
 * as the installed toolkit. PTX that an assembler refuses is a defect of tkc; having no assembler for it is the user's
 * to mend.
 */
public sealed interface PtxAssembler {
  /** The newest PTX version it reads, 80 for 8.0. */
  int newestPtx();

  /** A short name for reports: {@code ptxas 13.0}, {@code nvPTXCompiler 12.0}. */
  String name();

  Cubin assemble(String ptx, Options options);

  /** {@code processor} is {@code sm_80}; {@code maxRegisters} caps every kernel's registers per thread. */
  record Options(String processor, OptionalInt maxRegisters, boolean lineInfo) {
    public static Options of(String processor) {
      return new Options(processor, OptionalInt.empty(), true);
    }

    List<String> arguments() {
      List<String> arguments = new ArrayList<>(List.of("-arch=" + processor, "-O3", "-v"));
      maxRegisters.ifPresent(n -> arguments.add("-maxrregcount=" + n));
      if (lineInfo) {
        arguments.add("-lineinfo");
      }
      return arguments;
    }
  }

  /** Machine code and what the assembler said about it. */
  record Cubin(byte[] image, List<PtxResources> kernels, List<String> warnings, String log) {
    public PtxResources kernel(String name) {
      return kernels.stream().filter(k -> k.kernel().equals(name)).findFirst()
          .orElseThrow(() -> new IllegalStateException("the assembler reported nothing for kernel " + name));
    }
  }

  /** Whether an assembler for text of this PTX version is here. */
  static boolean reads(int version) {
    return version <= Library.NEWEST_PTX || Program.onPath().filter(p -> p.newestPtx() >= version).isPresent();
  }

  /** The preferred assembler for text of this PTX version. */
  static PtxAssembler forPtx(int version) {
    Optional<Program> program = Program.onPath();
    if (program.isPresent() && program.get().newestPtx() >= version) {
      return program.get();
    }
    if (version <= Library.NEWEST_PTX) {
      return new Library();
    }
    throw new DiagnosticException(Diagnostic.error(Code.NO_ASSEMBLER,
            "no assembler for PTX " + version / 10 + "." + version % 10 + " is here")
        .note("the built-in one reads PTX up to " + Library.NEWEST_PTX / 10 + "." + Library.NEWEST_PTX % 10)
        .help("put the ptxas program of a newer CUDA toolkit on PATH"));
  }

  /** JCuda's static compiler, in this process. */
  final class Library implements PtxAssembler {
    static final int NEWEST_PTX = 80;

    private static final Object LOCK = new Object();

    @Override
    public int newestPtx() {
      return NEWEST_PTX;
    }

    @Override
    public String name() {
      return "nvPTXCompiler 12.0";
    }

    @Override
    public Cubin assemble(String ptx, Options options) {
      byte[] text = (ptx + "\0").getBytes(StandardCharsets.UTF_8);
      synchronized (LOCK) {
        JNvPTXCompiler.setExceptionsEnabled(false);
        nvPTXCompilerHandle handle = new nvPTXCompilerHandle();
        require(JNvPTXCompiler.nvPTXCompilerCreate(handle, text.length, text), "create");
        try {
          List<String> arguments = options.arguments();
          int result = JNvPTXCompiler.nvPTXCompilerCompile(
              handle, arguments.size(), arguments.toArray(String[]::new));
          if (result != nvPTXCompileResult.NVPTXCOMPILE_SUCCESS) {
            throw refused(nvPTXCompileResult.stringFor(result) + "\n" + errorLog(handle), ptx);
          }
          long[] size = new long[1];
          require(JNvPTXCompiler.nvPTXCompilerGetCompiledProgramSize(handle, size), "size");
          byte[] image = new byte[Math.toIntExact(size[0])];
          require(JNvPTXCompiler.nvPTXCompilerGetCompiledProgram(handle, image), "program");
          return cubin(image, infoLog(handle));
        } finally {
          JNvPTXCompiler.nvPTXCompilerDestroy(handle);
        }
      }
    }

    private static String errorLog(nvPTXCompilerHandle handle) {
      long[] size = new long[1];
      require(JNvPTXCompiler.nvPTXCompilerGetErrorLogSize(handle, size), "error log size");
      byte[] log = new byte[Math.toIntExact(size[0]) + 1];
      require(JNvPTXCompiler.nvPTXCompilerGetErrorLog(handle, log), "error log");
      return text(log);
    }

    private static String infoLog(nvPTXCompilerHandle handle) {
      long[] size = new long[1];
      require(JNvPTXCompiler.nvPTXCompilerGetInfoLogSize(handle, size), "info log size");
      byte[] log = new byte[Math.toIntExact(size[0]) + 1];
      require(JNvPTXCompiler.nvPTXCompilerGetInfoLog(handle, log), "info log");
      return text(log);
    }

    private static String text(byte[] bytes) {
      String s = new String(bytes, StandardCharsets.UTF_8);
      int end = s.indexOf('\0');
      return end < 0 ? s : s.substring(0, end);
    }

    private static void require(int result, String what) {
      if (result != nvPTXCompileResult.NVPTXCOMPILE_SUCCESS) {
        throw new IllegalStateException("nvPTXCompiler (" + what + "): " + nvPTXCompileResult.stringFor(result));
      }
    }
  }

  /** The {@code ptxas} program. */
  final class Program implements PtxAssembler {
    private static final Pattern RELEASE = Pattern.compile("release (\\d+)\\.(\\d+)");

    private final Path path;
    private final String release;
    private final int newestPtx;

    private Program(Path path, String release, int newestPtx) {
      this.path = path;
      this.release = release;
      this.newestPtx = newestPtx;
    }

    private static final class OnPath {
      static final Optional<Program> FOUND = find();
    }

    static Optional<Program> onPath() {
      return OnPath.FOUND;
    }

    private static Optional<Program> find() {
      String variable = System.getenv("PATH");
      for (String folder : variable == null ? new String[0] : variable.split(":")) {
        Path candidate = Path.of(folder.isEmpty() ? "." : folder, "ptxas");
        if (Files.isExecutable(candidate)) {
          return version(candidate);
        }
      }
      return Optional.empty();
    }

    private static Optional<Program> version(Path candidate) {
      try {
        Matcher m = RELEASE.matcher(new String(run(List.of(candidate.toString(), "--version")).output(),
            StandardCharsets.UTF_8));
        if (!m.find()) {
          return Optional.empty();
        }
        int major = Integer.parseInt(m.group(1));
        int minor = Integer.parseInt(m.group(2));
        // CUDA 11.x reads PTX 7.x, 12.x reads 8.x, 13.x reads 9.x.
        return Optional.of(new Program(candidate, major + "." + minor, (major - 4) * 10 + minor));
      } catch (IOException e) {
        return Optional.empty();
      }
    }

    @Override
    public int newestPtx() {
      return newestPtx;
    }

    @Override
    public String name() {
      return "ptxas " + release;
    }

    @Override
    public Cubin assemble(String ptx, Options options) {
      Path folder = null;
      try {
        folder = Files.createTempDirectory("tkc-ptxas");
        Path in = folder.resolve("kernel.ptx");
        Path out = folder.resolve("kernel.cubin");
        Files.writeString(in, ptx);
        List<String> command = new ArrayList<>(List.of(path.toString()));
        command.addAll(options.arguments());
        command.addAll(List.of("-o", out.toString(), in.toString()));
        Finished finished = run(command);
        String log = new String(finished.output(), StandardCharsets.UTF_8);
        if (finished.exit() != 0) {
          throw refused(log, ptx);
        }
        return cubin(Files.readAllBytes(out), log);
      } catch (IOException e) {
        throw new DiagnosticException(Diagnostic.error(Code.NO_ASSEMBLER, path + " cannot be run: " + e.getMessage()));
      } finally {
        delete(folder);
      }
    }

    private record Finished(int exit, byte[] output) {}

    private static Finished run(List<String> command) throws IOException {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      byte[] output = process.getInputStream().readAllBytes();
      try {
        if (!process.waitFor(5, TimeUnit.MINUTES)) {
          throw new IOException("did not end");
        }
        return new Finished(process.exitValue(), output);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      } finally {
        process.destroyForcibly();
      }
    }

    private static void delete(Path folder) {
      if (folder == null) {
        return;
      }
      try (var files = Files.list(folder)) {
        for (Path file : files.toList()) {
          Files.deleteIfExists(file);
        }
        Files.deleteIfExists(folder);
      } catch (IOException e) {
        // A file left in the temporary folder harms nobody.
      }
    }
  }

  private static Cubin cubin(byte[] image, String log) {
    return new Cubin(image, PtxResources.parse(log), PtxResources.warnings(log), log);
  }

  private static IllegalStateException refused(String log, String ptx) {
    Matcher line = Pattern.compile("line (\\d+);").matcher(log);
    String quoted = "";
    if (line.find()) {
      List<String> lines = ptx.lines().toList();
      int n = Integer.parseInt(line.group(1));
      quoted = n >= 1 && n <= lines.size() ? "\n    " + lines.get(n - 1).strip() : "";
    }
    return new IllegalStateException("the PTX assembler refuses what tkc wrote: " + log.strip() + quoted);
  }
}
