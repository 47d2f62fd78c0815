package dev.tkc;

import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Domain;
import dev.tkc.grammar.syntax.Expr;
import dev.tkc.grammar.syntax.Index;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Stmt;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.ir.type.Element;
import java.lang.reflect.RecordComponent;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Which of a kernel's constants are only the sizes of its tiles, so that their values change its speed and rounding but
 * not what it computes: whole numbers with a power of two as their own value, that stand behind {@code by}, in the
 * shapes of tiles and as what {@code align_down} and {@code align_up} align to, and nowhere else. A constant that
 * appears in a parameter's type, a fact, an index or other arithmetic means something.
 */
final class TileConstants {
  private static final long LEAST = 16;

  private static final Set<String> ALIGNMENTS = Set.of("align_down", "align_up");
  private static final long UNKNOWN = 128;

  private final Set<String> names = new HashSet<>();
  private final Set<String> tiles = new HashSet<>();
  private final Set<String> otherwise = new HashSet<>();

  private TileConstants() {}

  /** Their names, in the order of the kernel's head. */
  static List<String> of(Item.Kernel kernel) {
    TileConstants t = new TileConstants();
    kernel.constants().stream().filter(c -> own(c).isPresent()).forEach(c -> t.names.add(c.name().text()));
    kernel.constants().forEach(c -> t.visit(c.value()));
    t.visit(kernel.params());
    t.visit(kernel.where());
    t.visit(kernel.body());
    return kernel.constants().stream().map(c -> c.name().text())
        .filter(n -> t.tiles.contains(n) && !t.otherwise.contains(n)).toList();
  }

  /** A constant's own value, if it is a power of two that could be a tile's size. */
  static Optional<Long> own(Constant c) {
    return c.value().map(Expr::bare).filter(e -> e instanceof Expr.IntLit)
        .map(e -> ((Expr.IntLit) e).value().longValueExact())
        .filter(n -> n >= LEAST && Long.bitCount(n) == 1);
  }

  /**
   * How many elements the dimensions have at most that a tile constant divides, for those that only known sizes bound.
   */
  static Map<String, Long> covered(Item.Kernel kernel, Map<String, Object> facts) {
    Map<String, Long> most = new HashMap<>();
    new Domains(d -> d.step().filter(s -> s.bare() instanceof Expr.Ref).ifPresent(s -> most.merge(
        ((Expr.Ref) s.bare()).name().text(), d.low().isEmpty() && d.high().bare() instanceof Expr.Ref high
            ? size(facts, high) : Long.MAX_VALUE, Math::max))).visit(kernel.body());
    return most;
  }

  /** A dimension of unknown size asks for no larger tiles: their addresses and guards would take too many registers. */
  private static long size(Map<String, Object> facts, Expr.Ref name) {
    return facts.get(name.name().text()) instanceof Long n ? n : UNKNOWN;
  }

  /** Shows every domain below a part of the tree. */
  private record Domains(Consumer<Domain> see) {
    void visit(Object part) {
      switch (part) {
        case Optional<?> o -> o.ifPresent(this::visit);
        case List<?> l -> l.forEach(this::visit);
        case Domain d -> see.accept(d);
        case Record r -> {
          for (RecordComponent c : r.getClass().getRecordComponents()) {
            visit(value(c, r));
          }
        }
        default -> { }
      }
    }
  }

  private Optional<String> constant(Expr e) {
    return e.bare() instanceof Expr.Ref r && names.contains(r.name().text()) ? Optional.of(r.name().text())
        : Optional.empty();
  }

  /** Sees every name below a part of the tree; one that is not at a place for tile sizes counts as another use. */
  private void visit(Object part) {
    switch (part) {
      case Optional<?> o -> o.ifPresent(this::visit);
      case List<?> l -> l.forEach(this::visit);
      case Domain d -> {
        visit(d.low());
        visit(d.high());
        d.step().ifPresent(s -> constant(s).ifPresentOrElse(tiles::add, () -> visit(s)));
      }
      case Stmt.Var v -> {
        v.type().ifPresent(t -> shape(t instanceof TypeExpr.Shaped s ? s.dims() : List.of()));
        visit(v.values());
      }
      case Expr.At at when isType(at.base()) -> at.indices().forEach(i -> {
        if (i instanceof Index.At x) {
          shape(List.of(x.value()));
        } else {
          visit(i);
        }
      });
      case Expr.Call c when ALIGNMENTS.contains(c.name().text()) && c.args().size() == 2 -> {
        visit(c.args().getFirst());
        shape(List.of(c.args().getLast().value()));
      }
      case Expr.Ref r -> {
        if (names.contains(r.name().text())) {
          otherwise.add(r.name().text());
        }
      }
      case Record r -> {
        for (RecordComponent c : r.getClass().getRecordComponents()) {
          visit(value(c, r));
        }
      }
      default -> { }
    }
  }

  private void shape(List<Expr> dims) {
    dims.stream().filter(d -> constant(d).isEmpty()).forEach(this::visit);
  }

  private static boolean isType(Expr base) {
    return base.bare() instanceof Expr.Ref r && Element.byText(r.name().text()).isPresent();
  }

  private static Object value(RecordComponent c, Record r) {
    try {
      return c.getAccessor().invoke(r);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(c + " of " + r.getClass().getSimpleName(), e);
    }
  }
}
