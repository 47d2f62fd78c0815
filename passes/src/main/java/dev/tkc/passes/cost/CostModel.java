package dev.tkc.passes.cost;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TensorType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.stage.ClusterParts;
import dev.tkc.passes.target.AsyncMatrix;
import dev.tkc.passes.target.Capability;
import dev.tkc.passes.target.Rates;
import dev.tkc.passes.target.TargetInfo;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * How many cycles a kernel with asynchronous products takes, roughly: good enough to rank tile sizes. Reads tile-level
 * IR whose phases are outlined and whose products and copies are marked ({@code choose-async}), and the sizes of a
 * launch.
 *
 * <p>A phase of {@code n} tiles on {@code p} multiprocessors takes {@code ceil(n / p)} tiles' times. A round of a loop
 * takes as long as the part of the multiprocessor that has most to do, or as its copies are late; arithmetic hides
 * behind products where two groups of warps compute, except for a part of it. What stands outside loops hides behind
 * nothing. Phases whose tiles differ are sampled.
 */
public final class CostModel {
  /** The rounds of a loop whose bounds are unknown. */
  private static final long ROUNDS = 16;

  /** Of the shorter of products and arithmetic, the part that does not hide. */
  private static final double VISIBLE = 0.2;

  /** Of the shorter of work and memory, the part that does not hide. */
  private static final double EDGE = 0.1;

  /** Cycles that a round takes for its barriers. */
  private static final double ROUND = 60;

  /** Shared memory that is not for rings: slices of the result, barriers, alignment. */
  private static final long RESERVED = 34 * 1024;

  /** Operations that take an integer out of its word and make a float of it. */
  private static final double UNPACKING = 3;

  private static final int SAMPLES = 5;

  /** How much more than its part one multiprocessor can have of what the cache gives. */
  private static final double MOST_OF_CACHE = 2;

  /** A tensor larger than this does not stay in the cache. */
  private static final double CACHED = 48e6;

  /**
   * What reading costs there where memory is busy all the time, by what it costs where it stays: others have read it
   * from the other half, or not yet.
   */
  private static final double PASSING = 1.25;

  /** By how many times its latency a copy is later where memory is busy all the time. */
  private static final double QUEUE = 1;

  /** A share of a loop has at least so many rounds. */
  private static final int LEAST_ROUNDS = 2;

  /**
   * Waits for the cache when a block arrives where it may be the last: until it is known what it wrote, twice to ask.
   */
  private static final double ARRIVAL = 3;

  /** Of what a multiprocessor can read from the cache, what the threads of one block do as their sums lie. */
  private static final double BY_ONE = 0.3;

  private final TargetInfo target;
  private final Rates rates;
  private final long ways;
  private int warps;
  private long outside;
  /** What reading costs of tensors that pass through the cache. */
  private double past = 1;

  /** Cycles until a copy arrives. */
  private double latency;
  /** Bytes that a multiprocessor can read a cycle from the cache: more, where fewer of them do. */
  private double cacheBytes;
  /** What does not stay in the cache until it is read again. */
  private final Set<Value> passing = new HashSet<>();

  private CostModel(TargetInfo target) {
    this(target, 1);
  }

  private CostModel(TargetInfo target, long ways) {
    this.target = target;
    this.rates = target.rates().orElseThrow();
    this.ways = ways;
    this.latency = rates.latency();
    this.cacheBytes = rates.cacheBytes();
  }

  /** The cycles of a launch with these sizes; names are the kernel function's integer parameters. */
  public static double cycles(Module module, Map<String, Long> sizes, TargetInfo target) {
    return cycles(module, sizes, target, 1);
  }

  /**
   * The same were the loop of the last phase shared out among so many blocks ({@code split-accumulations}), whose
   * sums a phase behind it adds. Infinite where there is too little to share out, or the last phase has no products:
   * such a kernel may share them out itself.
   */
  public static double cycles(Module module, Map<String, Long> sizes, TargetInfo target, long ways) {
    return new CostModel(target, ways).launch(module, sizes);
  }

  /** Whether every phase has a multiprocessor for each of its tiles, so that no block has a second one. */
  public static boolean hasTileForEachBlock(Module module, Map<String, Long> sizes, TargetInfo target) {
    Integers host = host(module, sizes);
    return module.kernel().body().insts().stream().allMatch(i -> !(i.op() instanceof ControlOp.Launch l)
        || host.of(l.grid()).orElse(Long.MAX_VALUE) <= target.processors());
  }

  /**
   * The cycles that a round's arithmetic on tiles takes one multiprocessor, regions below it left out; a product that
   * is added to something is one operation with the addition.
   */
  public static double arithmetic(Region round, TargetInfo target) {
    CostModel model = new CostModel(target);
    return round.insts().stream().filter(i -> !isContracted(i)).mapToDouble(i -> model.work(i).vector()).sum();
  }

  private static boolean isContracted(Inst inst) {
    return inst.op() instanceof ElementwiseOp.Binary b && (b.kind() == BinaryKind.ADD || b.kind() == BinaryKind.SUB)
        && !b.exact() && (isProduct(b.lhs()) || isProduct(b.rhs()));
  }

  private static boolean isProduct(Value v) {
    return v.definition() != null && v.definition().op() instanceof ElementwiseOp.Binary b && b.kind() == BinaryKind.MUL
        && !b.exact();
  }

  /** The cycles that a round's products take, asynchronous or not. */
  public static double products(Region round, TargetInfo target) {
    CostModel model = new CostModel(target);
    return round.insts().stream()
        .mapToDouble(i -> i.op() instanceof AsyncOp.DotAsync d ? model.asynchronous(d) : model.work(i).matrix())
        .sum();
  }

  private double asynchronous(AsyncOp.DotAsync dot) {
    SharedType view = (SharedType) dot.b().type();
    double macs = (double) dot.acc().tile().count() * view.shape().getFirst();
    return macs / (rates.products() * 16 / view.element().bits());
  }

  private static Integers host(Module module, Map<String, Long> sizes) {
    Integers host = new Integers(0, 1);
    for (Param p : module.kernel().params()) {
      Long n = sizes.get(p.value().name());
      host.define(p.value(), n == null ? OptionalLong.empty() : OptionalLong.of(n));
    }
    return host;
  }

  private double launch(Module module, Map<String, Long> sizes) {
    Integers host = host(module, sizes);
    double cycles = 0;
    boolean last = false;
    for (Inst i : module.kernel().body().insts()) {
      if (i.op() instanceof ControlOp.Launch l) {
        Func callee = module.func(l.callee()).orElseThrow();
        cycles += rates.launch() + phase(callee, l, host);
        last = callee.annotations().containsKey("asynchronous");
        cycles += ways > 1 && last ? sums(callee, l, host) : 0;
      }
    }
    return ways == 1 || last ? cycles : Double.POSITIVE_INFINITY;
  }

  private static void bind(Func func, ControlOp.Launch launch, Integers host, Integers values) {
    for (int n = 0; n < func.params().size(); n++) {
      values.define(func.params().get(n).value(), host.of(launch.arguments().get(n)));
    }
  }

  /**
   * The cycles in which every tensor of a phase could be read or written once; what the compiler keeps for itself is in
   * the cache.
   */
  private double memory(Func func, Integers values) {
    double[] bytes = {0};
    func.body().walk(i -> {
      if (i.op() instanceof MemoryOp.MakeTensor t && t.access() != MemoryOp.Access.TEMP && !i.flag(MemoryOp.WRAPS)) {
        bytes[0] += bytes(i, values);
      }
    });
    return bytes[0] / (rates.memoryBytes() * target.processors());
  }

  private void pass(Func func, Integers values) {
    passing.clear();
    func.body().walk(i -> {
      if (i.op() instanceof MemoryOp.MakeTensor && bytes(i, values) > CACHED) {
        passing.add(i.result());
      }
    });
  }

  /** Bytes of a tensor with these sizes. */
  private static double bytes(Inst tensor, Integers values) {
    double count = ((MemoryOp.MakeTensor) tensor.op()).sizes().stream().mapToDouble(s -> values.of(s).orElse(1))
        .reduce(1, (a, b) -> a * b);
    return count * ((TensorType) tensor.result().type()).element().bits() / 8;
  }

  /** The busier memory is, the later are copies: how busy it is is seen when all else is known. */
  private double phase(Func func, ControlOp.Launch launch, Integers host) {
    latency = rates.latency();
    past = 1;
    Occupation calm = occupation(func, launch, host);
    double busy = Math.min(1, calm.memory / calm.busy);
    latency = rates.latency() * (1 + QUEUE * busy);
    past = 1 + (PASSING - 1) * busy;
    Occupation all = occupation(func, launch, host);
    // What still waits for memory all the time begins and ends with the rest.
    return Math.max(all.busy, all.memory) + EDGE * Math.min(all.busy, all.memory) + rates.latency();
  }

  /** Cycles that a phase takes if memory holds nobody up, and those that memory takes. */
  private record Occupation(double busy, double memory) {}

  private Occupation occupation(Func func, ControlOp.Launch launch, Integers host) {
    boolean products = func.annotations().containsKey("asynchronous");
    long tiles = Math.max(1, host.of(launch.grid()).orElse(target.processors()));
    warps = (int) func.annotation("warps", 8);
    cacheBytes = rates.cacheBytes()
        * Math.clamp((double) target.processors() / (tiles * ways), 1, products ? MOST_OF_CACHE : 1);
    double sum = 0;
    double memory = 0;
    int samples = (int) Math.min(SAMPLES, tiles);
    for (int s = 0; s < samples; s++) {
      Integers values = new Integers(samples == 1 ? 0 : s * (tiles - 1) / (samples - 1), tiles);
      bind(func, launch, host, values);
      outside = bulkBytes(func.body()) + near(func);
      pass(func, values);
      Stretch all = stretch(func.body(), values);
      Work w = all.work;
      // Blocks of a phase without products run beside each other, and what they load comes from memory.
      sum += all.loops + (products ? w.matrix() + w.vector() + w.cache() + w.shared()
          : Math.max(w.vector(), w.cache() * rates.cacheBytes() / rates.memoryBytes()));
      memory = Math.max(memory, memory(func, values));
    }
    long blocks = products ? tiles * ways : tiles;
    double busy = Math.ceilDiv(blocks, (long) target.processors()) * sum / samples;
    return new Occupation(busy, memory);
  }

  /**
   * What adds the sums of a phase's shares, which come from the cache: a phase of its own, or the last block of a tile
   * when it has left its share, for which it waits for the cache three times. Blocks of a cluster wait for each other
   * once. (They send their parts quicker too, but less is saved by that than estimates of long rounds are too high by.)
   */
  private double sums(Func func, ControlOp.Launch launch, Integers host) {
    long tiles = Math.max(1, host.of(launch.grid()).orElse(target.processors()));
    double part = sumBytes(func) / rates.cacheBytes();
    double read = Math.ceilDiv(tiles, (long) target.processors()) * ways * part;
    double waits = near(func) > 0 ? 1 : ARRIVAL;
    return target.has(Capability.LAST_ARRIVAL) ? (part + read) / BY_ONE + waits * rates.latency()
        : rates.launch() + read + rates.latency();
  }

  /** Bytes of shared memory that the parts of the others take in the block that adds them, where they go there. */
  private long near(Func func) {
    long part = ways == 1 ? 0 : sumBytes(func);
    return target.has(Capability.CLUSTERS) && ClusterParts.fits(part, ways, target) ? (ways - 1) * part : 0;
  }

  /** Bytes of a tile's sum. */
  private static long sumBytes(Func func) {
    long[] bytes = {0};
    func.body()
        .walk(i -> bytes[0] = i.op() instanceof MatrixOp.Dot d ? Math.max(bytes[0], bytes(d.acc().tile())) : bytes[0]);
    return bytes[0];
  }

  /** Work outside loops, and cycles of the loops. */
  private record Stretch(Work work, double loops) {}

  private Stretch stretch(Region region, Integers values) {
    Work work = Work.NONE;
    double loops = 0;
    for (Inst i : region.insts()) {
      switch (i.op()) {
        case ControlOp.For f -> loops += loop(f, values);
        case ControlOp.If branch -> {
          OptionalLong taken = values.condition(branch.condition());
          Stretch s = stretch(taken.isPresent() && taken.getAsLong() == 0 ? branch.otherwise() : branch.then(), values);
          work = work.plus(s.work);
          loops += s.loops;
        }
        default -> work = work.plus(work(i));
      }
    }
    return new Stretch(work, loops);
  }

  private double loop(ControlOp.For f, Integers values) {
    OptionalLong lo = values.of(f.lo());
    OptionalLong hi = values.of(f.hi());
    boolean known = lo.isPresent() && hi.isPresent();
    long all = known ? Math.max(0, Math.ceilDiv(hi.getAsLong() - lo.getAsLong(), f.step())) : ROUNDS;
    boolean shared = ways > 1 && f.body().insts().stream().anyMatch(i -> i.op() instanceof MatrixOp.Dot);
    if (shared && all < LEAST_ROUNDS * ways) {
      return Double.POSITIVE_INFINITY;
    }
    long rounds = shared ? Math.ceilDiv(all, ways) : all;
    if (rounds == 0) {
      return 0;
    }
    values.define(f.body().params().getFirst(), known ? OptionalLong.of(lo.getAsLong() + rounds / 2 * f.step()) : lo);
    Stretch s = stretch(f.body(), values);
    return rounds * (round(s.work, bulkBytes(f.body())) + s.loops);
  }

  private double round(Work w, long slot) {
    double products = Math.max(w.matrix(), w.shared());
    double both = warps > 4
        ? Math.max(products, w.vector()) + VISIBLE * Math.min(products, w.vector()) : products + w.vector();
    double cycles = Math.max(both, w.cache());
    if (slot > 0) {
      long slots = (target.shared().perBlock() - RESERVED - outside) / slot;
      cycles = Math.max(cycles, (latency + w.cache()) / Math.max(1, Math.min(6, slots) - 1));
    }
    return cycles + ROUND;
  }

  /** Bytes of the bulk loads that stand in a region itself. */
  private static long bulkBytes(Region region) {
    return region.insts().stream().filter(i -> i.op() instanceof MemoryOp.Load && i.flag("bulk"))
        .mapToLong(i -> bytes(i.result().tile())).sum();
  }

  private static long bytes(TileType t) {
    return t.element().bytes(t.count());
  }

  private Work work(Inst i) {
    return switch (i.op()) {
      case MatrixOp.Dot dot -> dot(i, dot);
      case MemoryOp.Load o -> {
        double bytes = bytes(i.result().tile());
        double read = (passing.contains(o.tensor()) ? past : 1) * bytes / cacheBytes;
        yield new Work(0, i.flag("bulk") ? bytes / rates.sharedBytes() : 0, read, 0);
      }
      case MemoryOp.Store s -> {
        double bytes = bytes(s.value().tile());
        yield new Work(0, 2 * bytes / rates.sharedBytes(), bytes / rates.cacheBytes(), 0);
      }
      case ElementwiseOp op when i.result().tile().rank() > 0 -> elementwise(op, i.result());
      case ReductionOp _ -> new Work(0, 0, 0, i.operands().getFirst().tile().count() / rates.lanes());
      default -> Work.NONE;
    };
  }

  private Work elementwise(ElementwiseOp op, Value result) {
    double count = result.tile().count();
    double steps = op instanceof ElementwiseOp.Cast c && c.x().tile().element().isInteger()
        && c.to().isFloat() ? UNPACKING : 1;
    return new Work(0, 0, 0, steps * count / rates.lanes() + OpCost.functions(op) * count / rates.special());
  }

  private Work dot(Inst inst, MatrixOp.Dot dot) {
    List<Integer> a = dot.a().tile().shape();
    int n = dot.b().tile().shape().getLast();
    double macs = (double) dot.a().tile().count() * n;
    int bits = dot.a().tile().element().bits();
    AsyncMatrix row = inst.annotations().get("instruction") instanceof String name
        ? target.asyncMatrix(name).orElse(null) : null;
    int rows = row == null ? 64 : row.rows();
    // Each instruction reads its rows of the left operand, and all of the right one.
    double groups = Math.max(1.0, (double) a.get(a.size() - 2) / rows);
    boolean registers = dot.a().definition() == null || dot.a().definition().op() instanceof ElementwiseOp;
    double reads = (registers ? 0 : bytes(dot.a().tile())) + groups * bytes(dot.b().tile());
    return new Work(macs / (rates.products() * 16 / bits), reads / rates.sharedBytes(), 0, 0);
  }
}
