package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TensorType;
import dev.tkc.passes.analysis.Scalars;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The order of a grid whose tiles take the longer, the further they are along the last domain, as the query tiles of
 * causal attention: a loop inside ends where the position does; or the shorter, as the key tiles of its gradient: a
 * loop begins there. The longest are begun first, so that short ones fill up
 * the end; but only within sections of the domains before, so that what blocks read together stays in the cache.
 */
final class LongestFirst {
  /** About the second-level cache of the larger devices of today, of which other traffic needs a part. */
  private static final long SECTION_BYTES = 36L << 20;

  /**
   * Twice as many tiles as such devices have multiprocessors. While the last section's tiles are given out, a tile of
   * average length ends on each, so that its longest, begun first and twice as long, end no later than the others.
   */
  private static final long LAST_TILES = 264;

  /**
   * The outer tiles in sections.
   *
   * @param width how many of them a section has, but the last, which has the rest
   * @param before how many sections there are before the last, if that is larger than the others
   */
  record Sections(Value width, Optional<Value> before) {
    Sections map(UnaryOperator<Value> to) {
      return new Sections(to.apply(width), before.map(to));
    }
  }

  private final Nest nest;
  private final ControlOp.For loop;

  private LongestFirst(Nest nest, ControlOp.For loop) {
    this.nest = nest;
    this.loop = loop;
  }

  /** The order, if the nest has such a loop. */
  static Optional<LongestFirst> of(Nest nest) {
    if (nest.domains().size() < 2) {
      return Optional.empty();
    }
    Value position = nest.domains().getLast().position();
    List<ControlOp.For> found = new ArrayList<>();
    for (Inst inst : nest.contents()) {
      consider(inst, position, found);
      inst.regions().forEach(r -> r.walk(i -> consider(i, position, found)));
    }
    return found.stream().findFirst().map(f -> new LongestFirst(nest, f));
  }

  private static void consider(Inst inst, Value position, List<ControlOp.For> found) {
    if (inst.op() instanceof ControlOp.For f
        && (endsThere(f, position) || growsWith(f.lo(), position) && !Scalars.follows(f.hi(), position))) {
      found.add(f);
    }
  }

  private static boolean endsThere(ControlOp.For f, Value position) {
    return growsWith(f.hi(), position) && !Scalars.follows(f.lo(), position);
  }

  /**
   * Whether the value is plainly the greater, the further the position is: a sum, a minimum, rounding to a multiple.
   */
  private static boolean growsWith(Value v, Value position) {
    if (v == position) {
      return true;
    }
    return v.definition() != null && v.definition().op() instanceof Binary b && switch (b.kind()) {
      case ADD, MIN, MAX -> growsWith(b.lhs(), position) || growsWith(b.rhs(), position);
      case MUL, DIV -> growsWith(b.lhs(), position) && isPositive(b.rhs())
          || b.kind() == BinaryKind.MUL && isPositive(b.lhs()) && growsWith(b.rhs(), position);
      case SUB -> growsWith(b.lhs(), position) && !Scalars.follows(b.rhs(), position);
      case REM, POW, AND, OR, XOR, SHL, SHR -> false;
    };
  }

  private static boolean isPositive(Value v) {
    return Scalars.literal(v).filter(l -> l.element().isInteger() && l.bits() > 0).isPresent();
  }

  /**
   * Sections of the outer tiles, computed in front of the launch: as few as the cache allows, all about as large but
   * the last, which has enough tiles for short ones to fill up the end. Between others there is no end: blocks go on to
   * the next section's longest tiles one by one. Where loops end at the position the last is like the others: attention
   * gains nothing by a longer one, and its tiles' numbers would take more to compute.
   */
  Sections sections(Builder host, List<Value> counts) {
    Map<Value, Value> bytes = new LinkedHashMap<>();
    Value position = loop.body().params().getFirst();
    loop.body().walk(i -> {
      switch (i.op()) {
        case MemoryOp.Load o -> extent(host, o.tensor(), o.indices(), position)
            .ifPresent(n -> bytes.putIfAbsent(o.tensor(), n));
        case MemoryOp.Atomic o -> extent(host, o.tensor(), o.indices(), position)
            .ifPresent(n -> bytes.putIfAbsent(o.tensor(), n));
        default -> { }
      }
    });
    Value all = host.constant(0);
    for (Value n : bytes.values()) {
      all = host.add(all, n);
    }
    all = host.binary(BinaryKind.MAX, all, host.constant(1));
    Value outer = host.constant(1);
    for (Value n : counts.subList(0, counts.size() - 1)) {
      outer = host.mul(outer, n);
    }
    Value one = host.constant(1);
    Value fits = host.binary(BinaryKind.MAX, host.binary(BinaryKind.DIV, host.constant(SECTION_BYTES), all), one);
    Value width = host.binary(BinaryKind.MAX,
        up(host, outer, host.binary(BinaryKind.MAX, up(host, outer, fits), one)), one);
    if (endsThere(loop, nest.domains().getLast().position())) {
      return new Sections(width, Optional.empty());
    }
    Value last = host.binary(BinaryKind.MAX, width,
        up(host, host.constant(LAST_TILES), host.binary(BinaryKind.MAX, counts.getLast(), one)));
    Value before = host.binary(BinaryKind.DIV,
        host.binary(BinaryKind.MAX, host.sub(outer, last), host.constant(0)), width);
    return new Sections(width, Optional.of(before));
  }

  private static Value up(Builder host, Value x, Value y) {
    return host.binary(BinaryKind.DIV, host.sub(host.add(x, y), host.constant(1)), y);
  }

  /** The bytes of a tensor that the loop goes over in all its rounds. */
  private static Optional<Value> extent(Builder host, Value tensor, List<Value> indices, Value position) {
    List<Value> sizes = switch (tensor.definition() == null ? null : tensor.definition().op()) {
      case MemoryOp.MakeTensor t -> t.sizes();
      case MemoryOp.Temp t -> t.sizes();
      case null, default -> List.of();
    };
    if (sizes.isEmpty()) {
      return Optional.empty();
    }
    Value n = host.constant(Math.max(1, ((TensorType) tensor.type()).element().bits() / 8));
    boolean moves = false;
    for (int d = 0; d < indices.size(); d++) {
      Value index = indices.get(d);
      boolean range = index.definition() != null && index.definition().op() instanceof MemoryOp.Range;
      Value start = range ? ((MemoryOp.Range) index.definition().op()).start() : index;
      boolean along = Scalars.isInt(start) && Scalars.follows(start, position);
      moves |= along;
      if (along) {
        n = host.mul(n, sizes.get(d));
      } else if (range) {
        n = host.mul(n, host.constant(((RangeType) index.type()).size()));
      }
    }
    return moves ? Optional.of(n) : Optional.empty();
  }

  /** Index of each domain for a tile's number, {@code counts} and the sections on the device. */
  Value[] indices(Builder b, Value number, List<Value> counts, Sections sections) {
    int last = counts.size() - 1;
    Value outer = b.constant(1);
    for (Value n : counts.subList(0, last)) {
      outer = b.mul(outer, n);
    }
    Value area = b.mul(sections.width, counts.get(last));
    Value section = OutlinePhases.small(b, BinaryKind.DIV, number, area);
    Value first;
    Value within;
    Value width;
    if (sections.before.isPresent()) {
      section = b.binary(BinaryKind.MIN, section, sections.before.get());
      first = b.mul(section, sections.width);
      within = b.sub(number, b.mul(section, area));
      width = b.emit(new ElementwiseOp.Select(
          b.compare(CompareKind.LT, section, sections.before.get()), sections.width, b.sub(outer, first)));
    } else {
      first = b.mul(section, sections.width);
      within = OutlinePhases.small(b, BinaryKind.REM, number, area);
      width = b.binary(BinaryKind.MIN, b.sub(outer, first), sections.width);
    }
    Value[] index = new Value[counts.size()];
    Value rank = OutlinePhases.small(b, BinaryKind.DIV, within, width);
    boolean lastFirst = endsThere(loop, nest.domains().get(last).position());
    index[last] = lastFirst ? b.sub(b.sub(counts.get(last), b.constant(1)), rank) : rank;
    Value rest = b.add(first, OutlinePhases.small(b, BinaryKind.REM, within, width));
    for (int d = last - 1; d > 0; d--) {
      index[d] = OutlinePhases.small(b, BinaryKind.REM, rest, counts.get(d));
      rest = OutlinePhases.small(b, BinaryKind.DIV, rest, counts.get(d));
    }
    index[0] = rest;
    return index;
  }
}
