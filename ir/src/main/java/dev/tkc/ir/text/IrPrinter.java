package dev.tkc.ir.text;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Loc;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.LayoutText;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TileType;
import dev.tkc.ir.type.Type;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.stream.Collectors;

/**
 * Prints a module as {@code .tir}; {@link IrParser} reads exactly this, and printing what it read gives the same text.
 * Knows no op: everything follows from {@link OpShape}. The form is described in {@code docs/ir.md}.
 */
public final class IrPrinter {
  private final StringBuilder out = new StringBuilder();
  private final boolean locations;
  private final Map<LinearLayout, String> aliases = new LinkedHashMap<>();
  private final Map<Value, String> names = new IdentityHashMap<>();
  private final Set<String> taken = new HashSet<>();
  private int next;
  private Inst sought;
  private int soughtAt = -1;

  private IrPrinter(boolean locations) {
    this.locations = locations;
  }

  public static String print(Module module) {
    return print(module, false);
  }

  /** With {@code locations}, every instruction carries its place in the source. */
  public static String print(Module module, boolean locations) {
    IrPrinter p = new IrPrinter(locations);
    p.module(module);
    return p.out.toString();
  }

  /** One function, layouts spelt out in an alias table before it. */
  public static String print(Func func) {
    Module m = new Module();
    m.funcs().add(func);
    return print(m);
  }

  /** A line of a printed module. Number 0: the instruction is not in it. */
  public record Line(int number, String text) {}

  /** The line, from 1, on which the instruction stands in the printed module, for messages. */
  public static Line line(Module module, Inst inst) {
    IrPrinter p = new IrPrinter(false);
    p.sought = inst;
    p.module(module);
    if (p.soughtAt < 0) {
      return new Line(0, print(inst).lines().findFirst().orElse(""));
    }
    int number = (int) p.out.chars().limit(p.soughtAt).filter(c -> c == '\n').count() + 1;
    return new Line(number, p.out.substring(p.soughtAt, p.out.indexOf("\n", p.soughtAt)).strip());
  }

  /** One instruction, for messages. */
  public static String print(Inst inst) {
    IrPrinter p = new IrPrinter(false);
    p.inst(inst, 0);
    return p.out.toString().strip();
  }

  private void module(Module module) {
    collectLayouts(module);
    aliases.forEach((layout, name) -> out.append(name).append(" = ").append(LayoutText.print(layout)).append('\n'));
    if (!module.annotations().isEmpty()) {
      out.append("module ").append(annotations(module.annotations())).append('\n');
    }
    for (Func f : module.funcs()) {
      if (!out.isEmpty()) {
        out.append('\n');
      }
      func(f);
    }
  }

  private void collectLayouts(Module module) {
    for (Func f : module.funcs()) {
      f.body().walk(inst -> {
        inst.results().forEach(r -> collect(r.type()));
        inst.regions().forEach(r -> r.params().forEach(p -> collect(p.type())));
      });
    }
  }

  private void collect(Type type) {
    LinearLayout layout = type instanceof TileType t ? t.layout() : type instanceof SharedType s ? s.layout() : null;
    if (layout != null) {
      aliases.computeIfAbsent(layout, l -> "#l" + aliases.size());
    }
  }

  private void func(Func f) {
    names.clear();
    taken.clear();
    next = 0;
    out.append(f.kind().name().toLowerCase(Locale.ROOT)).append(" @").append(f.name()).append('(');
    for (int i = 0; i < f.params().size(); i++) {
      Param p = f.params().get(i);
      out.append(i == 0 ? "" : ", ").append(define(p.value())).append(": ").append(type(p.value().type()));
      if (p.divisibility() > 1) {
        out.append(" div ").append(p.divisibility());
      }
    }
    out.append(')');
    if (f.deterministic()) {
      out.append(" deterministic");
    }
    if (!f.annotations().isEmpty()) {
      out.append(' ').append(annotations(f.annotations()));
    }
    location(f.loc());
    out.append(" {\n");
    f.body().insts().forEach(i -> inst(i, 1));
    out.append("}\n");
  }

  private void inst(Inst inst, int depth) {
    soughtAt = inst == sought ? out.length() : soughtAt;
    out.append("  ".repeat(depth));
    Op op = inst.op();
    // Operands are named before results, so that a value's name shows the order of definition.
    StringBuilder tail = new StringBuilder(OpShape.mnemonic(op));
    String operands = operands(op);
    if (!operands.isEmpty()) {
      tail.append(' ').append(operands);
    }
    String attributes = attributes(op);
    if (!attributes.isEmpty()) {
      tail.append(" {").append(attributes).append('}');
    }
    if (!inst.annotations().isEmpty()) {
      tail.append(" ").append(annotations(inst.annotations()));
    }
    List<String> results = inst.results().stream().map(this::define).toList();
    if (!results.isEmpty()) {
      out.append(String.join(", ", results)).append(" = ");
    }
    out.append(tail);
    inst.regions().forEach(r -> region(r, depth));
    if (!results.isEmpty()) {
      out.append(" : ").append(inst.results().stream().map(r -> type(r.type())).collect(Collectors.joining(", ")));
    }
    location(inst.loc());
    out.append('\n');
  }

  private void region(Region region, int depth) {
    String params = region.params().stream().map(p -> define(p) + ": " + type(p.type()))
        .collect(Collectors.joining(", "));
    out.append(" (").append(params).append(") {\n");
    region.insts().forEach(i -> inst(i, depth + 1));
    out.append("  ".repeat(depth)).append('}');
  }

  private void location(Loc loc) {
    if (locations && loc.isKnown()) {
      out.append(' ').append(loc.text());
    }
  }

  private String operands(Op op) {
    List<String> parts = new ArrayList<>();
    for (OpShape.Part p : OpShape.of(op).parts()) {
      switch (p.role()) {
        case OPERAND -> parts.add(use((Value) p.of(op)));
        case OPTIONAL_OPERAND -> parts.add(((Optional<?>) p.of(op)).map(v -> use((Value) v)).orElse("_"));
        case OPERANDS -> parts.add(((List<?>) p.of(op)).stream().map(v -> use((Value) v))
            .collect(Collectors.joining(", ", "[", "]")));
        case REGION, ATTRIBUTE -> { }
      }
    }
    return String.join(", ", parts);
  }

  private String attributes(Op op) {
    List<String> parts = new ArrayList<>();
    for (OpShape.Part p : OpShape.of(op).parts()) {
      if (p.role() != OpShape.Role.ATTRIBUTE || dev.tkc.ir.op.Mnemonic.class.isAssignableFrom(p.type())) {
        continue;
      }
      Object v = p.of(op);
      if (v instanceof Boolean b) {
        if (b) {
          parts.add(p.name());
        }
      } else {
        parts.add(p.name() + " = " + attribute(v));
      }
    }
    return String.join(", ", parts);
  }

  private String attribute(Object v) {
    return switch (v) {
      case Element e -> e.text();
      case Enum<?> e -> e.name().toLowerCase(Locale.ROOT);
      case String s -> quote(s);
      case Literal l -> l.text();
      case Type t -> type(t);
      case List<?> l -> l.stream().map(this::attribute).collect(Collectors.joining(", ", "[", "]"));
      case Number n -> n.toString();
      default -> throw new IllegalStateException("no text for an attribute of type " + v.getClass());
    };
  }

  private String annotations(SortedMap<String, Object> map) {
    List<String> parts = new ArrayList<>();
    map.forEach((k, v) -> {
      if (v instanceof Boolean b) {
        parts.add(b ? k : k + " = false");
      } else {
        parts.add(k + " = " + attribute(v));
      }
    });
    return "#{" + String.join(", ", parts) + "}";
  }

  static String quote(String s) {
    return '"' + s.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
  }

  private String type(Type type) {
    return switch (type) {
      case TileType t when t.layout() != null -> {
        String dims = t.shape().stream().map(String::valueOf).collect(Collectors.joining(", "));
        yield t.element().text() + "[" + dims + "; " + alias(t.layout()) + "]";
      }
      case SharedType s when s.layout() != null -> {
        String plain = s.withLayout(null).text();
        yield plain.substring(0, plain.length() - 1) + ", " + alias(s.layout()) + ">";
      }
      default -> type.text();
    };
  }

  private String alias(LinearLayout layout) {
    return aliases.getOrDefault(layout, LayoutText.print(layout));
  }

  private String define(Value v) {
    String hint = v.name();
    String name = hint;
    if (hint.isEmpty()) {
      do {
        name = String.valueOf(next++);
      } while (!taken.add(name));
    } else {
      for (int i = 1; !taken.add(name); i++) {
        name = hint + "_" + i;
      }
    }
    names.put(v, "%" + name);
    return "%" + name;
  }

  private String use(Value v) {
    String name = names.get(v);
    return name != null ? name : "%<" + (v.name().isEmpty() ? "undefined" : v.name()) + ">";
  }
}
