package dev.tkc.ir.interp;

import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.num.Decimals;
import dev.tkc.ir.num.Integers;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.Shapes;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * A tile or scalar at run time: elements in row-major order, of any rank.
 *
 * <p>Invariants: f64 is held as {@code double[]}, every other float type as {@code float[]} of values that the type
 * has, integers as {@code long[]} in the canonical form of {@link Integers}, bools as {@code boolean[]}. The array is
 * never written after the tile is made, so tiles may share it.
 *
 * <p>{@code origins}, kept when checking or where integers are divided by a tile, is the padding state of each element
 * by the code of {@link Padding}; null when all are inside. {@code spread} says that the tile is a scalar or a smaller
 * tile repeated, which the padding rules tell apart. {@code written} is all that changes, and is asked for by
 * asynchronous products only.
 */
public final class Tile implements Datum {
  /** The longest Java array, less the few elements that some machines keep for themselves. */
  public static final long MAX_ELEMENTS = Integer.MAX_VALUE - 8;

  /** How the elements of a type are held. */
  enum Storage {
    FLOATS,
    DOUBLES,
    LONGS,
    BOOLS;

    static Storage of(Element element) {
      return switch (element) {
        case F16, BF16, F32, E4M3, E5M2, E2M1, E8M0 -> FLOATS;
        case F64 -> DOUBLES;
        case I4, I8, I16, I32, I64, U4, U8, U16, U32, U64 -> LONGS;
        case BOOL -> BOOLS;
      };
    }

    long bytes(long count) {
      return switch (this) {
        case FLOATS -> 4 * count;
        case DOUBLES, LONGS -> 8 * count;
        case BOOLS -> count;
      };
    }

    Object allocate(int count) {
      return switch (this) {
        case FLOATS -> new float[count];
        case DOUBLES -> new double[count];
        case LONGS -> new long[count];
        case BOOLS -> new boolean[count];
      };
    }
  }

  private final Element element;
  private final List<Integer> shape;
  private final int count;
  private final Object data;
  private final int[] origins;
  private final boolean spread;
  private long written;

  Tile(Element element, List<Integer> shape, Object data, int[] origins, boolean spread) {
    this.element = element;
    this.shape = shape;
    this.count = Math.toIntExact(Shapes.count(shape));
    this.data = data;
    this.origins = origins;
    this.spread = spread;
  }

  Tile(Element element, List<Integer> shape, Object data) {
    this(element, shape, data, null, false);
  }

  public static Tile scalar(Literal literal) {
    return switch (Storage.of(literal.element())) {
      case FLOATS -> new Tile(literal.element(), List.of(), new float[] {(float) literal.asDouble()});
      case DOUBLES -> new Tile(literal.element(), List.of(), new double[] {literal.asDouble()});
      case LONGS -> integer(literal.element(), literal.bits());
      case BOOLS -> bool(literal.asBool());
    };
  }

  /** An i64 scalar: the language's {@code int}. */
  public static Tile integer(long value) {
    return integer(Element.I64, value);
  }

  public static Tile integer(Element element, long value) {
    return new Tile(element, List.of(), new long[] {Integers.wrap(element, value)});
  }

  public static Tile bool(boolean value) {
    return new Tile(Element.BOOL, List.of(), new boolean[] {value});
  }

  /** What the elements of a tile would take; the type's count is one that fits a tile. */
  public static long bytes(Element element, long count) {
    return Storage.of(element).bytes(count);
  }

  /** Reads a whole array that lies row-major and contiguous in memory, 4-bit elements packed. */
  public static Tile read(Element element, List<Integer> shape, MemorySegment memory) {
    int count = Math.toIntExact(Shapes.count(shape));
    Object data = Storage.of(element).allocate(count);
    Codec.read(element, memory, 0, 1, data, 0, count);
    return new Tile(element, List.copyOf(shape), data);
  }

  /** Writes the elements row-major and contiguous, 4-bit elements packed. */
  public void write(MemorySegment memory) {
    Codec.write(element, memory, 0, 1, data, 0, count);
  }

  public Element element() {
    return element;
  }

  public List<Integer> shape() {
    return shape;
  }

  public int count() {
    return count;
  }

  public boolean isScalar() {
    return shape.isEmpty();
  }

  /** The integer at a row-major position, canonical. */
  public long asLong(int at) {
    return ((long[]) data)[at];
  }

  /** The value of an integer scalar. */
  public long asLong() {
    return asLong(0);
  }

  public boolean asBool(int at) {
    return ((boolean[]) data)[at];
  }

  /** The value of a bool scalar. */
  public boolean asBool() {
    return asBool(0);
  }

  /** The number at a row-major position; bools are 0 and 1, and an i64 may lose its low bits. */
  public double asDouble(int at) {
    return switch (data) {
      case float[] f -> f[at];
      case double[] d -> d[at];
      case long[] l -> element == Element.U64 && l[at] < 0 ? l[at] + 0x1p64 : l[at];
      case boolean[] b -> b[at] ? 1 : 0;
      default -> throw new IllegalStateException();
    };
  }

  /** The element at a row-major position as the language writes it. */
  public String text(int at) {
    return switch (data) {
      case float[] f -> Decimals.text(element, f[at]);
      case double[] d -> Decimals.text(element, d[at]);
      case long[] l -> Integers.toString(element, l[at]);
      case boolean[] b -> Boolean.toString(b[at]);
      default -> throw new IllegalStateException();
    };
  }

  Storage storage() {
    return Storage.of(element);
  }

  Object data() {
    return data;
  }

  float[] floats() {
    return (float[]) data;
  }

  double[] doubles() {
    return (double[]) data;
  }

  long[] longs() {
    return (long[]) data;
  }

  boolean[] bools() {
    return (boolean[]) data;
  }

  int[] origins() {
    return origins;
  }

  int origin(int at) {
    return origins == null ? 0 : origins[at];
  }

  boolean spread() {
    return spread;
  }

  /** When the threads of a block last wrote it to registers, by the block's count; 0 if they did not. */
  long written() {
    return written;
  }

  void written(long when) {
    written = when;
  }

  boolean isZero(int at) {
    return asDouble(at) == 0;
  }

  /** The same elements as a full-size tile: what a variable holds. */
  Tile settled() {
    return spread ? new Tile(element, shape, data, origins, false) : this;
  }

  /** The same elements, marked as a repetition of a smaller tile or not. */
  Tile spread(boolean repeated) {
    return repeated == spread ? this : new Tile(element, shape, data, origins, repeated);
  }

  Tile reshaped(List<Integer> other) {
    return new Tile(element, other, data, origins, spread);
  }

  /** The elements at the given row-major positions, as a tile of that shape. */
  Tile gathered(List<Integer> to, int[] positions, boolean repeated) {
    Object out = storage().allocate(positions.length);
    gather(positions, data, out, 0);
    int[] states = origins == null ? null : Arrays.stream(positions).map(p -> origins[p]).toArray();
    return new Tile(element, to, out, states, repeated);
  }

  private static void gather(int[] positions, Object from, Object to, int at) {
    switch (from) {
      case float[] f -> {
        float[] out = (float[]) to;
        for (int i = 0; i < positions.length; i++) {
          out[at + i] = f[positions[i]];
        }
      }
      case double[] d -> {
        double[] out = (double[]) to;
        for (int i = 0; i < positions.length; i++) {
          out[at + i] = d[positions[i]];
        }
      }
      case long[] l -> {
        long[] out = (long[]) to;
        for (int i = 0; i < positions.length; i++) {
          out[at + i] = l[positions[i]];
        }
      }
      case boolean[] b -> {
        boolean[] out = (boolean[]) to;
        for (int i = 0; i < positions.length; i++) {
          out[at + i] = b[positions[i]];
        }
      }
      default -> throw new IllegalStateException();
    }
  }

  /** Fills an array of a storage kind with one element of another array of the kind. */
  static void fill(Object data, Object from, int at) {
    switch (data) {
      case float[] f -> Arrays.fill(f, ((float[]) from)[at]);
      case double[] d -> Arrays.fill(d, ((double[]) from)[at]);
      case long[] l -> Arrays.fill(l, ((long[]) from)[at]);
      case boolean[] b -> Arrays.fill(b, ((boolean[]) from)[at]);
      default -> throw new IllegalStateException();
    }
  }

  /** The bits of an element as a canonical unsigned number of the type's width. */
  long bits(int at) {
    return switch (data) {
      case float[] f -> element == Element.F32
          ? Float.floatToRawIntBits(f[at]) & 0xffffffffL
          : FloatFormat.of(element).encode(f[at], true);
      case double[] d -> Double.doubleToRawLongBits(d[at]);
      case long[] l -> element.bits() == 64 ? l[at] : l[at] & (1L << element.bits()) - 1;
      case boolean[] b -> b[at] ? 1 : 0;
      default -> throw new IllegalStateException();
    };
  }

  @Override
  public long bytes() {
    return storage().bytes(count) + (origins == null ? 0 : 4L * count);
  }

  @Override
  public String toString() {
    return element.text() + (shape.isEmpty() ? " " + text(0) : Shapes.text(shape));
  }
}
