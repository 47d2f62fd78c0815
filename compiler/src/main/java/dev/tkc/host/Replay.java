package dev.tkc.host;

import dev.tkc.Kernel;
import dev.tkc.Literals;
import dev.tkc.Parameter;
import dev.tkc.Tensor;
import dev.tkc.grammar.lower.HostCode;
import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Stmt;
import dev.tkc.host.KernelRun.Check;
import dev.tkc.host.KernelRun.Used;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.Element;
import dev.tkc.launch.Arithmetic;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A {@link Reference} carried out for the sizes and inputs of one run. */
final class Replay implements AutoCloseable {
  private final Kernel kernel;
  private final Reference reference;
  private final Shapes shapes;
  private final Map<String, Object> given;
  private final HostMachine machine;
  private final HostCode code;
  private final Map<String, Object> constants = new LinkedHashMap<>();
  /** Statements that were carried out: each at most once. */
  private final Set<Stmt> ran = Collections.newSetFromMap(new IdentityHashMap<>());
  private String reason;

  Replay(Kernel kernel, Reference reference, Shapes shapes, Map<String, Object> given, long seed) {
    this.kernel = kernel;
    this.reference = reference;
    this.shapes = shapes;
    this.given = given;
    this.machine = new HostMachine(kernel.module(), seed);
    this.code = new HostCode(kernel.module().library(), machine.builder(), machine);
    this.reason = "the test \"" + reference.test().title() + "\" does not work for these sizes";
  }

  /** The constants that were given, and those that the test's call gives besides. */
  Map<String, Object> constants() {
    Map<String, Object> all = new LinkedHashMap<>(constants);
    all.putAll(shapes.constants());
    return all;
  }

  /** Why there is no reference, when there is none. */
  String reason() {
    return reason;
  }

  /** The arguments as the test makes them, those that were given in their places; empty if the test does not serve. */
  Optional<List<Used>> arguments() {
    Optional<Map<String, Long>> names = reference.solve(kernel, shapes.all());
    if (names.isEmpty() || !sameConstants()) {
      return Optional.empty();
    }
    try {
      names.get().forEach(code::defineInt);
      List<Optional<Expr>> exprs = reference.arguments(kernel);
      Set<String> needed = new LinkedHashSet<>();
      exprs.forEach(e -> e.ifPresent(x -> needed.addAll(StatementNames.read(x))));
      for (Stmt s : reference.inputs(needed)) {
        if (ran.add(s) && !code.run(s)) {
          return Optional.empty();
        }
        override(exprs);
      }
      return collect(exprs);
    } catch (DiagnosticException e) {
      return Optional.empty();
    }
  }

  /**
   * Tile sizes may differ from the test's; what its call says about a constant, or a truth value, changes the result.
   */
  private boolean sameConstants() {
    Arithmetic arithmetic = new Arithmetic(kernel::global);
    for (Constant c : kernel.syntax().constants()) {
      String name = c.name().text();
      Optional<Object> own = c.value().flatMap(arithmetic::value);
      Optional<Object> ours = Optional.ofNullable(shapes.constants().get(name)).or(() -> own);
      Optional<Expr> said = reference.named(name);
      Optional<Object> theirs = said.isPresent() ? said.flatMap(arithmetic::value) : own;
      if (said.isPresent() && theirs.isPresent() && !shapes.constants().containsKey(name)) {
        constants.put(name, theirs.get());
        continue;
      }
      boolean matters = said.isPresent() || own.filter(Boolean.class::isInstance).isPresent();
      if (matters && !ours.equals(theirs)) {
        reason = "the test \"" + reference.test().title() + "\" is for "
            + theirs.map(v -> name + " = " + Literals.text(v, Element.F64)).orElse("another value of " + name);
        return false;
      }
    }
    return true;
  }

  /** Puts the given inputs in the places of those that the test has made. */
  private void override(List<Optional<Expr>> exprs) {
    for (int i = 0; i < exprs.size(); i++) {
      Object value = given.get(kernel.parameters().get(i).name());
      if (value == null || exprs.get(i).isEmpty()) {
        continue;
      }
      Expr e = exprs.get(i).get().bare();
      boolean transposed = e instanceof Expr.Member m && m.name().text().equals("T");
      Optional<String> name = StatementNames.name(transposed ? ((Expr.Member) e).base() : e);
      if (name.isPresent() && value instanceof Tensor t) {
        code.define(name.get(), machine.define(transposed ? Transposed.of(t) : t));
      } else if (name.isPresent() && value instanceof Long n) {
        code.defineInt(name.get(), n);
      }
    }
  }

  private Optional<List<Used>> collect(List<Optional<Expr>> exprs) {
    List<Used> all = new ArrayList<>();
    for (int i = 0; i < exprs.size(); i++) {
      Parameter p = kernel.parameters().get(i);
      Object mine = given.get(p.name());
      Optional<Value> value = exprs.get(i).flatMap(code::eval);
      if (value.isEmpty()) {
        return Optional.empty();
      }
      if (!p.tensor()) {
        Object theirs = number(machine.known(value.get()).orElseThrow());
        if (mine != null && !mine.equals(theirs)) {
          reason = "the test \"" + reference.test().title() + "\" is for " + p.name() + " = "
              + Literals.text(theirs, p.element()) + ", not " + Literals.text(mine, p.element());
          return Optional.empty();
        }
        all.add(new Used(p, theirs, mine == null ? "as in the test" : "given"));
        continue;
      }
      Tensor tensor = p.isRead() ? machine.tensor(value.get()) : Tensor.empty(p.element(), shapes.of(i));
      long[] made = value.get().tile().shape().stream().mapToLong(Integer::longValue).toArray();
      if (!Arrays.equals(made, shapes.of(i)) || tensor.element() != p.element()) {
        return Optional.empty();
      }
      String origin = mine != null ? "given" : p.isRead() ? "as in the test" : "";
      all.add(new Used(p, mine instanceof Tensor t ? t : tensor, origin));
    }
    return Optional.of(all);
  }

  private static Object number(Literal literal) {
    return switch (literal.element().kind()) {
      case BOOL -> literal.asBool();
      case SIGNED, UNSIGNED -> literal.bits();
      case FLOAT -> literal.asDouble();
    };
  }

  /** Compares what the kernel wrote with what the test expects. */
  List<Check> compare(List<Used> arguments) {
    List<Check> checks = new ArrayList<>();
    List<Optional<Expr>> exprs = reference.arguments(kernel);
    try {
      for (int i = 0; i < arguments.size(); i++) {
        Used used = arguments.get(i);
        Optional<String> name = exprs.get(i).flatMap(StatementNames::name);
        if (used.parameter().isWritten() && name.isPresent()) {
          code.define(name.get(), machine.define((Tensor) used.value()));
        }
      }
      for (int i = 0; i < arguments.size(); i++) {
        String output = arguments.get(i).parameter().name();
        Optional<String> name = exprs.get(i).flatMap(StatementNames::name);
        if (arguments.get(i).parameter().isWritten() && name.isPresent()) {
          for (Stmt s : reference.comparisons(name.get())) {
            checks.addAll(check(output, name.get(), s));
          }
        }
      }
    } catch (DiagnosticException e) {
      reason = e.diagnostics().get(0).message();
    }
    return checks;
  }

  /** Every comparison of an output, which the test calls {@code variable}, in a statement; rounds of a loop as one. */
  private List<Check> check(String output, String variable, Stmt comparison) {
    Set<String> outputs = new LinkedHashSet<>();
    reference.arguments(kernel).forEach(e -> e.flatMap(StatementNames::name).ifPresent(outputs::add));
    Set<String> needed = new LinkedHashSet<>(StatementNames.read(comparison));
    List<Stmt> between = reference.between(comparison);
    between.forEach(s -> needed.addAll(StatementNames.read(s)));
    needed.removeIf(n -> outputs.contains(n) || code.lookup(n).isPresent());
    for (Stmt s : reference.inputs(needed)) {
      if (ran.add(s) && !code.run(s)) {
        return List.of();
      }
    }
    for (Stmt s : between) {
      if (!code.run(s)) {
        return List.of();
      }
    }
    Map<Span, Check> found = new LinkedHashMap<>();
    List<Span> about = Reference.expectations(comparison).stream()
        .filter(e -> Reference.isAbout(e, variable)).map(Stmt::span).toList();
    machine.observe((c, relative, absolute, at) -> {
      if (about.contains(at)) {
        Check more = new Check(output, at.text(), c, relative, absolute);
        found.merge(at, more, (x, y) -> new Check(output, at.text(), x.comparison().and(y.comparison()), x.relative(),
            x.absolute()));
      }
    });
    return code.run(comparison) ? List.copyOf(found.values()) : List.of();
  }

  @Override
  public void close() {
    machine.close();
  }
}
