package dev.tkc.backend.llvm;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;

/** One function definition: its parameters, attributes and blocks. Instructions are added through {@link #builder}. */
public final class LlvmFunction {
  /** A parameter; {@code attributes} are LLVM's words for it ({@code noalias}, {@code readonly}, {@code align 16}). */
  public record Parameter(String name, LlvmType type, List<String> attributes) {
    public Parameter {
      attributes = List.copyOf(attributes);
    }

    public Parameter(String name, LlvmType type) {
      this(name, type, List.of());
    }
  }

  private final LlvmModule module;
  private final String convention;
  private final LlvmType result;
  private final String name;
  private final List<Parameter> parameters;
  private final List<LlvmValue> arguments = new ArrayList<>();
  private final List<String> attributes = new ArrayList<>();
  private final List<LlvmBlock> blocks = new ArrayList<>();
  private LlvmMetadata.Node subprogram;
  private int values;

  LlvmFunction(LlvmModule module, String convention, LlvmType result, String name, List<Parameter> parameters) {
    this.module = module;
    this.convention = convention;
    this.result = result;
    this.name = name;
    this.parameters = List.copyOf(parameters);
    for (Parameter p : parameters) {
      arguments.add(new LlvmValue(p.type(), "%" + LlvmModule.quote("arg." + p.name())));
    }
  }

  public LlvmModule module() {
    return module;
  }

  public String name() {
    return name;
  }

  /** The function itself as a value, as metadata refers to it. */
  public LlvmValue asValue() {
    return new LlvmValue(LlvmType.PTR, "@" + LlvmModule.quote(name));
  }

  public List<LlvmValue> arguments() {
    return List.copyOf(arguments);
  }

  public LlvmValue argument(int i) {
    return arguments.get(i);
  }

  /** A word LLVM knows: {@code nounwind}, {@code convergent}. */
  public LlvmFunction attribute(String word) {
    attributes.add(word);
    return this;
  }

  /** A target's own attribute: {@code "target-cpu"="gfx942"}. */
  public LlvmFunction attribute(String key, String value) {
    attributes.add('"' + LlvmModule.escape(key) + "\"=\"" + LlvmModule.escape(value) + '"');
    return this;
  }

  /** Gives the function a line table entry; needs {@link LlvmModule#debug(String)} first. */
  public LlvmFunction debug(int line) {
    subprogram = module.debug().orElseThrow(() -> new IllegalStateException("the module has no line tables"))
        .subprogram(name, line);
    return this;
  }

  Optional<LlvmMetadata.Node> subprogram() {
    return Optional.ofNullable(subprogram);
  }

  /** A builder at the end of a new entry block. */
  public LlvmBuilder builder() {
    return builder("entry");
  }

  /** A builder at the end of a new block. */
  public LlvmBuilder builder(String hint) {
    return new LlvmBuilder(this, block(hint));
  }

  LlvmBlock block(String hint) {
    LlvmBlock block = new LlvmBlock(blocks.isEmpty() ? hint : hint + "." + blocks.size());
    blocks.add(block);
    return block;
  }

  /** Puts {@code block} last, so that the text reads in the order of execution. */
  void moveToEnd(LlvmBlock block) {
    blocks.remove(block);
    blocks.add(block);
  }

  LlvmValue fresh(LlvmType type) {
    return new LlvmValue(type, "%v" + values++);
  }

  void print(StringBuilder out) {
    StringJoiner list = new StringJoiner(", ", "(", ")");
    for (int i = 0; i < parameters.size(); i++) {
      Parameter p = parameters.get(i);
      String words = p.attributes().isEmpty() ? "" : String.join(" ", p.attributes()) + " ";
      list.add(p.type().text() + " " + words + arguments.get(i).text());
    }
    out.append("define ").append(convention).append(convention.isEmpty() ? "" : " ").append(result.text())
        .append(" @").append(LlvmModule.quote(name)).append(list);
    for (String attribute : attributes) {
      out.append(' ').append(attribute);
    }
    if (subprogram != null) {
      out.append(" !dbg ").append(subprogram.text());
    }
    out.append(" {\n");
    for (LlvmBlock block : blocks) {
      block.print(out);
    }
    out.append("}\n");
  }
}
