package dev.tkc.passes.stage;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.BulkAccess;
import dev.tkc.passes.analysis.Tensors;
import dev.tkc.passes.analysis.Uses;
import dev.tkc.passes.target.AsyncMatrix;
import dev.tkc.passes.target.Capability;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Decides whether a function's products run beside its warps, and what the copy engine loads and stores for them.
 *
 * <pre>
 *   %x = load %ta, [%i, %k], _                      …  #{bulk}
 *   %d = dot %x, %y, %acc                       →   …  #{instruction = "WGMMA_BF16"}
 *   store %tc, [%i, %j], %r                         …  #{bulk}, and on the function {asynchronous, warps = 8}
 * </pre>
 *
 * All products of the function or none: each needs an instruction of the target that fits its tiles, operands that a
 * copy engine can load, transposed or not, or that are computed: left ones into registers, right ones, and left ones
 * that are wanted transposed, to be handed over through shared memory ({@link SharedOperands}). What stands in the way
 * is left in the annotation {@code synchronous} of the function, for reports. Nothing that decides where copies go may
 * depend on what they bring.
 *
 * <p>Early, so that no guard is peeled off for an access that the copy engine clips by itself. {@link PartitionRoles}
 * acts on the marks.
 */
public final class ChooseAsync {
  /** On a bulk load that shares the slot of the bulk load before it. */
  static final String JOINED = "joined";

  /**
   * How many warps may compute, the best first: two groups of warps share two schedulers each and have the registers
   * for large tiles; three have a third fewer but more to do while one waits.
   */
  private static final List<Integer> WARPS = List.of(8, 12, 16, 4);

  /**
   * Registers that must be left at launch beside the accumulators of one instruction: a left operand, descriptors, the
   * stack.
   */
  private static final int BESIDE_INSTRUCTION = 32;

  /** Shared memory that is left for results on their way out, and for barriers. */
  private static final int RESULTS = 34 * 1024;

  /** The fewest warps that compute, and what a thread stores at once. */
  private static final int LEAST_CONSUMERS = 4;
  private static final int VECTOR_BYTES = 16;

  private final Func func;
  private final TargetInfo target;
  private final BulkAccess access;
  private final Uses uses;
  private final List<Inst> dots = new ArrayList<>();
  private final Map<Inst, AsyncMatrix> instructions = new IdentityHashMap<>();
  private final Set<Inst> loads = new HashSet<>();
  private String obstacle;

  private ChooseAsync(Func func, TargetInfo target) {
    this.func = func;
    this.target = target;
    this.access = new BulkAccess(func);
    this.uses = new Uses(func.body());
    func.body().walk(i -> {
      if (i.op() instanceof MatrixOp.Dot) {
        dots.add(i);
      }
    });
  }

  public static void run(Func func, PassContext context) {
    TargetInfo target = context.target();
    if (target.has(Capability.ASYNC_MATRIX) && target.has(Capability.BULK_COPY)
        && target.has(Capability.REGISTER_SPLIT)) {
      ChooseAsync choice = new ChooseAsync(func, target);
      if (!choice.dots.isEmpty()) {
        choice.choose();
      }
    }
  }

  private void choose() {
    dots.forEach(this::examine);
    int warps = 0;
    if (obstacle == null) {
      findLoads();
      independent(func.body(), new HashSet<>());
      warps = warps();
      fits();
    }
    if (obstacle != null) {
      func.annotations().put("synchronous", obstacle);
      return;
    }
    instructions.forEach((inst, row) -> inst.annotate("instruction", row.name()));
    loads.forEach(l -> l.annotate("bulk", true));
    join(func.body(), false);
    boolean[] ragged = {false};
    func.body().walk(i -> {
      ragged[0] |= i.op() instanceof ControlOp.BlockCount;
      if (isBulkStore(i)) {
        i.annotate("bulk", true);
      }
    });
    func.annotations().put("warps", (long) warps);
    func.annotations().put("asynchronous", true);
    if (!ragged[0]) {
      func.annotations().putIfAbsent("persistent", true);
    }
  }

  private void fail(String why) {
    if (obstacle == null) {
      obstacle = why;
    }
  }

  // ------------------------------------------------------------------------------------------------ one product

  private void examine(Inst inst) {
    MatrixOp.Dot dot = (MatrixOp.Dot) inst.op();
    TileType a = dot.a().tile();
    TileType b = dot.b().tile();
    TileType acc = dot.acc().tile();
    Optional<AsyncMatrix> found = target.asyncFor(a.element(), b.element(), acc.element(), dot.precision());
    if (acc.rank() != 2 || found.isEmpty()) {
      fail("no asynchronous instruction computes " + a + " @ " + b);
      return;
    }
    AsyncMatrix row = found.get();
    if (acc.shape().get(0) % row.rows() != 0 || acc.shape().get(1) % row.columnStep() != 0
        || a.shape().get(1) % row.k() != 0) {
      fail("tiles of " + a + " @ " + b + " are no multiples of the instruction's");
      return;
    }
    instructions.put(inst, row);
    operand(dot.b(), true, row, false).ifPresent(this::fail);
    operand(dot.a(), false, row, true).ifPresent(this::fail);
  }

  /** What is wrong with an operand; {@code transposed} is whether its k runs along the rows of the tile as it is. */
  private Optional<String> operand(Value v, boolean transposed, AsyncMatrix row, boolean registers) {
    Value source = v;
    boolean across = transposed;
    if (v.definition() != null && v.definition().op() instanceof ShapeOp.Permute p) {
      source = p.x();
      across = !across;
    }
    Inst def = source.definition();
    if (def != null && def.op() instanceof MemoryOp.Load) {
      Optional<String> why = access.obstacle(def);
      if (why.isEmpty() && across && !row.transposes()) {
        return Optional.of("the instruction takes operands only along k, and " + source.type() + " lies across it");
      }
      return why.map(w -> "a load of " + source(def) + " is no bulk copy: " + w);
    }
    if (registers) {
      return Optional.empty();
    }
    if (!isHandedOver(source) || across && !row.transposes()) {
      return Optional.of("the right operand " + v.type()
          + " is computed, and no instruction reads it where it could be put");
    }
    return Optional.empty();
  }

  /** Whether a computed tile can be handed over: who carries one from round to round has it in registers. */
  private static boolean isHandedOver(Value source) {
    return source.definition() != null && !(source.definition().op() instanceof ControlOp.For)
        && SharedOperands.fits(source.tile());
  }

  private static String source(Inst load) {
    return Tensors.name(((MemoryOp.Load) load.op()).tensor());
  }

  // ------------------------------------------------------------------------------------------------ all of them

  /** The warps among which all products' rows can be shared out and whose registers hold what products need. */
  private int warps() {
    long least = Long.MAX_VALUE;
    for (int warps : WARPS) {
      if (dots.stream().allMatch(d -> d.result().tile().shape().getFirst() % (16 * warps) == 0)) {
        long registers = registers(warps);
        RoleRegisters given = RoleRegisters.of(target, warps, false, false);
        if (registers <= RoleRegisters.forTiles(target, warps)
            && mostOfInstruction() <= given.launch() - BESIDE_INSTRUCTION) {
          return warps;
        }
        least = Math.min(least, registers);
      }
    }
    fail("accumulators and operands take " + least + " registers of each thread");
    return 0;
  }

  /** Loads that reach a product through arithmetic are copied in bulk where they can be. */
  private void findLoads() {
    func.body().walk(i -> {
      if (i.op() instanceof MemoryOp.Load && i.result().tile().rank() == 2 && feedsProduct(i.result(), new HashSet<>())
          && access.obstacle(i).isEmpty()) {
        loads.add(i);
      }
    });
  }

  /**
   * Rows that reach products through arithmetic come along with the operand that a round loads before them, in the same
   * slot: they are moved behind it.
   */
  private void join(Region region, boolean inLoop) {
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(r -> join(r, inLoop || inst.op() instanceof ControlOp.For));
      if (inLoop && inst.op() instanceof MemoryOp.Load && inst.result().tile().rank() == 1
          && feedsProduct(inst.result(), new HashSet<>()) && access.obstacle(inst).isEmpty()) {
        beside(region, inst).ifPresent(at -> {
          region.insts().remove(inst);
          region.insts().add(region.insts().indexOf(at) + 1, inst);
          inst.annotate("bulk", true);
          inst.annotate(JOINED, true);
        });
      }
    }
  }

  /** The last load of a region before this one, operand or joined, behind which all that this one needs is there. */
  private Optional<Inst> beside(Region region, Inst load) {
    List<Inst> before = region.insts().subList(0, region.insts().indexOf(load));
    for (Inst inst : before.reversed()) {
      if (inst.flag(JOINED) || loads.contains(inst) && onlyProducts(inst.result())) {
        return Optional.of(inst);
      }
      if (inst.results().stream().anyMatch(load.operands()::contains)) {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  private boolean feedsProduct(Value v, Set<Value> seen) {
    return feedsProduct(v, uses, seen);
  }

  private static boolean feedsProduct(Value v, Uses uses, Set<Value> seen) {
    return seen.add(v) && uses.of(v).stream().anyMatch(user -> switch (user.op()) {
      case MatrixOp.Dot d -> d.a() == v || d.b() == v;
      case ElementwiseOp _ -> feedsProduct(user.result(), uses, seen);
      case ShapeOp _ -> feedsProduct(user.result(), uses, seen);
      default -> false;
    });
  }

  /** Loops, branches and places of copies must follow from what the producer knows. */
  private void independent(Region region, Set<Value> tainted) {
    for (Inst inst : region.insts()) {
      boolean dependent = inst.operands().stream().anyMatch(tainted::contains);
      boolean decides = inst.op() instanceof ControlOp.If i && tainted.contains(i.condition())
          || inst.op() instanceof ControlOp.For f && (tainted.contains(f.lo()) || tainted.contains(f.hi()));
      if (decides || loads.contains(inst) && dependent) {
        fail("what is copied depends on tiles that were copied or multiplied");
      }
      if (inst.op() instanceof ControlOp.For f) {
        for (int i = 0; i < f.inits().size(); i++) {
          // A carried tile may become dependent in a later round; scalars that do would be rare.
          if (tainted.contains(f.inits().get(i)) || f.inits().get(i).tile().rank() > 0) {
            tainted.add(f.body().params().get(i + 1));
          }
        }
      }
      inst.regions().forEach(r -> independent(r, tainted));
      boolean inside = inst.regions().stream()
          .anyMatch(r -> r.terminator().operands().stream().anyMatch(tainted::contains));
      if (dependent || inside || loads.contains(inst) || inst.op() instanceof MatrixOp) {
        tainted.addAll(inst.results());
      }
    }
  }

  /**
   * Bytes of the tiles that threads load and that come to products through shared memory, since other threads need
   * them: those of the region that has most.
   */
  static long exchanged(Region region, Uses uses, Predicate<Inst> bulk) {
    long here = region.insts().stream().filter(i -> i.op() instanceof MemoryOp.Load && i.result().tile().rank() == 2
        && !bulk.test(i) && feedsProduct(i.result(), uses, new HashSet<>()))
        .mapToLong(i -> i.result().tile().element().bytes(i.result().tile().count())).sum();
    return region.insts().stream().flatMap(i -> i.regions().stream()).mapToLong(r -> exchanged(r, uses, bulk))
        .reduce(here, Math::max);
  }

  private boolean isBulkStore(Inst inst) {
    return inst.op() instanceof MemoryOp.Store s && StoreSlices.mayBeBulk(s.value().tile())
        && access.obstacle(inst).isEmpty() && !leavesAtOnce(s.value().tile());
  }

  /**
   * Whether a tile is a block's only one, and so small that each thread stores it in one go: nothing runs beside the
   * engine's store then, and the way to it, a fence, a barrier and the start of the engine, is the longer one.
   */
  private boolean leavesAtOnce(TileType t) {
    return Boolean.FALSE.equals(func.annotations().get("persistent"))
        && t.element().bytes(t.count()) <= (long) LEAST_CONSUMERS * target.lanes() * VECTOR_BYTES;
  }

  /** The most accumulators of one instruction in each thread. */
  private long mostOfInstruction() {
    return instructions.entrySet().stream().mapToLong(e -> (long) e.getValue().fragments().m()
        * Math.min(e.getValue().mostColumns(), e.getKey().result().tile().shape().getLast()) / target.lanes())
        .max().orElse(0);
  }

  /** The most registers of each thread that accumulators and left operands take at a time. */
  private long registers(int warps) {
    Set<Inst> leaving = StoreSlices.onTheWayOut(func, this::isBulkStore);
    // Two groups begin the next round's product beside the arithmetic, and need what is read then as room for it.
    boolean piecewise = warps > WARPS.getFirst();
    return new RegisterPressure(func.body(), (long) warps * target.lanes(), instructions::containsKey,
        v -> v.definition() != null
            && (leaving.contains(v.definition())
                || loads.contains(v.definition()) && (onlyProducts(v) || piecewise && joinsSum(v))))
                .most(func.body());
  }

  /** Whether all that becomes of a tile's elements is that they join those of a product's sum: they are read then. */
  private boolean joinsSum(Value v) {
    if (uses.of(v).size() != 1 || !(uses.of(v).getFirst().op() instanceof ElementwiseOp)) {
      return false;
    }
    Inst user = uses.of(v).getFirst();
    return user.operands().stream().anyMatch(o -> o != v && isOfSum(o)) || joinsSum(user.result());
  }

  private static boolean isOfSum(Value v) {
    Inst inst = v.definition();
    return inst != null && (inst.op() instanceof MatrixOp.Dot
        || inst.op() instanceof ElementwiseOp && inst.operands().stream().anyMatch(ChooseAsync::isOfSum));
  }

  private void fits() {
    SharedOperands shared = new SharedOperands(func.body(), i -> Optional.ofNullable(instructions.get(i)),
        loads::contains);
    long bytes = loads.stream().mapToLong(l -> bytes(l.result())).sum() + most()
        + shared.handed().stream().mapToLong(group -> 2 * bytes(group.iterator().next())).sum()
        + exchanged(func.body(), uses, loads::contains) + turned();
    if (bytes > target.shared().perBlock() - RESULTS) {
      fail("two rounds' tiles of " + bytes + " bytes do not fit shared memory");
    }
  }

  /** The most that a tile needs whose rows and columns are exchanged on its way out. */
  private long turned() {
    long[] most = {0};
    func.body().walk(i -> {
      if (i.op() instanceof MemoryOp.Store) {
        most[0] = Math.max(most[0], StoreSlices.turningBytes(i));
      }
    });
    return most[0];
  }

  /**
   * Of the products, the most that one of them reads of what is loaded in rounds: what needs a second slot, to be ahead
   * of it.
   */
  private long most() {
    Set<Inst> outside = new HashSet<>(func.body().insts());
    return dots.stream().mapToLong(d -> Stream.of(((MatrixOp.Dot) d.op()).a(), ((MatrixOp.Dot) d.op()).b())
        .map(v -> v.definition() != null && v.definition().op() instanceof ShapeOp.Permute p ? p.x() : v)
        .filter(v -> loads.contains(v.definition()) && !outside.contains(v.definition()))
        .mapToLong(ChooseAsync::bytes).sum()).max().orElse(0);
  }

  private static long bytes(Value v) {
    return v.tile().element().bytes(v.tile().count());
  }

  private boolean onlyProducts(Value v) {
    return uses.of(v).stream().allMatch(u -> u.op() instanceof MatrixOp.Dot
        || u.op() instanceof ShapeOp.Permute && onlyProducts(u.result()));
  }
}
