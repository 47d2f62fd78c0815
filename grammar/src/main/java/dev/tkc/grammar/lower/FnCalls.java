package dev.tkc.grammar.lower;

import dev.tkc.grammar.lower.Arguments.Signature;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Param;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Plural;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Calls of the program's functions, inlined: parameters matched with arguments, sizes and type parameters inferred. */
final class FnCalls {
  private final Lowerer l;

  FnCalls(Lowerer l) {
    this.l = l;
  }

  Val call(Item.Fn fn, Expr.Call call) {
    List<String> params = fn.params().stream().map(p -> p.name().text()).toList();
    Optional<Arguments> args = Arguments.bind(l, call, new Signature(fn.name().text(), params, List.of(), false));
    if (args.isEmpty()) {
      l.calls.arguments(call);
      return Val.FAILED;
    }
    List<Operand> operands = params.stream().map(p -> args.get().operand(p)).toList();
    return call(fn, operands, call.span());
  }

  /** Inlines a function for arguments in the order of its parameters. */
  Val call(Item.Fn fn, List<Operand> args, Span at) {
    return call(fn, args, at, at);
  }

  /** Looks at a function by itself, for sample arguments: nothing calls it. */
  Val sample(Item.Fn fn, List<Operand> args) {
    return call(fn, args, fn.name().span(), null);
  }

  private Val call(Item.Fn fn, List<Operand> args, Span at, Span caller) {
    if (args.stream().anyMatch(o -> o.val().failed())) {
      return Val.FAILED;
    }
    if (args.size() != fn.params().size()) {
      return l.error(Diagnostic.error(Code.ARGUMENTS,
          "`" + fn.name() + "` has " + Plural.of(fn.params().size(), "parameter"))
          .label(at, args.size() == 1 ? "1 value is given" : args.size() + " values are given")
          .label(fn.name().span(), "declared here"));
    }
    List<Lowerer.Frame> frames = l.frames();
    if (frames.stream().anyMatch(f -> f.item() == fn) || frames.size() > 200) {
      return l.error(Diagnostic.error(Code.RECURSION, "`" + fn.name() + "` calls itself")
          .label(at, "called again here")
          .label(fn.name().span(), "declared here")
          .note("functions are inlined, so none can call itself, not even through others")
          .help("use a loop with variables"));
    }
    Scope scope = new Scope(null);
    boolean matched = l.inlined(fn, fn.name().text(), caller, scope, () -> match(fn, args, scope));
    return matched ? l.inlined(fn, fn.name().text(), caller, scope, () -> body(fn)) : Val.FAILED;
  }

  private Val body(Item.Fn fn) {
    if (fn.where().isPresent() && !fact(fn.where().get(), fn.name().text())) {
      return Val.FAILED;
    }
    int before = l.findings.errors();
    List<Operand> results = l.statements.function(fn.body(), r -> results(fn, r));
    if (results == null) {
      if (l.findings.errors() == before) {
        l.error(Diagnostic.error(Code.RETURN, "`" + fn.name() + "` ends without a `return`")
            .label(new Span(fn.body().span().source(), fn.body().span().end() - 1, fn.body().span().end()),
                "nothing is returned here"));
      }
      return Val.FAILED;
    }
    if (results.stream().anyMatch(o -> o.val().failed())) {
      return Val.FAILED;
    }
    return results.size() == 1 ? results.get(0).val() : new Val.Many(results.stream().map(Operand::val).toList());
  }

  /** A `where` fact of what is being inlined: checked now if it can be, else asserted. */
  boolean fact(Expr fact, String callee) {
    Val v = l.branches.condition(fact);
    if (v instanceof Val.Bool b && !b.value()) {
      l.error(Diagnostic.error(Code.FACT,
          "`" + callee + "` needs `" + fact.span().text() + "`, which does not hold here")
          .label(fact.span(), "this fact"));
      return false;
    }
    if (v instanceof Val.Tile t) {
      l.append(fact.span(), new ControlOp.Assert(t.value(), "`" + callee + "` needs `" + fact.span().text() + "`"));
    }
    return !v.failed();
  }

  // ------------------------------------------------------------------------------------------------ parameters

  private boolean match(Item.Fn fn, List<Operand> args, Scope scope) {
    int n = args.size();
    boolean ok = true;
    for (int i = 0; i < n; i++) {
      ok &= kind(fn.params().get(i), args.get(i), scope);
    }
    if (!ok) {
      return false;
    }
    for (int i = 0; i < n; i++) {
      typeParameter(fn.params().get(i), args.get(i), scope);
    }
    for (int i = 0; i < n; i++) {
      bindSizes(fn.params().get(i), args.get(i), scope);
    }
    for (int i = 0; i < n; i++) {
      ok &= sizesFit(fn.params().get(i), args.get(i));
    }
    for (int i = 0; ok && i < n; i++) {
      ok = bind(fn.params().get(i), args.get(i), scope);
    }
    return ok;
  }

  /** Whether an argument can be this parameter at all; int and bool parameters get their value, for sizes to use. */
  private boolean kind(Param p, Operand arg, Scope scope) {
    if (p.mode() != Param.Mode.IN || !p.strides().isEmpty()) {
      l.error(Code.POSITION, p.span(), "a function has plain parameters only",
          "`out`, `inout` and `strides` are for kernels");
      return false;
    }
    if (arg.val() instanceof Val.Tensor || arg.val() instanceof Val.Range || arg.val() instanceof Val.Many
        || arg.val() instanceof Val.Type) {
      l.promotion.wrongKind(arg, "a tile or a number");
      return false;
    }
    String type = p.type().element().text();
    boolean scalar = p.type() instanceof TypeExpr.Scalar;
    if (scalar && isInt(type) && !(arg.val() instanceof Val.Tile t && t.rank() == 0 && !type.equals("int"))) {
      Val.Int i = l.ints.of(arg);
      if (i != null) {
        scope.let(p.name().text(), i, p.name().span());
      }
      return i != null;
    }
    int rank = arg.val().shape().size();
    int wanted = switch (p.type()) {
      case TypeExpr.Scalar _ -> 0;
      case TypeExpr.Shaped s -> s.dims().size();
      case TypeExpr.AnyRank _ -> rank;
    };
    if (rank != wanted) {
      String help = rank == 1 && wanted == 2 ? "give it its second dimension with `_`: `x[_, :]` or `x[:, _]`" : null;
      Diagnostic d = Diagnostic.error(Code.PARAMETER,
          "`" + p.name() + "` has rank " + wanted + ", the argument has rank " + rank)
          .label(arg.span(), "this is " + arg.val().describe())
          .label(p.span(), "the parameter");
      l.error(help == null ? d : d.help(help));
      return false;
    }
    return true;
  }

  private static boolean isInt(String type) {
    return type.equals("int") || Element.byText(type).filter(e -> e.isInteger() && !e.isStorageOnly()).isPresent();
  }

  /** An unknown name in element position stands for the wider of the elements given for it. */
  private void typeParameter(Param p, Operand arg, Scope scope) {
    String name = p.type().element().text();
    if (Element.byText(name).isPresent() || name.equals("int")) {
      return;
    }
    Element e = arg.val().typed();
    Scope.Entry before = scope.find(name);
    if (before != null && before.val() instanceof Val.Type t) {
      Element joined = e == null ? t.element() : Promotion.join(t.element(), e);
      if (joined != null) {
        scope.let(name, new Val.Type(joined), before.declared());
      }
      return;
    }
    Element found = e != null ? e : switch (arg.val()) {
      case Val.Int _ -> Element.I32;
      case Val.Bool _ -> Element.BOOL;
      case Val.Num _, Val.Failed _, Val.Tile _, Val.Range _, Val.Tensor _, Val.Many _, Val.Type _ -> Element.F32;
    };
    if (before == null) {
      scope.let(name, new Val.Type(found), p.type().element().span());
    }
  }

  private void bindSizes(Param p, Operand arg, Scope scope) {
    if (p.type() instanceof TypeExpr.Shaped s) {
      for (int d = 0; d < s.dims().size(); d++) {
        if (s.dims().get(d).bare() instanceof Expr.Ref r && isFree(r, scope)) {
          scope.let(r.name().text(), Val.Int.of(arg.val().shape().get(d)), r.name().span());
        }
      }
    }
  }

  private boolean isFree(Expr.Ref r, Scope scope) {
    return scope.find(r.name().text()) == null && l.library.constant(r.name().text()).isEmpty();
  }

  private boolean sizesFit(Param p, Operand arg) {
    if (!(p.type() instanceof TypeExpr.Shaped s)) {
      return true;
    }
    boolean ok = true;
    for (int d = 0; d < s.dims().size(); d++) {
      Expr dim = s.dims().get(d);
      int actual = arg.val().shape().get(d);
      var wanted = l.ints.known(dim, "a size of a parameter");
      if (wanted.isPresent() && wanted.getAsLong() != actual) {
        l.error(Diagnostic.error(Code.PARAMETER,
            "dimension " + d + " of `" + p.name() + "` is " + actual + ", not " + wanted.getAsLong())
            .label(arg.span(), "this is " + arg.val().describe())
            .label(dim.span(), "`" + dim.span().text() + "` is " + wanted.getAsLong()));
      }
      ok &= wanted.isPresent() && wanted.getAsLong() == actual;
    }
    return ok;
  }

  private boolean bind(Param p, Operand arg, Scope scope) {
    String name = p.name().text();
    if (scope.hasHere(name) && p.type() instanceof TypeExpr.Scalar && !(scope.find(name).val() instanceof Val.Type)) {
      return true;
    }
    Element e = l.types.element(p.type().element());
    if (e == null) {
      return false;
    }
    boolean asIs = arg.val() instanceof Val.Bool && e.isBool()
        || p.type() instanceof TypeExpr.Scalar && arg.val().typed() == null && arg.val() instanceof Val.Int
        && e.isInteger();
    Val v = arg.val();
    if (!asIs) {
      Value x = l.promotion.widenTo(arg, e, "the parameter `" + name + "` is");
      if (x == null) {
        return false;
      }
      v = l.result(x);
    }
    scope.let(name, v, p.name().span());
    return true;
  }

  // ------------------------------------------------------------------------------------------------ results

  /** What a {@code return} gives, in the declared types. */
  private List<Operand> results(Item.Fn fn, List<Operand> given) {
    if (fn.results().isEmpty()) {
      return given;
    }
    if (given.size() != fn.results().size()) {
      l.error(Diagnostic.error(Code.RESULT_COUNT,
          "`" + fn.name() + "` has " + fn.results().size() + " results, this returns " + given.size())
          .label(given.get(0).span().to(given.get(given.size() - 1).span()), "returned here")
          .label(fn.results().get(0).span().to(fn.results().get(fn.results().size() - 1).span()), "declared here"));
      return List.of(new Operand(Val.FAILED, given.get(0).span()));
    }
    List<Operand> out = new ArrayList<>();
    for (int i = 0; i < given.size(); i++) {
      out.add(new Operand(result(fn.results().get(i), given.get(i)), given.get(i).span()));
    }
    return out;
  }

  private Val result(TypeExpr type, Operand given) {
    if (given.val().failed()) {
      return Val.FAILED;
    }
    boolean scalar = type instanceof TypeExpr.Scalar;
    if (scalar && isInt(type.element().text()) && !(given.val() instanceof Val.Tile)) {
      Val.Int i = l.ints.of(given);
      return i == null ? Val.FAILED : i;
    }
    Element e = type.element().text().equals("int") ? Element.I64 : l.types.element(type.element());
    Value v = e == null ? null : l.promotion.widenTo(given, e, "the result is declared as");
    if (v == null) {
      return Val.FAILED;
    }
    if (type instanceof TypeExpr.AnyRank) {
      return l.result(v);
    }
    List<Integer> shape = scalar ? List.of() : Optional.ofNullable(l.types.tile(type)).map(t -> t.shape()).orElse(null);
    if (shape == null) {
      return Val.FAILED;
    }
    if (!v.tile().shape().equals(shape)) {
      return l.error(Diagnostic.error(Code.SHAPE_MISMATCH, "the result does not have its declared shape")
          .label(given.span(), "this is " + given.val().describe())
          .label(type.span(), "declared as " + e.text() + (scalar ? "" : dev.tkc.ir.type.Shapes.text(shape))));
    }
    return l.result(v);
  }
}
