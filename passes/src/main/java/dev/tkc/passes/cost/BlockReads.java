package dev.tkc.passes.cost;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.passes.target.TargetInfo;
import java.util.Map;
import java.util.OptionalLong;

/**
 * Whether a launch waits for its first copies more than for anything else: each block copies little more than its
 * shared memory holds at a time. Then it pays to have the cache read them before the launch in front is over
 * ({@code prefetch-rounds}). Where blocks copy more, what is read twice, once to the cache and once from there, costs
 * more than the start gains.
 */
public final class BlockReads {
  /**
   * Of a block's shared memory: products that copy up to 1.3 times as much gain 6 to 13 % on H200, at 1.75 they lose as
   * much.
   */
  private static final double LITTLE = 4.0 / 3;

  private BlockReads() {}

  /**
   * Of tile IR in which it is decided what is copied in bulk, whose blocks have a tile each. Names are the kernel
   * function's integer parameters.
   */
  public static boolean areFew(Module module, Map<String, Long> sizes, TargetInfo target) {
    Integers host = new Integers(0, 1);
    for (Param p : module.kernel().params()) {
      Long n = sizes.get(p.value().name());
      host.define(p.value(), n == null ? OptionalLong.empty() : OptionalLong.of(n));
    }
    return module.kernel().body().insts().stream().allMatch(i -> !(i.op() instanceof ControlOp.Launch l)
        || bytes(module.func(l.callee()).orElseThrow(), l, host) <= LITTLE * target.shared().perBlock());
  }

  /** What the block in the middle of the grid copies. */
  private static double bytes(Func func, ControlOp.Launch launch, Integers host) {
    long tiles = Math.max(1, host.of(launch.grid()).orElse(1));
    Integers values = new Integers(tiles / 2, tiles);
    for (int n = 0; n < func.params().size(); n++) {
      values.define(func.params().get(n).value(), host.of(launch.arguments().get(n)));
    }
    return bytes(func.body(), values);
  }

  /** No end of them where the number of rounds is unknown. */
  private static double bytes(Region region, Integers values) {
    double sum = 0;
    for (Inst i : region.insts()) {
      if (i.op() instanceof MemoryOp.Load && i.flag("bulk")) {
        sum += i.result().tile().element().bytes(i.result().tile().count());
      } else {
        double inside = i.regions().stream().mapToDouble(r -> bytes(r, values)).max().orElse(0);
        sum += inside == 0 ? 0 : inside * rounds(i, values);
      }
    }
    return sum;
  }

  private static double rounds(Inst inst, Integers values) {
    if (!(inst.op() instanceof ControlOp.For f)) {
      return 1;
    }
    OptionalLong lo = values.of(f.lo());
    OptionalLong hi = values.of(f.hi());
    return lo.isPresent() && hi.isPresent() ? Math.max(0, Math.ceilDiv(hi.getAsLong() - lo.getAsLong(), f.step()))
        : Double.POSITIVE_INFINITY;
  }
}
