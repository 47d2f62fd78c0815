package dev.tkc.passes.cost;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.TensorType;
import dev.tkc.passes.target.Rates;
import dev.tkc.passes.target.TargetInfo;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Whether it pays to copy operands into rows that copy engines can address ({@code repack-operands}), for the sizes of
 * a launch. Products that wait for loads by the threads take {@link #SLOWER} times as long as those that run beside
 * copies; the copies take the time of their bytes and a launch each. So operands that few tiles share are not worth it,
 * nor are small products.
 */
public final class RepackingCost {
  /** What products by the warps that also load them take, compared with asynchronous ones. */
  private static final double SLOWER = 4;

  /**
   * Bytes moved for each byte copied, in the time of so many read from memory: both ways, the reads not by whole
   * vectors.
   */
  private static final double MOVED = 3;

  private static final long ROUNDS = 16;

  private final Rates rates;
  private final int processors;

  private RepackingCost(TargetInfo target) {
    this.rates = target.rates().orElseThrow();
    this.processors = target.processors();
  }

  /**
   * Of tile IR with outlined phases; true too where nothing is repacked. Names are the kernel function's integer
   * parameters.
   */
  public static boolean pays(Module module, Map<String, Long> sizes, TargetInfo target) {
    Integers host = new Integers(0, 1);
    for (Param p : module.kernel().params()) {
      Long n = sizes.get(p.value().name());
      host.define(p.value(), n == null ? OptionalLong.empty() : OptionalLong.of(n));
    }
    RepackingCost cost = new RepackingCost(target);
    double copies = 0;
    double products = 0;
    for (Inst i : module.kernel().body().insts()) {
      if (i.op() instanceof MemoryOp.Temp t && i.flag("repack")) {
        copies += cost.copy(t, i, host);
      } else if (i.op() instanceof ControlOp.Launch l) {
        Func callee = module.func(l.callee()).orElseThrow();
        products += callee.annotations().containsKey("repacked") ? cost.products(callee, l, host) : 0;
      }
    }
    return copies == 0 || copies <= (SLOWER - 1) * products;
  }

  private double copy(MemoryOp.Temp t, Inst inst, Integers host) {
    double count = t.sizes().stream().mapToDouble(s -> host.of(s).orElse(1)).reduce(1, (a, b) -> a * b);
    double bytes = count * ((TensorType) inst.result().type()).element().bits() / 8;
    return rates.launch() + MOVED * bytes / (rates.memoryBytes() * processors);
  }

  /** Cycles of the matrix instructions alone, had each block its share. */
  private double products(Func func, ControlOp.Launch launch, Integers host) {
    long tiles = host.of(launch.grid()).orElse(processors);
    Integers values = new Integers(tiles / 2, Math.max(1, tiles));
    for (int n = 0; n < func.params().size(); n++) {
      values.define(func.params().get(n).value(), host.of(launch.arguments().get(n)));
    }
    return tiles * cycles(func.body(), values) / processors;
  }

  private double cycles(Region region, Integers values) {
    double sum = 0;
    for (Inst i : region.insts()) {
      if (i.op() instanceof MatrixOp.Dot d) {
        double macs = (double) d.a().tile().count() * d.b().tile().shape().getLast();
        sum += macs / (rates.products() * 16 / d.a().tile().element().bits());
      } else {
        double inside = 0;
        for (Region r : i.regions()) {
          inside += cycles(r, values);
        }
        sum += inside * (i.op() instanceof ControlOp.For f ? rounds(f, values) : 1);
      }
    }
    return sum;
  }

  private static long rounds(ControlOp.For f, Integers values) {
    OptionalLong lo = values.of(f.lo());
    OptionalLong hi = values.of(f.hi());
    return lo.isEmpty() || hi.isEmpty() ? ROUNDS
        : Math.max(0, Math.ceilDiv(hi.getAsLong() - lo.getAsLong(), f.step()));
  }
}
