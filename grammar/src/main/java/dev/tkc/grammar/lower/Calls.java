package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Which function a call means, and the values of {@code const} items. */
final class Calls {
  private final Lowerer l;
  private final List<Item.Const> open = new ArrayList<>();

  Calls(Lowerer l) {
    this.l = l;
  }

  Val call(Expr.Call call) {
    String name = call.name().text();
    if (l.library.isAmbiguous(name)) {
      arguments(call);
      return Val.FAILED;
    }
    Builtins.Builtin builtin = Builtins.TABLE.get(name);
    if (builtin != null) {
      return builtin(builtin, call);
    }
    Optional<Item.Fn> fn = l.library.function(name);
    if (fn.isPresent()) {
      return l.fns.call(fn.get(), call);
    }
    arguments(call);
    if (l.library.kernel(name).isPresent()) {
      return l.error(Diagnostic.error(Code.POSITION, "a kernel gives no value")
          .label(call.span(), "`" + name + "` is a kernel")
          .help("call it as a statement; it writes its `out` arguments"));
    }
    return l.error(unknown(call.name()));
  }

  /** Looks at the arguments of a call of which nothing else can be said; types and words among them are no values. */
  void arguments(Expr.Call call) {
    call.args().stream()
        .filter(a -> a.name().isEmpty() || !Set.of("fn", "precision").contains(a.name().get().text()))
        .map(Expr.Arg::value)
        .filter(e -> l.types.written(e).isEmpty() && !(e.bare() instanceof Expr.ListOf))
        .forEach(l.exprs::value);
  }

  private Val builtin(Builtins.Builtin b, Expr.Call call) {
    if (b.testOnly() && !l.isHost()) {
      Diagnostic d = Diagnostic.error(Code.TEST_ONLY, "`" + call.name() + "` is for tests only")
          .label(call.span(), "not in a kernel or function");
      return l.error(d.help(switch (call.name().text()) {
        case "len" -> "a tensor's sizes are the names in its type: `x: f32[M, N]`";
        case "empty" -> "`zeros(T[…])` and `fill(x, T[…])` make tiles";
        default -> "`uniform(seed, offset)` and `philox(seed, offset)` give random numbers in a kernel";
      }));
    }
    Optional<Arguments> bound = Arguments.bind(l, call, b.signature());
    if (bound.isEmpty()) {
      arguments(call);
    }
    return bound.map(a -> b.lowering().apply(a)).orElse(Val.FAILED);
  }

  Diagnostic unknown(Name name) {
    Diagnostic d = Diagnostic.error(Code.UNKNOWN_FUNCTION, "there is no function `" + name + "`")
        .label(name.span(), "not found");
    Optional<String> instead = instead(name.text());
    if (instead.isPresent()) {
      return d.help(instead.get());
    }
    Optional<String> close = foreign(name.text()).or(() -> Suggest.closest(name.text(), l.library.callable()));
    return close.map(c -> d.help("did you mean `" + c + "`?", name.span(), c)).orElse(d);
  }

  /** How that is said which other languages have a function for. */
  private static Optional<String> instead(String word) {
    if (Element.byText(word).isPresent()) {
      return Optional.of("conversions are written `x as " + word + "`");
    }
    return Optional.ofNullable(switch (word) {
      case "range" -> "ranges are written `lo..hi`, `N`, or in tiles `N by 64`";
      case "cast", "astype", "int", "float", "half" -> "conversions are written `x as f32`";
      case "load" -> "a tile is loaded by its indices: `x[i, j]`";
      case "store" -> "a tile is stored by an assignment: `x[i, j] = tile`";
      case "__syncthreads", "syncthreads", "barrier", "sync" -> "the compiler puts barriers where they are needed";
      case "program_id" -> "blocks are told apart by the variables of `parallel`";
      default -> null;
    });
  }

  private static Optional<String> foreign(String word) {
    return switch (word) {
      case "maximum" -> Optional.of("max");
      case "minimum" -> Optional.of("min");
      case "matmul" -> Optional.of("dot");
      case "arange" -> Optional.of("iota");
      case "full" -> Optional.of("fill");
      case "transpose" -> Optional.of("permute");
      case "select" -> Optional.of("where");
      case "pow" -> Optional.of("**");
      default -> Optional.empty();
    };
  }

  /** The value of a {@code const}, which is lowered where it is used. */
  Val constant(Item.Const item, Span use) {
    if (open.contains(item)) {
      return l.error(Diagnostic.error(Code.RECURSION, "`" + item.name() + "` is defined by itself")
          .label(item.name().span(), "its value needs its value"));
    }
    open.add(item);
    try {
      return l.within(new Scope(null), () -> {
        Operand v = l.exprs.operand(item.value());
        if (item.type().isEmpty() || v.val().failed()) {
          return v.val();
        }
        return typed(item.type().get(), v);
      });
    } finally {
      open.remove(item);
    }
  }

  private Val typed(TypeExpr type, Operand v) {
    String name = type.element().text();
    if (name.equals("int") && type instanceof TypeExpr.Scalar) {
      Val.Int i = l.ints.of(v);
      return i == null ? Val.FAILED : i;
    }
    TileType t = l.types.tile(type);
    if (t == null) {
      return Val.FAILED;
    }
    if (!t.isScalar() || v.val() instanceof Val.Int && t.element().isInteger() || v.val() instanceof Val.Bool
        && t.element().isBool()) {
      return t.isScalar() ? v.val() : l.error(Code.WRONG_KIND, type.span(), "a constant is a scalar", "not a tile");
    }
    Value x = l.promotion.widenTo(v, t.element(), "the constant is");
    return x == null ? Val.FAILED : l.result(x);
  }
}
