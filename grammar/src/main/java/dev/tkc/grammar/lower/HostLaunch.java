package dev.tkc.grammar.lower;

import dev.tkc.grammar.lower.Arguments.Signature;
import dev.tkc.grammar.lower.Host.HostArgument;
import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Param;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A kernel called by a test: arguments sorted and handed to the host, written tensors put back into their variables.
 */
final class HostLaunch {
  private final Lowerer l;
  private final Host host;

  HostLaunch(Lowerer l, Host host) {
    this.l = l;
    this.host = host;
  }

  void call(Item.Kernel k, Expr.Call call) {
    List<String> params = new ArrayList<>(k.params().stream().map(p -> p.name().text()).toList());
    List<String> constants = k.constants().stream().map(c -> c.name().text()).toList();
    long positional = call.args().stream().filter(a -> a.name().isEmpty()).count();
    if (positional > params.size()) {
      l.error(Diagnostic.error(Code.ARGUMENTS, "`" + k.name() + "` has " + params.size() + " parameters")
          .label(call.span(), positional + " arguments are given").note("constants are given by name"));
      return;
    }
    params.addAll(constants);
    Optional<Arguments> args = Arguments.bind(l, call, new Signature(k.name().text(), params, constants, false));
    if (args.isEmpty()) {
      return;
    }
    List<HostArgument> given = new ArrayList<>();
    List<Scope.Entry> written = new ArrayList<>();
    boolean ok = true;
    for (Param p : k.params()) {
      Expr e = args.get().expr(p.name().text());
      HostArgument a = argument(p, e);
      Scope.Entry entry = a != null && p.mode() != Param.Mode.IN ? variable(p, e) : null;
      ok &= a != null && (p.mode() == Param.Mode.IN || entry != null);
      given.add(a);
      written.add(entry);
    }
    Map<String, Object> values = new LinkedHashMap<>();
    for (Constant c : k.constants()) {
      if (args.get().has(c.name().text())) {
        Operand o = args.get().operand(c.name().text());
        Optional<Object> v = ConstantValue.of(o.val());
        v.ifPresent(x -> values.put(c.name().text(), x));
        if (v.isEmpty() && !o.val().failed()) {
          l.promotion.wrongKind(o, "a number or truth value");
        }
        ok &= v.isPresent();
      }
    }
    if (ok) {
      List<Optional<Value>> results = host.call(k, given, values, call.span());
      for (int i = 0; i < results.size(); i++) {
        if (written.get(i) != null && results.get(i).isPresent()) {
          written.get(i).set(new Val.Tile(results.get(i).get()));
        }
      }
    }
  }

  /** The argument for a parameter, or null after a report. */
  private HostArgument argument(Param p, Expr e) {
    Operand o = l.exprs.operand(e);
    if (o.val().failed()) {
      return null;
    }
    if (p.type() instanceof TypeExpr.Scalar) {
      Literal n = scalar(o);
      if (n == null) {
        l.promotion.wrongKind(o, "a number or truth value");
      }
      return n == null ? null : new HostArgument.ScalarArgument(n);
    }
    if (o.val() instanceof Val.Tile t && t.rank() > 0) {
      return new HostArgument.TensorArgument(t.value());
    }
    l.promotion.wrongKind(o, "a tensor");
    return null;
  }

  private Literal scalar(Operand o) {
    return switch (o.val()) {
      case Val.Int i when i.isKnown() -> Literal.ofInt(i.known());
      case Val.Num n -> Literal.of(Element.F64, n.value());
      case Val.Bool b -> Literal.of(b.value());
      case Val.Tile t when t.rank() == 0 -> host.known(t.value()).orElse(null);
      case Val.Failed _, Val.Int _, Val.Tile _, Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ -> null;
    };
  }

  /** The variable that a written tensor is put back into, or null after a report. */
  private Scope.Entry variable(Param p, Expr e) {
    Scope.Entry entry = e.bare() instanceof Expr.Ref r ? l.scope().find(r.name().text()) : null;
    if (entry == null || !entry.isVariable()) {
      Diagnostic d = Diagnostic.error(Code.NOT_ASSIGNABLE,
          "the kernel writes `" + p.name() + "`: its argument is a `var`")
          .label(e.span(), entry == null ? "not a variable" : "declared with `let`")
          .label(p.span(), "written");
      l.error(entry != null && entry.declared() != null ? d.label(entry.declared(), "declare it with `var`") : d);
      return null;
    }
    return entry;
  }
}
