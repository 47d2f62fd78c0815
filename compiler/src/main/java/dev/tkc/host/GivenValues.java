package dev.tkc.host;

import dev.tkc.Kernel;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.launch.Arithmetic;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a caller may say about a kernel by name, ahead of any arguments: values of its constants, and sizes, which are
 * the names in its parameters' dimensions. A name that is neither is refused, so that no value is given in vain.
 */
public final class GivenValues {
  private GivenValues() {}

  /**
   * Refuses names that the kernel does not have, and sizes that cannot be.
   *
   * @throws DiagnosticException naming the first of them
   */
  public static void check(Kernel kernel, Map<String, Object> values) {
    Set<String> known = new LinkedHashSet<>(kernel.constants());
    kernel.syntax().params().forEach(p -> {
      if (p.type() instanceof TypeExpr.Shaped s) {
        s.dims().forEach(d -> known.addAll(StatementNames.read(d)));
      }
    });
    for (Map.Entry<String, Object> v : values.entrySet()) {
      if (!known.contains(v.getKey())) {
        throw unknown(kernel, v.getKey(), v.getValue(), List.copyOf(known));
      }
      if (!kernel.constants().contains(v.getKey()) && !(v.getValue() instanceof Long n && n >= 0)) {
        throw new DiagnosticException(Diagnostic.error(
            Code.LAUNCH_CONSTANT, "the size " + v.getKey() + " is a whole number of at least 0, not " + v.getValue()));
      }
    }
    Arithmetic arithmetic = new Arithmetic(n -> Optional.ofNullable(values.get(n)).or(() -> kernel.global(n)));
    kernel.syntax().where().ifPresent(fact -> refuse(kernel, fact, arithmetic));
  }

  private static DiagnosticException unknown(Kernel kernel, String name, Object value, List<String> known) {
    DiagnosticException e = KernelRun.unknown(kernel, name, "constant or size", known);
    boolean scalar = kernel.parameters().stream().anyMatch(p -> p.name().equals(name) && !p.tensor());
    return scalar ? new DiagnosticException(e.diagnostics().stream().map(d -> d.help(
        "`" + name + "` is a scalar parameter, an argument of a run: `--in " + name + "=" + value + "`")).toList()) : e;
  }

  /** Refuses values for which a fact does not hold, whatever the others are. */
  private static void refuse(Kernel kernel, Expr fact, Arithmetic arithmetic) {
    if (fact.bare() instanceof Expr.Binary b && b.op() == Expr.BinaryOp.AND) {
      refuse(kernel, b.left(), arithmetic);
      refuse(kernel, b.right(), arithmetic);
    } else if (arithmetic.value(fact).equals(Optional.of(false))) {
      throw new DiagnosticException(Diagnostic.error(Code.LAUNCH_FACT,
          "`" + kernel.name() + "` needs `" + fact.span().text() + "`, which does not hold for the values given")
          .label(fact.span(), "this fact"));
    }
  }
}
