package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBlock;
import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmFunction;
import dev.tkc.backend.llvm.LlvmFunction.Parameter;
import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmModule;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.backend.llvm.lower.AsyncTarget.Place;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
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
import dev.tkc.ir.type.PointerType;
import dev.tkc.ir.type.TensorMapType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.tile.OutlinePhases;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * One device function under way: the two places code goes to (the prologue, which holds what depends on the thread
 * alone, and the body), what every IR value has become, and the lowerings of the op groups.
 *
 * <p>All threads of a block run the body together; only stores and the like are guarded per thread, so every shuffle
 * and barrier is met by all.
 */
final class FunctionLowering {
  /** A tile's type and how many warps hold it. */
  private record Held(TileType type, int warps) {}

  /** So many addresses are as well kept as computed again. */
  private static final int FEW_ROWS = 8;

  private final Func func;
  private final LlvmFunction function;
  private final LlvmBuilder prologue;
  private final LlvmBuilder body;
  private final TargetLowering target;
  private final OpLowering.Options options;
  private Team team;
  private final Signs signs;
  private final SmallNumbers small;
  private final Map<Value, Lowered> values = new HashMap<>();
  private final Map<Held, LayoutView> views = new HashMap<>();
  private final Set<Value> used = new HashSet<>();
  private final Set<Value> stored = new HashSet<>();
  private LlvmValue sharedMemory;
  private LlvmValue zeros;
  private boolean waited;
  private Optional<LlvmValue> round = Optional.empty();

  private final ControlLowering control = new ControlLowering(this);
  private final MemoryLowering memory = new MemoryLowering(this);
  private final ElementwiseLowering elementwise = new ElementwiseLowering(this);
  private final ShapeLowering shape = new ShapeLowering(this);
  private final ReductionLowering reduction = new ReductionLowering(this);
  private final DotLowering dot = new DotLowering(this);
  private final SharedLowering shared = new SharedLowering(this);
  private final AsyncLowering async = new AsyncLowering(this);
  private final RoleLowering roles = new RoleLowering(this);
  private final BesideRounds beside;

  FunctionLowering(Func func, LlvmModule module, TargetLowering target, OpLowering.Options options) {
    if (!Boolean.TRUE.equals(func.annotations().get("placed"))) {
      throw new IllegalStateException("@" + func.name() + " is not placed");
    }
    this.func = func;
    this.target = target;
    this.options = options;
    this.signs = new Signs(func);
    this.small = new SmallNumbers(func);
    this.beside = new BesideRounds(this);
    func.body().walk(i -> {
      used.addAll(i.operands());
      if (i.op() instanceof SharedOp.SharedStore store) {
        stored.add(store.buffer());
      }
    });
    function = module.kernel(target.kernelConvention(), func.name(), Parameters.of(func, target)).attribute("nounwind");
    if (options.lineTable().isPresent()) {
      function.debug(Math.max(1, func.loc().line()));
    }
    prologue = function.builder();
    body = function.builder();
    team = new Team(ThreadIndex.ofBlock(prologue, target, warps(), isAsync(func)), 0, warps(), 0, false);
  }

  private static boolean isAsync(Func func) {
    return func.body().anyMatch(i -> i.op() instanceof AsyncOp || i.op() instanceof ControlOp.Role);
  }

  OpLowering.KernelShape run() {
    int start = 0;
    var first = body.block();
    for (Param p : func.params()) {
      values.put(p.value(), parameter(prologue, p, function.argument(start++)));
    }
    prefetchMaps();
    region(func.body());
    body.retVoid();
    prologue.br(first);
    int threads = warps() * target.lanes();
    target.finish(function.module(), function,
        new TargetLowering.KernelFacts(threads, sharedBytes(), maps(), splitsRegisters(), cluster()));
    return new OpLowering.KernelShape(func.name(), threads, sharedBytes());
  }

  private List<Integer> maps() {
    return IntStream.range(0, func.params().size())
        .filter(i -> func.params().get(i).value().type() instanceof TensorMapType).boxed().toList();
  }

  private void prefetchMaps() {
    if (!maps().isEmpty()) {
      body.ifThen(thread().isFirst(),
          () -> maps().forEach(i -> target.async().prefetchMap(body, function.argument(i))));
    }
  }

  private boolean splitsRegisters() {
    return func.body().insts().stream().anyMatch(i -> i.op() instanceof ControlOp.Role r && r.registers() > 0);
  }

  /** A kernel's argument, with what is known of it. */
  Lowered parameter(LlvmBuilder b, Param p, LlvmValue argument) {
    if (p.value().type() instanceof PointerType || p.value().type() instanceof TensorMapType) {
      return new Lowered.Scalar(argument);
    }
    TileType type = p.value().tile();
    LlvmValue value = type.element().isBool() ? b.trunc(argument, LlvmType.I1) : argument;
    if (p.divisibility() > 1 && type.element().isInteger()) {
      LlvmValue low = b.and(value, LlvmValue.constant(value.type(), p.divisibility() - 1));
      assume(b, b.icmp(LlvmBuilder.Compare.EQ, low, LlvmValue.zero(value.type())));
    }
    if (signs.isSize(p.value())) {
      assume(b, b.icmp(LlvmBuilder.Compare.ULT, value, LlvmValue.i64(1L << 31)));
    }
    return new Lowered.Scalar(value);
  }

  static void assume(LlvmBuilder b, LlvmValue condition) {
    b.call(new LlvmIntrinsic.Overloaded("llvm.assume", LlvmType.VOID, List.of(LlvmType.I1)), condition);
  }

  private int warps() {
    return (int) func.annotation("warps", 4);
  }

  /** How many blocks run as a cluster. */
  int cluster() {
    return (int) func.annotation(OutlinePhases.CLUSTER, 1);
  }

  private long sharedBytes() {
    return func.annotation("shared_bytes", 0);
  }

  /** Lowers a region's instructions; returns what its yield gives. */
  List<Lowered> region(Region region) {
    int held = async.dots().enter();
    boolean rounds = region.anyMatch(i -> i.op() instanceof ControlOp.For);
    Optional<Map<Value, Lowered>> before = beside.enter(rounds);
    for (int i = 0; i < region.insts().size(); i++) {
      Inst inst = region.insts().get(i);
      if (!mayPass(inst)) {
        async.flush();
      }
      if (region == func.body() && !waited && mustWait(inst)) {
        waited = true;
        if (cluster() > 1) {
          // Nobody writes to a block's shared memory before it has begun.
          target.meetCluster(body);
        }
        target.awaitLaunches(body);
      }
      if (inst.op() instanceof ControlOp.Yield y) {
        async.dots().leave(held);
        List<Lowered> results = y.values().stream().map(this::get).toList();
        beside.leave(before);
        return results;
      }
      if (inst.op() instanceof ControlOp.Role) {
        beside.rolesFollow(region.insts().subList(0, i));
        roles.lower(region.insts().subList(i, region.insts().size() - 1));
        return List.of();
      }
      if (inst.loc().isKnown()) {
        body.at(inst.loc().file(), inst.loc().line(), inst.loc().column());
      }
      List<Lowered> results = computesAgain(inst, rounds)
          ? as(entry -> team.again(entry, target), () -> lower(inst)) : lower(inst);
      for (int r = 0; r < results.size(); r++) {
        define(inst.results().get(r), results.get(r));
      }
      beside.passed(inst);
    }
    throw new IllegalStateException("a region without a yield in @" + func.name());
  }

  /** Whether launches in front must be over before this; a kernel without such a place waits at its end. */
  private static boolean mustWait(Inst inst) {
    Set<Effects> effects = Effects.of(inst);
    return effects.contains(Effects.READS_GLOBAL) || effects.contains(Effects.WRITES_GLOBAL)
        || inst.op() instanceof ControlOp.Role || inst.op() instanceof ControlOp.Yield;
  }

  /** Whether what one thread does for its team may be done after this instruction as well as before. */
  private static boolean mayPass(Inst inst) {
    return switch (inst.op()) {
      case ElementwiseOp _ -> inst.result().type() instanceof TileType t && t.isScalar();
      case MemoryOp.MakeTensor _, MemoryOp.View _, MemoryOp.Range _ -> true;
      case dev.tkc.ir.op.Op o -> AsyncLowering.isElected(o);
    };
  }

  /** Lowers code for warps {@code first} … {@code first + warps - 1} of the block. */
  void inTeam(int first, int warps, int number, boolean alone, Runnable code) {
    Team block = team;
    as(entry -> new Team(block.thread().inTeam(entry, first, warps), first, warps, number, alone), () -> {
      code.run();
      return List.of();
    });
  }

  /**
   * Lowers code with what {@code make} makes of a builder in front of it, where what depends on the thread alone is
   * computed.
   */
  private List<Lowered> as(Function<LlvmBuilder, Team> make, Supplier<List<Lowered>> code) {
    Team before = team;
    LlvmBuilder entry = function.builder("team");
    body.br(entry.block());
    LlvmBlock start = body.newBlock("team.body");
    body.moveTo(start);
    team = make.apply(entry);
    List<Lowered> results = code.get();
    team = before;
    entry.br(start);
    return results;
  }

  /** In how many rows of a tile a thread holds elements. */
  private long rows(TileType tile) {
    LayoutView view = tile.rank() < 2 ? null : view(tile);
    return view == null ? 1 : IntStream.range(0, view.registers())
        .mapToObj(r -> IntStream.range(0, view.rank() - 1).mapToObj(axis -> view.coordinate(r, axis)).toList())
        .distinct().count();
  }

  /**
   * Whether addresses and positions are better computed again than kept: in roles, whose loops need their registers,
   * for what is stored once in many rounds, loaded beside them ({@code rounds}: there is a loop in this region) from
   * many rows, each of which has an address of its own, or computed in a branch.
   */
  private boolean computesAgain(Inst inst, boolean rounds) {
    return team.number() > 0 && !team.alone() && switch (inst.op()) {
      case MemoryOp.Store _, SharedOp.SharedStore _ -> true;
      case MemoryOp.Load _ -> rounds && rows(inst.result().tile()) > FEW_ROWS;
      case MemoryOp.Lanes _, MemoryOp.Valid _ -> control.isInBranch();
      case dev.tkc.ir.op.Op _ -> false;
    };
  }

  List<Lowered> lower(Inst inst) {
    try {
      return switch (inst.op()) {
        case ControlOp o -> control.lower(inst, o);
        case MemoryOp o -> memory.lower(inst, o);
        case ElementwiseOp o -> List.of(elementwise.lower(inst, o));
        case ShapeOp o -> List.of(shape.lower(inst, o));
        case ReductionOp o -> reduction.lower(inst, o);
        case MatrixOp.Dot o -> List.of(dot.lower(inst, o));
        case SharedOp o -> shared.lower(inst, o);
        case AsyncOp o -> async.lower(inst, o);
      };
    } catch (IllegalArgumentException e) {
      throw new IllegalStateException("lowering " + inst + " in @" + func.name(), e);
    }
  }

  // What the op groups use.

  TargetLowering target() {
    return target;
  }

  OpLowering.Options options() {
    return options;
  }

  /** Where the instruction at hand goes. */
  LlvmBuilder b() {
    return body;
  }

  /** Whether threads write a shared buffer, rather than copies. */
  boolean storesTo(Value buffer) {
    return stored.contains(buffer);
  }

  /** The position of the innermost loop around the code at hand; nothing where that goes from tile to tile. */
  Optional<LlvmValue> round() {
    return round;
  }

  void enterRound(Optional<LlvmValue> position) {
    round = position;
  }

  /** What is made again beside rounds. */
  BesideRounds beside() {
    return beside;
  }

  /** Who runs the code at hand. */
  Team team() {
    return team;
  }

  ThreadIndex thread() {
    return team.thread();
  }

  /** Waits for all threads that run the code at hand, or for those of each group of so many warps if not 0. */
  void barrier(int group) {
    if (group == 0 || group == team.warps()) {
      team.barrier(body, target);
    } else {
      team.groupBarrier(body, target, group);
    }
  }

  SmallNumbers small() {
    return small;
  }

  Signs signs() {
    return signs;
  }

  Func func() {
    return func;
  }

  /** Whether anything reads the value. */
  boolean isUsed(Value value) {
    return used.contains(value);
  }

  void define(Value value, Lowered lowered) {
    values.put(value, lowered);
  }

  Lowered get(Value value) {
    Lowered found = beside.get(value, values.get(value));
    if (found == null) {
      throw new IllegalStateException(value + " has not been lowered");
    }
    return found;
  }

  LlvmValue scalar(Value value) {
    return ((Lowered.Scalar) get(value)).value();
  }

  Lowered.Tile tile(Value value) {
    return (Lowered.Tile) get(value);
  }

  /** The registers of a tile; a scalar is one register. */
  List<LlvmValue> registers(Value value) {
    return switch (get(value)) {
      case Lowered.Scalar s -> List.of(s.value());
      case Lowered.Tile t -> t.registers();
      case Lowered.Tensor _, Lowered.Range _, Lowered.Buffer _, Lowered.Barriers _, Lowered.View _ ->
          throw new IllegalStateException(value + " has no registers");
    };
  }

  Lowered.Tensor tensor(Value value) {
    return (Lowered.Tensor) get(value);
  }

  LayoutView view(TileType type) {
    return views.computeIfAbsent(new Held(type, team.warps()), h -> LayoutView.of(h.type, h.warps));
  }

  private LlvmValue sharedMemory() {
    if (sharedMemory == null) {
      sharedMemory = target.sharedMemory(function.module(), sharedBytes());
    }
    return sharedMemory;
  }

  /** The address of byte {@code offset} of the block's shared memory. */
  LlvmValue sharedAt(long offset) {
    return body.gep(LlvmType.I8, sharedMemory(), LlvmValue.i32(offset));
  }

  /** Byte {@code offset} of the block's shared memory. */
  Place place(long offset) {
    return new Place(sharedMemory(), LlvmValue.i32(offset));
  }

  /** Where a slot of a buffer starts. */
  Place slot(Lowered.Buffer buffer, Value stage) {
    LlvmValue number = body.trunc(scalar(stage), LlvmType.I32);
    return place(buffer.offset()).plus(body, body.mulNsw(number, LlvmValue.i32(buffer.pitch())));
  }

  /** The byte of shared memory that an instruction's buffer or barriers were given. */
  long offset(Inst inst) {
    long offset = inst.annotation("offset", -1);
    if (offset < 0) {
      throw new IllegalStateException(inst + " has not been allocated");
    }
    return offset;
  }

  /** The address of the scratch that the instruction was given. */
  LlvmValue scratch(Inst inst) {
    long offset = inst.annotation("scratch", -1);
    if (offset < 0) {
      throw new IllegalStateException(inst + " needs scratch and was given none");
    }
    return sharedAt(offset);
  }

  /** Sixteen zero bytes of global memory: what a lane outside a tensor reads. */
  LlvmValue zeros() {
    if (zeros == null) {
      List<LlvmValue> words = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        words.add(LlvmValue.i32(0));
      }
      zeros = function.module().constantTable("zeros." + func.name(), words, 16);
    }
    return zeros;
  }

  /** The parameters of a device function as a kernel's. */
  private static final class Parameters {
    static List<Parameter> of(Func func, TargetLowering target) {
      Map<Value, MemoryOp.Access> access = new HashMap<>();
      func.body().walk(i -> {
        if (i.op() instanceof MemoryOp.MakeTensor m) {
          access.put(m.pointer(), m.access());
        }
      });
      List<Parameter> parameters = new ArrayList<>();
      for (Param p : func.params()) {
        String name = p.value().name() + "." + parameters.size();
        if (p.value().type() instanceof PointerType t) {
          int align = Math.max(Math.max(1, t.element().bits() / 8), p.divisibility());
          List<String> words = new ArrayList<>(List.of("noalias", "nocapture", "align " + align));
          if (access.get(p.value()) == MemoryOp.Access.IN) {
            words.add("readonly");
          }
          parameters.add(new Parameter(name, LlvmType.GLOBAL, words));
        } else if (p.value().type() instanceof TensorMapType) {
          parameters.add(target.async().mapParameter(name));
        } else {
          parameters.add(new Parameter(name, RegisterTypes.inMemory(p.value().tile().element())));
        }
      }
      return parameters;
    }
  }
}
