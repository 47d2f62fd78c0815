package dev.tkc.launch;

import dev.tkc.Tensor;
import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Param;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.num.Conversions;
import dev.tkc.ir.num.Integers;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * Binds the names in a kernel's head to the arguments of a launch, and checks what the head says about them.
 *
 * <p>A name is bound where a dimension is just the name, else where it is the name plus or minus a literal; the first
 * such place counts. Every other dimension, and one that names something with a value, is an equation. All findings of
 * a launch are reported together.
 */
public final class Binder {
  private static final long INDEX_LIMIT = Integer.MAX_VALUE;

  private final Item.Kernel kernel;
  private final Function<String, Optional<Object>> globals;
  private final List<Diagnostic> findings = new ArrayList<>();
  private final Map<String, Object> constants = new LinkedHashMap<>();
  private final Map<String, Long> sizes = new LinkedHashMap<>();
  private final Map<String, Long> strides = new LinkedHashMap<>();
  private final Map<String, Object> scalars = new LinkedHashMap<>();
  private final Map<String, Span> origins = new LinkedHashMap<>();
  private final Map<String, String> witnesses = new LinkedHashMap<>();
  private final Arithmetic arithmetic;

  /** A dimension of an argument beside what the head says it is. */
  private record Dim(Param param, int axis, Expr expr, long actual) {}

  private Binder(Item.Kernel kernel, Function<String, Optional<Object>> globals) {
    this.kernel = kernel;
    this.globals = globals;
    this.arithmetic = new Arithmetic(this::lookup);
  }

  /**
   * @param globals the {@code const}s of the file
   * @param given constants given by name, which win over {@code scheduled} ones, which win over the kernel's own values
   * @throws DiagnosticException with every reason why the kernel does not take these arguments
   */
  public static Binding bind(
      Item.Kernel kernel,
      Function<String, Optional<Object>> globals,
      List<Argument> arguments,
      Map<String, ?> given,
      Map<String, ?> scheduled) {
    Binder binder = new Binder(kernel, globals);
    Binding binding = binder.bind(arguments, given, scheduled);
    if (!binder.findings.isEmpty()) {
      throw new DiagnosticException(binder.findings);
    }
    return binding;
  }

  /**
   * The value of every constant when there are no arguments to bind one.
   *
   * @throws DiagnosticException for constants without a value
   */
  public static Map<String, Object> constants(
      Item.Kernel kernel, Function<String, Optional<Object>> globals, Map<String, ?> given, Map<String, ?> scheduled) {
    Binder binder = new Binder(kernel, globals);
    binder.takeConstants(given, scheduled);
    binder.defaults();
    kernel.constants().stream().filter(c -> !binder.constants.containsKey(c.name().text())).forEach(binder::unbound);
    if (!binder.findings.isEmpty()) {
      throw new DiagnosticException(binder.findings);
    }
    return binder.constants;
  }

  private Binding bind(List<Argument> arguments, Map<String, ?> given, Map<String, ?> scheduled) {
    if (arguments.size() != kernel.params().size()) {
      String has = kernel.params().size() + (kernel.params().size() == 1 ? " parameter" : " parameters");
      fail(
          Diagnostic.error(
                  Code.LAUNCH_COUNT,
                  "`" + kernel.name() + "` has " + has + ", " + arguments.size() + " arguments are given")
              .label(kernel.name().span(), signature()));
      return null;
    }
    takeConstants(given, scheduled);
    List<Dim> dims = new ArrayList<>();
    for (int i = 0; i < arguments.size(); i++) {
      takeArgument(kernel.params().get(i), arguments.get(i), dims);
    }
    if (!findings.isEmpty()) {
      return null;
    }
    dims.forEach(d -> bindName(d, d.expr().bare(), 0));
    dims.forEach(this::bindOffset);
    takeStrides(arguments);
    defaults();
    dims.forEach(this::equation);
    if (findings.isEmpty()) {
      kernel.constants().stream().filter(c -> !constants.containsKey(c.name().text())).forEach(this::unbound);
      kernel.where().ifPresent(this::fact);
      Overlap.check(kernel, arguments).ifPresent(this::fail);
    }
    Map<String, Long> runtime = new LinkedHashMap<>(sizes);
    runtime.keySet().removeAll(constants.keySet());
    return new Binding(List.copyOf(arguments), constants, runtime, strides);
  }

  private Optional<Object> lookup(String name) {
    for (Map<String, ?> map : List.of(constants, sizes, strides, scalars)) {
      if (map.containsKey(name)) {
        return Optional.of(map.get(name));
      }
    }
    return globals.apply(name);
  }

  private void takeConstants(Map<String, ?> given, Map<String, ?> scheduled) {
    List<String> known = kernel.constants().stream().map(c -> c.name().text()).toList();
    for (String name : given.keySet()) {
      if (!known.contains(name)) {
        fail(
            Diagnostic.error(Code.LAUNCH_CONSTANT, "`" + kernel.name() + "` has no constant " + name)
                .label(kernel.name().span(), signature())
                .note(known.isEmpty() ? "it has no constants" : "its constants are " + String.join(", ", known)));
      }
    }
    for (Constant c : kernel.constants()) {
      String name = c.name().text();
      Object value = given.containsKey(name) ? given.get(name) : scheduled.get(name);
      if (value != null) {
        takeConstant(c, value instanceof Integer n ? Long.valueOf(n) : value);
      }
    }
  }

  private void takeConstant(Constant c, Object value) {
    boolean bool = c.type().map(t -> t.text().equals("bool"))
        .orElse(c.value().map(v -> v.bare() instanceof Expr.BoolLit).orElse(false));
    boolean real = c.type().map(t -> Element.byText(t.text()).filter(Element::isFloat).isPresent()).orElse(false);
    if (bool != value instanceof Boolean || !bool && !real && !(value instanceof Long)) {
      String kind = bool ? "true or false" : real ? "a number" : "a whole number";
      fail(
          Diagnostic.error(Code.LAUNCH_CONSTANT, "the constant " + c.name() + " is " + kind + ", not " + value)
              .label(c.span(), "declared here"));
      return;
    }
    constants.put(c.name().text(), value);
    origins.put(c.name().text(), c.span());
    witnesses.put(c.name().text(), "it was given as " + value);
  }

  /** Constants that have a value in the head and none from the call, the schedule or a tensor. */
  private void defaults() {
    for (Constant c : kernel.constants()) {
      String name = c.name().text();
      if (!constants.containsKey(name) && c.value().isPresent()) {
        arithmetic.value(c.value().get()).ifPresent(v -> constants.put(name, v));
        origins.put(name, c.span());
        witnesses.put(name, "its value here");
      }
    }
    for (Constant c : kernel.constants()) {
      Long size = sizes.get(c.name().text());
      if (size != null && !constants.containsKey(c.name().text())) {
        constants.put(c.name().text(), size);
      }
    }
  }

  private void takeArgument(Param param, Argument argument, List<Dim> dims) {
    switch (param.type()) {
      case TypeExpr.Shaped shaped -> {
        if (argument instanceof Argument.Array array) {
          takeTensor(param, shaped, array.tensor(), dims);
        } else {
          kind(param, argument, "a tensor");
        }
      }
      case TypeExpr.Scalar scalar -> takeScalar(param, scalar, argument);
      case TypeExpr.AnyRank _ -> throw new IllegalStateException("a kernel parameter of any rank passed the checker");
    }
  }

  private void takeTensor(Param param, TypeExpr.Shaped type, Tensor tensor, List<Dim> dims) {
    String wanted = type.element().text();
    if (!tensor.element().text().equals(wanted)) {
      fail(
          Diagnostic.error(
                  Code.LAUNCH_ELEMENT, "`" + param.name() + "` has elements " + wanted + ", its argument is " + tensor)
              .label(type.element().span(), wanted + " here"));
      return;
    }
    if (tensor.rank() != type.dims().size()) {
      fail(
          Diagnostic.error(
                  Code.LAUNCH_RANK,
                  "`%s` has rank %d, its argument %s has rank %d"
                      .formatted(param.name(), type.dims().size(), tensor, tensor.rank()))
              .label(type.span(), "rank " + type.dims().size() + " here"));
      return;
    }
    for (int d = 0; d < tensor.rank(); d++) {
      if (tensor.dim(d) > INDEX_LIMIT) {
        fail(
            Diagnostic.error(
                    Code.LAUNCH_BOUND,
                    "dimension %d of `%s` is %d, more than indices of 32 bits reach".formatted(d, param.name(),
                        tensor.dim(d)))
                .label(type.dims().get(d).span(), "this one; the limit is " + INDEX_LIMIT));
      }
      dims.add(new Dim(param, d, type.dims().get(d), tensor.dim(d)));
    }
  }

  private void takeScalar(Param param, TypeExpr.Scalar type, Argument argument) {
    String name = type.element().text();
    boolean real = Element.byText(name).filter(Element::isFloat).isPresent();
    Optional<Object> value =
        switch (argument) {
          case Argument.Array _ -> Optional.empty();
          case Argument.Truth t -> name.equals("bool") ? Optional.of(t.value()) : Optional.empty();
          case Argument.Whole w -> name.equals("bool") ? Optional.empty()
              : Optional.of(real ? (Object) (double) w.value() : w.value());
          case Argument.Real r -> real ? Optional.of(r.value()) : Optional.empty();
        };
    if (value.isEmpty()) {
      kind(param, argument, name.equals("bool") ? "true or false" : real ? "a number" : "a whole number");
      return;
    }
    if (value.get() instanceof Long n
        && Element.byText(name).map(e -> !Integers.fits(e, n)).orElse(false)) {
      tooLarge(param, argument, Element.byText(name).orElseThrow());
    }
    if (value.get() instanceof Double x && Double.isFinite(x)
        && Element.byText(name).filter(Element::isFloat).filter(e -> isTooLarge(e, x)).isPresent()) {
      tooLarge(param, argument, Element.byText(name).orElseThrow());
    }
    scalars.put(param.name().text(), value.get());
    origins.put(param.name().text(), param.name().span());
    witnesses.put(param.name().text(), "given as " + value.get());
  }

  private static boolean isTooLarge(Element e, double x) {
    return e != Element.F64 && Double.isInfinite(Conversions.toFloat(e, x, false));
  }

  private void tooLarge(Param param, Argument argument, Element element) {
    Diagnostic d = Diagnostic.error(Code.LAUNCH_SCALAR,
        "`" + param.name() + "` is " + element.text() + ", which does not hold " + argument.text())
        .label(param.span(), "declared here");
    fail(element.isInteger()
        ? d.note(element.text() + " holds " + Integers.toString(element, Integers.lowest(element)) + " to "
            + Integers.toString(element, Integers.highest(element))) : d);
  }

  private void kind(Param param, Argument argument, String wanted) {
    fail(
        Diagnostic.error(Code.LAUNCH_SCALAR, "`" + param.name() + "` is " + wanted + ", not " + argument.text())
            .label(param.span(), "declared here"));
  }

  /** Binds a name to the dimension less {@code offset}, unless it has a value already or is unknown as a size. */
  private void bindName(Dim dim, Expr expr, long offset) {
    if (expr instanceof Expr.Ref ref && isFree(ref.name().text())) {
      String name = ref.name().text();
      sizes.put(name, dim.actual() - offset);
      origins.put(name, dim.expr().span());
      witnesses.put(name, "%s is %d here".formatted(name, dim.actual() - offset));
    }
  }

  private boolean isFree(String name) {
    boolean defaulted = kernel.constants().stream()
        .anyMatch(c -> c.name().text().equals(name) && c.value().isPresent());
    return !defaulted && lookup(name).isEmpty();
  }

  private void bindOffset(Dim dim) {
    if (!(dim.expr().bare() instanceof Expr.Binary b)) {
      return;
    }
    boolean plus = b.op() == Expr.BinaryOp.ADD;
    if ((plus || b.op() == Expr.BinaryOp.SUB) && b.right().bare() instanceof Expr.IntLit n
        && n.value().bitLength() < 32) {
      bindName(dim, b.left().bare(), plus ? n.value().longValue() : -n.value().longValue());
    } else if (plus && b.left().bare() instanceof Expr.IntLit n && n.value().bitLength() < 32) {
      bindName(dim, b.right().bare(), n.value().longValue());
    }
  }

  private void takeStrides(List<Argument> arguments) {
    for (int i = 0; i < arguments.size(); i++) {
      List<Expr> names = kernel.params().get(i).strides();
      if (names.isEmpty() || !(arguments.get(i) instanceof Argument.Array array)) {
        continue;
      }
      long stride = 1;
      for (int d = array.tensor().rank() - 1; d >= 0; d--) {
        if (d < names.size() && names.get(d).bare() instanceof Expr.Ref ref && lookup(ref.name().text()).isEmpty()) {
          strides.put(ref.name().text(), stride);
        }
        stride *= array.tensor().dim(d);
      }
    }
  }

  private void equation(Dim dim) {
    Optional<Long> wanted = arithmetic.whole(dim.expr());
    if (wanted.isPresent() && wanted.get() == dim.actual()) {
      return;
    }
    String text = dim.expr().span().text();
    String place = "dimension %d of `%s`".formatted(dim.axis(), dim.param().name());
    if (wanted.isEmpty()) {
      List<String> open = Names.in(dim.expr()).stream().filter(n -> lookup(n).isEmpty()).toList();
      String why = open.isEmpty() ? "it has no value" : "nothing gives a value to " + String.join(", ", open);
      fail(
          Diagnostic.error(Code.LAUNCH_UNBOUND, place + " is `" + text + "`: " + why)
              .label(dim.expr().span(), "the argument has " + dim.actual() + " here"));
      return;
    }
    boolean plain = dim.expr().bare() instanceof Expr.Ref;
    Diagnostic d =
        Diagnostic.error(
                Code.LAUNCH_EQUATION,
                "%s is %d, but `%s` is %d".formatted(place, dim.actual(), text, wanted.get()))
            .label(dim.expr().span(), "the argument has " + dim.actual() + " here");
    for (String name : Names.in(dim.expr())) {
      d = origins.containsKey(name) ? d.label(origins.get(name), witnesses.get(name)) : d;
    }
    fail(plain ? d : d.note("with " + values(dim.expr())));
  }

  private void fact(Expr fact) {
    if (fact.bare() instanceof Expr.Binary b && b.op() == Expr.BinaryOp.AND) {
      fact(b.left());
      fact(b.right());
      return;
    }
    if (arithmetic.value(fact).equals(Optional.of(true))) {
      return;
    }
    fail(
        Diagnostic.error(Code.LAUNCH_FACT,
            "`" + kernel.name() + "` needs `" + fact.span().text() + "`, which does not hold")
            .label(fact.span(), "with " + values(fact)));
  }

  private void unbound(Constant c) {
    fail(
        Diagnostic.error(Code.LAUNCH_UNBOUND, "the constant " + c.name() + " has no value, and no tensor gives it one")
            .label(c.span(), "declared here")
            .help("give it a value: `" + c.name() + " = 64` at the call, "
                + "`-D " + c.name() + "=64` on the command line"));
  }

  /** {@code K = 131, N = 2}. */
  private String values(Expr expr) {
    List<String> parts = new ArrayList<>();
    for (String name : Names.in(expr)) {
      parts.add(name + " = " + lookup(name).map(Object::toString).orElse("unknown"));
    }
    return parts.isEmpty() ? "no names in it" : String.join(", ", parts);
  }

  private String signature() {
    List<String> params = new ArrayList<>();
    kernel.params().forEach(p -> params.add(p.span().text()));
    return "takes (" + String.join(", ", params) + ")";
  }

  private void fail(Diagnostic finding) {
    findings.add(finding);
  }
}
