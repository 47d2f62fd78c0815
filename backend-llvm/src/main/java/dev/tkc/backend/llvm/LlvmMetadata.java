package dev.tkc.backend.llvm;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The numbered metadata of one module and the named lists that point into it. Equal nodes are one node, except those
 * made {@linkplain #distinct distinct}, which is what gives loops and alias scopes their identity.
 */
public final class LlvmMetadata {
  /** A reference to a node: {@code !7}. */
  public record Node(int id) implements Item {
    @Override
    public String text() {
      return "!" + id;
    }
  }

  /** What a node may hold. */
  public sealed interface Item {
    String text();
  }

  record Text(String value) implements Item {
    @Override
    public String text() {
      return "!\"" + LlvmModule.escape(value) + "\"";
    }
  }

  record Operand(LlvmValue value) implements Item {
    @Override
    public String text() {
      return value.typed();
    }
  }

  private final List<String> nodes = new ArrayList<>();
  private final Map<String, Node> uniqued = new LinkedHashMap<>();
  private final Map<String, List<Node>> named = new LinkedHashMap<>();

  public static Item string(String value) {
    return new Text(value);
  }

  public static Item value(LlvmValue value) {
    return new Operand(value);
  }

  public Node node(Item... items) {
    return raw(list(Stream.of(items)));
  }

  /** A node that is equal to no other; its first operand is itself, as loop ids and alias scopes require. */
  public Node distinct(Item... items) {
    Node self = new Node(nodes.size());
    nodes.add("distinct " + list(Stream.concat(Stream.of(self), Stream.of(items))));
    return self;
  }

  /** Adds to a named list such as {@code nvvm.annotations}. */
  public void append(String list, Node node) {
    named.computeIfAbsent(list, _ -> new ArrayList<>()).add(node);
  }

  /** Sets a module flag, once; {@code behaviour} is LLVM's merge rule (1 error, 2 warning, 7 max). */
  public void setFlag(int behaviour, String name, int value) {
    Node flag = node(value(LlvmValue.i32(behaviour)), string(name), value(LlvmValue.i32(value)));
    if (!named.getOrDefault("llvm.module.flags", List.of()).contains(flag)) {
      append("llvm.module.flags", flag);
    }
  }

  /** A specialised node ({@code DILocation(…)}) by its text; only {@link LlvmDebug} needs these. */
  Node raw(String text) {
    Node known = uniqued.get(text);
    if (known == null) {
      known = new Node(nodes.size());
      nodes.add(text);
      uniqued.put(text, known);
    }
    return known;
  }

  private static String list(Stream<Item> items) {
    return items.map(Item::text).collect(Collectors.joining(", ", "!{", "}"));
  }

  void print(StringBuilder out) {
    named.forEach((name, list) -> out.append('!').append(name).append(" = ")
        .append(list(list.stream().map(n -> n))).append('\n'));
    for (int i = 0; i < nodes.size(); i++) {
      out.append('!').append(i).append(" = ").append(nodes.get(i)).append('\n');
    }
  }
}
