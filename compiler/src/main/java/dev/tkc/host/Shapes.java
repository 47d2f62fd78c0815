package dev.tkc.host;

import dev.tkc.Kernel;
import dev.tkc.Literals;
import dev.tkc.Parameter;
import dev.tkc.Tensor;
import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Param;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.type.Element;
import dev.tkc.launch.Arithmetic;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The shape of every argument of a run, before there are arguments. Sizes that nothing gives are 256, those of
 * dimensions before a tensor's last two are 2, and constants that the tensors bind are 64.
 */
final class Shapes {
  private static final long DEFAULT_SIZE = 256;
  private static final long DEFAULT_BATCH = 2;
  private static final long DEFAULT_CONSTANT = 64;

  private final Kernel kernel;
  private final Map<String, Object> constants = new LinkedHashMap<>();
  private final Map<String, Object> names = new LinkedHashMap<>();
  /** Which input a name's value is from; nothing for those that were given by themselves. */
  private final Map<String, String> sources = new LinkedHashMap<>();
  private final List<long[]> shapes = new ArrayList<>();

  private Shapes(Kernel kernel) {
    this.kernel = kernel;
  }

  static Shapes of(Kernel kernel, Map<String, Object> values, Map<String, Object> given) {
    Shapes s = new Shapes(kernel);
    s.take(values);
    s.takeInputs(given);
    s.takeDefaults();
    s.evaluate(given);
    return s;
  }

  /** The constants to launch with. */
  Map<String, Object> constants() {
    return constants;
  }

  /** The shape of a parameter's argument; null for a scalar. */
  long[] of(int parameter) {
    return shapes.get(parameter);
  }

  List<long[]> all() {
    return shapes;
  }

  /** What all arguments take; 2⁶³ − 1 if it cannot be counted. */
  long bytes() {
    long total = 0;
    try {
      for (int i = 0; i < shapes.size(); i++) {
        total = Math.addExact(
            total, shapes.get(i) == null ? 0 : Tensor.bytes(kernel.parameters().get(i).element(), shapes.get(i)));
      }
      return total;
    } catch (ArithmeticException e) {
      return Long.MAX_VALUE;
    }
  }

  /** The elements of the largest argument. */
  long largest() {
    return shapes.stream().filter(java.util.Objects::nonNull).mapToLong(Tensor::count).max().orElse(0);
  }

  private void take(Map<String, Object> values) {
    GivenValues.check(kernel, values);
    names.putAll(values);
    values.forEach((name, value) -> {
      if (kernel.constants().contains(name)) {
        constants.put(name, value);
      }
    });
  }

  private List<Expr> dims() {
    return kernel.syntax().params().stream().flatMap(p -> dims(p).stream()).toList();
  }

  private static List<Expr> dims(Param p) {
    return p.type() instanceof TypeExpr.Shaped s ? s.dims() : List.of();
  }

  private void takeInputs(Map<String, Object> given) {
    for (int i = 0; i < kernel.parameters().size(); i++) {
      List<Expr> dims = dims(kernel.syntax().params().get(i));
      if (given.get(kernel.parameters().get(i).name()) instanceof Tensor t && t.rank() == dims.size()) {
        for (int d = 0; d < dims.size(); d++) {
          long size = t.dim(d);
          Expr dim = dims.get(d);
          String input = kernel.parameters().get(i).name();
          StatementNames.name(dim).filter(n -> !hasOwnValue(n)).ifPresent(n -> take(n, size, input, dim));
        }
      }
    }
  }

  /** A size as an input has it; what was said of it before, and by whom, must be the same. */
  private void take(String name, long size, String input, Expr dim) {
    Object before = names.putIfAbsent(name, size);
    String who = before == null ? sources.put(name, "`" + input + "`") : sources.get(name);
    if (before != null && !before.equals(size)) {
      throw new DiagnosticException(
          Diagnostic.error(Code.LAUNCH_EQUATION,
                  who == null ? "`" + name + "` is given as " + before + ", but `" + input + "` has " + size + " there"
                  : "`" + name + "` is " + before + " in " + who + ", but " + size + " in `" + input + "`")
              .label(dim.span(), "the input has " + size + " here")
              .note(who == null ? "given on the command line: -D " + name + "=" + before
                  : "both are inputs that were given"));
    }
  }

  private boolean hasOwnValue(String name) {
    return kernel.global(name).isPresent()
        || kernel.syntax().constants().stream().anyMatch(c -> c.name().text().equals(name) && c.value().isPresent());
  }

  private void takeDefaults() {
    Arithmetic arithmetic = arithmetic();
    for (Constant c : kernel.syntax().constants()) {
      String name = c.name().text();
      Optional<Object> own = c.value().flatMap(arithmetic::value);
      if (!names.containsKey(name)) {
        names.put(name, own.orElse(DEFAULT_CONSTANT));
      }
      if (own.isEmpty()) {
        constants.putIfAbsent(name, names.get(name));
      }
    }
    for (Param p : kernel.syntax().params()) {
      List<Expr> dims = dims(p);
      for (int d = 0; d < dims.size(); d++) {
        boolean batch = d < dims.size() - 2;
        for (String name : StatementNames.read(dims.get(d))) {
          if (batch && isFree(name)) {
            names.put(name, DEFAULT_BATCH);
          }
        }
      }
    }
    dims().forEach(d -> StatementNames.read(d).stream().filter(this::isFree).toList()
        .forEach(n -> names.put(n, DEFAULT_SIZE)));
  }

  private boolean isFree(String name) {
    return !names.containsKey(name) && kernel.global(name).isEmpty();
  }

  private Arithmetic arithmetic() {
    return new Arithmetic(n -> Optional.ofNullable(names.get(n)).or(() -> kernel.global(n)));
  }

  private void evaluate(Map<String, Object> given) {
    Arithmetic arithmetic = arithmetic();
    for (int i = 0; i < kernel.parameters().size(); i++) {
      Parameter p = kernel.parameters().get(i);
      if (given.get(p.name()) instanceof Tensor t) {
        shapes.add(t.shape());
      } else {
        shapes.add(p.tensor() ? shape(arithmetic, p.name(), dims(kernel.syntax().params().get(i))) : null);
      }
    }
  }

  private long[] shape(Arithmetic arithmetic, String parameter, List<Expr> dims) {
    long[] shape = new long[dims.size()];
    for (int d = 0; d < shape.length; d++) {
      Expr e = dims.get(d);
      shape[d] = arithmetic.whole(e).filter(n -> n >= 0).orElseThrow(() -> new DiagnosticException(
          arithmetic.value(e).map(v -> Diagnostic.error(Code.LAUNCH_CONSTANT,
              "the dimension `" + e.span().text() + "` is a whole number of at least 0, not "
                  + Literals.text(v, Element.F64)))
              .orElseGet(() -> Diagnostic.error(Code.LAUNCH_UNBOUND,
                  "the dimension `" + e.span().text() + "` has no size"))
              .label(e.span(), "here")));
      if (shape[d] > Integer.MAX_VALUE) {
        throw new DiagnosticException(
            Diagnostic.error(Code.LAUNCH_BOUND,
                "a dimension of `" + parameter + "` is " + shape[d] + ", beyond 32-bit indices")
                .label(e.span(), "this one"));
      }
    }
    return shape;
  }
}
