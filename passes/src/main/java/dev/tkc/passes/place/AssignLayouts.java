package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.BlockedLayouts;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.WarpTeam;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.rules.SlotBytes;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.AccessPattern;
import dev.tkc.passes.target.AsyncMatrix;
import dev.tkc.passes.target.MatrixInstruction;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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
 * <p>A role's tiles lie over the warps of the role, be they a power of two or not ({@link WarpTeam}); no tile goes from
 * one {@link Team} to another. Buffers that copy engines or asynchronous dots use lie in panels.
 *
 * <p>Needs {@code warps} and {@code lanes} on the function. Guarantees {@code placed}.
 */
public final class AssignLayouts {
  private final Team team;
  private final TargetInfo target;
  private final int warps;
  private final LayoutSolver solver;
  private final AccessPattern.Finder patterns;
  /** In program order, so that the outcome is the same each time. */
  private final Map<Inst, DotLayouts> dots = new LinkedHashMap<>();

  private AssignLayouts(Team team, TargetInfo target, AccessPattern.Finder patterns) {
    this.team = team;
    this.target = target;
    this.warps = team.warps();
    this.solver = new LayoutSolver(team.region(), new WarpTeam(team.warps()));
    this.patterns = patterns;
  }

  public static void run(Func func, PassContext context) {
    placeSharedBuffers(func);
    AccessPattern.Finder patterns = new AccessPattern.Finder(func);
    List<Team> teams = Team.of(func);
    teams.forEach(t -> t.requireOwnTiles(func));
    teams.forEach(t -> new AssignLayouts(t, context.target(), patterns).run());
    func.annotations().put("placed", true);
  }

  private void run() {
    anchorCopies();
    anchorDots();
    anchorScans();
    anchorAccesses();
    dots.forEach((inst, layouts) -> {
      switch (inst.op()) {
        case MatrixOp.Dot dot -> {
          solver.assign(dot.a(), layouts.a());
          solver.assign(dot.b(), layouts.b());
        }
        case AsyncOp.DotAsync dot when layouts.a() != null -> solver.assign(dot.a(), layouts.a());
        default -> { }
      }
    });
    anchorRest(team.region());
    Demands demands = new Demands(solver, dots, this::accessLayout, target.lanes(), warps);
    new LayoutConversions(demands).apply(team.region());
  }

  private void anchorDots() {
    List<Inst> found = new ArrayList<>();
    team.walk(i -> DotLayouts.dot(i).ifPresent(_ -> found.add(i)));
    boolean rowsOnly = DotChains.needWholeRows(team.region(), found);
    found.forEach(inst -> dots.put(inst, synchronous(inst, rowsOnly)));
    team.walk(i -> {
      if (i.op() instanceof AsyncOp.DotAsync) {
        dots.put(i, asynchronous(i));
      }
    });
    dots.forEach((inst, layouts) -> solver.assign(inst.result(), layouts.acc()));
    dots.forEach((inst, layouts) -> {
      if (inst.op() instanceof AsyncOp.DotAsync dot) {
        solver.assign(dot.acc(), layouts.acc());
      }
    });
  }

  private DotLayouts synchronous(Inst inst, boolean rowsOnly) {
    Optional<MatrixInstruction> instruction = Optional.ofNullable((String) inst.annotations().get("instruction"))
        .flatMap(target::matrixInstruction);
    if (instruction.isEmpty()) {
      return DotLayouts.scalar(inst, target.lanes(), warps);
    }
    int rows = DotLayouts.rowsOfWarps(inst, instruction.get().fragments(), warps, rowsOnly);
    return DotLayouts.of(inst, instruction.get().fragments(), rows, warps / rows);
  }

  private DotLayouts asynchronous(Inst inst) {
    AsyncMatrix row = Optional.ofNullable((String) inst.annotations().get("instruction")).flatMap(target::asyncMatrix)
        .orElseThrow(() -> new IllegalStateException(inst + " names no asynchronous instruction of " + target.name()));
    return DotLayouts.async(inst, row, warps);
  }

  /** Rows that copies gather are known where the copy's threads want them, so that loops can carry them as they are. */
  private void anchorCopies() {
    team.walk(inst -> {
      if (inst.op() instanceof SharedOp.CopyAsync copy && copy.indices().stream().anyMatch(Demands::isTile)) {
        LinearLayout layout = accessLayout(inst);
        // The code made of the copy shares it out by this width.
        inst.annotate("vector", (long) Access.widest(inst, patterns, target.vectorBytes()));
        Demands.indexLayouts(Access.of(inst).orElseThrow(), layout).forEach(solver::assign);
      }
    });
  }

  private void anchorScans() {
    team.walk(inst -> {
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
    team.walk(i -> {
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
    return BlockedLayouts.coalescedLayout(access.shape(), access.order(),
        Access.widest(inst, patterns, target.vectorBytes()), target.lanes(), warps);
  }

  private void anchorRest(Region region) {
    region.params().forEach(this::anchorDefault);
    for (Inst inst : region.insts()) {
      if (!(inst.op() instanceof ControlOp.Role)) {
        inst.regions().forEach(this::anchorRest);
        inst.results().forEach(this::anchorDefault);
      }
    }
  }

  private void anchorDefault(Value v) {
    if (v.type() instanceof TileType t && t.rank() > 0 && !solver.isAssigned(v)) {
      int vector = Math.max(1, Math.min(4, 128 / t.element().bits()));
      solver.assign(v, BlockedLayouts.coalescedLayout(
          t.shape(), BlockedLayouts.rowMajorOrder(t.rank()), vector, target.lanes(), warps));
    }
  }

  private static void placeSharedBuffers(Func func) {
    Set<Value> engines = SharedBuffers.ofEngines(func);
    func.body().walk(inst -> {
      if (inst.op() instanceof SharedOp.SharedAlloc alloc) {
        SharedType placed = engines.contains(inst.result())
            ? SharedBuffers.inPanels(alloc.type()) : SharedBuffers.placed(alloc.type());
        inst.result().setType(placed);
        inst.setOp(new SharedOp.SharedAlloc(placed, alloc.name()));
        SharedBuffers.pitch(placed).filter(_ -> engines.contains(inst.result()))
            .ifPresent(n -> inst.annotate(SlotBytes.PITCH, n));
      }
    });
  }
}
