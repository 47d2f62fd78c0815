package dev.tkc.passes.stage;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Uses;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * An estimate of how many registers of a thread tiles take at once, if a function's instructions are executed in their
 * order: of those of at least two dimensions, that are neither in shared memory nor made again wherever they are used
 * (masks, and what is the same along a dimension). An operation on elements puts its result where an operand was that
 * nobody needs any more. A product's left operand in registers stays until somebody needs the product, or the next but
 * one is started ({@link DelayWaits}).
 */
final class RegisterPressure {
  private final long threads;
  private final Predicate<Inst> asynchronous;
  private final Predicate<Value> inMemory;
  private final Uses uses;
  private final Map<Value, Long> sizes = new IdentityHashMap<>();

  /**
   * {@code body} of a function, or of a loop; {@code asynchronous} products run beside the threads; {@code inMemory}
   * tiles are read where they are in shared memory.
   */
  RegisterPressure(Region body, long threads, Predicate<Inst> asynchronous, Predicate<Value> inMemory) {
    this.threads = threads;
    this.asynchronous = asynchronous;
    this.inMemory = inMemory;
    this.uses = new Uses(body);
  }

  /** The most registers at any place in a region. */
  long most(Region region) {
    return most(region, Set.of());
  }

  /** The same where some values that the region uses from outside are needed by nobody after it. */
  private long most(Region region, Set<Value> ending) {
    List<Inst> insts = region.insts();
    Map<Value, Integer> last = new IdentityHashMap<>();
    for (int n = 0; n < insts.size(); n++) {
      for (Value v : used(insts.get(n))) {
        last.put(v, n);
      }
    }
    Set<Value> live = Collections.newSetFromMap(new IdentityHashMap<>());
    live.addAll(ending);
    region.params().stream().filter(last::containsKey).forEach(live::add);
    for (int n = 0; n < insts.size(); n++) {
      if (asynchronous.test(insts.get(n))) {
        hold((MatrixOp.Dot) insts.get(n).op(), insts.get(n), insts, last);
      }
    }
    long most = sum(live);
    for (int n = 0; n < insts.size(); n++) {
      Inst inst = insts.get(n);
      int here = n;
      long inner = 0;
      for (Region r : inst.regions()) {
        Set<Value> through = Collections.newSetFromMap(new IdentityHashMap<>());
        Set<Value> free = Regions.freeValues(r);
        boolean loops = inst.op() instanceof ControlOp.For;
        live.stream().filter(v -> last.get(v) > here || loops && free.contains(v)).forEach(through::add);
        Set<Value> into = Collections.newSetFromMap(new IdentityHashMap<>());
        live.stream().filter(v -> !through.contains(v) && free.contains(v)).forEach(into::add);
        inner = Math.max(inner, sum(through) + most(r, into));
      }
      live.removeIf(v -> last.get(v) <= here);
      inst.results().stream().filter(last::containsKey).forEach(live::add);
      most = Math.max(most, Math.max(inner, sum(live)));
    }
    return most;
  }

  /** The left operand's registers are taken until the product's sum is used, or handed on at the end of the region. */
  private void hold(MatrixOp.Dot dot, Inst inst, List<Inst> insts, Map<Value, Integer> last) {
    Value a = dot.a();
    int first = insts.size() - 1;
    for (Inst user : uses.of(inst.result())) {
      int at = insts.indexOf(user);
      first = at < 0 ? first : Math.min(first, at);
    }
    int started = 0;
    for (int n = insts.indexOf(inst) + 1; n < first; n++) {
      if (asynchronous.test(insts.get(n)) && ++started == 2 || starts(insts.get(n))) {
        first = n;
      }
    }
    int until = first;
    last.computeIfPresent(a, (_, n) -> Math.max(n, until));
  }

  /** Whether products are started inside the instruction: all before it are waited for. */
  private boolean starts(Inst inst) {
    return inst.anyInside(asynchronous);
  }

  private static Set<Value> used(Inst inst) {
    Set<Value> used = Collections.newSetFromMap(new IdentityHashMap<>());
    used.addAll(inst.operands());
    inst.regions().forEach(r -> used.addAll(Regions.freeValues(r)));
    return used;
  }

  private long sum(Set<Value> values) {
    return values.stream().mapToLong(this::size).sum();
  }

  private long size(Value v) {
    Long known = sizes.get(v);
    if (known == null) {
      // Values that depend on each other around a loop are parameters, which have no definition.
      known = v.type() instanceof TileType t && t.rank() >= 2 && !t.element().isBool() && !inMemory.test(v)
          && !isFree(v)
          ? t.element().bytes(t.count()) / (4 * threads) : 0L;
      sizes.put(v, known);
    }
    return known;
  }

  /** Whether the value costs nothing to make again where it is used. */
  private boolean isFree(Value v) {
    Inst inst = v.definition();
    if (inst == null) {
      return false;
    }
    return switch (inst.op()) {
      case ElementwiseOp _ -> inst.operands().stream().allMatch(o -> ((TileType) o.type()).isScalar() || size(o) == 0);
      case ShapeOp.Permute p -> size(p.x()) == 0;
      case ShapeOp _ -> inst.operands().stream().noneMatch(o -> o.type() instanceof TileType t && size(o) > 0);
      default -> false;
    };
  }
}
