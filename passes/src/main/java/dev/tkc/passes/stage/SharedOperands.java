package dev.tkc.passes.stage;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.Panels;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.target.AsyncMatrix;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Which operands of asynchronous products lie in shared memory: those that were copied there; right operands that were
 * computed, and left ones that are computed and wanted transposed, which are <em>handed over</em>: each warp writes its
 * part for all to read. A left operand that is computed and not transposed stays in registers.
 *
 * <p>Such a tile may reach its product through values that a loop carries or a branch gives. They then carry or give
 * where it is.
 */
final class SharedOperands {
  private final Predicate<Inst> copied;
  /** Of the parameters of loops: the loop, and which of its carried values they are. */
  private final Map<Value, Inst> loopOf = new IdentityHashMap<>();
  private final Map<Inst, Set<Integer>> carried = new IdentityHashMap<>();
  private final Map<Value, Set<Value>> next = new IdentityHashMap<>();
  private final Set<Value> found = Collections.newSetFromMap(new IdentityHashMap<>());
  private final List<Value> computed = new ArrayList<>();

  /** {@code instruction} is an asynchronous product's; {@code copied} are the loads that are bulk copies. */
  SharedOperands(Region body, Function<Inst, Optional<AsyncMatrix>> instruction, Predicate<Inst> copied) {
    this.copied = copied;
    body.walk(i -> {
      if (i.op() instanceof ControlOp.For loop) {
        loop.body().params().forEach(p -> loopOf.put(p, i));
      }
    });
    body.walk(i -> {
      if (i.op() instanceof MatrixOp.Dot dot) {
        instruction.apply(i).ifPresent(row -> operands(dot, row));
      }
    });
  }

  private void operands(MatrixOp.Dot dot, AsyncMatrix row) {
    need(source(dot.b()));
    Value left = source(dot.a());
    if (isCopied(left, Collections.newSetFromMap(new IdentityHashMap<>())) || left != dot.a() && mayHand(left, row)) {
      need(left);
    }
  }

  /** What an operand is before it is transposed. */
  static Value source(Value operand) {
    return operand.definition() != null && operand.definition().op() instanceof ShapeOp.Permute p ? p.x() : operand;
  }

  /** Whether a left operand that is computed and transposed can be handed over. */
  static boolean mayHand(Value source, AsyncMatrix row) {
    return row.transposes() && fits(source.tile());
  }

  /** Whether a computed tile can lie where products read it. */
  static boolean fits(TileType t) {
    return t.rank() == 2 && t.shape().getFirst() >= 8 && Panels.obstacle(t.shape(), t.element().bits()).isEmpty();
  }

  /** Whether the value comes from bulk copies and nothing else. */
  private boolean isCopied(Value v, Set<Value> seen) {
    if (!seen.add(v)) {
      return true;
    }
    if (v.definition() != null && copied.test(v.definition())) {
      return true;
    }
    return at(v).map(m -> m.from().stream().allMatch(f -> isCopied(f, seen))).orElse(false);
  }

  /** A value that comes out of a loop or a branch, with those it may be: what goes round, or what the sides give. */
  private record Merged(Inst inst, int index, List<Value> from, List<Value> to) {}

  /** Which merged value this is a parameter or a result of. */
  private Optional<Merged> at(Value v) {
    Inst inst = loopOf.getOrDefault(v, v.definition());
    if (inst != null && inst.op() instanceof ControlOp.For loop) {
      int n = loopOf.containsKey(v) ? loop.body().params().indexOf(v) - 1 : inst.results().indexOf(v);
      return n < 0 ? Optional.empty() : Optional.of(new Merged(inst, n,
          List.of(loop.inits().get(n), yielded(loop.body(), n)),
          List.of(loop.body().params().get(n + 1), inst.results().get(n))));
    }
    if (inst != null && inst.op() instanceof ControlOp.If branch) {
      int n = inst.results().indexOf(v);
      List<Value> given = List.of(yielded(branch.then(), n), yielded(branch.otherwise(), n));
      return Optional.of(new Merged(inst, n, given, List.of(v)));
    }
    return Optional.empty();
  }

  private static Value yielded(Region region, int n) {
    return region.terminator().operands().get(n);
  }

  private void need(Value v) {
    if (!found.add(v)) {
      return;
    }
    Optional<Merged> at = at(v).filter(m -> !(m.inst().op() instanceof ControlOp.If) || comesFromElsewhere(m));
    if (at.isPresent()) {
      Merged m = at.get();
      carried.computeIfAbsent(m.inst(), _ -> new TreeSet<>()).add(m.index());
      m.from().forEach(f -> edge(f, m.to().getFirst()));
      for (int n = 1; n < m.to().size(); n++) {
        edge(m.to().get(n - 1), m.to().get(n));
      }
      m.from().forEach(this::need);
      m.to().forEach(this::need);
    } else if (v.definition() == null) {
      throw new IllegalStateException("an operand in shared memory that is neither loaded nor computed: " + v);
    } else if (!copied.test(v.definition())) {
      computed.add(v);
    }
  }

  /**
   * Whether a branch hands on a tile that was there before it, or that one of its loops carries: then it hands on where
   * it is.
   */
  private boolean comesFromElsewhere(Merged m) {
    return m.from().stream().anyMatch(f -> at(f).isPresent() || !definedIn(m.inst(), f));
  }

  private static boolean definedIn(Inst branch, Value v) {
    return branch.anyInside(i -> i == v.definition());
  }

  private void edge(Value from, Value to) {
    next.computeIfAbsent(from, _ -> new LinkedHashSet<>()).add(to);
  }

  /** Whether the value is a tile in a slot. */
  boolean contains(Value v) {
    return found.contains(v);
  }

  /** The carried values that this one becomes by where it lies. */
  Set<Value> next(Value v) {
    return next.getOrDefault(v, Set.of());
  }

  boolean flows(Value v) {
    return next.containsKey(v);
  }

  /** Which of the values that a loop carries, or a branch gives, are slots. */
  List<Integer> carried(Inst inst) {
    return List.copyOf(carried.getOrDefault(inst, Set.of()));
  }

  /** The tiles that are handed over, in program order; together those that may become the same carried value. */
  Collection<Set<Value>> handed() {
    Map<Value, Set<Value>> groups = new LinkedHashMap<>();
    for (Value v : computed) {
      Set<Value> reached = Collections.newSetFromMap(new IdentityHashMap<>());
      reach(v, reached);
      Value same = groups.keySet().stream().filter(k -> groups.get(k).stream().anyMatch(o -> meets(o, reached)))
          .findFirst().orElse(v);
      groups.computeIfAbsent(same, _ -> new LinkedHashSet<>()).add(v);
    }
    return groups.values();
  }

  private boolean meets(Value v, Set<Value> values) {
    Set<Value> reached = Collections.newSetFromMap(new IdentityHashMap<>());
    reach(v, reached);
    return reached.stream().anyMatch(values::contains);
  }

  private void reach(Value v, Set<Value> into) {
    if (into.add(v)) {
      next(v).forEach(n -> reach(n, into));
    }
  }
}
