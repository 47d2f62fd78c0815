package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.backend.llvm.lower.AsyncTarget.Place;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.Panels;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.rules.OneThread;
import dev.tkc.ir.type.BarrierType;
import dev.tkc.ir.type.SharedType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Bulk copies, transaction barriers and what surrounds asynchronous dots. What one thread does for its team is always
 * done by the team's first: such ops are kept back while others only compute scalars, so that those which follow each
 * other share a branch.
 */
final class AsyncLowering {
  private static final int BARRIER_BYTES = 8;
  private static final int NUMBER_BYTES = 4;

  private final FunctionLowering f;
  private final AsyncDotLowering dots;
  private final List<Runnable> elected = new ArrayList<>();
  private int electedGroup;
  private int part;

  AsyncLowering(FunctionLowering f) {
    this.f = f;
    this.dots = new AsyncDotLowering(f);
  }

  AsyncDotLowering dots() {
    return dots;
  }

  /** Whether one thread does it for its team. */
  static boolean isElected(Op op) {
    return op instanceof AsyncOp a && OneThread.isElected(a);
  }

  private AsyncTarget target() {
    return f.target().async();
  }

  List<Lowered> lower(Inst inst, AsyncOp op) {
    LlvmBuilder b = f.b();
    switch (op) {
      case AsyncOp.BarrierAlloc o -> {
        return List.of(allocate(inst, o));
      }
      case AsyncOp.SharedView o -> {
        return List.of(view(o));
      }
      case AsyncOp.Undefined _ -> {
        LlvmValue nothing = LlvmValue.undef(RegisterTypes.of(inst.result().tile().element()));
        return List.of(f.view(inst.result().tile()).map(nothing, _ -> nothing));
      }
      case AsyncOp.NumberDraw o -> {
        return List.of(draw(o));
      }
      case AsyncOp.NumberRead o -> {
        return List.of(read(o));
      }
      case AsyncOp.NumberPost o -> {
        return List.of(post(o));
      }
      case AsyncOp.DotAsync o -> {
        return List.of(dots.start(inst, o));
      }
      case AsyncOp.DotWait o -> {
        return dots.await(inst, o);
      }
      case AsyncOp.BarrierArrive o -> arrive(inst, o);
      case AsyncOp.BarrierWait o ->
          target().barrierWait(b, barrier(inst, o.barrier(), o.slot()), b.trunc(f.scalar(o.parity()), LlvmType.I32));
      case AsyncOp.BarrierExpect o ->
          elect(inst, () -> target().barrierExpect(b, barrier(o.barrier(), o.slot()), o.bytes()));
      case AsyncOp.CopyBulk o -> elect(inst, () -> copy(o));
      case AsyncOp.PrefetchBulk o -> elect(inst, () -> prefetch(o));
      case AsyncOp.StoreBulk o -> elect(inst, () -> store(inst, o));
      case AsyncOp.StoreCommit _ -> elect(inst, () -> target().storeCommit(b));
      case AsyncOp.StoreWait o -> elect(inst, () -> target().storeWait(b, o.pending(), o.read()));
      case AsyncOp.ProxyFence _ -> target().proxyFence(b);
      case AsyncOp.DotFence _ -> target().dotFence(b);
      case AsyncOp.DotCommit _ -> dots.commit();
      case AsyncOp.TurnTake _ -> f.team().takeTurn(b, f.target());
      case AsyncOp.TurnPass _ -> f.team().passTurn(b, f.target());
    }
    return List.of();
  }

  // One thread for its team.

  /** By the first thread of the team, or of each group of warps where there are groups. */
  private void elect(Inst inst, Runnable effect) {
    if (f.team().alone()) {
      effect.run();
      return;
    }
    int group = (int) inst.annotation("group", 0);
    if (group != electedGroup) {
      flush();
      electedGroup = group;
    }
    elected.add(effect);
  }

  /** Emits what was kept back, before something that it must not follow. */
  void flush() {
    if (elected.isEmpty()) {
      return;
    }
    List<Runnable> now = List.copyOf(elected);
    elected.clear();
    if (electedGroup == 0) {
      f.b().ifThen(f.thread().isFirst(), () -> now.forEach(Runnable::run));
    } else {
      // A branch for each group, so that which group it is stays a constant and addresses are the same for all threads.
      for (part = 0; part < f.team().warps() / electedGroup; part++) {
        f.b().ifThen(f.thread().isFirstOfWarp(part * electedGroup), () -> now.forEach(Runnable::run));
      }
    }
    // Otherwise the branch may be merged into a loop's head, and the loop be taken for one that threads leave one by
    // one.
    target().converge(f.b());
  }

  // Barriers.

  private Lowered allocate(Inst inst, AsyncOp.BarrierAlloc o) {
    LlvmBuilder b = f.b();
    Lowered.Barriers barriers = new Lowered.Barriers(f.offset(inst), (BarrierType) inst.result().type());
    b.ifThen(f.thread().isFirst(), () -> {
      for (int slot = 0; slot < o.slots(); slot++) {
        target().barrierInit(b, f.place(barriers.offset() + (long) BARRIER_BYTES * slot), o.arrivals());
      }
      target().barriersReady(b);
    });
    target().converge(b);
    return barriers;
  }

  private Place barrier(Value barriers, Value slot) {
    LlvmBuilder b = f.b();
    Lowered.Barriers at = (Lowered.Barriers) f.get(barriers);
    LlvmValue number = b.trunc(f.scalar(slot), LlvmType.I32);
    return f.place(at.offset()).plus(b, b.mulNsw(number, LlvmValue.i32(BARRIER_BYTES)));
  }

  /** The barrier of all warps of the team, or of this group of them. */
  private Place barrier(Inst inst, Value barriers, Value slot) {
    long groups = inst.annotation(AsyncOp.EACH, 1);
    Place first = barrier(barriers, slot);
    if (groups == 1) {
      return first;
    }
    LlvmBuilder b = f.b();
    LlvmValue group = f.team().group(b, f.team().warps() / (int) groups);
    return first.plus(b, b.mulNsw(group, LlvmValue.i32(BARRIER_BYTES)));
  }

  private void arrive(Inst inst, AsyncOp.BarrierArrive o) {
    LlvmBuilder b = f.b();
    if (f.team().alone()) {
      throw new IllegalStateException("a warp arrives where one thread is");
    }
    // What the other lanes did comes before the arrival of their first.
    target().converge(b);
    LlvmValue first = b.icmp(Compare.EQ, f.thread().lane(), LlvmValue.i32(0));
    Optional<LlvmValue> condition = o.condition().map(f::scalar);
    target().barrierArrive(
        b, barrier(inst, o.barrier(), o.slot()), condition.map(c -> b.and(first, c)).orElse(first));
  }

  // Numbers of tiles.

  /**
   * The counter goes from 0 to the number of tiles less one and then to 0 again: every block draws once in vain, and
   * has its first tile without drawing.
   */
  private Lowered draw(AsyncOp.NumberDraw o) {
    LlvmBuilder b = f.b();
    requireAlone(o);
    LlvmValue last = b.sub(b.trunc(f.scalar(o.tiles()), LlvmType.I32), LlvmValue.i32(1));
    LlvmValue drawn = target().countUp(b, f.scalar(o.counter()), last);
    return new Lowered.Scalar(b.zext(b.addNsw(drawn, f.target().blockCount(b)), LlvmType.I64));
  }

  private Lowered post(AsyncOp.NumberPost o) {
    LlvmBuilder b = f.b();
    requireAlone(o);
    LlvmValue number = target().uniform(b, b.trunc(f.scalar(o.number()), LlvmType.I32), true);
    b.store(number, number(o.buffer(), o.stage()), NUMBER_BYTES);
    target().barrierArrive(b, barrier(o.barrier(), o.slot()), LlvmValue.i1(true));
    return new Lowered.Scalar(b.zext(number, LlvmType.I64));
  }

  private Lowered read(AsyncOp.NumberRead o) {
    LlvmBuilder b = f.b();
    LlvmValue mine = b.load(LlvmType.I32, number(o.buffer(), o.stage()), NUMBER_BYTES);
    return new Lowered.Scalar(b.zext(target().uniform(b, mine, f.team().alone()), LlvmType.I64));
  }

  private LlvmValue number(Value buffer, Value stage) {
    Place place = f.slot((Lowered.Buffer) f.get(buffer), stage);
    return f.b().gep(LlvmType.I8, place.base(), place.offset());
  }

  private void requireAlone(AsyncOp o) {
    if (!f.team().alone()) {
      throw new IllegalStateException(o + " where more than one thread is");
    }
  }

  // Copies.

  private void copy(AsyncOp.CopyBulk o) {
    Lowered.Buffer buffer = (Lowered.Buffer) f.get(o.buffer());
    LlvmValue map = map(o, o.map());
    Place slot = f.slot(buffer, o.stage());
    Place barrier = barrier(o.barrier(), o.slot());
    List<LlvmValue> origin = origin(o.indices());
    for (Panels.Box box : panels(buffer.type()).boxes()) {
      target().copyBulk(
          f.b(), map, moved(origin, o.indices(), box.origin()), slot.plus(f.b(), box.offset()), barrier);
    }
  }

  private void prefetch(AsyncOp.PrefetchBulk o) {
    LlvmValue map = map(o, o.map());
    List<LlvmValue> origin = origin(o.indices());
    for (Panels.Box box : panels(((Lowered.Buffer) f.get(o.buffer())).type()).boxes()) {
      target().prefetchBulk(f.b(), map, moved(origin, o.indices(), box.origin()));
    }
  }

  private void store(Inst inst, AsyncOp.StoreBulk o) {
    LlvmBuilder b = f.b();
    Lowered.Buffer buffer = (Lowered.Buffer) f.get(o.buffer());
    LlvmValue map = map(o, o.map());
    Place slot = f.slot(buffer, o.stage());
    List<LlvmValue> origin = origin(o.indices());
    Panels panels = panels(buffer.type());
    int group = (int) inst.annotation("group", f.team().warps());
    int parts = f.team().warps() / group;
    if (parts > 1) {
      // Each group stores its share of the rows.
      int share = buffer.type().shape().getFirst() / parts;
      int rows = firstRange(o.indices());
      origin.set(rows, b.add(origin.get(rows), LlvmValue.i32((long) part * share)));
      slot = slot.plus(b, part * panels.offset(List.of(share, 0)));
    }
    for (Panels.Box box : panels.boxes(parts)) {
      target().storeBulk(b, map, moved(origin, o.indices(), box.origin()), slot.plus(b, box.offset()));
    }
  }

  private int firstRange(List<Value> indices) {
    for (int d = 0; d < indices.size(); d++) {
      if (f.get(indices.get(d)) instanceof Lowered.Range) {
        return d;
      }
    }
    throw new IllegalStateException("a bulk copy without a range");
  }

  private LlvmValue map(AsyncOp op, Optional<Value> map) {
    return map.map(f::scalar).orElseThrow(() -> new IllegalStateException(op + " without a tensor map"));
  }

  static Panels panels(SharedType type) {
    return Panels.of(type.shape(), type.element().bits(), type.layout())
        .orElseThrow(() -> new IllegalStateException(type + " does not lie in panels"));
  }

  /** Where the tile starts in the tensor, an i32 for each dimension. */
  private List<LlvmValue> origin(List<Value> indices) {
    LlvmBuilder b = f.b();
    List<LlvmValue> origin = new ArrayList<>();
    for (Value index : indices) {
      LlvmValue at = f.get(index) instanceof Lowered.Range r ? r.start() : f.scalar(index);
      origin.add(b.trunc(at, LlvmType.I32));
    }
    return origin;
  }

  private List<LlvmValue> moved(List<LlvmValue> origin, List<Value> indices, List<Integer> by) {
    List<LlvmValue> at = new ArrayList<>();
    int tileDimension = 0;
    for (int d = 0; d < indices.size(); d++) {
      boolean range = f.get(indices.get(d)) instanceof Lowered.Range;
      at.add(range ? f.b().add(origin.get(d), LlvmValue.i32(by.get(tileDimension++))) : origin.get(d));
    }
    return at;
  }

  private Lowered view(AsyncOp.SharedView o) {
    Lowered.Buffer buffer = (Lowered.Buffer) f.get(o.buffer());
    return new Lowered.View(f.slot(buffer, o.stage()), buffer.type(), o.offsets(), o.order());
  }
}
