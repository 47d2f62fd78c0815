package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * A linear map over GF(2) from input bits (register, lane, warp, or an offset in shared memory) to the coordinates of a
 * tile. The tile's sizes are powers of two: a tile dimension that isn't one is covered by the next power of two, and
 * coordinates at or past its size are padding.
 *
 * <p>Invariants: every size is a power of two; each basis vector lies within the sizes; an input dimension appears only
 * if the layout has it, even if with no bits ({@code warp = []} is one warp). The flat coordinate used throughout is
 * the row-major index in the cover, so a reshape of powers of two keeps the map. A layout need not be injective
 * (several threads may hold an element: see {@link #freeMask}), and one for registers is surjective when every element
 * has a holder. Immutable; equality is that of the maps.
 */
public final class LinearLayout {
  private final List<Integer> sizes;
  private final Map<InDim, List<Long>> bases;

  private LinearLayout(List<Integer> sizes, Map<InDim, List<Long>> bases) {
    long total = 1;
    for (int size : sizes) {
      if (size <= 0 || Integer.bitCount(size) != 1) {
        throw new IllegalStateException("a layout covers powers of two, not " + sizes);
      }
      total *= size;
    }
    EnumMap<InDim, List<Long>> copy = new EnumMap<>(InDim.class);
    for (Map.Entry<InDim, List<Long>> entry : bases.entrySet()) {
      for (long v : entry.getValue()) {
        if (v < 0 || v >= total) {
          throw new IllegalStateException(entry.getKey().text() + " vector " + v + " lies outside " + sizes);
        }
      }
      copy.put(entry.getKey(), List.copyOf(entry.getValue()));
    }
    this.sizes = List.copyOf(sizes);
    this.bases = Collections.unmodifiableMap(copy);
  }

  /** A layout from the flat images (row-major in the cover) of each input bit. */
  public static LinearLayout ofFlat(List<Integer> sizes, Map<InDim, List<Long>> bases) {
    return new LinearLayout(sizes, bases);
  }

  /** A layout from one coordinate per tile dimension for each input bit. */
  public static LinearLayout of(List<Integer> sizes, Map<InDim, List<List<Integer>>> bases) {
    EnumMap<InDim, List<Long>> flat = new EnumMap<>(InDim.class);
    bases.forEach((dim, vectors) -> flat.put(dim, vectors.stream().map(v -> flatten(sizes, v)).toList()));
    return new LinearLayout(sizes, flat);
  }

  /** The layout over registers, lanes and warps with these images. */
  public static LinearLayout distributed(
      List<Integer> sizes, List<List<Integer>> register, List<List<Integer>> lane, List<List<Integer>> warp) {
    return of(sizes, Map.of(InDim.REGISTER, register, InDim.LANE, lane, InDim.WARP, warp));
  }

  /** The tile {@code [1, …, size, …, 1]} whose coordinate in {@code axis} is the input. */
  public static LinearLayout identity1d(InDim in, int size, int axis, int rank) {
    List<Integer> sizes = new ArrayList<>(Collections.nCopies(rank, 1));
    sizes.set(axis, size);
    List<Long> vectors = new ArrayList<>();
    for (long v = 1; v < size; v *= 2) {
      vectors.add(v);
    }
    return new LinearLayout(sizes, Map.of(in, vectors));
  }

  /** {@code size} inputs that all hold the one element of the tile {@code [1, …, 1]}: a broadcast. */
  public static LinearLayout zeros1d(InDim in, int size, int rank) {
    return new LinearLayout(Collections.nCopies(rank, 1), Map.of(in, Collections.nCopies(log2(size), 0L)));
  }

  /** The smallest powers of two that cover a tile of this shape. */
  public static List<Integer> cover(List<Integer> shape) {
    return shape.stream().map(n -> n <= 1 ? 1 : Integer.highestOneBit(n - 1) * 2).toList();
  }

  static int log2(long powerOfTwo) {
    return Long.numberOfTrailingZeros(powerOfTwo);
  }

  static long flatten(List<Integer> sizes, List<Integer> coordinates) {
    if (sizes.size() != coordinates.size()) {
      throw new IllegalStateException("a vector of " + coordinates + " for a tile of rank " + sizes.size());
    }
    long flat = 0;
    for (int i = 0; i < sizes.size(); i++) {
      if (coordinates.get(i) < 0 || coordinates.get(i) >= sizes.get(i)) {
        throw new IllegalStateException("vector " + coordinates + " lies outside " + sizes);
      }
      flat = flat * sizes.get(i) + coordinates.get(i);
    }
    return flat;
  }

  public List<Integer> sizes() {
    return sizes;
  }

  public int rank() {
    return sizes.size();
  }

  public int size(int axis) {
    return sizes.get(axis);
  }

  /** Bits of a flat coordinate. */
  public int outBits() {
    return sizes.stream().mapToInt(LinearLayout::log2).sum();
  }

  public Set<InDim> inDims() {
    return bases.keySet();
  }

  public boolean has(InDim dim) {
    return bases.containsKey(dim);
  }

  public int bits(InDim dim) {
    return flatBasis(dim).size();
  }

  /** How many values the input dimension takes; 1 for one the layout lacks. */
  public int count(InDim dim) {
    return 1 << bits(dim);
  }

  public int inBits() {
    return bases.values().stream().mapToInt(List::size).sum();
  }

  /** The flat images of the dimension's bits, low bit first. */
  public List<Long> flatBasis(InDim dim) {
    return bases.getOrDefault(dim, List.of());
  }

  public List<List<Integer>> basis(InDim dim) {
    return flatBasis(dim).stream().map(this::coordinates).toList();
  }

  /** The place of a flat coordinate in the cover. */
  public List<Integer> coordinates(long flat) {
    Integer[] coordinates = new Integer[sizes.size()];
    long rest = flat;
    for (int i = sizes.size() - 1; i >= 0; i--) {
      coordinates[i] = (int) (rest % sizes.get(i));
      rest /= sizes.get(i);
    }
    return List.of(coordinates);
  }

  public long applyFlat(InDim dim, int value) {
    return matrix(dim).apply(value);
  }

  public long flat(int register, int lane, int warp) {
    return applyFlat(InDim.REGISTER, register) ^ applyFlat(InDim.LANE, lane) ^ applyFlat(InDim.WARP, warp);
  }

  public List<Integer> apply(int register, int lane, int warp) {
    return coordinates(flat(register, lane, warp));
  }

  /** The whole map: input bits in the order of {@link InDim}, registers lowest, to flat coordinates. */
  public Gf2 matrix() {
    List<Long> columns = new ArrayList<>();
    bases.values().forEach(columns::addAll);
    return Gf2.of(outBits(), columns);
  }

  public Gf2 matrix(InDim dim) {
    return Gf2.of(outBits(), flatBasis(dim));
  }

  public boolean isSurjective() {
    return matrix().isSurjective();
  }

  public boolean isInjective() {
    return matrix().isInjective();
  }

  public int registersPerThread() {
    return count(InDim.REGISTER);
  }

  /**
   * The bits of {@code dim} that hold only duplicates: what they add is already held by lower bits or by the dimensions
   * before it. A store predicates on these bits being zero; a sum must count one holder.
   */
  public int freeMask(InDim dim) {
    long dependent = matrix().dependentColumns();
    int from = 0;
    for (InDim earlier : bases.keySet()) {
      if (earlier.compareTo(dim) < 0) {
        from += bits(earlier);
      }
    }
    return (int) (dependent >>> from) & (count(dim) - 1);
  }

  /**
   * The layouts' product: {@code outer}'s bits come above this one's in each input dimension and each tile dimension,
   * so the tile is {@code outer}'s tile of copies of this one's.
   */
  public LinearLayout product(LinearLayout outer) {
    List<Integer> all = new ArrayList<>();
    for (int i = 0; i < rank(); i++) {
      all.add(size(i) * outer.size(i));
    }
    EnumMap<InDim, List<List<Integer>>> joined = new EnumMap<>(InDim.class);
    for (InDim dim : bases.keySet()) {
      joined.put(dim, new ArrayList<>(basis(dim)));
    }
    for (InDim dim : outer.bases.keySet()) {
      List<List<Integer>> vectors = joined.computeIfAbsent(dim, _ -> new ArrayList<>());
      for (List<Integer> v : outer.basis(dim)) {
        List<Integer> scaled = new ArrayList<>();
        for (int i = 0; i < rank(); i++) {
          scaled.add(v.get(i) * size(i));
        }
        vectors.add(scaled);
      }
    }
    return of(all, joined);
  }

  /** This layout with {@code map} applied to its flat coordinates, over a tile of the given sizes. */
  public LinearLayout then(Gf2 map, List<Integer> outSizes) {
    EnumMap<InDim, List<Long>> mapped = new EnumMap<>(InDim.class);
    bases.forEach((dim, vectors) -> mapped.put(dim, vectors.stream().map(map::apply).toList()));
    return new LinearLayout(outSizes, mapped);
  }

  /** {@code outer} after this: the flat coordinate that this gives is {@code outer}'s flat input. */
  public LinearLayout compose(LinearLayout outer) {
    return then(outer.matrix(), outer.sizes);
  }

  /** For each coordinate one input that holds it: the inverse, or a right inverse that uses no duplicates. */
  public Gf2 pseudoInverse() {
    return matrix().rightInverse();
  }

  /** For each input of this layout an input of {@code target} that has the same coordinates, both flat. */
  public Gf2 invertAndCompose(LinearLayout target) {
    if (!sizes.equals(target.sizes)) {
      throw new IllegalStateException("layouts of different tiles: " + sizes + " and " + target.sizes);
    }
    return target.pseudoInverse().times(matrix());
  }

  /** The layout of the tile with {@code axis} reduced to size 1: who held a row holds its one element. */
  public LinearLayout reduced(int axis) {
    List<Integer> outSizes = new ArrayList<>(sizes);
    outSizes.set(axis, 1);
    return mapVectors(outSizes, v -> {
      List<Integer> dropped = new ArrayList<>(v);
      dropped.set(axis, 0);
      return dropped;
    });
  }

  /** The layout of the transposed tile whose dimension {@code i} is this one's {@code order.get(i)}. */
  public LinearLayout permute(List<Integer> order) {
    List<Integer> outSizes = order.stream().map(sizes::get).toList();
    return mapVectors(outSizes, v -> order.stream().map(v::get).toList());
  }

  /** The layout of the same elements in row-major order under other power-of-two sizes. */
  public LinearLayout reshape(List<Integer> outSizes) {
    LinearLayout reshaped = new LinearLayout(outSizes, bases);
    if (reshaped.outBits() != outBits()) {
      throw new IllegalStateException("cannot reshape " + sizes + " to " + outSizes);
    }
    return reshaped;
  }

  /** The layout of two such tiles side by side along {@code axis}: the second in the registers above the first's. */
  public LinearLayout doubled(int axis) {
    return product(identity1d(InDim.REGISTER, 2, axis, rank()));
  }

  /**
   * The layout of either half of the tile along {@code axis}, where a register bit alone tells the halves apart; that
   * bit goes. Nothing where lanes or warps tell them apart.
   */
  public Optional<LinearLayout> half(int axis) {
    int top = size(axis) / 2;
    int owner = -1;
    for (InDim dim : bases.keySet()) {
      List<List<Integer>> vectors = basis(dim);
      for (int i = 0; i < vectors.size(); i++) {
        if ((vectors.get(i).get(axis) & top) == 0) {
          continue;
        }
        if (dim != InDim.REGISTER || owner >= 0 || vectors.get(i).stream().mapToInt(c -> c).sum() != top) {
          return Optional.empty();
        }
        owner = i;
      }
    }
    if (owner < 0 || top == 0) {
      return Optional.empty();
    }
    EnumMap<InDim, List<List<Integer>>> kept = new EnumMap<>(InDim.class);
    for (InDim dim : bases.keySet()) {
      kept.put(dim, new ArrayList<>(basis(dim)));
    }
    kept.get(InDim.REGISTER).remove(owner);
    List<Integer> outSizes = new ArrayList<>(sizes);
    outSizes.set(axis, top);
    return Optional.of(of(outSizes, kept));
  }

  /** This layout without the register bits that hold duplicates. */
  public LinearLayout withoutFreeRegisters() {
    int free = freeMask(InDim.REGISTER);
    List<Long> kept = new ArrayList<>();
    for (int i = 0; i < bits(InDim.REGISTER); i++) {
      if ((free >> i & 1) == 0) {
        kept.add(flatBasis(InDim.REGISTER).get(i));
      }
    }
    EnumMap<InDim, List<Long>> all = new EnumMap<>(bases);
    all.put(InDim.REGISTER, kept);
    return new LinearLayout(sizes, all);
  }

  /**
   * How many consecutive registers, from any multiple of that number, hold consecutive elements along {@code axis} that
   * start at a multiple of it: the widest vector access the layout allows there.
   */
  public int contiguity(int axis) {
    long unit = 1;
    for (int i = axis + 1; i < rank(); i++) {
      unit *= size(i);
    }
    int bits = 0;
    List<Long> registers = flatBasis(InDim.REGISTER);
    while (bits < registers.size() && (1L << bits) < size(axis) && registers.get(bits) == unit << bits) {
      bits++;
    }
    for (InDim dim : bases.keySet()) {
      List<Long> vectors = flatBasis(dim);
      for (int i = dim == InDim.REGISTER ? bits : 0; i < vectors.size(); i++) {
        long along = vectors.get(i) / unit % size(axis);
        if (along != 0) {
          bits = Math.min(bits, Long.numberOfTrailingZeros(along));
        }
      }
    }
    return 1 << bits;
  }

  private LinearLayout mapVectors(List<Integer> outSizes, UnaryOperator<List<Integer>> map) {
    EnumMap<InDim, List<List<Integer>>> mapped = new EnumMap<>(InDim.class);
    for (InDim dim : bases.keySet()) {
      mapped.put(dim, basis(dim).stream().map(map).toList());
    }
    return of(outSizes, mapped);
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof LinearLayout other && sizes.equals(other.sizes) && bases.equals(other.bases);
  }

  @Override
  public int hashCode() {
    return 31 * sizes.hashCode() + bases.hashCode();
  }

  /** The canonical text, which {@link LayoutText#parse} reads back. */
  @Override
  public String toString() {
    return LayoutText.print(this);
  }
}
