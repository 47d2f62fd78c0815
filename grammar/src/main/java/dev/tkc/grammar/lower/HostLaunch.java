package dev.tkc.grammar.lower;

import dev.tkc.grammar.lower.Host.HostArgument;
import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Param;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.Value;
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
    Optional<Arguments> args = TestCalls.bind(l, k, call);
    if (args.isEmpty()) {
      return;
    }
    List<HostArgument> given = new ArrayList<>();
    List<Scope.Entry> written = new ArrayList<>();
    boolean ok = true;
    for (Param p : k.params()) {
      Expr e = args.get().expr(p.name().text());
      HostArgument a = argument(p, e);
      Scope.Entry entry = a != null && p.mode() != Param.Mode.IN ? TestCalls.variable(l, p, e, l.scope()) : null;
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
}
