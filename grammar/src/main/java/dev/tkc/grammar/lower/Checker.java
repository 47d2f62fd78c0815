package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Program;
import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.lint.PaddingLint;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Finds what is wrong with a file without a launch: every kernel, also one that nothing calls, is lowered with its
 * constants at their own values and sample values for those that tensors bind; every function for sample arguments.
 *
 * <p>The first samples are multiples of 64 with different odd factors, so that sizes that differ by name differ by
 * value, while the divisions a program may rely on come out even.
 */
public final class Checker {
  private static final long[][] SETS = {
    {192, 320, 448, 704, 832, 1088, 1216, 1472},
    {256, 512, 1024, 64, 128, 32, 16, 2048},
    {16, 8, 32, 4, 64, 2, 128, 256},
    {4, 2, 8, 1, 16, 3, 5, 6},
    {7, 5, 3, 11, 13, 17, 19, 23}
  };

  private static final Pattern NUMBER = Pattern.compile("\\b\\d{1,9}\\b");

  private Checker() {}

  /** Checks a file that imports nothing. */
  public static List<Diagnostic> check(Program program) {
    return check(Library.of(program));
  }

  /** Checks a file without looking at the names of targets. */
  public static List<Diagnostic> check(Library library) {
    return check(library, library.schedules().stream().map(s -> s.target().text()).toList());
  }

  /** Everything found in a file; {@code targets} are the names of those that exist. */
  public static List<Diagnostic> check(Library library, Collection<String> targets) {
    return check(library, targets, "", Map.of());
  }

  /** The same with other values for one kernel's constants than they have by themselves. */
  public static List<Diagnostic> check(
      Library library, Collection<String> targets, String kernel, Map<String, Object> given) {
    Findings findings = new Findings();
    library.diagnostics().forEach(findings::add);
    Schedules.targets(library, targets, findings);
    Map<String, Item.Test> titles = new HashMap<>();
    for (Item item : library.program().items()) {
      Lowering.guarded(findings, item.span(), () -> {
        switch (item) {
          case Item.Kernel k ->
              kernel(library, k, k.name().text().equals(kernel) ? given : Map.of(), findings);
          case Item.Fn f -> FnSamples.check(library, f, findings);
          case Item.Const c -> Lowerer.constant(library, findings).calls.constant(c, c.name().span());
          case Item.Test t -> {
            title(t, titles.putIfAbsent(t.title(), t), findings);
            new TestNames(library, findings).check(t);
          }
          case Item.Schedule s -> Schedules.check(library, s, findings);
          case Item.Import _ -> { }
        }
      });
    }
    return findings.list();
  }

  /** A title says which test is meant, so a file has each once; {@code first} is null or another of that title. */
  private static void title(Item.Test test, Item.Test first, Findings findings) {
    if (first != null) {
      findings.add(Diagnostic.error(Code.TEST_TITLE, "two tests are called \"" + test.title() + "\"")
          .label(test.titleSpan(), "again here").label(first.titleSpan(), "first here")
          .help("say what this one shows that the other does not"));
    }
  }

  private static void kernel(Library library, Item.Kernel k, Map<String, Object> given, Findings findings) {
    Map<String, Object> own = new HashMap<>();
    List<String> open = new ArrayList<>();
    for (Constant c : k.constants()) {
      Object value = value(library, c, own, findings);
      Object other = given.get(c.name().text());
      if (value != null) {
        // A value of another kind is no value: the launch says so.
        own.put(c.name().text(), other != null && other.getClass() == value.getClass() ? other : value);
      } else if (other instanceof Long && c.type().isEmpty()) {
        own.put(c.name().text(), other);
      } else {
        open.add(c.name().text());
      }
    }
    k.where().ifPresent(w -> Facts.check(library, k, w, findings));
    Findings best = null;
    for (Map<String, Object> values : samples(k, own, open)) {
      if (holds(library, k, values)) {
        Findings run = lowered(library, k, values, open);
        if (best == null || run.errors() < best.errors()) {
          best = run;
        }
        if (run.errors() == 0 || run.list().stream().anyMatch(d -> d.code() == Code.PROGRAM_SIZE)) {
          break;
        }
      }
    }
    if (best != null) {
      best.list().forEach(findings::add);
      if (best.errors() == 0) {
        flipped(library, k, own, open, findings);
      }
    }
  }

  /** What lowering for these values finds; where that is no error, also what is likely wrong. */
  private static Findings lowered(Library library, Item.Kernel k, Map<String, Object> values, List<String> open) {
    Findings run = new Findings();
    Module module = Lowering.lower(library, k, Specialisation.of(values), made(values, open), run);
    if (run.errors() == 0) {
      Map<String, Long> divisors = new HashMap<>();
      k.where().ifPresent(w -> divisors(w, values, divisors));
      module.funcs().forEach(f -> PaddingLint.check(f, divisors).forEach(run::add));
    }
    return run;
  }

  /** The numbers that facts {@code N % 64 == 0} or {@code N == 64}, joined by {@code and}, say divide a size. */
  private static void divisors(Expr fact, Map<String, Object> values, Map<String, Long> out) {
    if (!(fact.bare() instanceof Expr.Binary b)) {
      return;
    }
    if (b.op() == Expr.BinaryOp.AND) {
      divisors(b.left(), values, out);
      divisors(b.right(), values, out);
    } else if (b.op() == Expr.BinaryOp.EQ && b.left().bare() instanceof Expr.Ref r) {
      whole(b.right(), values).ifPresent(n -> out.put(r.name().text(), n));
    } else if (b.op() == Expr.BinaryOp.EQ && b.left().bare() instanceof Expr.Binary left
        && left.op() == Expr.BinaryOp.MOD
        && left.left().bare() instanceof Expr.Ref r && whole(b.right(), values).equals(Optional.of(0L))) {
      whole(left.right(), values).ifPresent(n -> out.put(r.name().text(), n));
    }
  }

  private static Optional<Long> whole(Expr e, Map<String, Object> values) {
    if (e.bare() instanceof Expr.IntLit n && n.value().bitLength() < 32) {
      return Optional.of(n.value().longValue());
    }
    return e.bare() instanceof Expr.Ref r && values.get(r.name().text()) instanceof Long n ? Optional.of(n)
        : Optional.empty();
  }

  private static Map<String, Long> made(Map<String, Object> values, List<String> open) {
    Map<String, Long> out = new TreeMap<>();
    open.stream().filter(n -> values.get(n) instanceof Long).forEach(n -> out.put(n, (Long) values.get(n)));
    return out;
  }

  /** The other sides of the branches that constants of type bool decide. */
  private static void flipped(Library library, Item.Kernel k, Map<String, Object> own, List<String> open,
      Findings findings) {
    for (Map.Entry<String, Object> e : own.entrySet()) {
      if (e.getValue() instanceof Boolean b) {
        Map<String, Object> other = new HashMap<>(own);
        other.put(e.getKey(), !b);
        Findings best = null;
        for (Map<String, Object> values : samples(k, other, open)) {
          Findings run = lowered(library, k, values, open);
          best = best == null || run.errors() < best.errors() ? run : best;
          if (run.errors() == 0) {
            break;
          }
        }
        if (best != null) {
          best.list().forEach(findings::add);
        }
      }
    }
  }

  /**
   * Values for constants that tensors bind, in several sets, for kernels that want powers of two or small sizes. In a
   * set they differ from one another, from the kernel's own values and from every number written in it, so that nothing
   * fits by chance; a fact {@code D == 64} fixes one.
   */
  private static List<Map<String, Object>> samples(Item.Kernel k, Map<String, Object> own, List<String> open) {
    List<Map<String, Object>> out = new ArrayList<>();
    Map<String, Long> fixed = new HashMap<>();
    k.where().ifPresent(w -> fixed(w, fixed));
    Set<Long> taken = new HashSet<>();
    own.values().forEach(v -> taken.add(v instanceof Long n ? n : 0L));
    NUMBER.matcher(k.span().text()).results().forEach(m -> taken.add(Long.parseLong(m.group())));
    for (long[] set : SETS) {
      Map<String, Object> values = new HashMap<>(own);
      int next = 0;
      for (String name : open) {
        Constant c = k.constants().stream().filter(x -> x.name().text().equals(name)).findFirst().orElseThrow();
        while (next < set.length - 1 && taken.contains(set[next])) {
          next++;
        }
        Long n = fixed.get(name);
        values.put(name, sample(c, n != null ? n : set[Math.min(next++, set.length - 1)]));
      }
      out.add(values);
      if (open.isEmpty()) {
        break;
      }
    }
    return out;
  }

  /** The values that facts joined by {@code and} give to names. */
  private static void fixed(Expr fact, Map<String, Long> out) {
    if (fact.bare() instanceof Expr.Binary b && b.op() == Expr.BinaryOp.AND) {
      fixed(b.left(), out);
      fixed(b.right(), out);
    } else if (fact.bare() instanceof Expr.Binary b && b.op() == Expr.BinaryOp.EQ
        && b.left().bare() instanceof Expr.Ref r
        && b.right().bare() instanceof Expr.IntLit n && n.value().bitLength() < 32) {
      out.put(r.name().text(), n.value().longValue());
    }
  }

  private static Object sample(Constant c, long n) {
    String type = c.type().map(t -> t.text()).orElse("int");
    if (type.equals("bool")) {
      return false;
    }
    return Element.byText(type).filter(Element::isFloat).isPresent() ? (Object) (double) n : (Object) n;
  }

  /** A constant's own value, or null if it has none. */
  private static Object value(Library library, Constant c, Map<String, Object> before, Findings findings) {
    if (c.value().isEmpty()) {
      return null;
    }
    Lowerer l = Lowerer.constant(library, findings);
    Scope scope = new Scope(null);
    before.forEach((n, v) -> scope.let(n, ConstantValue.val(v), null));
    Val v = l.within(scope, () -> l.exprs.one(c.value().get()));
    return ConstantValue.of(v).orElse(null);
  }

  /** Whether the kernel's facts can hold for these values; facts on run-time sizes always can. */
  private static boolean holds(Library library, Item.Kernel k, Map<String, Object> values) {
    if (k.where().isEmpty()) {
      return true;
    }
    Lowerer l = Lowerer.constant(library, new Findings());
    Scope scope = new Scope(null);
    values.forEach((n, v) -> scope.let(n, ConstantValue.val(v), null));
    Val v = l.within(scope, () -> l.branches.condition(k.where().get()));
    return !(v instanceof Val.Bool b) || b.value();
  }
}
