package dev.tkc.grammar.lower;

import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.op.MemoryOp.Access;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.Shapes;
import dev.tkc.ir.type.TileType;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What an expression stands for while it is lowered. Only {@link Tile}, {@link Range}, {@link Tensor} and a run-time
 * {@link Int} have emitted anything; the others are known now and take the type of the operation they meet.
 */
sealed interface Val {

  /** Stands in for what was reported as an error; whatever meets it is silent. */
  Val FAILED = new Failed();

  record Failed() implements Val {}

  /**
   * The language's {@code int}: a number known now, or an i64 scalar.
   *
   * @param known the number, or null
   * @param value the scalar, or null where the number is known
   * @param dim the run-time dimension that this is, or null; for messages
   */
  record Int(Long known, Value value, String dim) implements Val {
    static Int of(long n) {
      return new Int(n, null, null);
    }

    static Int of(Value value) {
      return new Int(null, value, null);
    }

    static Int dimension(Value value, String name) {
      return new Int(null, value, name);
    }

    boolean isKnown() {
      return known != null;
    }

    boolean is(long n) {
      return known != null && known == n;
    }

    String text() {
      return known != null ? Long.toString(known) : dim != null ? dim : "?";
    }
  }

  /** A literal or constant with a fraction; takes the float type of the operation. */
  record Num(double value) implements Val {}

  /** A truth value known now. */
  record Bool(boolean value) implements Val {}

  /** A tile, or a scalar of an element type: f32 parameters, bools found at run time, results of {@code as}. */
  record Tile(Value value) implements Val {
    TileType type() {
      return value.tile();
    }

    Element element() {
      return value.tile().element();
    }

    int rank() {
      return value.tile().rank();
    }
  }

  /**
   * A range of {@code size} lanes; lane t stands for {@code start + t * stride} and is valid if {@code t < left}.
   *
   * @param value the IR's range
   * @param left lanes up to the limit, may be beyond {@code size}; null where nothing but the tensor limits it
   * @param limit the position of the limit where it is known and the stride is 1, else null
   * @param position where its loop is; the round of the loop is {@code (position - first) / size}
   * @param first where its loop began
   */
  record Range(Value value, Int start, Int stride, Int left, Int limit, int size, Int position, Int first)
      implements Val {}

  /** A tensor in global memory. */
  record Tensor(Value value, Element element, List<Int> dims, Access access, String name, boolean contiguous,
      Span declared)
      implements Val {
    String text() {
      return element.text() + dims.stream().map(Int::text).collect(Collectors.joining(", ", "[", "]"));
    }
  }

  /** The results of a call that gives several. */
  record Many(List<Val> values) implements Val {}

  /** An element type that a type parameter stands for. */
  record Type(Element element) implements Val {}

  default boolean failed() {
    return this instanceof Failed;
  }

  /** The element type if this has one of its own. */
  default Element typed() {
    return this instanceof Tile t ? t.element() : null;
  }

  default List<Integer> shape() {
    return this instanceof Tile t ? t.type().shape() : List.of();
  }

  /** For labels: {@code f32[128, 64]}, {@code an int}. */
  default String describe() {
    return switch (this) {
      case Failed _ -> "an error";
      case Int i -> i.known != null ? "the int " + i.known : i.dim != null ? "the run-time dimension " + i.dim
          : "an int";
      case Num n -> "the constant " + n.value;
      case Bool b -> "the constant " + b.value;
      case Tile t -> t.element().text() + (t.rank() == 0 ? "" : Shapes.text(t.type().shape()));
      case Range r -> "a range of " + r.size + " lanes";
      case Tensor t -> "a tensor " + t.text();
      case Many m -> m.values.size() + " results";
      case Type t -> "the type " + t.element.text();
    };
  }
}
