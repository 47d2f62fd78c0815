package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.Compare;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.RangeType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Affine;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Scalars;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Writes into the program what {@link Bounds} can prove: a range that is full gets its size as its count, and one that
 * is empty 0; a comparison that always holds, or never, becomes a constant, for tiles of positions too; {@code min} and
 * {@code max} become the operand they are; a division that is exact loses its rounding.
 *
 * <pre>
 *   for %c0, %m, [] {step = 32} (%k: i64) {              // %m = (K / 32) * 32
 *     %left = sub %K, %k : i64
 *     %r = range %k, %c1, %left {size = 32}       →        %r = range %k, %c1, %c32 {size = 32}
 * </pre>
 *
 * Every mask that depends on such a range or comparison then folds in {@link Canonicalize}.
 */
public final class FoldBounds {
  private final Bounds bounds;
  private final Set<Value> kept;
  private final Map<Value, Value> replaced = new HashMap<>();
  private final Map<Inst, Region> made = new LinkedHashMap<>();

  private FoldBounds(Func func, Set<Value> kept) {
    this.bounds = new Bounds(func);
    this.kept = kept;
  }

  public static void run(Func func, PassContext cx) {
    run(func, Set.of());
  }

  /** The same, but some comparisons stay as they are. */
  public static void run(Func func, Set<Value> kept) {
    FoldBounds f = new FoldBounds(func, kept);
    func.body().walk(f::fold);
    // Only now: the bounds are asked of the function as it was.
    f.made.forEach((inst, news) -> {
      List<Inst> insts = f.bounds.scopes().regionOf(inst).insts();
      insts.addAll(insts.indexOf(inst), news.insts());
    });
    func.body().replaceUses(f.replaced);
  }

  private void fold(Inst inst) {
    Region news = new Region();
    Builder b = new Builder(news).at(inst.loc());
    switch (inst.op()) {
      case MemoryOp.Range r -> range(inst, r, b);
      case Compare _ when kept.contains(inst.result()) -> { }
      case Compare c -> compare(inst, c, b).ifPresent(v -> replaced.put(inst.result(), v));
      case Binary o when Scalars.isInt(inst.result()) -> binary(inst, o, b)
          .ifPresent(v -> replaced.put(inst.result(), v));
      default -> { }
    }
    if (!news.insts().isEmpty()) {
      made.put(inst, news);
    }
  }

  private void range(Inst inst, MemoryOp.Range r, Builder b) {
    int size = ((RangeType) inst.result().type()).size();
    if (Regions.integer(r.count()).isPresent()) {
      return;
    }
    if (bounds.atLeast(inst, r.count(), size)) {
      inst.setOp(new MemoryOp.Range(r.start(), r.stride(), b.constant(size), size));
    } else if (bounds.atMostZero(inst, bounds.form(r.count()))) {
      inst.setOp(new MemoryOp.Range(r.start(), r.stride(), b.constant(0), size));
    }
  }

  private Optional<Value> compare(Inst inst, Compare c, Builder b) {
    Optional<LanePositions> margin = LanePositions.margin(c, bounds);
    if (margin.isEmpty()) {
      return Optional.empty();
    }
    LanePositions m = margin.get();
    boolean always = bounds.atMostZero(inst, m.base().plus(m.least()).times(-1));
    boolean never = !always && bounds.atMostZero(inst, m.base().plus(m.most() + 1));
    return always || never ? Optional.of(b.full(inst.result().tile(), Literal.of(always))) : Optional.empty();
  }

  private Optional<Value> binary(Inst inst, Binary o, Builder b) {
    return switch (o.kind()) {
      case MIN -> smaller(inst, o.lhs(), o.rhs());
      case MAX -> smaller(inst, o.lhs(), o.rhs()).map(v -> v == o.lhs() ? o.rhs() : o.lhs());
      case DIV -> quotient(inst, o, b);
      case REM -> remainder(inst, o, b);
      case ADD, SUB, MUL, POW, AND, OR, XOR, SHL, SHR -> Optional.empty();
    };
  }

  private Optional<Value> smaller(Inst inst, Value x, Value y) {
    return bounds.atMost(inst, x, y, 0) ? Optional.of(x) : bounds.atMost(inst, y, x, 0) ? Optional.of(y)
        : Optional.empty();
  }

  /** {@code (x + r) / n} is {@code x / n + r / n} where n divides x; only the sum's constant is taken apart. */
  private Optional<Value> quotient(Inst inst, Binary o, Builder b) {
    OptionalLong n = Regions.integer(o.rhs());
    if (n.isEmpty() || n.getAsLong() < 2) {
      return Optional.empty();
    }
    if (isBelow(inst, o.lhs(), n.getAsLong())) {
      return Optional.of(b.constant(0));
    }
    if (o.lhs().definition() == null || !(o.lhs().definition().op() instanceof Binary sum)
        || sum.kind() != BinaryKind.ADD
        || Regions.integer(sum.rhs()).isEmpty() || !bounds.divides(n.getAsLong(), bounds.form(sum.lhs()))) {
      return Optional.empty();
    }
    long rest = Math.floorDiv(Regions.integer(sum.rhs()).getAsLong(), n.getAsLong());
    Value exact = b.binary(BinaryKind.DIV, sum.lhs(), o.rhs());
    return Optional.of(rest == 0 ? exact : b.add(exact, b.constant(rest)));
  }

  private Optional<Value> remainder(Inst inst, Binary o, Builder b) {
    OptionalLong n = Regions.integer(o.rhs());
    if (n.isEmpty() || n.getAsLong() < 2) {
      return Optional.empty();
    }
    Affine x = bounds.form(o.lhs());
    if (bounds.divides(n.getAsLong(), x.plus(-x.constant()))) {
      return Optional.of(b.constant(Math.floorMod(x.constant(), n.getAsLong())));
    }
    return isBelow(inst, o.lhs(), n.getAsLong()) ? Optional.of(o.lhs()) : Optional.empty();
  }

  private boolean isBelow(Inst inst, Value x, long n) {
    return bounds.atLeast(inst, x, 0) && bounds.atMostZero(inst, bounds.form(x).plus(1 - n));
  }
}
