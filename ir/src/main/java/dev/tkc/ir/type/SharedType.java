package dev.tkc.ir.type;

import dev.tkc.ir.layout.LayoutText;
import dev.tkc.ir.layout.LinearLayout;
import java.util.List;
import java.util.Objects;

/**
 * A buffer in the memory that the threads of a block share: {@code stages} slots, each a tile of {@code shape}.
 *
 * <p>{@code layout} maps an element's offset in its slot (input dimension {@code offset}, in elements) to its tile
 * coordinates, so swizzles are ordinary layouts; null until the placed level, where it is a bijection on the
 * power-of-two cover of the shape.
 */
public record SharedType(Element element, List<Integer> shape, int stages, LinearLayout layout) implements Type {
  public SharedType {
    Objects.requireNonNull(element);
    shape = List.copyOf(shape);
    if (stages < 1) {
      throw new IllegalArgumentException("a shared buffer has at least one stage, not " + stages);
    }
  }

  public static SharedType of(Element element, List<Integer> shape, int stages) {
    return new SharedType(element, shape, stages, null);
  }

  public SharedType withLayout(LinearLayout l) {
    return new SharedType(element, shape, stages, l);
  }

  /** The type of one slot's contents, as a tile. */
  public TileType tile() {
    return TileType.of(element, shape);
  }

  @Override
  public String text() {
    String lay = layout == null ? "" : ", " + LayoutText.print(layout);
    return "shared<" + element.text() + Shapes.text(shape) + ", " + stages + lay + ">";
  }

  @Override
  public String toString() {
    return text();
  }
}
