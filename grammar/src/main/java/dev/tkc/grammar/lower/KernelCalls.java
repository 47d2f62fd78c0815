package dev.tkc.grammar.lower;

import dev.tkc.grammar.lower.Arguments.Signature;
import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.grammar.syntax.Param;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Plural;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MemoryOp.Access;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A kernel called by a kernel: inlined, its names bound by the tensors it is given, its equations checked or asserted.
 */
final class KernelCalls {
  private final Lowerer l;

  KernelCalls(Lowerer l) {
    this.l = l;
  }

  void call(Item.Kernel k, Expr.Call call) {
    List<String> params = new ArrayList<>(k.params().stream().map(p -> p.name().text()).toList());
    List<String> constants = k.constants().stream().map(c -> c.name().text()).toList();
    int positional = (int) call.args().stream().filter(a -> a.name().isEmpty()).count();
    if (positional > params.size()) {
      l.error(Diagnostic.error(Code.ARGUMENTS, "`" + k.name() + "` has " + Plural.of(params.size(), "parameter"))
          .label(call.span(), positional + " arguments are given")
          .note("constants are given by name"));
      return;
    }
    params.addAll(constants);
    Optional<Arguments> args = Arguments.bind(l, call, new Signature(k.name().text(), params, constants, false));
    if (args.isEmpty()) {
      return;
    }
    if (l.frames().stream().anyMatch(f -> f.item() == k)) {
      l.error(Diagnostic.error(Code.RECURSION, "`" + k.name() + "` calls itself")
          .label(call.span(), "called again here").label(k.name().span(), "declared here"));
      return;
    }
    List<Operand> operands = k.params().stream().map(p -> args.get().operand(p.name().text())).toList();
    List<Operand> given = k.constants().stream()
        .map(c -> args.get().has(c.name().text()) ? args.get().operand(c.name().text()) : null).toList();
    if (operands.stream().anyMatch(o -> o.val().failed())
        || given.stream().anyMatch(o -> o != null && o.val().failed())) {
      return;
    }
    Scope scope = new Scope(null);
    boolean outer = l.deterministic();
    l.setDeterministic(outer || k.deterministic());
    l.inlined(k, k.name().text(), call.span(), scope, () -> {
      if (KernelHead.of(k, l.library).check(l).isEmpty() && match(k, operands, given, scope)
          && (k.where().isEmpty() || l.fns.fact(k.where().get(), k.name().text()))) {
        new KernelBody(l, Specialisation.Schedule.NONE).body(k.body());
      }
      return null;
    });
    l.setDeterministic(outer);
  }

  private boolean match(Item.Kernel k, List<Operand> operands, List<Operand> given, Scope scope) {
    boolean ok = true;
    for (int i = 0; i < operands.size(); i++) {
      ok &= kind(k.params().get(i), operands.get(i), scope);
    }
    for (int i = 0; ok && i < given.size(); i++) {
      Constant c = k.constants().get(i);
      ok = given.get(i) == null || constant(c, given.get(i), scope);
    }
    if (!ok) {
      return false;
    }
    for (boolean offset : new boolean[] {false, true}) {
      for (int i = 0; i < operands.size(); i++) {
        bindNames(k, k.params().get(i), operands.get(i), offset, scope);
      }
    }
    for (Constant c : k.constants()) {
      ok &= defaulted(c, scope);
    }
    for (int i = 0; ok && i < operands.size(); i++) {
      ok = tensor(k.params().get(i), operands.get(i), scope);
    }
    return ok;
  }

  private boolean kind(Param p, Operand o, Scope scope) {
    if (p.type() instanceof TypeExpr.Scalar s) {
      return scalar(p, s, o, scope);
    }
    if (!(o.val() instanceof Val.Tensor t)) {
      l.error(Diagnostic.error(Code.WRONG_KIND, "`" + p.name() + "` is a tensor")
          .label(o.span(), "this is " + o.val().describe()).label(p.span(), "declared here"));
      return false;
    }
    int rank = ((TypeExpr.Shaped) p.type()).dims().size();
    if (rank != t.dims().size() || l.types.element(p.type().element()) != t.element()) {
      l.error(Diagnostic.error(Code.PARAMETER, "the argument for `" + p.name() + "` has another type")
          .label(o.span(), "this is " + t.describe()).label(p.type().span(), "the parameter"));
      return false;
    }
    if (p.mode() != Param.Mode.IN && t.access() == Access.IN) {
      l.error(Diagnostic.error(Code.NOT_ASSIGNABLE, "`" + t.name() + "` is read-only")
          .label(o.span(), "given for `" + p.name() + "`, which is written")
          .label(t.declared(), "declared without `out` or `inout`"));
      return false;
    }
    if (p.strides().isEmpty() && !t.contiguous()) {
      l.error(Diagnostic.error(Code.VIEW_SHAPE, "`" + p.name() + "` must be contiguous")
          .label(o.span(), "this has strides")
          .label(p.span(), "declared without `strides`"));
      return false;
    }
    return true;
  }

  private boolean scalar(Param p, TypeExpr.Scalar s, Operand o, Scope scope) {
    String type = s.element().text();
    Element e = type.equals("int") ? Element.I64 : l.types.element(s.element());
    if (e == null) {
      return false;
    }
    Val v;
    if (e.isInteger()) {
      v = l.ints.of(o);
    } else if (e.isBool() && o.val() instanceof Val.Bool b) {
      v = b;
    } else {
      Value x = o.val().shape().isEmpty() ? l.promotion.widenTo(o, e, "the parameter `" + p.name() + "` is") : null;
      if (x == null && !o.val().shape().isEmpty()) {
        l.promotion.wrongKind(o, "a scalar");
      }
      v = x == null ? null : new Val.Tile(x);
    }
    if (v == null) {
      return false;
    }
    scope.let(p.name().text(), v, p.span());
    return true;
  }

  private boolean constant(Constant c, Operand o, Scope scope) {
    boolean fine = o.val() instanceof Val.Int i && i.isKnown() || o.val() instanceof Val.Bool
        || o.val() instanceof Val.Num;
    if (!fine) {
      l.error(Diagnostic.error(Code.NOT_CONSTANT, "the constant `" + c.name() + "` must be known at compile time")
          .label(o.span(), "this is " + o.val().describe()).label(c.span(), "declared here"));
      return false;
    }
    scope.let(c.name().text(), o.val(), c.span());
    return true;
  }

  private void bindNames(Item.Kernel k, Param p, Operand o, boolean offset, Scope scope) {
    if (!(p.type() instanceof TypeExpr.Shaped s)) {
      return;
    }
    for (int d = 0; d < s.dims().size(); d++) {
      Expr dim = s.dims().get(d).bare();
      Optional<Name> name = KernelHead.bindable(dim);
      if (name.isEmpty() || offset == dim instanceof Expr.Ref || scope.find(name.get().text()) != null
          || l.library.constant(name.get().text()).isPresent() || hasDefault(k, name.get().text())) {
        continue;
      }
      Val.Int actual = ((Val.Tensor) o.val()).dims().get(d);
      scope.let(name.get().text(), offset ? less((Expr.Binary) dim, actual) : actual, name.get().span());
    }
  }

  private Val less(Expr.Binary b, Val.Int actual) {
    Expr literal = b.right().bare() instanceof Expr.IntLit ? b.right() : b.left();
    Val.Int n = l.ints.of(literal);
    return b.op() == Expr.BinaryOp.ADD ? l.ints.sub(actual, n, b.span()) : l.ints.add(actual, n, b.span());
  }

  private static boolean hasDefault(Item.Kernel k, String name) {
    return k.constants().stream().anyMatch(c -> c.name().text().equals(name) && c.value().isPresent());
  }

  private boolean defaulted(Constant c, Scope scope) {
    String name = c.name().text();
    Scope.Entry entry = scope.find(name);
    if (entry == null && c.value().isPresent()) {
      Val v = l.exprs.one(c.value().get());
      scope.let(name, v, c.span());
      return !v.failed();
    }
    if (entry == null) {
      l.error(Diagnostic.error(Code.UNBOUND, "nothing gives the constant `" + name + "` a value")
          .label(c.span(), "declared here").help("give it at the call: `" + name + " = 64`"));
      return false;
    }
    return !(entry.val() instanceof Val.Int i) || l.ints.known(i, c.span(), "the constant `" + name + "`").isPresent();
  }

  /** Checks the equations of a tensor and gives it its name inside the callee. */
  private boolean tensor(Param p, Operand o, Scope scope) {
    if (!(p.type() instanceof TypeExpr.Shaped s)) {
      return true;
    }
    Val.Tensor t = (Val.Tensor) o.val();
    List<Val.Int> dims = new ArrayList<>();
    for (int d = 0; d < s.dims().size(); d++) {
      Expr dim = s.dims().get(d);
      Val.Int wanted = l.ints.of(dim);
      if (wanted == null) {
        return false;
      }
      Val same = l.ints.compare(CompareKind.EQ, wanted, t.dims().get(d), dim.span());
      if (same instanceof Val.Bool b && !b.value()) {
        l.error(Diagnostic.error(Code.EQUATION, "dimension " + d + " of `" + p.name() + "` is " + t.dims().get(d).text()
                + ", but `" + dim.span().text() + "` is " + wanted.text())
            .label(o.span(), "this is " + t.describe()).label(dim.span(), "the parameter"));
        return false;
      }
      if (same instanceof Val.Tile x && !(wanted.value() == t.dims().get(d).value())) {
        l.append(dim.span(), new ControlOp.Assert(x.value(),
            "dimension " + d + " of `" + p.name() + "` must be `" + dim.span().text() + "`"));
      }
      dims.add(wanted.isKnown() ? wanted : t.dims().get(d));
    }
    scope.let(p.name().text(), new Val.Tensor(t.value(), t.element(), dims, Kernels.access(p), p.name().text(),
        t.contiguous(), p.span()), p.span());
    return true;
  }
}
