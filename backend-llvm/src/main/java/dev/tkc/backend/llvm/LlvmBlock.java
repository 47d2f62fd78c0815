package dev.tkc.backend.llvm;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A basic block: phis, then instructions, the last of which is its one terminator. A phi may gain incoming edges until
 * the function is printed, since a loop's back edge is known only after its body.
 */
public final class LlvmBlock {
  /** A phi node under construction. */
  public static final class Phi {
    private final LlvmValue result;
    private final List<LlvmValue> values = new ArrayList<>();
    private final List<LlvmBlock> blocks = new ArrayList<>();

    private Phi(LlvmValue result) {
      this.result = result;
    }

    public LlvmValue result() {
      return result;
    }

    public Phi incoming(LlvmValue value, LlvmBlock from) {
      if (!value.type().equals(result.type())) {
        throw new IllegalArgumentException("phi of " + result.type().text() + " given " + value);
      }
      values.add(value);
      blocks.add(from);
      return this;
    }

    private String text() {
      if (values.isEmpty()) {
        throw new IllegalStateException("phi " + result + " has no incoming edge");
      }
      List<String> edges = new ArrayList<>();
      for (int i = 0; i < values.size(); i++) {
        edges.add("[ " + values.get(i).text() + ", %" + blocks.get(i).label + " ]");
      }
      return result.text() + " = phi " + result.type().text()
          + edges.stream().collect(Collectors.joining(", ", " ", ""));
    }
  }

  private final String label;
  private final List<Phi> phis = new ArrayList<>();
  private final List<String> instructions = new ArrayList<>();
  private boolean terminated;

  LlvmBlock(String label) {
    this.label = label;
  }

  String label() {
    return label;
  }

  boolean isTerminated() {
    return terminated;
  }

  Phi phi(LlvmValue result) {
    if (!instructions.isEmpty()) {
      throw new IllegalStateException("phi after an instruction in block " + label);
    }
    Phi phi = new Phi(result);
    phis.add(phi);
    return phi;
  }

  void add(String instruction) {
    if (terminated) {
      throw new IllegalStateException("block " + label + " already ended; cannot add: " + instruction);
    }
    instructions.add(instruction);
  }

  void terminate(String instruction) {
    add(instruction);
    terminated = true;
  }

  void print(StringBuilder out) {
    if (!terminated) {
      throw new IllegalStateException("block " + label + " has no terminator");
    }
    out.append(label).append(":\n");
    phis.forEach(phi -> out.append("  ").append(phi.text()).append('\n'));
    instructions.forEach(line -> out.append("  ").append(line).append('\n'));
  }
}
