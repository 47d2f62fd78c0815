package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Expr;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The arguments of one call, by parameter; {@code rest} are those of a leading variadic parameter. */
record Arguments(Lowerer l, Expr.Call call, Map<String, Expr> named, List<Expr> rest) {

  /** What a callee takes: names in order, which of them may be left out, and a leading list of any length. */
  record Signature(String name, List<String> params, List<String> optional, boolean variadic) {
    String text() {
      List<String> parts = new ArrayList<>();
      if (variadic) {
        parts.add("x, …");
      }
      for (String p : params) {
        parts.add(optional.contains(p) ? p + " = …" : p);
      }
      return name + "(" + String.join(", ", parts) + ")";
    }

    /** The parameters in order, and which may be left out. */
    String note() {
      List<String> free = params.stream().filter(optional::contains).map(p -> "`" + p + "`").toList();
      return "it is `" + text() + "`" + (free.isEmpty() ? "" : "; " + String.join(", ", free) + " may be left out");
    }
  }

  /** Sorts arguments by parameter, or empty after a report. */
  static Optional<Arguments> bind(Lowerer l, Expr.Call call, Signature s) {
    Map<String, Expr> named = new LinkedHashMap<>();
    List<Expr> rest = new ArrayList<>();
    int next = 0;
    boolean ok = true;
    for (Expr.Arg a : call.args()) {
      if (a.name().isEmpty()) {
        if (s.variadic()) {
          rest.add(a.value());
        } else if (next < s.params().size()) {
          String p = s.params().get(next++);
          if (named.putIfAbsent(p, a.value()) != null) {
            ok = twice(l, p, a.value().span());
          }
        } else {
          l.error(Diagnostic.error(Code.ARGUMENTS, "`" + s.name() + "` takes " + (s.params().isEmpty()
                  ? "no arguments" : s.params().size() == 1 ? "one argument"
                  : "at most " + s.params().size() + " arguments"))
              .label(a.value().span(), "one too many")
              .note(s.note()));
          return Optional.empty();
        }
        continue;
      }
      String word = a.name().get().text();
      if (!s.params().contains(word)) {
        Diagnostic d = Diagnostic.error(Code.ARGUMENTS, "`" + s.name() + "` has no parameter `" + word + "`")
            .label(a.name().get().span(), "not a parameter")
            .note(s.note());
        // One that has its argument already is hardly meant.
        var close = Suggest.closest(word, s.params().stream().filter(p -> !named.containsKey(p)).toList());
        l.error(close.isPresent()
            ? d.help("did you mean `" + close.get() + "`?", a.name().get().span(), close.get()) : d);
        ok = false;
      } else if (named.putIfAbsent(word, a.value()) != null) {
        ok = twice(l, word, a.name().get().span());
      }
    }
    List<String> missing = s.params().stream().filter(p -> !named.containsKey(p) && !s.optional().contains(p)).toList();
    if (ok && (!missing.isEmpty() || s.variadic() && rest.isEmpty())) {
      String what = missing.isEmpty() ? "a tile" : "`" + String.join("`, `", missing) + "`";
      l.error(Diagnostic.error(Code.ARGUMENTS, "`" + s.name() + "` lacks " + what)
          .label(call.span(), "missing: " + what)
          .note(s.note()));
      ok = false;
    }
    return ok ? Optional.of(new Arguments(l, call, named, rest)) : Optional.empty();
  }

  private static boolean twice(Lowerer l, String param, Span at) {
    l.error(Code.ARGUMENTS, at, "`" + param + "` is given twice", "given again here");
    return false;
  }

  boolean has(String param) {
    return named.containsKey(param);
  }

  Expr expr(String param) {
    return named.get(param);
  }

  Operand operand(String param) {
    return l.exprs.operand(named.get(param));
  }

  Span span() {
    return call.span();
  }

  /** A boolean that must be known; null after a report. */
  Boolean flag(String param) {
    if (!has(param)) {
      return false;
    }
    Operand o = operand(param);
    if (o.val() instanceof Val.Bool b) {
      return b.value();
    }
    if (!o.val().failed()) {
      l.error(Code.NOT_CONSTANT, o.span(), "`" + param + "` is `true` or `false`, known at compile time",
          "this is " + o.val().describe());
    }
    return null;
  }

  /** A tile, or null after a report. */
  Val.Tile tile(Operand o) {
    if (o.val() instanceof Val.Tile t && t.rank() > 0) {
      return t;
    }
    l.promotion.wrongKind(o, "a tile");
    return null;
  }

  /** An axis of a tile, negative ones from the end; −1 after a report. */
  int axis(Expr e, Operand tile) {
    var n = l.ints.known(e, "an axis");
    int rank = tile.val().shape().size();
    if (n.isEmpty()) {
      return -1;
    }
    long a = n.getAsLong() < 0 ? n.getAsLong() + rank : n.getAsLong();
    if (a < 0 || a >= rank) {
      l.error(Diagnostic.error(Code.AXIS, "there is no axis " + n.getAsLong())
          .label(e.span(),
              "axes are " + (rank == 0 ? "none" : "0 to " + (rank - 1) + ", or −1 to −" + rank + " from the end"))
          .label(tile.span(), "this is " + tile.val().describe()));
      return -1;
    }
    return (int) a;
  }

  /** One axis or a list of them; null after a report. */
  List<Integer> axes(Expr e, Operand tile) {
    List<Expr> all = e.bare() instanceof Expr.ListOf list ? list.elements() : List.of(e);
    List<Integer> axes = new ArrayList<>();
    for (Expr a : all) {
      int n = axis(a, tile);
      if (n < 0) {
        return null;
      }
      if (axes.contains(n)) {
        l.error(Code.AXIS, a.span(), "axis " + n + " is named twice", "again here");
        return null;
      }
      axes.add(n);
    }
    java.util.Collections.sort(axes);
    return axes;
  }

  /** A list of known sizes; null after a report. */
  List<Integer> sizes(Expr e, String what) {
    if (!(e.bare() instanceof Expr.ListOf list)) {
      l.error(Code.WRONG_KIND, e.span(), "a list of sizes such as `[4, 8]` is expected here", "");
      return null;
    }
    List<Integer> out = new ArrayList<>();
    boolean ok = true;
    for (Expr d : list.elements()) {
      int n = l.ints.size(d, what);
      ok &= n >= 0;
      out.add(n);
    }
    return ok ? out : null;
  }
}
