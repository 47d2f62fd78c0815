package dev.tkc.backend.llvm;

import static org.bytedeco.llvm.global.LLVM.*;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.llvm.LLVM.LLVMContextRef;
import org.bytedeco.llvm.LLVM.LLVMDiagnosticHandler;
import org.bytedeco.llvm.LLVM.LLVMDiagnosticInfoRef;
import org.bytedeco.llvm.LLVM.LLVMDisasmContextRef;
import org.bytedeco.llvm.LLVM.LLVMErrorRef;
import org.bytedeco.llvm.LLVM.LLVMMemoryBufferRef;
import org.bytedeco.llvm.LLVM.LLVMModuleRef;
import org.bytedeco.llvm.LLVM.LLVMPassBuilderOptionsRef;
import org.bytedeco.llvm.LLVM.LLVMTargetMachineRef;
import org.bytedeco.llvm.LLVM.LLVMTargetRef;
import org.bytedeco.llvm.LLVM.LLVMValueRef;
import org.bytedeco.llvm.global.LLVM;

/**
 * The native LLVM: {@code .ll} text in, assembly or object code out. The only class that touches JavaCPP.
 *
 * <p>Thread-safe: every {@link Unit} has a context of its own and belongs to one thread at a time. Whatever LLVM
 * objects to arrives as {@link LlvmException} with the line of {@code .ll} it concerns. Capabilities must have been
 * checked before: an intrinsic that the processor lacks is fatal to LLVM and with it to the process. (Throwing from
 * LLVM's fatal-error handler does not help: the preset's wrappers let no C++ exception through.)
 */
public final class LlvmToolchain {
  private static final Pattern PLACE = Pattern.compile("^[^\\n]*?:(\\d+):(\\d+): (?:error: )?(.*)$", Pattern.MULTILINE);

  /** Findings of the compilation that runs on this thread; LLVM calls back on the thread that called it. */
  private static final ThreadLocal<List<String>> FINDINGS = ThreadLocal.withInitial(ArrayList::new);

  /** JavaCPP keeps few native stubs per callback class, so one instance of each serves all contexts. */
  private static final LLVMDiagnosticHandler ON_FINDING = new LLVMDiagnosticHandler() {
    @Override
    public void call(LLVMDiagnosticInfoRef info, Pointer context) {
      if (LLVMGetDiagInfoSeverity(info) == LLVMDSError) {
        FINDINGS.get().add(take(LLVMGetDiagInfoDescription(info)));
      }
    }
  };

  private static final class Holder {
    static final LlvmToolchain INSTANCE = new LlvmToolchain();
  }

  private LlvmToolchain() {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTarget();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUAsmPrinter();
    LLVMInitializeAMDGPUAsmParser();
    LLVMInitializeAMDGPUDisassembler();
  }

  /** The one instance; the first call loads the native library. */
  public static LlvmToolchain instance() {
    return Holder.INSTANCE;
  }

  /** Parses and verifies a module. */
  public Unit parse(String ll) {
    return new Unit(ll);
  }

  /** Parse, verify, optimise, assembly text: the way most callers want it. */
  public String compileToAssembly(String ll, LlvmTarget target, String pipeline) {
    try (Unit unit = parse(ll)) {
      unit.optimise(target, pipeline);
      return unit.assembly(target);
    }
  }

  /** One module in native form. */
  public static final class Unit implements AutoCloseable {
    private final String source;
    private final LLVMContextRef context = LLVMContextCreate();
    private final LLVMModuleRef module = new LLVMModuleRef();
    /** For which processor of NVIDIA's passes have run over the module; null if none have. */
    private LlvmTarget annotated;

    private Unit(String ll) {
      source = ll;
      FINDINGS.get().clear();
      LLVMContextSetDiagnosticHandler(context, ON_FINDING, null);
      try (BytePointer name = new BytePointer("kernel.ll"); BytePointer message = new BytePointer((Pointer) null)) {
        byte[] bytes = ll.getBytes(StandardCharsets.UTF_8);
        LLVMMemoryBufferRef buffer;
        try (BytePointer text = new BytePointer(bytes)) {
          buffer = LLVMCreateMemoryBufferWithMemoryRangeCopy(text, bytes.length, name);
        }
        // The parser owns the buffer from here, whatever comes of it.
        if (LLVMParseIRInContext(context, buffer, module, message) != 0) {
          throw refused("LLVM cannot read the module", take(message));
        }
        verify();
      } catch (RuntimeException e) {
        close();
        throw e;
      }
    }

    private void verify() {
      try (BytePointer message = new BytePointer((Pointer) null)) {
        boolean broken = LLVMVerifyModule(module, LLVMReturnStatusAction, message) != 0;
        String text = take(message);
        if (broken) {
          throw refused("LLVM's verifier rejects the module", text);
        }
      }
    }

    /** Runs a pass pipeline ({@code default<O3>}) with the target's cost model. */
    public void optimise(LlvmTarget target, String pipeline) {
      LLVMTargetMachineRef machine = machine(target);
      try {
        if (target.triple().startsWith("nvptx")) {
          annotated = target;
        }
        FINDINGS.get().clear();
        runPasses(pipeline, machine);
        throwFindings("optimise");
      } finally {
        LLVMDisposeTargetMachine(machine);
      }
    }

    private void runPasses(String pipeline, LLVMTargetMachineRef machine) {
      LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
      try {
        LLVMErrorRef error = LLVMRunPasses(module, pipeline, machine, options);
        if (error != null && !error.isNull()) {
          BytePointer message = LLVMGetErrorMessage(error);
          String text = message.getString();
          LLVMDisposeErrorMessage(message);
          throw refused("LLVM cannot run " + pipeline, text);
        }
      } finally {
        LLVMDisposePassBuilderOptions(options);
      }
    }

    /** The module as LLVM prints it now. */
    public String text() {
      return take(LLVMPrintModuleToString(module));
    }

    /** PTX, or an AMD target's assembly. The module itself is left as it is. */
    public String assembly(LlvmTarget target) {
      return new String(emit(target, LLVMAssemblyFile), StandardCharsets.UTF_8);
    }

    /** A relocatable ELF object, for targets that have one. */
    public byte[] object(LlvmTarget target) {
      return emit(target, LLVMObjectFile);
    }

    private byte[] emit(LlvmTarget target, int kind) {
      LLVMModuleRef copy = LLVMCloneModule(module);
      try {
        return emit(copy, target, kind);
      } finally {
        LLVMDisposeModule(copy);
      }
    }

    /** Generates code of a module, which cannot be used for anything else afterwards. */
    private byte[] emit(LLVMModuleRef consumed, LlvmTarget target, int kind) {
      LLVMTargetMachineRef machine = machine(target);
      LLVMMemoryBufferRef buffer = new LLVMMemoryBufferRef();
      try (BytePointer message = new BytePointer((Pointer) null)) {
        FINDINGS.get().clear();
        if (LLVMTargetMachineEmitToMemoryBuffer(machine, consumed, kind, message, buffer) != 0) {
          throw refused("LLVM cannot generate code", take(message));
        }
        throwFindings("generate code");
        byte[] bytes = new byte[Math.toIntExact(LLVMGetBufferSize(buffer))];
        LLVMGetBufferStart(buffer).get(bytes);
        return bytes;
      } finally {
        if (!buffer.isNull()) {
          LLVMDisposeMemoryBuffer(buffer);
        }
        LLVMDisposeTargetMachine(machine);
      }
    }

    private void throwFindings(String what) {
      List<String> findings = FINDINGS.get();
      if (!findings.isEmpty()) {
        String all = String.join("\n", findings);
        findings.clear();
        throw refused("LLVM reports errors (" + what + ")", all);
      }
    }

    private LlvmException refused(String what, String message) {
      return new LlvmException(what + ": " + quoteLine(message, source));
    }

    /**
     * Makes LLVM forget the module before its memory is used again.
     *
     * <p>LLVM's NVPTX target keeps {@code nvvm.annotations} in a table of the process by the addresses of the module
     * and the function, and takes a module out only when it has printed it. What it has optimised and not printed would
     * leave its annotations to whichever module comes to lie at the same address: a kernel would be compiled for the
     * number of threads of another. So the module is printed here, without its contents, which are of no use any more.
     */
    private void forgetAnnotations() {
      for (LLVMValueRef f = LLVMGetFirstFunction(module); isThere(f); f = LLVMGetNextFunction(f)) {
        internalise(f);
      }
      for (LLVMValueRef g = LLVMGetFirstGlobal(module); isThere(g); g = LLVMGetNextGlobal(g)) {
        internalise(g);
      }
      runPasses("globaldce", null);
      emit(module, annotated, LLVMAssemblyFile);
    }

    private static boolean isThere(LLVMValueRef value) {
      return value != null && !value.isNull();
    }

    private static void internalise(LLVMValueRef global) {
      if (LLVMIsDeclaration(global) == 0) {
        LLVMSetLinkage(global, LLVMInternalLinkage);
      }
    }

    @Override
    public void close() {
      try {
        if (annotated != null) {
          forgetAnnotations();
          annotated = null;
        }
      } finally {
        if (!module.isNull()) {
          LLVMDisposeModule(module);
          module.setNull();
        }
        if (!context.isNull()) {
          LLVMContextDispose(context);
          context.setNull();
        }
      }
    }
  }

  /** One decoded machine instruction. */
  public record Decoded(long offset, int size, String text) {}

  /** Decodes all of {@code code}; bytes that are no instruction come back as a {@code .byte} of size 4. */
  public List<Decoded> disassemble(byte[] code, LlvmTarget target) {
    LLVMDisasmContextRef disassembler = LLVMCreateDisasmCPUFeatures(
        target.triple(), target.cpu(), target.features(), null, 0, null, null);
    if (disassembler == null || disassembler.isNull()) {
      throw new LlvmException("LLVM has no disassembler for " + target);
    }
    List<Decoded> result = new ArrayList<>();
    try (BytePointer bytes = new BytePointer(code); BytePointer out = new BytePointer(256)) {
      for (long at = 0; at < code.length; ) {
        long size = LLVMDisasmInstruction(disassembler, bytes.getPointer(BytePointer.class, at), code.length - at, at,
            out, 256);
        String text = size == 0 ? ".byte" : out.getString().strip();
        int taken = size == 0 ? 4 : (int) size;
        result.add(new Decoded(at, taken, text));
        at += taken;
      }
    } finally {
      LLVMDisasmDispose(disassembler);
    }
    return result;
  }

  /**
   * The path of a program that comes with the native library ({@code lld}, {@code llvm-objdump}): beside the library
   * where a distribution has laid it out, otherwise unpacked into JavaCPP's cache.
   */
  public Path program(String name) throws IOException {
    for (String folder : System.getProperty("java.library.path", "").split(File.pathSeparator)) {
      Path candidate = Path.of(folder, name);
      if (!folder.isEmpty() && Files.isExecutable(candidate) && Files.exists(Path.of(folder, "libLLVM.so.20.1"))) {
        return candidate;
      }
    }
    String resource = "/org/bytedeco/llvm/" + Loader.getPlatform() + "/";
    File program = Loader.cacheResource(LLVM.class, resource + name);
    File library = Loader.cacheResource(LLVM.class, resource + "libLLVM.so");
    if (program == null || library == null) {
      throw new IOException("the LLVM library does not bring " + name);
    }
    if (!program.canExecute() && !program.setExecutable(true)) {
      throw new IOException(program + " cannot be made executable");
    }
    // The programs look for the library by its versioned name.
    Path link = library.toPath().resolveSibling("libLLVM.so.20.1");
    if (!Files.exists(link)) {
      try {
        Files.createSymbolicLink(link, library.toPath().getFileName());
      } catch (FileAlreadyExistsException e) {
        // Another process was quicker.
      }
    }
    return program.toPath();
  }

  private static LLVMTargetMachineRef machine(LlvmTarget target) {
    LLVMTargetRef found = new LLVMTargetRef();
    try (BytePointer triple = new BytePointer(target.triple()); BytePointer message = new BytePointer((Pointer) null)) {
      if (LLVMGetTargetFromTriple(triple, found, message) != 0) {
        throw new LlvmException("LLVM has no target " + target.triple() + ": " + take(message));
      }
    }
    LLVMTargetMachineRef machine = LLVMCreateTargetMachine(found, target.triple(), target.cpu(), target.features(),
        LLVMCodeGenLevelAggressive, LLVMRelocPIC, LLVMCodeModelDefault);
    if (machine == null || machine.isNull()) {
      throw new LlvmException("LLVM cannot generate code for " + target);
    }
    return machine;
  }

  /** Copies and frees a message that LLVM allocated. */
  private static String take(BytePointer message) {
    if (message == null || message.isNull()) {
      return "";
    }
    String text = message.getString();
    LLVMDisposeMessage(message);
    return text;
  }

  private static String quoteLine(String message, String source) {
    Matcher place = PLACE.matcher(message);
    if (!place.find()) {
      return message;
    }
    int line = Integer.parseInt(place.group(1));
    String[] lines = source.split("\n", -1);
    return line < 1 || line > lines.length
        ? message
        : "line " + line + ":" + place.group(2) + ": " + place.group(3) + "\n    " + lines[line - 1].strip();
  }
}
