package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.grammar.syntax.Param;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.Builder;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A function checked by itself, for sample arguments. A generic function need not take every type and rank, so it is in
 * error only if none of several samples passes; then the findings of the sample with the fewest are reported.
 */
final class FnSamples {
  private static final List<Element> ELEMENTS = List.of(Element.F32, Element.BF16, Element.I32, Element.F64,
      Element.BOOL, Element.U8);
  private static final long[][] SIZES = {
    {48, 80, 112, 176, 208, 272}, {64, 128, 32, 256, 16, 512}, {8, 4, 16, 2, 32, 64}, {2, 4, 1, 8, 16, 32},
        {7, 5, 3, 11, 13, 17}
  };

  private FnSamples() {}

  static void check(Library library, Item.Fn fn, Findings findings) {
    Set<String> names = new HashSet<>();
    for (Param p : fn.params()) {
      if (!names.add(p.name().text())) {
        findings.add(
            Diagnostic.error(Code.DUPLICATE_NAME, p.name().span(), "two parameters are called `" + p.name() + "`"));
        return;
      }
    }
    boolean generic = fn.params().stream().anyMatch(p -> isTypeParameter(p.type().element()));
    boolean anyRank = fn.params().stream().anyMatch(p -> p.type() instanceof TypeExpr.AnyRank);
    Findings best = null;
    for (Lowerer.Place place : new Lowerer.Place[] {Lowerer.Place.PHASE, Lowerer.Place.HOST}) {
      for (int rank = 2; rank <= (anyRank ? 4 : 2); rank = rank == 2 && anyRank ? 1 : rank == 1 ? 0 : rank == 0 ? 3
          : rank + 1) {
        for (Element e : generic ? ELEMENTS : List.of(Element.F32)) {
          for (long[] sizes : SIZES) {
            Findings run = new Findings();
            attempt(library, fn, e, rank, sizes, place, run);
            if (run.errors() == 0) {
              return;
            }
            if (run.list().stream().anyMatch(d -> d.code() == Code.PROGRAM_SIZE)) {
              run.list().forEach(findings::add);
              return;
            }
            best = best == null || run.errors() < best.errors() ? run : best;
          }
        }
      }
    }
    best.list().forEach(findings::add);
  }

  private static boolean isTypeParameter(Name name) {
    return Element.byText(name.text()).isEmpty() && !name.text().equals("int");
  }

  private static void attempt(
      Library library, Item.Fn fn, Element e, int rank, long[] sizes, Lowerer.Place place, Findings findings) {
    Lowering.guarded(findings, fn.name().span(), () -> {
      Lowerer l = new Lowerer(library, findings, new Builder(new Region()), place, null);
      Map<String, Long> dims = new HashMap<>();
      Scope known = new Scope(null);
      List<Operand> args = new ArrayList<>();
      for (Param p : fn.params()) {
        args.add(new Operand(sample(l, p, e, rank, sizes, dims, known), p.span()));
      }
      l.samples().putAll(dims);
      l.fns.sample(fn, args);
    });
  }

  private static Val sample(Lowerer l, Param p, Element generic, int rank, long[] sizes, Map<String, Long> dims,
      Scope known) {
    String type = p.type().element().text();
    Element e = Element.byText(type).orElse(generic);
    return switch (p.type()) {
      case TypeExpr.Scalar _ when type.equals("int") || e.isInteger() -> {
        long n = size(p.name().text(), sizes, dims);
        known.let(p.name().text(), Val.Int.of(n), null);
        yield Val.Int.of(n);
      }
      case TypeExpr.Scalar _ -> new Val.Tile(new Value(TileType.scalar(e)));
      case TypeExpr.AnyRank _ -> {
        List<Integer> shape = new ArrayList<>();
        for (int i = 0; i < rank; i++) {
          shape.add((int) sizes[i]);
        }
        yield new Val.Tile(new Value(TileType.of(e, shape)));
      }
      case TypeExpr.Shaped s -> {
        List<Integer> shape = new ArrayList<>();
        for (Expr d : s.dims()) {
          shape.add((int) dimension(l, d, sizes, dims, known));
        }
        yield new Val.Tile(new Value(TileType.of(e, shape)));
      }
    };
  }

  private static long dimension(Lowerer l, Expr d, long[] sizes, Map<String, Long> dims, Scope known) {
    for (Name n : KernelHead.names(d)) {
      if (l.library.constant(n.text()).isEmpty()) {
        known.let(n.text(), Val.Int.of(size(n.text(), sizes, dims)), null);
      }
    }
    OptionalLong n = l.within(known, () -> l.ints.known(d, "a size of a parameter"));
    return Math.clamp(n.orElse(1), 1, 1 << 20);
  }

  private static long size(String name, long[] sizes, Map<String, Long> dims) {
    return dims.computeIfAbsent(name, _ -> sizes[dims.size() % sizes.length]);
  }
}
