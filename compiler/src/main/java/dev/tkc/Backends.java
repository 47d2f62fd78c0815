package dev.tkc;

import dev.tkc.backend.amdgcn.AmdgcnBackend;
import dev.tkc.backend.amdgcn.AmdgcnTargets;
import dev.tkc.backend.amdgcn.CodeObject;
import dev.tkc.backend.llvm.lower.OpLowering;
import dev.tkc.backend.ptx.PtxAssembler;
import dev.tkc.backend.ptx.PtxBackend;
import dev.tkc.backend.ptx.PtxTargets;
import dev.tkc.ir.Module;
import dev.tkc.passes.analysis.InFlight;
import dev.tkc.passes.target.Capability;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** The table of backends: each row has its targets, and makes code of placed IR. */
public enum Backends {
  /** NVIDIA processors, through PTX. */
  PTX("ptx", "cubin", PtxTargets.ALL) {
    @Override
    Code compile(Module placed, TargetInfo target, OpLowering.Options options) {
      int newest = target.has(Capability.REGISTER_SPLIT)
          ? PtxBackend.Options.RECENT_PTX : PtxBackend.Options.DEFAULT.newestPtx();
      PtxBackend.Compiled compiled = PtxBackend.compile(placed, target, new PtxBackend.Options(options, newest));
      return new Code(compiled.llvm(), compiled.ptx(), compiled.kernels(),
          () -> assemble(readable(compiled, placed, options), placed));
    }

    /** What an assembler that is here reads: without a toolkit, PTX that the built-in one knows. */
    private static PtxBackend.Compiled readable(PtxBackend.Compiled compiled, Module placed,
        OpLowering.Options options) {
      int oldest = PtxBackend.Options.DEFAULT.newestPtx();
      return compiled.ptxVersion() <= oldest || PtxAssembler.reads(compiled.ptxVersion()) ? compiled
          : PtxBackend.compile(placed, compiled.target(), new PtxBackend.Options(options, oldest));
    }

    private Binary assemble(PtxBackend.Compiled compiled, Module placed) {
      PtxBackend.Assembled assembled = PtxBackend.assemble(compiled);
      List<Report.Function> functions = new ArrayList<>();
      for (PtxBackend.KernelReport k : assembled.kernels()) {
        functions.add(new Report.Function(
            k.kernel().name(), k.kernel().threads(), k.resources().registers(),
            k.resources().spillStoreBytes() + k.resources().spillLoadBytes(), k.resources().stackBytes(),
            k.kernel().sharedBytes() + k.resources().sharedBytes(), k.blocksPerProcessor(), k.occupancy(),
            inFlight(placed, k.kernel().name())));
      }
      return new Binary(assembled.cubin(), functions, assembled.warnings());
    }
  },

  /** AMD processors, through AMDGCN. */
  AMDGCN("amdgcn", "hsaco", AmdgcnTargets.ALL) {
    @Override
    Code compile(Module placed, TargetInfo target, OpLowering.Options options) {
      AmdgcnBackend.Compiled compiled = AmdgcnBackend.compile(placed, target, options);
      return new Code(compiled.llvm(), AmdgcnBackend.assembly(compiled), compiled.kernels(),
          () -> link(compiled, placed));
    }

    private Binary link(AmdgcnBackend.Compiled compiled, Module placed) {
      AmdgcnBackend.Linked linked = AmdgcnBackend.link(compiled);
      List<Report.Function> functions = new ArrayList<>();
      for (AmdgcnBackend.KernelReport r : linked.kernels()) {
        CodeObject.Kernel k = r.resources();
        functions.add(new Report.Function(
            k.name(), r.kernel().threads(), k.vgprs(), 4L * (k.vgprSpills() + k.sgprSpills()), k.scratchBytes(),
            k.ldsBytes(), r.blocksPerProcessor(), r.occupancy(), inFlight(placed, k.name())));
      }
      return new Binary(linked.codeObject(), functions, List.of());
    }
  };

  /**
   * What a backend makes of a module.
   *
   * @param llvm the LLVM IR before optimisation
   * @param assembly the target's own text
   * @param kernels what launching the device functions takes
   * @param binary machine code and the report that comes with it; made when asked for
   */
  record Code(String llvm, String assembly, List<OpLowering.KernelShape> kernels, Supplier<Binary> binary) {}

  /** Machine code, and what each of its functions takes of the hardware. */
  record Binary(byte[] image, List<Report.Function> functions, List<String> warnings) {}

  private final String assemblyName;
  private final String binaryName;
  private final List<TargetInfo> targets;

  Backends(String assemblyName, String binaryName, List<TargetInfo> targets) {
    this.assemblyName = assemblyName;
    this.binaryName = binaryName;
    this.targets = targets;
  }

  private static int inFlight(Module placed, String function) {
    return placed.func(function).map(InFlight::groups).orElse(0);
  }

  abstract Code compile(Module placed, TargetInfo target, OpLowering.Options options);

  /** What its text is called: {@code ptx}. */
  public String assemblyName() {
    return assemblyName;
  }

  /** What its machine code is called: {@code cubin}. */
  public String binaryName() {
    return binaryName;
  }

  static List<Target> targets() {
    return Arrays.stream(values()).flatMap(b -> b.targets.stream().map(t -> new Target(t, b))).toList();
  }
}
