package dev.tkc.host;

import dev.tkc.Kernel;
import dev.tkc.grammar.syntax.Block;
import dev.tkc.grammar.syntax.Domain;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Index;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Stmt;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A place in a test that calls a kernel and compares what it wrote: what {@code tkc run} takes inputs and a reference
 * from, for sizes of its own.
 *
 * <p>The statements before the call that its arguments depend on make the inputs; those after it up to a comparison,
 * the reference. Loops around the call run once: their variables are found from the sizes wanted, by comparing the type
 * of each argument's {@code randn(bf16[m, k], …)} with the shape wanted for it, or else taken from the loop's first
 * round.
 */
final class Reference {
  private final Item.Test test;
  private final Stmt.Run run;
  private final List<Stmt> before;
  private final List<Stmt> after;
  private final List<Domain> loops;

  private Reference(Item.Test test, Stmt.Run run, List<Stmt> before, List<Stmt> after, List<Domain> loops) {
    this.test = test;
    this.run = run;
    this.before = before;
    this.after = after;
    this.loops = loops;
  }

  /** Every call of the kernel in the tests of its module that are free of errors, in order. */
  static List<Reference> of(Kernel kernel) {
    List<Reference> found = new ArrayList<>();
    for (Item.Test test : kernel.module().soundTests()) {
      collect(kernel, test, test.body(), List.of(), List.of(), found);
    }
    return found;
  }

  private static void collect(
      Kernel kernel, Item.Test test, Block block, List<Stmt> outer, List<Domain> loops, List<Reference> found) {
    List<Stmt> statements = block.statements();
    for (int i = 0; i < statements.size(); i++) {
      List<Stmt> before = new ArrayList<>(outer);
      before.addAll(statements.subList(0, i));
      switch (statements.get(i)) {
        case Stmt.Run run when run.call().name().text().equals(kernel.name()) ->
            found.add(new Reference(test, run, before, statements.subList(i + 1, statements.size()), loops));
        case Stmt.For loop -> {
          List<Domain> inner = new ArrayList<>(loops);
          inner.addAll(loop.domains());
          collect(kernel, test, loop.body(), before, inner, found);
        }
        case Stmt.Let _, Stmt.Var _, Stmt.Temp _, Stmt.Assign _, Stmt.Run _, Stmt.Parallel _, Stmt.If _, Stmt.Return _,
            Stmt.Assert _, Stmt.Expect _, Stmt.ExpectClose _ -> { }
      }
    }
  }

  Item.Test test() {
    return test;
  }

  /** The argument for each parameter of the kernel, or empty if the call does not give it. */
  List<Optional<Expr>> arguments(Kernel kernel) {
    List<Optional<Expr>> all = new ArrayList<>();
    List<Expr.Arg> args = run.call().args();
    for (int i = 0; i < kernel.parameters().size(); i++) {
      String name = kernel.parameters().get(i).name();
      Optional<Expr> byName = named(name);
      boolean positional = i < args.size() && args.get(i).name().isEmpty();
      all.add(byName.isPresent() ? byName : positional ? Optional.of(args.get(i).value()) : Optional.empty());
    }
    return all;
  }

  /** An argument given by name: a constant, mostly. */
  Optional<Expr> named(String name) {
    return run.call().args().stream()
        .filter(a -> a.name().map(n -> n.text().equals(name)).orElse(false)).map(Expr.Arg::value).findFirst();
  }

  /** The statements behind the call that compare {@code output}, loops among them, up to where it is set again. */
  List<Stmt> comparisons(String output) {
    List<Stmt> found = new ArrayList<>();
    for (Stmt s : after) {
      if (StatementNames.set(s).contains(output)) {
        break;
      }
      if (expectations(s).stream().anyMatch(e -> isAbout(e, output))) {
        found.add(s);
      }
    }
    return found;
  }

  /** Whether an expectation is about a variable: what stands on its left is. */
  static boolean isAbout(Stmt expectation, String output) {
    return switch (expectation) {
      case Stmt.ExpectClose e -> StatementNames.read(e.actual()).contains(output);
      case Stmt.Expect e -> StatementNames.read(e.claim().bare() instanceof Expr.Binary b
          && b.op() == Expr.BinaryOp.EQ ? b.left() : e.claim()).contains(output);
      case Stmt.Let _, Stmt.Var _, Stmt.Temp _, Stmt.Assign _, Stmt.Run _, Stmt.Parallel _, Stmt.For _, Stmt.If _,
          Stmt.Return _, Stmt.Assert _ -> false;
    };
  }

  /** The {@code expect}s of a statement. */
  static List<Stmt> expectations(Stmt s) {
    return switch (s) {
      case Stmt.Expect _, Stmt.ExpectClose _ -> List.of(s);
      case Stmt.For loop -> expectations(loop.body());
      case Stmt.If choice -> Stream.concat(choice.branches().stream().map(b -> b.body()), choice.otherwise().stream())
          .flatMap(b -> expectations(b).stream()).toList();
      case Stmt.Let _, Stmt.Var _, Stmt.Temp _, Stmt.Assign _, Stmt.Run _, Stmt.Parallel _, Stmt.Return _,
          Stmt.Assert _ -> List.of();
    };
  }

  private static List<Stmt> expectations(Block block) {
    return block.statements().stream().flatMap(s -> expectations(s).stream()).toList();
  }

  /** The statements before the call that these names depend on, in order. */
  List<Stmt> inputs(Set<String> names) {
    return slice(before, names);
  }

  /** The statements between the call and a comparison, and before, that the comparison depends on besides inputs. */
  List<Stmt> between(Stmt comparison) {
    List<Stmt> upTo = new ArrayList<>();
    for (Stmt s : after) {
      if (s == comparison) {
        break;
      }
      if (!(s instanceof Stmt.Expect) && !(s instanceof Stmt.ExpectClose)) {
        upTo.add(s);
      }
    }
    return slice(upTo, StatementNames.read(comparison));
  }

  private static List<Stmt> slice(List<Stmt> statements, Set<String> names) {
    Set<String> needed = new LinkedHashSet<>(names);
    List<Stmt> kept = new ArrayList<>();
    for (Stmt s : statements.reversed()) {
      if (s instanceof Stmt.Expect || s instanceof Stmt.ExpectClose || s instanceof Stmt.Assert) {
        continue;
      }
      if (StatementNames.set(s).stream().anyMatch(needed::contains)) {
        needed.addAll(StatementNames.read(s));
        kept.addFirst(s);
      }
    }
    return kept;
  }

  /** The names that loops around the call bind. */
  Set<String> loopNames() {
    Set<String> names = new LinkedHashSet<>();
    loops.forEach(d -> d.names().forEach(n -> names.add(n.text())));
    return names;
  }

  /**
   * What the loops' names must be for arguments of these shapes; {@code shapes} has an entry for each parameter, null
   * for a scalar. Empty if a shape cannot be had.
   */
  Optional<Map<String, Long>> solve(Kernel kernel, List<long[]> shapes) {
    Map<String, Long> values = new LinkedHashMap<>();
    Set<String> free = loopNames();
    List<Optional<Expr>> arguments = arguments(kernel);
    for (int i = 0; i < shapes.size(); i++) {
      if (shapes.get(i) == null || arguments.get(i).isEmpty()) {
        continue;
      }
      long[] shape = shapes.get(i);
      Expr argument = arguments.get(i).get().bare();
      if (argument instanceof Expr.Member m && m.name().text().equals("T") && shape.length >= 2) {
        shape = swapped(shape);
        argument = m.base().bare();
      }
      List<Expr> dims = StatementNames.name(argument).flatMap(this::dims).orElse(List.of());
      for (int d = 0; d < dims.size() && dims.size() == shape.length; d++) {
        Optional<String> name = StatementNames.name(dims.get(d));
        if (name.isPresent() && free.contains(name.get())) {
          Long old = values.putIfAbsent(name.get(), shape[d]);
          if (old != null && old != shape[d]) {
            return Optional.empty();
          }
        }
      }
    }
    firstRounds(values);
    return Optional.of(values);
  }

  static long[] swapped(long[] shape) {
    long[] out = shape.clone();
    int n = out.length;
    long last = out[n - 1];
    out[n - 1] = out[n - 2];
    out[n - 2] = last;
    return out;
  }

  /** The dimensions that a name's tensor is made with before the call. */
  private Optional<List<Expr>> dims(String name) {
    for (Stmt s : before.reversed()) {
      List<Expr> values =
          switch (s) {
            case Stmt.Let let when let.names().size() == 1 && let.names().get(0).text().equals(name) -> let.values();
            case Stmt.Var var when var.names().size() == 1 && var.names().get(0).text().equals(name) -> var.values();
            case Stmt.Let _, Stmt.Var _, Stmt.Temp _, Stmt.Assign _, Stmt.Run _, Stmt.Parallel _, Stmt.For _, Stmt.If _,
                Stmt.Return _, Stmt.Assert _, Stmt.Expect _, Stmt.ExpectClose _ -> List.of();
          };
      if (values.size() == 1 && values.get(0).bare() instanceof Expr.Call call) {
        return call.args().stream().map(Expr.Arg::value).filter(Expr.At.class::isInstance).map(Expr.At.class::cast)
            .filter(at -> at.base() instanceof Expr.Ref)
            .map(at -> at.indices().stream()
                .map(ix -> ix instanceof Index.At a ? a.value() : (Expr) at).toList())
            .findFirst();
      }
    }
    return Optional.empty();
  }

  private void firstRounds(Map<String, Long> values) {
    for (Domain d : loops) {
      for (int i = 0; i < d.names().size(); i++) {
        String name = d.names().get(i).text();
        if (!values.containsKey(name) && d.high().bare() instanceof Expr.ListOf list && !list.elements().isEmpty()) {
          Expr first = list.elements().get(0).bare();
          Expr element = first instanceof Expr.Tuple t && i < t.elements().size() ? t.elements().get(i).bare() : first;
          if (element instanceof Expr.IntLit n) {
            values.put(name, n.value().longValue());
          }
        }
      }
    }
  }
}
