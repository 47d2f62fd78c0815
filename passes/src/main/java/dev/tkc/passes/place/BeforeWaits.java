package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Slopes;
import dev.tkc.passes.analysis.Uses;
import dev.tkc.passes.tile.FloatPositions;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Computes what a round needs of positions alone in front of its wait for operands, not behind its product.
 *
 * <pre>
 *   for … (%j) {                                   for … (%j) {
 *     barrier_wait %k_full, …                        %d = cast …%j… #{held, stepped = 0}
 *     %s = dot_async %q, %k, …              →        %t = mul %d, %fall #{held}
 *     %x = dot_wait [%s]                             barrier_wait %k_full, …
 *     %d = cast …%j… #{stepped = 0}                  %s = dot_async %q, %k, …
 *     %t = mul %d, %fall                             %x = dot_wait [%s]
 *     %y = sub %x, %t                                %y = sub %x, %t
 * </pre>
 *
 * What stands behind a product is a chain that only other warps' products hide; in front of the wait there is time. It
 * is done where few registers hold the result, one for each distance between a thread's elements, and the role has them
 * beside its products; {@value #HELD} keeps the lowering's optimiser from moving it back, and from keeping lanes over
 * the loop, which takes as many registers again.
 *
 * <p>After what moves code out of loops, with layouts.
 */
public final class BeforeWaits {
  /** Elements are made here, neither before nor behind. */
  public static final String HELD = "held";

  /** What a role needs beside its tiles: addresses, rows' values, what the assembler moves things about in. */
  private static final int RESERVE = 28;

  private final Uses uses;

  private BeforeWaits(Func func) {
    uses = new Uses(func.body());
  }

  public static void run(Func func, PassContext context) {
    BeforeWaits waits = new BeforeWaits(func);
    for (Inst inst : func.body().insts()) {
      if (inst.op() instanceof ControlOp.Role role) {
        waits.loops(role.body(), role.registers());
      }
    }
  }

  private void loops(Region region, int registers) {
    for (Inst inst : region.insts()) {
      inst.regions().forEach(r -> loops(r, registers));
      if (inst.op() instanceof ControlOp.For loop) {
        round(loop.body().insts(), registers - RESERVE);
      }
    }
  }

  /** Moves what may stand in front of a round's first wait, as far as {@code room} registers suffice. */
  private void round(List<Inst> insts, int room) {
    int product = first(insts, AsyncOp.DotAsync.class);
    int wait = first(insts, AsyncOp.BarrierWait.class);
    if (product < 0 || wait < 0 || wait > product) {
      return;
    }
    Set<Value> late = new HashSet<>();
    Set<Inst> movable = new LinkedHashSet<>();
    for (Inst inst : insts.subList(wait, insts.size())) {
      if (isPure(inst) && inst.operands().stream().noneMatch(late::contains)) {
        movable.add(inst);
      } else {
        late.addAll(inst.results());
      }
    }
    long taken = insts.stream().mapToLong(BeforeWaits::productRegisters).sum();
    Set<Inst> moved = new LinkedHashSet<>();
    for (Inst inst : movable) {
      Set<Inst> chain = new LinkedHashSet<>();
      addChain(inst, movable, chain);
      if (isLast(inst, movable) && chain.stream().anyMatch(BeforeWaits::isStepped)
          && taken + places(inst.result()) <= room) {
        taken += places(inst.result());
        moved.addAll(chain);
        chain.stream().filter(i -> i == inst || isStepped(i)).forEach(i -> i.annotate(HELD, true));
      }
    }
    List<Inst> order = insts.stream().filter(moved::contains).toList();
    insts.removeAll(order);
    insts.addAll(wait, order);
  }

  private static int first(List<Inst> insts, Class<? extends AsyncOp> kind) {
    return IntStream.range(0, insts.size()).filter(i -> kind.isInstance(insts.get(i).op())).findFirst().orElse(-1);
  }

  private static boolean isPure(Inst inst) {
    return inst.op() instanceof ElementwiseOp || inst.op() instanceof ShapeOp || inst.op() instanceof MemoryOp.Lanes
        || inst.op() instanceof MemoryOp.Range;
  }

  private static boolean isStepped(Inst inst) {
    return inst.annotations().containsKey(FloatPositions.STEPPED);
  }

  /** Whether a tile of floats is used by what must wait. */
  private boolean isLast(Inst inst, Set<Inst> movable) {
    return inst.op() instanceof ElementwiseOp && inst.result().tile().rank() == 2
        && inst.result().tile().element() == Element.F32
        && uses.of(inst.result()).stream().anyMatch(u -> !movable.contains(u));
  }

  private static void addChain(Inst inst, Set<Inst> movable, Set<Inst> chain) {
    if (chain.add(inst)) {
      inst.operands().stream().map(Value::definition).filter(movable::contains)
          .forEach(d -> addChain(d, movable, chain));
    }
  }

  /** What a product has in registers of 32 bits: its sum, and its left operand if that is none in shared memory. */
  private static long productRegisters(Inst inst) {
    if (!(inst.op() instanceof AsyncOp.DotAsync dot)) {
      return 0;
    }
    long left = dot.a().type() instanceof TileType t ? registers(t) * t.element().bits() / 32 : 0;
    return registers(inst.result().tile()) + left;
  }

  private static long registers(TileType t) {
    return t.layout().registersPerThread();
  }

  /** In how many registers a thread holds a tile whose equal elements it holds once. */
  private static long places(Value v) {
    return IntStream.range(0, (int) registers(v.tile()))
        .mapToObj(r -> key(v, v.tile().layout().apply(r, 0, 0))).distinct().count();
  }

  /** Equal for elements that are computed alike from the same. */
  private static List<?> key(Value v, List<Integer> at) {
    return switch (v.definition() == null ? null : v.definition().op()) {
      case ShapeOp.Splat _ -> List.of();
      case ElementwiseOp.Cast c when isStepped(v.definition()) ->
          Slopes.of(c.x()).<List<?>>map(s -> List.of(s.at(at))).orElse(at);
      case ElementwiseOp o -> v.definition().operands().stream().map(x -> key(x, at)).toList();
      case null, default -> at;
    };
  }
}
