package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a tile lies in shared memory for copy engines and asynchronous matrix instructions (PTX ISA, "Tensors" and
 * "Shared memory matrix layout"): the last dimension is cut into panels of at most 128 bytes, each panel holds that
 * part of all rows, one row after the other, and the panels follow each other. Rows are what the other dimensions
 * count, the last of them fastest. In rows of 128 bytes 16-byte pieces are exchanged by the row's number modulo 8, in
 * rows of 64 or 32 bytes by half or a quarter of it; since a panel starts at a multiple of the pattern's size, this is
 * also what the bits of the address above the row would say, as the hardware has it.
 *
 * <p>A row that is no multiple of 128 bytes is cut into panels of 64 or 32. Sizes need not be powers of two: offsets
 * are those of the power-of-two cover, so that the layout is linear, and what comes behind the last element takes no
 * bytes. With several panels that leaves a gap behind all but the last one's rows; a third panel that is the last one
 * costs nothing.
 *
 * <p>A tile of fewer than eight rows, for which the panels would not start there, lies in plain rows of at most 256
 * elements, and has sizes that are powers of two.
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
    if (shape.isEmpty()) {
      return Optional.of("it is a scalar");
    }
    long row = (long) shape.getLast() * elementBits / 8;
    long bytes = count(shape) * elementBits / 8;
    if (coveredRows(shape) < 8) {
      boolean plain = LinearLayout.cover(shape).equals(shape) && row >= 16 && bytes % ALIGNMENT == 0;
      return plain ? Optional.empty()
          : Optional.of("its few rows of " + row + " bytes are no power of two of at least " + ALIGNMENT);
    }
    return swizzle(shape, elementBits) == 0
        ? Optional.of("its rows of " + row + " bytes are no multiple of 32") : Optional.empty();
  }

  private static Panels make(List<Integer> shape, int elementBits) {
    if (coveredRows(shape) < 8) {
      return new Panels(shape, elementBits, Math.min(shape.getLast(), MOST_IN_BOX), 0);
    }
    int swizzle = swizzle(shape, elementBits);
    return new Panels(shape, elementBits, swizzle * 8 / elementBits, swizzle);
  }

  /** The most bytes of a panel's rows of which a tile's row is a multiple; 0 if there are none. */
  private static int swizzle(List<Integer> shape, int elementBits) {
    for (int bytes = 128; bytes >= 32; bytes /= 2) {
      if ((long) shape.getLast() * elementBits % (8L * bytes) == 0) {
        return bytes;
      }
    }
    return 0;
  }

  /** The panels that a buffer's layout is made of, if it is. */
  public static Optional<Panels> of(List<Integer> shape, int elementBits, LinearLayout layout) {
    return of(shape, elementBits).filter(p -> p.layout().equals(layout));
  }

  private static long coveredRows(List<Integer> shape) {
    return count(LinearLayout.cover(shape.subList(0, shape.size() - 1)));
  }

  private static long count(List<Integer> sizes) {
    return sizes.stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b);
  }

  /** How many rows a panel has room for. */
  public long rows() {
    return coveredRows(shape);
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

  /** Bytes of a slot: up to the tile's last element, and on to where the exchange of pieces starts anew. */
  public long slotBytes() {
    List<Integer> last = shape.stream().map(n -> n - 1).toList();
    long used = (long) (count() - 1) * stride() + (row(last) + 1) * rowBytes();
    long unit = Math.max(ALIGNMENT, 8L * swizzle);
    return Math.ceilDiv(used, unit) * unit;
  }

  /** The layout from an element's place, counted in elements, to its coordinates. */
  public LinearLayout layout() {
    SharedLayouts.Swizzle exchange =
        swizzle == 0 ? SharedLayouts.Swizzle.NONE : SharedLayouts.Swizzle.forRows(columns, elementBits);
    List<Integer> cover = LinearLayout.cover(shape);
    int last = cover.getLast();
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
    return LinearLayout.ofFlat(cover, Map.of(InDim.OFFSET, vectors));
  }

  /** The number of a place's row in its panel. */
  private long row(List<Integer> coordinates) {
    List<Integer> cover = LinearLayout.cover(shape);
    long row = 0;
    for (int i = 0; i < shape.size() - 1; i++) {
      row = row * cover.get(i) + coordinates.get(i);
    }
    return row;
  }

  /** The byte at which the element at these coordinates would start if no pieces were exchanged. */
  public long offset(List<Integer> coordinates) {
    int column = coordinates.getLast();
    return column / columns * stride() + row(coordinates) * rowBytes() + (long) column % columns * elementBits / 8;
  }

  /**
   * How many elements of each dimension one copy moves: a panel's columns, and as many rows as may be, whose bytes
   * follow each other.
   */
  public List<Integer> box() {
    return box(1);
  }

  /** The same where the first dimension of a tile of two is divided among so many copies. */
  public List<Integer> box(int parts) {
    List<Integer> box = new ArrayList<>();
    boolean whole = true;
    for (int i = shape.size() - 2; i >= 0; i--) {
      int size = whole ? rowsInBox(i == 0 ? shape.get(i) / parts : shape.get(i)) : 1;
      whole &= size == shape.get(i) && Integer.bitCount(size) == 1;
      box.addFirst(size);
    }
    box.add(columns);
    return List.copyOf(box);
  }

  /** The most rows of one copy, in equal copies. */
  private static int rowsInBox(int rows) {
    int copies = Math.ceilDiv(rows, MOST_IN_BOX);
    while (rows % copies != 0) {
      copies++;
    }
    return rows / copies;
  }

  /** The copies that fill the tile, in the order of their bytes. */
  public List<Box> boxes() {
    return boxes(1);
  }

  /** The copies of the first of so many parts by rows; part n's are the same, n parts of rows further. */
  public List<Box> boxes(int parts) {
    List<Integer> box = box(parts);
    List<Box> boxes = new ArrayList<>();
    for (int column = 0; column < shape.getLast(); column += columns) {
      List<Integer> origin = new ArrayList<>(Collections.nCopies(shape.size() - 1, 0));
      origin.add(column);
      boxes(box, parts, 0, origin, boxes);
    }
    return List.copyOf(boxes);
  }

  private void boxes(List<Integer> box, int parts, int dimension, List<Integer> origin, List<Box> into) {
    if (dimension == shape.size() - 1) {
      into.add(new Box(origin, offset(origin)));
      return;
    }
    int end = dimension == 0 ? shape.get(0) / parts : shape.get(dimension);
    for (int at = 0; at < end; at += box.get(dimension)) {
      List<Integer> next = new ArrayList<>(origin);
      next.set(dimension, at);
      boxes(box, parts, dimension + 1, next, into);
    }
  }
}
