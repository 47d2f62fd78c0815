package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.type.TileType;
import java.util.List;
import java.util.Optional;

/**
 * The body of a device function for a nest whose inner bounds depend on outer positions: every block walks the outer
 * domains, counting the tiles of the innermost one as it goes, and executes those whose number is its own modulo the
 * number of blocks. For {@code blocks} = 4 and block b:
 *
 * <pre>
 *   %n = for %lo0, %hi0, [%c0] {step = s0} (%i: i64, %base: i64) {
 *     …                                             // what stands before the inner parallel, its bounds among it
 *     %first = rem (sub %b, %base), 4             // where %i is odd: rem (sub (sub %count, 1), (sub %b, %base)), 4
 *     for %first, %count, [] {step = 4} (%t: i64) {
 *       %j = add %lo1, (mul %t, s1)
 *       …
 *     }
 *     yield [add %base, %count]
 *   }
 * </pre>
 *
 * At every other position of the domain around the innermost one the tiles are counted from their end, so that a block
 * with the longer tiles of one, as in causal attention, has the shorter ones of the next.
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
    level(b, 0, b.constant(0), Optional.empty());
  }

  /**
   * Builds domain {@code depth} where the builder stands; {@code base} tiles come before. Gives how many come after.
   */
  private Value level(Builder b, int depth, Value base, Optional<Value> outer) {
    Nest.Domain d = nest.domains().get(depth);
    Value lo = captures.get(d.lo());
    Value hi = captures.get(d.hi());
    if (depth == nest.domains().size() - 1) {
      return innermost(b, d, lo, hi, base, outer);
    }
    return b.loop(lo, hi, d.step(), false, List.of(base), params -> {
      captures.put(d.position(), params.get(0));
      captures.copy(d.before(), b);
      b.yield(List.of(level(b, depth + 1, params.get(1), Optional.of(params.get(0)))));
    }).result();
  }

  private Value innermost(Builder b, Nest.Domain d, Value lo, Value hi, Value base, Optional<Value> outer) {
    Value count = OutlinePhases.count(b, lo, hi, d.step());
    Value forward = b.sub(block, base);
    Value mine = outer.isEmpty() ? forward
        : b.emit(new ElementwiseOp.Select(isOdd(b, outer.get()), b.sub(b.sub(count, b.constant(1)), forward), forward));
    Value first = b.binary(BinaryKind.REM, mine, b.constant(blocks));
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

  private static Value isOdd(Builder b, Value position) {
    return b.compare(CompareKind.NE, b.binary(BinaryKind.REM, position, b.constant(2)), b.constant(0));
  }
}
