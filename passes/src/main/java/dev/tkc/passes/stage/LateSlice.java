package dev.tkc.passes.stage;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.ReadOnly;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A loop's body in two halves, the second of which can run one round late: asynchronous products whose left operand
 * comes from another asynchronous product of the same round, and everything that depends on them, through carried
 * values too. What is late is pure, or loads what nothing writes, so it may pass whatever else a round does.
 *
 * <p>A late instruction's operands are late themselves; or follow from the loop's position alone, and are then computed
 * again ({@link #again}); or <em>cross</em> from one round to the next, which costs registers. An instruction in
 * between goes to the side where what crosses is smaller: a broadcast is late, a conversion to a narrower type is not.
 */
final class LateSlice {
  private final ControlOp.For loop;
  private final List<Inst> body;
  private final List<Value> yielded;
  private final ReadOnly readOnly;
  private final Predicate<Inst> asynchronous;
  private final Set<Value> positional = identities();
  private final Set<Inst> late = identities();

  private LateSlice(ControlOp.For loop, ReadOnly readOnly, Predicate<Inst> asynchronous) {
    this.loop = loop;
    this.body = loop.body().insts().subList(0, loop.body().insts().size() - 1);
    this.yielded = ((ControlOp.Yield) loop.body().terminator().op()).values();
    this.readOnly = readOnly;
    this.asynchronous = asynchronous;
  }

  /** The halves of a loop; nothing where no product can be late. */
  static Optional<LateSlice> of(ControlOp.For loop, ReadOnly readOnly, Predicate<Inst> asynchronous) {
    LateSlice slice = new LateSlice(loop, readOnly, asynchronous);
    slice.findPositional();
    for (Inst inst : slice.body) {
      if (asynchronous.test(inst) && slice.follows(inst)) {
        slice.add(inst);
      }
    }
    if (slice.late.isEmpty()) {
      return Optional.empty();
    }
    slice.pull();
    return Optional.of(slice);
  }

  // ------------------------------------------------------------------------------------------------ finding

  private void findPositional() {
    positional.add(loop.body().params().getFirst());
    Set<Value> inside = Regions.defined(loop.body());
    for (Inst i : body) {
      if (isCheap(i) && movable(i)
          && i.operands().stream().allMatch(v -> !inside.contains(v) || positional.contains(v))) {
        positional.addAll(i.results());
      }
    }
  }

  /** What is computed again rather than carried: scalars, ranges, loads and moves, but no arithmetic on tiles. */
  static boolean isCheap(Inst inst) {
    return switch (inst.op()) {
      case MemoryOp _, ShapeOp _ -> true;
      case ControlOp _, ReductionOp _, MatrixOp _, SharedOp _, AsyncOp _ -> false;
      case ElementwiseOp _ -> inst.result().tile().isScalar();
    };
  }

  /** Whether an instruction gives the same wherever it stands between its operands and its uses. */
  private boolean movable(Inst inst) {
    return Effects.isPure(inst) || inst.op() instanceof MemoryOp.Load l && readOnly.tensor(l.tensor());
  }

  private boolean follows(Inst inst) {
    return inst.op() instanceof MatrixOp.Dot dot && before(List.of(dot.a())).stream().anyMatch(asynchronous);
  }

  /** The instructions of the round that values depend on. */
  private Set<Inst> before(Iterable<Value> values) {
    Set<Inst> found = identities();
    Set<Value> wanted = identities();
    values.forEach(wanted::add);
    for (Inst i : body.reversed()) {
      if (i.results().stream().anyMatch(wanted::contains)) {
        found.add(i);
        wanted.addAll(used(i));
      }
    }
    return found;
  }

  /** Adds a product and what depends on it, if all of that may be late and the product's left operand need not be. */
  private void add(Inst dot) {
    Set<Inst> with = identities();
    with.addAll(late);
    with.add(dot);
    for (boolean grown = true; grown; ) {
      grown = false;
      Set<Value> values = resultsOf(with);
      for (Inst i : body) {
        if (!with.contains(i) && used(i).stream().anyMatch(values::contains)) {
          with.add(i);
          values.addAll(i.results());
          grown = true;
        }
      }
    }
    boolean legal = with.stream().allMatch(this::movable)
        && Collections.disjoint(with, before(List.of(((MatrixOp.Dot) dot.op()).a())));
    if (legal) {
      late.addAll(with);
    }
  }

  /** What late instructions give: their results, and carried values that they or other late values become. */
  private Set<Value> resultsOf(Set<Inst> insts) {
    Set<Value> values = identities();
    insts.forEach(i -> values.addAll(i.results()));
    for (boolean grown = true; grown; ) {
      grown = false;
      for (int n = 0; n < yielded.size(); n++) {
        grown |= values.contains(yielded.get(n)) && values.add(loop.body().params().get(n + 1));
      }
    }
    return values;
  }

  /** Makes late what only late instructions use, where its operands are smaller than its result. */
  private void pull() {
    for (Inst i : List.copyOf(body).reversed()) {
      if (late.contains(i) || !i.regions().isEmpty() || !Effects.isPure(i) || asynchronous.test(i)
          || positional.containsAll(i.results()) || !onlyLateUse(i)) {
        continue;
      }
      List<Value> crossing = crossing();
      long more = used(i).stream().filter(v -> crosses(v) && !crossing.contains(v)).mapToLong(LateSlice::bytes).sum();
      if (more < i.results().stream().mapToLong(LateSlice::bytes).sum()) {
        late.add(i);
      }
    }
  }

  private boolean onlyLateUse(Inst inst) {
    return inst.results().stream().noneMatch(yielded::contains)
        && body.stream().filter(u -> used(u).stream().anyMatch(inst.results()::contains)).allMatch(late::contains);
  }

  // ------------------------------------------------------------------------------------------------ the halves

  ControlOp.For loop() {
    return loop;
  }

  /** The late instructions, in order. */
  List<Inst> late() {
    return body.stream().filter(late::contains).toList();
  }

  /** Whether a carried value is one round late. */
  boolean isLate(int carried) {
    return resultsOf(late).contains(loop.body().params().get(carried + 1));
  }

  /** What late instructions use of their own round's first half, in the order of the program. */
  List<Value> crossing() {
    Set<Value> used = identities();
    late.forEach(i -> used.addAll(used(i)));
    List<Value> all = new ArrayList<>(loop.body().params());
    body.forEach(i -> all.addAll(i.results()));
    return all.stream().filter(v -> used.contains(v) && crosses(v)).toList();
  }

  private boolean crosses(Value v) {
    if (positional.contains(v)) {
      return false;
    }
    int carried = loop.body().params().indexOf(v) - 1;
    return carried >= 0 ? !isLate(carried)
        : v.definition() != null && body.contains(v.definition()) && !late.contains(v.definition());
  }

  /** The late instructions and what they need that follows from the position, in order. */
  List<Inst> again() {
    Set<Value> used = identities();
    late.forEach(i -> used.addAll(used(i)));
    used.retainAll(positional);
    Set<Inst> needed = before(used);
    return body.stream().filter(i -> late.contains(i) || needed.contains(i)).toList();
  }

  /** The first half, in order: what carried and crossing values need, and whatever has effects. */
  List<Inst> early() {
    Set<Value> wanted = identities();
    for (int n = 0; n < yielded.size(); n++) {
      if (!isLate(n)) {
        wanted.add(yielded.get(n));
      }
    }
    wanted.addAll(crossing());
    body.stream().filter(i -> !late.contains(i) && !movable(i)).forEach(i -> {
      wanted.addAll(used(i));
      wanted.addAll(i.results());
    });
    Set<Inst> needed = before(wanted);
    return body.stream().filter(i -> !late.contains(i) && (needed.contains(i) || !movable(i))).toList();
  }

  /** The asynchronous products of the first half that wait for no other one, and what they need. */
  List<Inst> first() {
    Set<Inst> first = identities();
    for (Inst i : early()) {
      Set<Inst> needed = asynchronous.test(i) ? before(used(i)) : Set.of(i);
      if (asynchronous.test(i) && needed.stream().allMatch(n -> movable(n) && !asynchronous.test(n))) {
        first.add(i);
        first.addAll(needed);
      }
    }
    return body.stream().filter(first::contains).toList();
  }

  /** 32-bit registers that the products' sums and what crosses take, over so many threads. */
  long registers(long threads) {
    long sums = body.stream().filter(asynchronous).mapToLong(i -> bytes(i.result())).sum();
    return (sums + crossing().stream().mapToLong(LateSlice::bytes).sum()) / (4 * threads);
  }

  static long bytes(Value v) {
    return switch (v.type()) {
      case TileType t -> t.element().bytes(t.shape().stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b));
      case RangeType _ -> 16;
      default -> 8;
    };
  }

  /** What an instruction uses, in its regions too. */
  static Set<Value> used(Inst inst) {
    Set<Value> used = identities();
    used.addAll(inst.operands());
    inst.regions().forEach(r -> used.addAll(Regions.freeValues(r)));
    return used;
  }

  private static <T> Set<T> identities() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }
}
