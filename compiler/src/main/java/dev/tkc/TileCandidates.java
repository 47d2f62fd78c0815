package dev.tkc;

import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;

/**
 * The sizes of tiles that are worth an estimate or a measurement, for those of a kernel's constants that are free: all
 * combinations, the kernel's own sizes first.
 */
record TileCandidates(Item.Kernel item, List<String> free) {
  private static final List<Long> SIZES = List.of(64L, 128L, 256L);

  /** The smallest tile that is tried, where a dimension is no larger. */
  private static final long LEAST_SIZE = 16;

  /** Rows that three groups of warps share out. */
  private static final long THREE_GROUPS = 192;

  /** The kernel's own sizes and those around them. */
  List<Map<String, Object>> around() {
    return combinations((_, own) -> List.of(own, own * 2, own / 2, own * 4, own / 4));
  }

  /** What dimensions of at most so many elements, by the constant that covers them, ask for. */
  List<Map<String, Object>> upTo(Map<String, Long> most) {
    return combinations((name, own) -> sizes(own, most.getOrDefault(name, Long.MAX_VALUE)));
  }

  /**
   * Those in which one tile is for three groups of warps, worth a look for some kernels ({@link #mayHaveThreeGroups}).
   */
  List<Map<String, Object>> forThreeGroups(Map<String, Long> most) {
    return combinations((name, own) -> {
      long covered = most.getOrDefault(name, Long.MAX_VALUE);
      List<Long> others = sizes(own, covered);
      return covered < THREE_GROUPS ? others : Stream.concat(others.stream(), Stream.of(THREE_GROUPS)).toList();
    }).stream().filter(m -> m.values().stream().filter(v -> v.equals(THREE_GROUPS)).count() == 1).toList();
  }

  /**
   * Whether three groups may be better than two. A product that reads what was computed of another one's sum is
   * computed beside the next round's with two; with three there are no registers for that, but two others' products to
   * compute beside, and more rows share what is copied for all of them. That pays where a round copies a tile for its
   * rows alone besides, which is added to a sum: reading the cache is what takes longest there. Where threads load
   * something for all groups, those would wait for each other.
   */
  static boolean mayHaveThreeGroups(Module module) {
    boolean chained = products(module).stream().anyMatch(d -> isOfProduct(d.a(), new HashSet<>()));
    return chained && inRounds(module).anyMatch(i -> i.flag("bulk") && i.result().tile().rank() == 2
        && !isOperand(module, i.result()))
        && inRounds(module).allMatch(i -> i.flag("bulk") || i.result().tile().rank() == 0);
  }

  /** The loads in loops. */
  private static Stream<Inst> inRounds(Module module) {
    List<Inst> found = new ArrayList<>();
    module.funcs().forEach(f -> f.body().walk(i -> {
      if (i.op() instanceof ControlOp.For loop) {
        loop.body().walk(l -> {
          if (l.op() instanceof MemoryOp.Load) {
            found.add(l);
          }
        });
      }
    }));
    return found.stream().distinct();
  }

  private static boolean isOperand(Module module, Value tile) {
    return products(module).stream().flatMap(d -> Stream.of(d.a(), d.b()))
        .anyMatch(v -> v == tile || v.definition() != null && v.definition().op() instanceof ShapeOp.Permute p
            && p.x() == tile);
  }

  /** Whether the products' rows, and not their columns, are for three groups. */
  static boolean isForThreeGroups(Module module) {
    return products(module).stream().allMatch(d -> d.acc().tile().shape().getFirst() == THREE_GROUPS);
  }

  private static List<MatrixOp.Dot> products(Module module) {
    List<MatrixOp.Dot> found = new ArrayList<>();
    module.funcs().forEach(f -> f.body().walk(i -> {
      if (i.op() instanceof MatrixOp.Dot d) {
        found.add(d);
      }
    }));
    return found;
  }

  private static boolean isOfProduct(Value v, Set<Value> seen) {
    Inst inst = v.definition();
    return inst != null && seen.add(v) && (inst.op() instanceof MatrixOp.Dot
        || inst.regions().isEmpty() && inst.operands().stream().anyMatch(o -> isOfProduct(o, seen)));
  }

  /** The kernel's own sizes come first, so that they win a tie. */
  private List<Map<String, Object>> combinations(BiFunction<String, Long, List<Long>> sizes) {
    List<Map<String, Object>> all = List.of(Map.of());
    for (Constant c : item.constants()) {
      String name = c.name().text();
      if (free.contains(name)) {
        List<Map<String, Object>> longer = new ArrayList<>();
        for (Map<String, Object> m : all) {
          for (long v : sizes.apply(name, TileConstants.own(c).orElseThrow())) {
            Map<String, Object> more = new LinkedHashMap<>(m);
            more.put(name, v);
            longer.add(more);
          }
        }
        all = longer;
      }
    }
    return all;
  }

  /**
   * Of a tile that covers a dimension of {@code most} elements: none much larger, and a small one where that is enough.
   */
  private static List<Long> sizes(long own, long most) {
    // No more than the largest size asks for: a dimension that nothing bounds is as good as that.
    long covered = Math.min(most, SIZES.getLast());
    long whole = Math.max(LEAST_SIZE, Long.highestOneBit(Math.max(1, covered - 1)) << 1);
    Stream<Long> tried = Stream.concat(Stream.of(own),
        SIZES.stream().filter(n -> n <= Math.max(SIZES.getFirst(), whole)));
    return Stream.concat(tried, whole < SIZES.getFirst() ? Stream.of(whole) : Stream.of()).distinct().toList();
  }
}
