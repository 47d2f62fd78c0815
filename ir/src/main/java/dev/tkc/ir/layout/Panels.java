package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a tile lies in shared memory for copy engines and asynchronous matrix instructions (PTX ISA, "Tensors" and "Shared memory
 * matrix layout"): the last dimension is cut into panels of at most 128 bytes, each panel holds that part of all rows, one
 * row after the other, and the panels follow each other. Rows are what the other dimensions count, the last of them
 * fastest. In rows of 128 bytes 16-byte pieces are exchanged by the row's number modulo 8, in rows of 64 or 32 bytes by half or
 * a quarter of it; since a panel starts at a multiple of the pattern's size, this is also what the bits of the address above
 * the row would say, as the hardware has it.
 *
 * <p>A tile of fewer than eight rows, for which the panels would not start there, lies in plain rows of at most 256
 * elements. Sizes are powers of two.
 *
 * @param shape the tile's sizes
 * @param elementBits 8, 16 or 32
 * @param columns how many elements of the last dimension a panel holds
 * @param swizzle the bytes of a row within which pieces are exchanged: 128, 64, 32, or 0 where none are
 */
public record Panels(List<Integer> shape, int elementBits, int columns, int swizzle) {
  /** A copy engine moves at most so many elements along a dimension at a time. */
  private static final int MOST_IN_BOX = 256;

  /** Where a copy engine may write. */
  private static final int ALIGNMENT = 128;

  /** One copy: the tile's coordinates of its first element and where in the slot its bytes start. */
  public record Box(List<Integer> origin, long offset) {
    public Box {
      origin = List.copyOf(origin);
    }
  }

  public Panels {
    shape = List.copyOf(shape);
  }

  /** The panels of a tile; nothing where its sizes do not fit. */
  public static Optional<Panels> of(List<Integer> shape, int elementBits) {
    return obstacle(shape, elementBits).isPresent() ? Optional.empty() : Optional.of(make(shape, elementBits));
  }

  /** Why a tile cannot lie in panels, as part of a sentence; nothing where it can. */
  public static Optional<String> obstacle(List<Integer> shape, int elementBits) {
    if (elementBits != 8 && elementBits != 16 && elementBits != 32) {
      return Optional.of("its elements have " + elementBits + " bits, not 8, 16 or 32");
    }
    if (shape.isEmpty() || !LinearLayout.cover(shape).equals(shape)) {
      return Optional.of("its sizes " + shape + " are not powers of two");
    }
    long row = (long) shape.getLast() * elementBits / 8;
    if (rows(shape) >= 8 && row < 32) {
      return Optional.of("its rows of " + row + " bytes are shorter than 32");
    }
    long bytes = rows(shape) * row;
    return row < 16 || bytes % ALIGNMENT != 0
        ? Optional.of("its " + bytes + " bytes are not a multiple of " + ALIGNMENT) : Optional.empty();
  }

  private static Panels make(List<Integer> shape, int elementBits) {
    if (rows(shape) < 8) {
      return new Panels(shape, elementBits, Math.min(shape.getLast(), MOST_IN_BOX), 0);
    }
    int swizzle = (int) Math.min(128, (long) shape.getLast() * elementBits / 8);
    return new Panels(shape, elementBits, swizzle * 8 / elementBits, swizzle);
  }

  /** The panels that a buffer's layout is made of, if it is. */
  public static Optional<Panels> of(List<Integer> shape, int elementBits, LinearLayout layout) {
    return of(shape, elementBits).filter(p -> p.layout().equals(layout));
  }

  private static long rows(List<Integer> shape) {
    return shape.subList(0, shape.size() - 1).stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b);
  }

  public long rows() {
    return rows(shape);
  }

  /** Bytes of a row within a panel. */
  public int rowBytes() {
    return columns * elementBits / 8;
  }

  public int count() {
    return shape.getLast() / columns;
  }

  /** Bytes from one panel to the next. */
  public long stride() {
    return rows() * rowBytes();
  }

  /** Bytes of the whole tile. */
  public long bytes() {
    return stride() * count();
  }

  /** The layout from an element's place, counted in elements, to its coordinates. */
  public LinearLayout layout() {
    SharedLayouts.Swizzle exchange =
        swizzle == 0 ? SharedLayouts.Swizzle.NONE : SharedLayouts.Swizzle.forRows(columns, elementBits);
    int last = shape.getLast();
    List<Long> vectors = new ArrayList<>();
    for (long bit = 1; bit < columns; bit *= 2) {
      vectors.add(bit);
    }
    for (long row = 1; row < rows(); row *= 2) {
      vectors.add(row * last + row / exchange.perPhase() % exchange.maxPhase() * exchange.vec());
    }
    for (long bit = columns; bit < last; bit *= 2) {
      vectors.add(bit);
    }
    return LinearLayout.ofFlat(shape, Map.of(InDim.OFFSET, vectors));
  }

  /** The byte at which the element at these coordinates would start if no pieces were exchanged. */
  public long offset(List<Integer> coordinates) {
    long row = 0;
    for (int i = 0; i < shape.size() - 1; i++) {
      row = row * shape.get(i) + coordinates.get(i);
    }
    int column = coordinates.getLast();
    return column / columns * stride() + row * rowBytes() + (long) column % columns * elementBits / 8;
  }

  /**
   * How many elements of each dimension one copy moves: a panel's columns, and as many rows as may be, whose bytes follow each
   * other.
   */
  public List<Integer> box() {
    return box(1);
  }

  /** The same where the first dimension of a tile of two is divided among so many copies. */
  public List<Integer> box(int parts) {
    List<Integer> box = new ArrayList<>();
    boolean whole = true;
    for (int i = shape.size() - 2; i >= 0; i--) {
      int size = whole ? Math.min(i == 0 ? shape.get(i) / parts : shape.get(i), MOST_IN_BOX) : 1;
      whole &= size == shape.get(i);
      box.addFirst(size);
    }
    box.add(columns);
    return List.copyOf(box);
  }

  /** The copies that fill the tile, in the order of their bytes. */
  public List<Box> boxes() {
    return boxes(1);
  }

  /** The copies of the first of so many parts by rows; part n's are the same, n parts of rows further. */
  public List<Box> boxes(int parts) {
    return allBoxes(box(parts)).stream().filter(b -> b.origin().getFirst() < shape.getFirst() / parts || parts == 1).toList();
  }

  private List<Box> allBoxes(List<Integer> box) {
    long each = box.stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b) * elementBits / 8;
    List<Box> boxes = new ArrayList<>();
    for (long offset = 0; offset < bytes(); offset += each) {
      long row = offset % stride() / rowBytes();
      List<Integer> origin = new ArrayList<>(List.of((int) (offset / stride()) * columns));
      for (int i = shape.size() - 2; i >= 0; i--) {
        origin.addFirst((int) (row % shape.get(i)));
        row /= shape.get(i);
      }
      boxes.add(new Box(origin, offset));
    }
    return List.copyOf(boxes);
  }
}
