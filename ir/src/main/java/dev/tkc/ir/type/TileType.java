package dev.tkc.ir.type;

import dev.tkc.ir.layout.LayoutText;
import dev.tkc.ir.layout.LinearLayout;
import java.util.List;
import java.util.Objects;

/**
 * A tile: an immutable array of constant shape. Rank 0 is a scalar, so scalars and tiles share every elementwise op.
 *
 * <p>{@code layout} says how the elements lie over registers, lanes and warps. It is null at the tile and staged
 * levels, and for scalars at any level (a scalar is uniform over the block); at the placed level every tile of rank
 * 1 and up has one. A layout never changes a program's meaning.
 */
public record TileType(Element element, List<Integer> shape, LinearLayout layout) implements Type {
  public TileType {
    Objects.requireNonNull(element);
    shape = List.copyOf(shape);
    for (int d : shape) {
      if (d < 0) {
        throw new IllegalArgumentException("negative dimension in " + shape);
      }
    }
  }

  public static TileType of(Element element, List<Integer> shape) {
    return new TileType(element, shape, null);
  }

  public static TileType of(Element element, int... shape) {
    return new TileType(element, java.util.Arrays.stream(shape).boxed().toList(), null);
  }

  public static TileType scalar(Element element) {
    return new TileType(element, List.of(), null);
  }

  /** The language's {@code int}. */
  public static TileType integer() {
    return scalar(Element.I64);
  }

  public static TileType bool() {
    return scalar(Element.BOOL);
  }

  public int rank() {
    return shape.size();
  }

  public boolean isScalar() {
    return shape.isEmpty();
  }

  public long count() {
    return Shapes.count(shape);
  }

  public TileType withElement(Element e) {
    return new TileType(e, shape, layout);
  }

  /** The same element with another shape, without a layout. */
  public TileType withShape(List<Integer> s) {
    return new TileType(element, s, null);
  }

  public TileType withLayout(LinearLayout l) {
    return new TileType(element, shape, l);
  }

  public TileType withoutLayout() {
    return layout == null ? this : new TileType(element, shape, null);
  }

  @Override
  public String text() {
    if (layout != null) {
      return element.text() + "[" + Shapes.text(shape).replaceAll("[\\[\\]]", "") + "; "
          + LayoutText.print(layout) + "]";
    }
    return shape.isEmpty() ? element.text() : element.text() + Shapes.text(shape);
  }

  @Override
  public String toString() {
    return text();
  }
}
