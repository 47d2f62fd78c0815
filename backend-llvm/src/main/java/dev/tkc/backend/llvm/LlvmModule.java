package dev.tkc.backend.llvm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * One LLVM module under construction: globals, functions, metadata. {@link #text} is the whole module as {@code .ll};
 * intrinsics are declared by being called. Not thread-safe; a compilation owns its module.
 */
public final class LlvmModule {
  private final String triple;
  private final LlvmMetadata metadata = new LlvmMetadata();
  private final Map<String, String> globals = new LinkedHashMap<>();
  private final Map<String, String> declarations = new LinkedHashMap<>();
  private final List<LlvmFunction> functions = new ArrayList<>();
  private LlvmDebug debug;

  public LlvmModule(String triple) {
    this.triple = triple;
  }

  public String triple() {
    return triple;
  }

  public LlvmMetadata metadata() {
    return metadata;
  }

  /** Turns line tables on; {@code file} is the name of the main source as a person knows it. */
  public LlvmDebug debug(String file) {
    if (debug == null) {
      debug = new LlvmDebug(metadata, file);
    }
    return debug;
  }

  Optional<LlvmDebug> debug() {
    return Optional.ofNullable(debug);
  }

  /** A new block-private shared-memory array of fixed size, uninitialised; a name that is taken gets a number. */
  public LlvmValue shared(String name, LlvmType type, int align) {
    String free = name;
    for (int i = 1; globals.containsKey("@" + quote(free)); i++) {
      free = name + "." + i;
    }
    return global(free, LlvmType.SHARED, "internal", "global " + type.text() + " undef, align " + align);
  }

  /** The shared memory whose size the launch decides; every such name denotes the same memory, in all kernels. */
  public LlvmValue dynamicShared(String name, int align) {
    return global(name, LlvmType.SHARED, "external", "global [0 x i8], align " + align);
  }

  /** A table of constants in global memory. */
  public LlvmValue constantTable(String name, List<LlvmValue> elements, int align) {
    LlvmType type = LlvmType.array(elements.size(), elements.get(0).type());
    String init = elements.stream().map(LlvmValue::typed).collect(Collectors.joining(", ", "[", "]"));
    return global(name, LlvmType.GLOBAL, "internal unnamed_addr",
        "constant " + type.text() + " " + init + ", align " + align);
  }

  private LlvmValue global(String name, LlvmType.Ptr type, String linkage, String rest) {
    String symbol = "@" + quote(name);
    String line = symbol + " = " + linkage + " addrspace(" + type.space() + ") " + rest;
    String known = globals.putIfAbsent(symbol, line);
    if (known != null && !(known.equals(line) && linkage.equals("external"))) {
      throw new IllegalStateException("global " + symbol + " defined twice");
    }
    return new LlvmValue(type, symbol);
  }

  /** Starts a kernel. {@code convention} is the target's ({@code ptx_kernel}, {@code amdgpu_kernel}). */
  public LlvmFunction kernel(String convention, String name, List<LlvmFunction.Parameter> parameters) {
    LlvmFunction function = new LlvmFunction(this, convention, LlvmType.VOID, name, parameters);
    functions.add(function);
    return function;
  }

  void declare(String symbol, LlvmIntrinsic intrinsic) {
    String parameters =
        intrinsic.parameters().stream().map(LlvmType::text).collect(Collectors.joining(", ", "(", ")"));
    String line = "declare " + intrinsic.result().text() + " @" + symbol + parameters;
    String known = declarations.putIfAbsent(symbol, line);
    if (known != null && !known.equals(line)) {
      throw new IllegalStateException("two signatures for one intrinsic: " + known + " and " + line);
    }
  }

  /** The module as LLVM reads it. */
  public String text() {
    StringBuilder out = new StringBuilder(1 << 14);
    out.append("target triple = \"").append(triple).append("\"\n\n");
    globals.values().forEach(line -> out.append(line).append('\n'));
    for (LlvmFunction function : functions) {
      out.append('\n');
      function.print(out);
    }
    out.append('\n');
    declarations.values().forEach(line -> out.append(line).append('\n'));
    out.append('\n');
    metadata.print(out);
    return out.toString();
  }

  @Override
  public String toString() {
    return text();
  }

  /** A name as an identifier, in quotes unless it is plain. */
  static String quote(String name) {
    return name.matches("[A-Za-z_.$][A-Za-z0-9_.$-]*") ? name : '"' + escape(name) + '"';
  }

  /** The inside of a quoted string: everything but printable ASCII as {@code \XX}. */
  static String escape(String s) {
    StringBuilder out = new StringBuilder(s.length() + 8);
    for (byte b : s.getBytes(java.nio.charset.StandardCharsets.UTF_8)) {
      if (b < 0x20 || b == 0x7F || b == '"' || b == '\\') {
        out.append("\\%02X".formatted(b & 0xFF));
      } else {
        out.append((char) b);
      }
    }
    return out.toString();
  }
}
