package dev.tkc.passes.cost;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.type.TensorType;
import dev.tkc.passes.analysis.Uses;
import dev.tkc.passes.target.Rates;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What a launch takes at least: for each phase the time that each part of the chip would need for its share of the
 * work, had it nothing else to wait for. The longest of them bounds the phase, and the part says what to look at.
 *
 * <p>Counted off tile-level IR whose phases are outlined and whose loops are peeled ({@code clean-interior}), so that
 * masks which are constant inside a tensor cost nothing; a block is one tile. Every tile is walked, or many of them
 * where there are more. Each tensor's bytes count once for a phase that reads it and once for one that writes it, as
 * far as they are touched at all. What is left out only makes the bound lower: loops whose bounds depend on data run
 * once, shapes and layouts are free, so are the addresses, launches and barriers.
 */
public final class Roofline {
  /** A part of the chip that may be the busiest. */
  public enum Part {
    /** Matrix instructions. */
    PRODUCTS("products"),
    /** Device memory. */
    MEMORY("memory"),
    /** Functions such as {@code exp2}, which have units of their own. */
    FUNCTIONS("functions"),
    /** Everything else that instructions are issued for. */
    ARITHMETIC("arithmetic");

    private final String text;

    Part(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  /**
   * One phase.
   *
   * @param micros the time each part needs
   * @param flops two for each multiply-add of products
   * @param bytes moved to and from memory
   */
  public record Bound(String function, Map<Part, Double> micros, double flops, double bytes) {
    public Bound {
      micros = new EnumMap<>(micros);
    }

    /** The part that has most to do. */
    public Part part() {
      return micros.entrySet().stream().max(Comparator.comparingDouble(Map.Entry::getValue)).orElseThrow().getKey();
    }

    public double longest() {
      return micros.get(part());
    }
  }

  /** Tiles that are walked; more are sampled. */
  private static final long MOST_TILES = 512;

  private static final double GOLDEN = (Math.sqrt(5) - 1) / 2;

  /** Elements touched of one memory, in bytes. */
  private static final class Traffic {
    private double read;
    private double written;
    private double size;
  }

  private final TargetInfo target;
  private final Rates rates;
  private Uses uses;
  private double macCycles;
  private double flops;
  private double functions;
  private double arithmetic;
  private final Map<Value, Traffic> traffic = new IdentityHashMap<>();

  private Roofline(TargetInfo target) {
    this.target = target;
    this.rates = target.rates().orElseThrow();
  }

  /** A bound for each phase in the order of the launches; names are the kernel function's integer parameters. */
  public static List<Bound> of(Module module, Map<String, Long> sizes, TargetInfo target) {
    Integers host = new Integers(0, 1);
    for (Param p : module.kernel().params()) {
      Long n = sizes.get(p.value().name());
      host.define(p.value(), n == null ? OptionalLong.empty() : OptionalLong.of(n));
    }
    List<Bound> bounds = new ArrayList<>();
    for (Inst i : module.kernel().body().insts()) {
      if (i.op() instanceof ControlOp.Launch l) {
        bounds.add(new Roofline(target).phase(module.func(l.callee()).orElseThrow(), l, host));
      }
    }
    return bounds;
  }

  private Bound phase(Func func, ControlOp.Launch launch, Integers host) {
    uses = new Uses(func.body());
    long tiles = Math.max(1, host.of(launch.grid()).orElse(target.processors()));
    long walked = Math.min(MOST_TILES, tiles);
    for (long s = 0; s < walked; s++) {
      long tile = walked == tiles ? s : (long) (tiles * (s * GOLDEN % 1));
      Integers values = new Integers(tile, tiles);
      for (int n = 0; n < func.params().size(); n++) {
        values.define(func.params().get(n).value(), host.of(launch.arguments().get(n)));
      }
      walk(func.body(), values, (double) tiles / walked);
    }
    // A chip with more multiprocessors than there are tiles leaves some idle; memory is shared by all.
    double busy = Math.min(tiles, target.processors()) * rates.gigahertz() * 1e3;
    double bytes = traffic.values().stream()
        .mapToDouble(t -> Math.min(t.read, t.size) + Math.min(t.written, t.size)).sum();
    Map<Part, Double> micros = new EnumMap<>(Part.class);
    micros.put(Part.PRODUCTS, macCycles / busy);
    micros.put(Part.FUNCTIONS, functions / rates.special() / busy);
    micros.put(Part.ARITHMETIC, arithmetic / rates.lanes() / busy);
    micros.put(Part.MEMORY, bytes / (rates.memoryBytes() * target.processors() * rates.gigahertz() * 1e3));
    return new Bound(func.name(), micros, flops, bytes);
  }

  private void walk(Region region, Integers values, double times) {
    for (Inst i : region.insts()) {
      switch (i.op()) {
        case ControlOp.For f -> loop(f, values, times);
        case ControlOp.If branch -> {
          OptionalLong taken = values.condition(branch.condition());
          walk(taken.isPresent() && taken.getAsLong() == 0 ? branch.otherwise() : branch.then(), values, times);
        }
        case MatrixOp.Dot dot -> product(dot, times);
        case MemoryOp.Load l -> at(l.tensor(), values).read += times * bytes(i.result());
        case MemoryOp.Store s -> at(s.tensor(), values).written += times * bytes(s.value());
        case MemoryOp.Atomic a -> {
          Traffic t = at(a.tensor(), values);
          t.read += times * bytes(a.value());
          t.written += times * bytes(a.value());
        }
        case ReductionOp r -> arithmetic += times * reduction(i, r);
        case ElementwiseOp op when i.result().tile().rank() > 0 -> elementwise(op, i.result(), times);
        default -> { }
      }
    }
  }

  private void loop(ControlOp.For f, Integers values, double times) {
    OptionalLong lo = values.of(f.lo());
    OptionalLong hi = values.of(f.hi());
    boolean known = lo.isPresent() && hi.isPresent();
    long rounds = known ? Math.max(0, Math.ceilDiv(hi.getAsLong() - lo.getAsLong(), f.step())) : 1;
    if (rounds > 0) {
      values.define(f.body().params().getFirst(), known ? OptionalLong.of(lo.getAsLong() + rounds / 2 * f.step()) : lo);
      walk(f.body(), values, times * rounds);
    }
  }

  private void product(MatrixOp.Dot dot, double times) {
    double macs = times * dot.a().tile().count() * dot.b().tile().shape().getLast();
    flops += 2 * macs;
    var a = dot.a().tile().element();
    var b = dot.b().tile().element();
    var sum = dot.acc().tile().element();
    if (target.asyncFor(a, b, sum, dot.precision()).isPresent()
        || !target.instructionsFor(a, b, sum, dot.precision()).isEmpty()) {
      macCycles += macs / (rates.products() * 16 / a.bits());
    } else {
      arithmetic += macs;
    }
  }

  private void elementwise(ElementwiseOp op, Value result, double times) {
    double count = times * result.tile().count();
    functions += count * OpCost.functions(op);
    arithmetic += count * (isFused(op, result) ? 0 : OpCost.arithmetic(op));
  }

  /** A product whose only user adds something to it. */
  private boolean isFused(ElementwiseOp op, Value result) {
    if (!(op instanceof ElementwiseOp.Binary b && b.kind() == ElementwiseOp.BinaryKind.MUL
        && result.tile().element().isFloat())) {
      return false;
    }
    List<Inst> users = uses.of(result);
    return users.size() == 1 && users.getFirst().op() instanceof ElementwiseOp.Binary sum && !sum.exact()
        && (sum.kind() == ElementwiseOp.BinaryKind.ADD || sum.kind() == ElementwiseOp.BinaryKind.SUB);
  }

  private static double reduction(Inst inst, ReductionOp op) {
    double count = inst.operands().getFirst().tile().count();
    return switch (op) {
      case ReductionOp.Reduce _ -> count;
      case ReductionOp.ArgReduce _, ReductionOp.Scan _ -> 2 * count;
      case ReductionOp.ReduceWith r -> count * r.combine().insts().size();
      case ReductionOp.ScanWith s -> 2 * count * s.combine().insts().size();
    };
  }

  /** What is counted of the memory behind a tensor. */
  private Traffic at(Value tensor, Integers values) {
    Value root = tensor;
    while (root.definition() != null && root.definition().op() instanceof MemoryOp.View v) {
      root = v.tensor();
    }
    Value memory = root.definition() != null
        && root.definition().op() instanceof MemoryOp.MakeTensor t ? t.pointer() : root;
    Traffic found = traffic.computeIfAbsent(memory, _ -> new Traffic());
    if (root.definition() != null && root.definition().op() instanceof MemoryOp.MakeTensor t) {
      double count = t.sizes().stream().mapToDouble(s -> values.of(s).orElse(1)).reduce(1, (x, y) -> x * y);
      found.size = Math.max(found.size, count * ((TensorType) root.type()).element().bits() / 8);
    }
    return found;
  }

  private static double bytes(Value tile) {
    return tile.tile().element().bits() / 8.0 * tile.tile().count();
  }
}
