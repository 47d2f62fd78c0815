package dev.tkc.cli;

import dev.tkc.CompileOptions;
import dev.tkc.CompiledKernel;
import dev.tkc.Constants;
import dev.tkc.Device;
import dev.tkc.Kernel;
import dev.tkc.Optimizer;
import dev.tkc.Report;
import dev.tkc.Sources;
import dev.tkc.Target;
import dev.tkc.Tkc;
import dev.tkc.passes.PassOptions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code tkc compile}: a kernel as code for a target, in any of the forms it passes through, and what it takes. */
@picocli.CommandLine.Command(
    name = "compile",
    description = "Compile a kernel for a target. Without --emit, report registers, shared memory and occupancy.")
final class CompileCommand extends Command {
  /** The forms of a compiled kernel. */
  enum Form {
    tir,
    llvm,
    ptx,
    amdgcn,
    cubin,
    hsaco
  }

  @Parameters(paramLabel = "FILE", description = "A .tk file, or - for standard input.")
  private String file;

  @Mixin private KernelOptions options;

  @Option(
      names = "--target", paramLabel = "T", converter = TargetName.class,
      description = "One of tkc targets; without one --emit tir gives the IR before all passes.")
  private Target target;

  @Option(names = "--emit", paramLabel = "FORM", description = "One of ${COMPLETION-CANDIDATES}.")
  private Form emit;

  @Option(names = "-o", paramLabel = "FILE",
      description = "Where to write it; - is standard output, the default for text.")
  private String output;

  @Option(names = "--report", description = "Report also when something is emitted, to standard error.")
  private boolean report;

  @Option(names = "--json", description = "Report as one JSON object.")
  private boolean json;

  @Mixin private PassChoices passes;

  @Option(
      names = {"--lineinfo", "--line-table"},
      description = "Let the code say which source line it comes from, for profilers and sanitizers.")
  private boolean lineTable;

  CompileCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  int work() {
    if (target == null && emit != Form.tir) {
      throw usage("--target is missing; only --emit tir goes without");
    }
    if (json && emit != null && !report) {
      throw usage("--json is a form of the report, and with --emit there is one only by --report");
    }
    refuseInVain();
    try (Tkc tkc = Tkc.create(Device.interpreter())) {
      Kernel kernel = options.in(tkc, terminal().source(file), this);
      Constants constants = new Constants(options.values());
      if (target == null) {
        write(Optimizer.print(kernel.tir(constants)).getBytes(StandardCharsets.UTF_8));
        return 0;
      }
      emit(kernel.compile(target, constants, compileOptions(), text -> terminal().err().print(text)));
    }
    return 0;
  }

  private CompileOptions compileOptions() {
    PassOptions chosen = passes.options();
    return new CompileOptions(chosen, chosen.debugAsserts(), lineTable);
  }

  private void emit(CompiledKernel compiled) {
    if (emit == null || report) {
      Report found = compiled.report(new Constants(options.values()));
      (emit == null ? terminal().out() : terminal().err()).print(json ? found.json() + "\n" : found.text());
    }
    if (emit == null) {
      return;
    }
    switch (emit) {
      case tir -> write(compiled.tir().getBytes(StandardCharsets.UTF_8));
      case llvm -> write(compiled.llvm().getBytes(StandardCharsets.UTF_8));
      case ptx, amdgcn -> write(compiled.assembly().getBytes(StandardCharsets.UTF_8));
      case cubin, hsaco -> write(compiled.binary());
    }
  }

  /** Compiling takes seconds: what the target does not make, or cannot be written, is refused before. */
  private void refuseInVain() {
    if (emit == null) {
      return;
    }
    boolean text = emit != Form.cubin && emit != Form.hsaco;
    if (target != null && emit != Form.tir && emit != Form.llvm) {
      String assembly = target.backend().assemblyName();
      String binary = target.backend().binaryName();
      if (!emit.name().equals(text ? assembly : binary)) {
        throw usage("--emit " + emit + " is not among what " + target + " makes: tir, llvm, " + assembly + ", "
            + binary);
      }
    }
    if (output == null && !text) {
      throw usage("-o is missing: machine code is not for a terminal; -o - writes it to standard output all the same");
    }
    if (output != null && !output.equals("-")) {
      Sources.requireWritable(Path.of(output));
    }
  }

  private void write(byte[] bytes) {
    if (output == null || output.equals("-")) {
      terminal().out().write(bytes, 0, bytes.length);
    } else {
      Sources.write(Path.of(output), bytes);
      terminal().remark("wrote " + output + ", " + bytes.length + " bytes");
    }
  }
}
