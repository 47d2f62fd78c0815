package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.type.TileType;
import java.util.List;

/**
 * The body of a device function for a nest whose inner bounds depend on outer positions: every block walks the outer
 * domains, counting the tiles of the innermost one as it goes, and executes those whose number is its own modulo the
 * number of blocks. For {@code blocks} = 4 and block b:
 *
 * <pre>
 *   %n = for %lo0, %hi0, [%c0] {step = s0} (%i: i64, %base: i64) {
 *     …                                             // what stands before the inner parallel, its bounds among it
 *     %first = rem (sub %b, %base), 4
 *     for %first, %count, [] {step = 4} (%t: i64) {
 *       %j = add %lo1, (mul %t, s1)
 *       …
 *     }
 *     yield [add %base, %count]
 *   }
 * </pre>
 */
final class RaggedNest {
  private final Nest nest;
  private final Captures captures;
  private final long blocks;
  private Value block;

  RaggedNest(Nest nest, Captures captures, long blocks) {
    this.nest = nest;
    this.captures = captures;
    this.blocks = blocks;
  }

  void build() {
    // Bounds from outside the nest must be there before the loop over it.
    for (Nest.Domain d : nest.domains()) {
      captures.bringUnlessDefined(d.lo());
      captures.bringUnlessDefined(d.hi());
    }
    Builder b = captures.device();
    block = b.emit(new ControlOp.BlockId());
    level(b, 0, b.constant(0));
  }

  /**
   * Builds domain {@code depth} where the builder stands; {@code base} tiles come before. Gives how many come after.
   */
  private Value level(Builder b, int depth, Value base) {
    Nest.Domain d = nest.domains().get(depth);
    Value lo = captures.get(d.lo());
    Value hi = captures.get(d.hi());
    if (depth == nest.domains().size() - 1) {
      return innermost(b, d, lo, hi, base);
    }
    return b.loop(lo, hi, d.step(), false, List.of(base), params -> {
      captures.put(d.position(), params.get(0));
      captures.copy(d.before(), b);
      b.yield(List.of(level(b, depth + 1, params.get(1))));
    }).result();
  }

  private Value innermost(Builder b, Nest.Domain d, Value lo, Value hi, Value base) {
    Value count = OutlinePhases.count(b, lo, hi, d.step());
    Value first = b.binary(BinaryKind.REM, b.sub(block, base), b.constant(blocks));
    Region body = new Region(List.of(new Value(TileType.integer())));
    b.in(body, () -> {
      Value position = b.add(lo, b.mul(body.params().get(0), b.constant(d.step())));
      position.setName(d.position().name());
      captures.put(d.position(), position);
      captures.copy(d.before(), b);
      b.yield(List.of());
    });
    b.append(new ControlOp.For(first, count, blocks, List.of(), false, body), List.of())
        .annotate(PersistGrid.RAGGED, true);
    return b.add(base, count);
  }
}
