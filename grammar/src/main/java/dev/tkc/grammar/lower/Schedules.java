package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.grammar.syntax.Setting;
import dev.tkc.grammar.syntax.Stmt;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Span;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Schedules: which holds for a launch, and what its settings come to. A setting that does not exist, that nothing
 * implements yet, or whose value is impossible is an error, never ignored.
 */
public final class Schedules {
  /** What a setting's value looks like. */
  private enum Shape {
    COUNT,
    /** A count that is a power of two. */
    POWER,
    FLAG,
    ORDER,
    ROLES,
    OTHER
  }

  /** A row: its value, the largest count, and whether anything implements it. */
  private record Row(Shape shape, long most, boolean supported) {}

  private static final Map<String, Row> SETTINGS = new LinkedHashMap<>();

  static {
    SETTINGS.put("warps", new Row(Shape.POWER, 32, true));
    SETTINGS.put("stages", new Row(Shape.COUNT, 16, true));
    SETTINGS.put("order", new Row(Shape.ORDER, 1 << 20, true));
    SETTINGS.put("split_k", new Row(Shape.COUNT, 1024, true));
    SETTINGS.put("persistent", new Row(Shape.FLAG, 1, true));
    SETTINGS.put("prefetch", new Row(Shape.COUNT, 16, true));
    SETTINGS.put("uneven", new Row(Shape.FLAG, 1, true));
    SETTINGS.put("repack", new Row(Shape.FLAG, 1, true));
    SETTINGS.put("materialise", new Row(Shape.FLAG, 1, true));
    SETTINGS.put("registers", new Row(Shape.ROLES, 0, false));
    SETTINGS.put("cluster", new Row(Shape.OTHER, 0, false));
    SETTINGS.put("overlap", new Row(Shape.OTHER, 0, false));
    SETTINGS.put("privatize", new Row(Shape.OTHER, 0, false));
  }

  private final Lowerer l;
  private final Item.Kernel kernel;
  private final Map<String, Object> constants = new HashMap<>();
  private final Map<String, Object> function = new HashMap<>();
  private final Map<String, Map<String, Object>> phases = new HashMap<>();
  private final Map<String, Span> given = new HashMap<>();

  private Schedules(Lowerer l, Item.Kernel kernel) {
    this.l = l;
    this.kernel = kernel;
  }

  /** The schedules written for a kernel and target, in order. */
  private static List<Item.Schedule> of(Library library, String kernel, String target) {
    return library.schedules().stream()
        .filter(s -> s.kernel().text().equals(kernel) && s.target().text().equals(target)).toList();
  }

  /**
   * The first schedule for {@code target} whose facts hold.
   *
   * @param facts what is known of the launch: constants and sizes, {@code Long}, {@code Double} or {@code Boolean}; a
   *     fact on anything else does not hold
   * @throws DiagnosticException if that schedule is in error
   */
  public static Specialisation.Schedule choose(Library library, Item.Kernel kernel, String target,
      Map<String, ?> facts) {
    for (Item.Schedule s : of(library, kernel.name().text(), target)) {
      Scope scope = new Scope(null);
      kernel.constants().forEach(c -> ownValue(library, c).ifPresent(v -> scope.let(c.name().text(), v, null)));
      facts.forEach((n, v) -> scope.let(n, ConstantValue.val(v), null));
      if (s.where().isEmpty() || holds(library, scope, s.where().get())) {
        Findings findings = new Findings();
        Specialisation.Schedule chosen = read(library, kernel, s, scope, findings);
        if (findings.hasErrors()) {
          throw new DiagnosticException(findings.list());
        }
        return chosen;
      }
    }
    return Specialisation.Schedule.NONE;
  }

  /**
   * What a setting that was not written in a file is instead of {@code value}, or that it is none; nothing if it may
   * have that value. The order of tiles is called {@code grouped} there.
   */
  public static Optional<String> mistake(String name, Object value) {
    Row row = SETTINGS.get(name.equals("grouped") ? "order" : name);
    if (row == null || !row.supported() || name.equals("order")) {
      return Optional.of("is no setting");
    }
    boolean isCount = value instanceof Long n && n >= 1 && n <= row.most();
    return switch (row.shape()) {
      case COUNT, ORDER -> isCount ? Optional.empty() : Optional.of("is a number from 1 to " + row.most());
      case POWER -> isCount && Long.bitCount((Long) value) == 1 ? Optional.empty()
          : Optional.of("is a power of two from 1 to " + row.most());
      case FLAG -> value instanceof Boolean ? Optional.empty() : Optional.of("is true or false");
      case ROLES, OTHER -> throw new IllegalStateException(name + " is marked as supported");
    };
  }

  private static Optional<Val> ownValue(Library library, Constant c) {
    return c.value().map(e -> Lowerer.constant(library, new Findings()).exprs.one(e)).filter(v -> !v.failed());
  }

  private static boolean holds(Library library, Scope scope, Expr fact) {
    Lowerer l = Lowerer.constant(library, new Findings());
    return l.within(scope, () -> l.branches.condition(fact)) instanceof Val.Bool b && b.value();
  }

  /** Reports what is wrong with a schedule by itself. */
  static void check(Library library, Item.Schedule s, Findings findings) {
    Optional<Item.Kernel> kernel = library.kernel(s.kernel().text());
    if (kernel.isEmpty()) {
      Diagnostic d = Diagnostic.error(Code.SCHEDULE_KERNEL, "there is no kernel `" + s.kernel() + "` to schedule")
          .label(s.kernel().span(), "not found");
      Optional<String> close = Suggest.closest(s.kernel().text(), library.kernelNames());
      findings.add(close.isPresent()
          ? d.help("did you mean `" + close.get() + "`?", s.kernel().span(), close.get()) : d);
      return;
    }
    if (library.isAmbiguous(s.kernel().text())) {
      return;
    }
    read(library, kernel.get(), s, new Scope(null), findings);
    s.where().ifPresent(w -> Facts.check(library, kernel.get(), w, findings));
  }

  /** Reports targets that are none of {@code known}. */
  static void targets(Library library, Collection<String> known, Findings findings) {
    for (Item.Schedule s : library.schedules()) {
      String name = s.target().text();
      if (!known.contains(name)) {
        Diagnostic d = Diagnostic.error(Code.TARGET_UNKNOWN, "there is no target `" + name + "`")
            .label(s.target().span(), "not a target").note("there are: " + String.join(", ", known));
        findings.add(Suggest.closest(name, known).map(c -> d.help("did you mean `" + c + "`?", s.target().span(), c))
            .orElse(d));
      }
    }
  }

  private static Specialisation.Schedule read(Library library, Item.Kernel k, Item.Schedule s, Scope scope,
      Findings findings) {
    Lowerer l = Lowerer.constant(library, findings);
    Schedules reader = new Schedules(l, k);
    l.within(scope, () -> {
      s.settings().forEach(x -> reader.setting(x, reader.function, "", true));
      return null;
    });
    return new Specialisation.Schedule(reader.constants, reader.function, reader.phases);
  }

  // ------------------------------------------------------------------------------------------------ settings

  private void setting(Setting s, Map<String, Object> out, String phase, boolean outer) {
    String key = phase + " " + s.name();
    Span before = given.putIfAbsent(key, s.span());
    if (before != null) {
      l.error(Diagnostic.error(Code.SETTING_TWICE, "`" + s.name() + "` is set twice")
          .label(s.name().span(), "again here").label(before, "first here"));
      return;
    }
    if (s instanceof Setting.Phase p) {
      phase(p, outer);
      return;
    }
    Optional<Constant> constant = kernel.constants().stream()
        .filter(c -> c.name().text().equals(s.name().text())).findFirst();
    if (constant.isPresent() && !(s instanceof Setting.Roles)) {
      tileConstant(s, constant.get(), outer);
      return;
    }
    Row row = SETTINGS.get(s.name().text());
    if (row == null) {
      unknown(s.name());
      return;
    }
    boolean roles = s instanceof Setting.Roles;
    if (!row.supported() || roles) {
      unsupported(s.span(), roles ? "`" + s.name() + "` by role" : "`" + s.name() + "`");
      return;
    }
    Expr value = value(s);
    switch (row.shape()) {
      case COUNT -> count(s.name(), value, row.most()).ifPresent(n -> out.put(s.name().text(), n));
      case POWER -> count(s.name(), value, row.most(), "a power of two").filter(n -> {
        if (Long.bitCount(n) != 1) {
          bad(s.name(), value, "a power of two from 1 to " + row.most());
        }
        return Long.bitCount(n) == 1;
      }).ifPresent(n -> out.put(s.name().text(), n));
      case FLAG -> {
        Operand o = l.exprs.operand(value);
        if (o.val() instanceof Val.Bool b) {
          out.put(s.name().text(), b.value());
        } else {
          bad(s.name(), value, "`true` or `false`");
        }
      }
      case ORDER -> order(s, value, row.most(), out);
      case ROLES, OTHER -> throw new IllegalStateException(s.name() + " is marked as supported");
    }
  }

  /** The value of a setting; an untuned search takes its first. */
  private static Expr value(Setting s) {
    return switch (s) {
      case Setting.Plain p -> p.value();
      case Setting.Search x -> x.choices().get(0);
      case Setting.Roles _, Setting.Phase _ -> throw new IllegalStateException(s.name() + " has no single value");
    };
  }

  private void tileConstant(Setting s, Constant c, boolean outer) {
    if (!outer) {
      l.error(Diagnostic.error(Code.SETTING_VALUE, "`" + s.name() + "` is a constant of the whole kernel")
          .label(s.name().span(), "set for one phase").label(c.span(), "declared here"));
      return;
    }
    List<Expr> choices = s instanceof Setting.Search x ? x.choices() : List.of(value(s));
    List<Object> values = new ArrayList<>();
    for (Expr e : choices) {
      Operand o = l.exprs.operand(e);
      Optional<Object> v = ConstantValue.of(o.val());
      boolean bool = c.value().map(x -> x.bare() instanceof Expr.BoolLit)
          .orElse(c.type().map(t -> t.text().equals("bool")).orElse(false));
      if (v.isEmpty() || bool != v.get() instanceof Boolean || v.get() instanceof Long n && n < 1) {
        if (!o.val().failed()) {
          bad(s.name(), e, bool ? "`true` or `false`" : "a positive number");
        }
        return;
      }
      values.add(v.get());
    }
    constants.put(s.name().text(), values.get(0));
  }

  private Optional<Long> count(Name name, Expr value, long most) {
    return count(name, value, most, "a number");
  }

  private Optional<Long> count(Name name, Expr value, long most, String what) {
    Operand o = l.exprs.operand(value);
    if (o.val() instanceof Val.Int i && i.isKnown() && i.known() >= 1 && i.known() <= most) {
      return Optional.of(i.known());
    }
    if (!o.val().failed()) {
      bad(name, value, what + " from 1 to " + most);
    }
    return Optional.empty();
  }

  private void order(Setting s, Expr value, long most, Map<String, Object> out) {
    if (value.bare() instanceof Expr.Call c && c.name().text().equals("grouped") && c.args().size() == 1) {
      count(c.name(), c.args().get(0).value(), most).ifPresent(n -> out.put("grouped", n));
      return;
    }
    String word = value.bare() instanceof Expr.Call c ? c.name().text()
        : value.bare() instanceof Expr.Ref r ? r.name().text() : "";
    if (List.of("longest_first", "chiplet", "rotated").contains(word)) {
      unsupported(value.span(), "`order = " + word + "`");
    } else {
      bad(s.name(), value, "`grouped(n)`");
    }
  }

  private void phase(Setting.Phase p, boolean outer) {
    boolean exists = kernel.body().statements().stream()
        .anyMatch(s -> s instanceof Stmt.Parallel x
            && x.label().map(n -> n.text().equals(p.name().text())).orElse(false));
    if (!outer) {
      l.error(Diagnostic.error(Code.POSITION, "the settings of a phase hold no other phase's")
          .label(p.name().span(), "within another").help("write it behind the other, in the schedule itself"));
      return;
    }
    if (!exists) {
      List<String> labels = kernel.body().statements().stream()
          .flatMap(s -> s instanceof Stmt.Parallel x ? x.label().stream() : java.util.stream.Stream.empty())
              .map(Name::text).toList();
      Diagnostic d = Diagnostic.error(Code.PHASE_UNKNOWN, "`" + kernel.name() + "` has no phase `" + p.name() + "`")
          .label(p.name().span(), "not a label")
          .note(labels.isEmpty() ? "no phase has a label; `name: parallel …` gives it one"
              : "its phases are " + String.join(", ", labels));
      Optional<String> close = Suggest.closest(p.name().text(), labels);
      l.error(close.isPresent() ? d.help("did you mean `" + close.get() + "`?", p.name().span(), close.get()) : d);
      return;
    }
    Map<String, Object> out = new HashMap<>();
    p.settings().forEach(s -> setting(s, out, p.name().text(), false));
    phases.put(p.name().text(), out);
  }

  private void bad(Name name, Expr value, String wanted) {
    l.error(Diagnostic.error(Code.SETTING_VALUE, "`" + name + "` is " + wanted)
        .label(value.span(), "not a possible value"));
  }

  private void unsupported(Span at, String what) {
    l.error(Diagnostic.error(Code.SETTING_UNSUPPORTED, what + " is not implemented yet")
        .label(at, "nothing would act on it")
        .note("a setting is never ignored; leave it out")
        .note("implemented are the tile constants, warps, stages, order = grouped(n), split_k, prefetch, persistent, "
            + "uneven, repack and materialise"));
  }

  private void unknown(Name name) {
    List<String> names = new ArrayList<>(SETTINGS.keySet());
    kernel.constants().forEach(c -> names.add(c.name().text()));
    Diagnostic d = Diagnostic.error(Code.SETTING_UNKNOWN, "there is no setting `" + name + "`")
        .label(name.span(), "neither a setting nor a constant of `" + kernel.name() + "`");
    Optional<String> close = Suggest.closest(name.text(), names);
    l.error(close.isPresent() ? d.help("did you mean `" + close.get() + "`?", name.span(), close.get()) : d);
  }
}
