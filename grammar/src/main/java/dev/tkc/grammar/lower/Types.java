package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Index;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Types as written, in a place where every size must be known. */
final class Types {
  static final List<String> NAMES = Arrays.stream(Element.values()).map(Element::text).toList();

  private final Lowerer l;

  Types(Lowerer l) {
    this.l = l;
  }

  /** The element type of that name, a type parameter included; null after a report. */
  Element element(Name name) {
    Optional<Element> e = lookup(name);
    if (e.isPresent()) {
      return e.get();
    }
    Diagnostic d = Diagnostic.error(Code.UNKNOWN_TYPE, "there is no element type `" + name + "`")
        .label(name.span(), "not a type");
    Optional<String> close = foreign(name.text()).or(() -> Suggest.closest(name.text(), NAMES));
    l.error(close.isPresent()
        ? d.help("did you mean `" + close.get() + "`?", name.span(), close.get())
        : d.note("the element types are " + String.join(" ", NAMES)));
    return null;
  }

  Optional<Element> lookup(Name name) {
    Scope.Entry entry = l.scope().find(name.text());
    return entry != null && entry.val() instanceof Val.Type t ? Optional.of(t.element()) : Element.byText(name.text());
  }

  private static Optional<String> foreign(String word) {
    return switch (word) {
      case "float", "float32" -> Optional.of("f32");
      case "double", "float64" -> Optional.of("f64");
      case "half", "float16", "fp16" -> Optional.of("f16");
      case "bfloat16", "bfloat" -> Optional.of("bf16");
      case "int32" -> Optional.of("i32");
      case "int64", "long" -> Optional.of("i64");
      case "int8" -> Optional.of("i8");
      case "uint8", "byte" -> Optional.of("u8");
      case "uint32" -> Optional.of("u32");
      case "boolean" -> Optional.of("bool");
      default -> Optional.empty();
    };
  }

  /** The element type that an argument names, whatever its sizes are. */
  Optional<Element> written(Expr e) {
    Expr base = e.bare() instanceof Expr.At at ? at.base().bare() : e.bare();
    return base instanceof Expr.Ref r ? lookup(r.name()) : Optional.empty();
  }

  /** {@code f32[BM, BN]} or {@code f32} as an argument; null after a report. */
  TileType argument(Expr e) {
    Expr bare = e.bare();
    if (bare instanceof Expr.Ref r) {
      Element element = element(r.name());
      return element == null ? null : TileType.scalar(element);
    }
    if (bare instanceof Expr.At at && at.base().bare() instanceof Expr.Ref r) {
      List<Expr> dims = new ArrayList<>();
      for (Index i : at.indices()) {
        if (!(i instanceof Index.At a)) {
          l.error(Code.WRONG_KIND, i.span(), "a size is expected here", "in a type");
          return null;
        }
        dims.add(a.value());
      }
      return shaped(r.name(), dims, e);
    }
    Diagnostic d = Diagnostic.error(Code.WRONG_KIND, "a type such as `f32[64, 32]` is expected here")
        .label(e.span(), "this is none");
    l.error(e.bare() instanceof Expr.ListOf
        ? d.help("say what its elements are: `f32" + e.span().text() + "`", e.span(), "f32" + e.span().text()) : d);
    return null;
  }

  /** A type whose sizes must be known; null after a report. */
  TileType tile(TypeExpr type) {
    return switch (type) {
      case TypeExpr.Scalar s -> {
        Element e = element(s.element());
        yield e == null ? null : TileType.scalar(e);
      }
      case TypeExpr.Shaped s -> shaped(s.element(), s.dims(), s);
      case TypeExpr.AnyRank a -> {
        l.error(Code.WRONG_KIND, a.span(), "a type of any rank stands only among a function's parameters", "");
        yield null;
      }
    };
  }

  private TileType shaped(Name name, List<Expr> dims, dev.tkc.grammar.syntax.Node at) {
    Element e = element(name);
    List<Integer> shape = new ArrayList<>();
    boolean ok = e != null;
    for (Expr d : dims) {
      int n = l.ints.size(d, l.dimension());
      ok &= n >= 0;
      shape.add(Math.max(n, 0));
    }
    return ok && l.fits(shape, e, at.span()) ? TileType.of(e, shape) : null;
  }
}
