package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Param;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.Func;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.MemoryOp.Access;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.PointerType;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A kernel as a function of the IR: its parameters, its tensors, its body. */
final class Kernels {
  private final Lowerer l;
  private final Specialisation spec;
  private final List<dev.tkc.ir.Param> params = new ArrayList<>();

  Kernels(Lowerer l, Specialisation spec) {
    this.l = l;
    this.spec = spec;
  }

  /** Lowers into {@code body}, at which the walk's builder stands. */
  Func lower(Item.Kernel k, Region body) {
    KernelHead head = KernelHead.of(k, l.library);
    Scope scope = new Scope(null);
    l.setDeterministic(k.deterministic());
    l.inlined(k, k.name().text(), null, scope, () -> {
      Set<Param> wrong = head.check(l);
      parameters(head, wrong, scope);
      tensors(head, wrong, scope);
      new KernelBody(l, spec.schedule()).body(k.body());
      l.builder().at(l.loc(k.span())).yield(List.of());
      return null;
    });
    Func func = new Func(Func.Kind.KERNEL, k.name().text(), params, body, k.deterministic(), l.loc(k.name().span()));
    func.annotations().putAll(spec.schedule().function());
    return func;
  }

  /** What is {@code wrong} stands for nothing, so that the body is looked at without complaints that follow. */
  private void parameters(KernelHead head, Set<Param> wrong, Scope scope) {
    for (Constant c : head.kernel().constants()) {
      scope.let(c.name().text(), constant(c), c.span());
    }
    for (Param p : head.kernel().params()) {
      String name = p.name().text();
      if (wrong.contains(p)) {
        scope.let(name, Val.FAILED, p.span());
        continue;
      }
      boolean isInt = p.type().element().text().equals("int");
      Element e = isInt ? Element.I64 : l.types.element(p.type().element());
      if (p.type() instanceof TypeExpr.Scalar) {
        Value v = add(new Value(TileType.scalar(e), name), name);
        scope.let(name, l.scalarResult(p.span(), v), p.span());
      } else {
        add(new Value(new PointerType(e), name), name);
      }
    }
    for (String d : head.dims()) {
      Value v = add(new Value(TileType.integer(), d), d);
      scope.let(d, Val.Int.dimension(v, d), null);
    }
    for (String s : head.strides()) {
      scope.let(s, Val.Int.of(add(new Value(TileType.integer(), s), s)), null);
    }
  }

  private Value add(Value v, String name) {
    params.add(new dev.tkc.ir.Param(v, spec.divisibility().getOrDefault(name, 1)));
    return v;
  }

  private Val constant(Constant c) {
    Object value = spec.constants().get(c.name().text());
    return switch (value) {
      case Long n when isFloat(c) -> new Val.Num(n);
      case Long n -> Val.Int.of(n);
      case Integer n -> Val.Int.of(n.longValue());
      case Boolean b -> new Val.Bool(b);
      case Double x -> new Val.Num(x);
      case null, default -> throw new IllegalStateException("constant " + c.name() + " has the value " + value);
    };
  }

  private static boolean isFloat(Constant c) {
    return c.type().flatMap(t -> Element.byText(t.text())).filter(Element::isFloat).isPresent();
  }

  private void tensors(KernelHead head, Set<Param> wrong, Scope scope) {
    Map<String, Value> pointers = new java.util.HashMap<>();
    params.forEach(p -> pointers.putIfAbsent(p.value().name(), p.value()));
    for (Param p : head.kernel().params()) {
      if (p.type() instanceof TypeExpr.Shaped s && !wrong.contains(p)) {
        tensor(p, s, pointers.get(p.name().text()), scope);
      }
    }
  }

  private void tensor(Param p, TypeExpr.Shaped type, Value pointer, Scope scope) {
    List<Val.Int> dims = ints(type.dims());
    List<Val.Int> strides = p.strides().isEmpty() ? contiguous(l, dims, p.span()) : ints(p.strides());
    if (dims.contains(null) || strides.contains(null)) {
      scope.let(p.name().text(), Val.FAILED, p.span());
      return;
    }
    Access access = access(p);
    Value v = l.emit(p.span(),
        new MemoryOp.MakeTensor(pointer, values(dims, p.span()), values(strides, p.span()), access, p.name().text()));
    v.setName("t" + p.name().text());
    Element e = ((PointerType) pointer.type()).element();
    scope.let(p.name().text(), new Val.Tensor(v, e, dims, access, p.name().text(), p.strides().isEmpty(), p.span()),
        p.span());
  }

  static Access access(Param p) {
    return switch (p.mode()) {
      case IN -> Access.IN;
      case OUT -> Access.OUT;
      case INOUT -> Access.INOUT;
    };
  }

  private List<Val.Int> ints(List<Expr> exprs) {
    List<Val.Int> out = new ArrayList<>();
    exprs.forEach(e -> out.add(l.ints.of(e)));
    return out;
  }

  private List<Value> values(List<Val.Int> ints, Span at) {
    return ints.stream().map(i -> l.ints.value(i, at)).toList();
  }

  /** Row-major strides, in elements. */
  static List<Val.Int> contiguous(Lowerer l, List<Val.Int> dims, Span at) {
    if (dims.contains(null)) {
      return dims;
    }
    List<Val.Int> strides = new ArrayList<>();
    Val.Int s = Val.Int.of(1);
    for (int i = dims.size() - 1; i >= 0; i--) {
      strides.add(0, s);
      s = i > 0 ? l.ints.mul(dims.get(i), s, at) : s;
    }
    return strides;
  }
}
