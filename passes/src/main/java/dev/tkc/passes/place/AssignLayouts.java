package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.BlockedLayouts;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.AccessPattern;
import dev.tkc.passes.target.MatrixInstruction;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Gives every tile and shared buffer of a device function its layout, and converts where two meet.
 *
 * <pre>
 *   %0 = load %x, [%r], _ : f32[1024]       →   %0 = load %x, [%r], _ : f32[1024; #l0]
 *   %1 = exp %0 : f32[1024]                     %1 = exp %0 : f32[1024; #l0]
 * </pre>
 *
 * <p>Layouts start from anchors, in this order, and spread ({@link LayoutSolver}): accumulators of dots, scans,
 * accesses to memory (the largest and widest first), operands of dots; whatever is left is laid out row by row. Then
 * each instruction says what it demands of its operands ({@link Demands}); an operand that lies otherwise is computed
 * again if that is cheap, else converted, right after it is defined, so that a loop that uses it does not repeat that.
 *
 * <p>Needs {@code warps} and {@code lanes} on the function. Guarantees {@code placed}.
 */
public final class AssignLayouts {
  private final Func func;
  private final TargetInfo target;
  private final int warps;
  private final LayoutSolver solver;
  private final AccessPattern.Finder patterns;
  private final Map<Inst, DotLayouts> dots = new IdentityHashMap<>();

  private AssignLayouts(Func func, TargetInfo target) {
    this.func = func;
    this.target = target;
    this.warps = (int) func.annotation("warps", 4);
    this.solver = new LayoutSolver(func);
    this.patterns = new AccessPattern.Finder(func);
  }

  public static void run(Func func, PassContext context) {
    new AssignLayouts(func, context.target()).run();
  }

  private void run() {
    anchorDots();
    anchorScans();
    anchorAccesses();
    dots.forEach((inst, layouts) -> {
      MatrixOp.Dot dot = (MatrixOp.Dot) inst.op();
      solver.assign(dot.a(), layouts.a());
      solver.assign(dot.b(), layouts.b());
    });
    anchorRest(func.body());
    placeSharedBuffers();
    Demands demands = new Demands(solver, dots, this::accessLayout, target.lanes(), warps);
    new LayoutConversions(demands).apply(func.body());
    func.annotations().put("placed", true);
  }

  private void anchorDots() {
    List<Inst> found = new ArrayList<>();
    func.body().walk(i -> DotLayouts.dot(i).ifPresent(_ -> found.add(i)));
    boolean rowsOnly = DotChains.needWholeRows(func, found);
    for (Inst inst : found) {
      Optional<MatrixInstruction> instruction = Optional.ofNullable((String) inst.annotations().get("instruction"))
          .flatMap(target::matrixInstruction);
      DotLayouts layouts;
      if (instruction.isPresent()) {
        int rows = DotLayouts.rowsOfWarps(inst, instruction.get().fragments(), warps, rowsOnly);
        layouts = DotLayouts.of(inst, instruction.get().fragments(), rows, warps / rows);
      } else {
        layouts = DotLayouts.scalar(inst, target.lanes(), warps);
      }
      dots.put(inst, layouts);
    }
    dots.forEach((inst, layouts) -> solver.assign(inst.result(), layouts.acc()));
  }

  private void anchorScans() {
    func.body().walk(inst -> {
      if (inst.op() instanceof ReductionOp.Scan s) {
        solver.assign(inst.result(), Demands.scanLayout(inst.result().tile().shape(), s.axis(), target.lanes(), warps));
      } else if (inst.op() instanceof ReductionOp.ScanWith s) {
        inst.results().forEach(r -> solver.assign(
            r, Demands.scanLayout(r.tile().shape(), s.axis(), target.lanes(), warps)));
      }
    });
  }

  private void anchorAccesses() {
    List<Inst> accesses = new ArrayList<>();
    func.body().walk(i -> {
      if (!(i.op() instanceof SharedOp) && Access.of(i).isPresent()) {
        accesses.add(i);
      }
    });
    accesses.sort(Comparator.<Inst>comparingLong(i -> -tile(i).count())
        .thenComparingInt(i -> -Access.widest(i, patterns, target.vectorBytes())));
    for (Inst i : accesses) {
      solver.assign(value(i), accessLayout(i));
    }
  }

  private static Value value(Inst access) {
    return access.results().isEmpty() ? access.operands().getLast() : access.result();
  }

  private static TileType tile(Inst access) {
    return value(access).tile();
  }

  /** The layout in which an access is best made: neighbours in memory in neighbouring lanes, in the widest vectors. */
  private LinearLayout accessLayout(Inst inst) {
    Access access = Access.of(inst).orElseThrow();
    return BlockedLayouts.coalescedLayout(tile(inst).shape(), access.order(),
        Access.widest(inst, patterns, target.vectorBytes()), target.lanes(), warps);
  }

  private void anchorRest(Region region) {
    region.params().forEach(this::anchorDefault);
    for (Inst inst : region.insts()) {
      inst.regions().forEach(this::anchorRest);
      inst.results().forEach(this::anchorDefault);
    }
  }

  private void anchorDefault(Value v) {
    if (v.type() instanceof TileType t && t.rank() > 0 && !solver.isAssigned(v)) {
      int vector = Math.max(1, Math.min(4, 128 / t.element().bits()));
      solver.assign(v, BlockedLayouts.coalescedLayout(
          t.shape(), BlockedLayouts.rowMajorOrder(t.rank()), vector, target.lanes(), warps));
    }
  }

  private void placeSharedBuffers() {
    func.body().walk(inst -> {
      if (inst.op() instanceof SharedOp.SharedAlloc alloc) {
        SharedType placed = SharedBuffers.placed(alloc.type());
        inst.result().setType(placed);
        inst.setOp(new SharedOp.SharedAlloc(placed, alloc.name()));
      }
    });
  }
}
