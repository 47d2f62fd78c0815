package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
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
import dev.tkc.ir.rules.ScratchBytes;
import dev.tkc.ir.rules.SlotBytes;
import dev.tkc.ir.type.SharedType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.tile.PersistGrid;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Puts a barrier wherever one thread's access to memory must wait for another's.
 *
 * <pre>
 *   copy_wait {pending = 1}                    copy_wait {pending = 1}
 *   %0 = shared_load %b, %s {…} : …       →    barrier
 *                                              %0 = shared_load %b, %s {…} : …
 * </pre>
 *
 * <p>The function is walked with the set of accesses since the last barrier, loops until nothing changes. A read waits
 * for writes of the same bytes, a write for reads and writes. An asynchronous copy counts as written at each
 * {@code copy_wait} that may complete it; that different copies and reads in flight mean different slots of a ring is
 * the pipeline's promise, which the interpreter checks. An op with scratch meets all threads in its midst, which clears
 * what was before. In global memory only tensors that may be written matter (those of one name may be views of one
 * memory, others never overlap), and an access by the same indices in the same layout is by the same thread. Tiles of
 * a grid that one block works on after each other are as independent as those of different blocks.
 *
 * <p>Each role is a program of its own, whose barriers are for its warps; the roles begin when the block has met after
 * what stands before them. Bulk copies, asynchronous dots and waits for transaction barriers need nothing here: the
 * passes that made them put them in order.
 *
 * <p>Needs offsets ({@link AllocateShared}).
 */
public final class InsertBarriers {

  /** Bytes of shared memory, or one access to a tensor. */
  private sealed interface Place {
    record Bytes(long from, long to) implements Place {}

    /** {@code stale}: from an earlier round of a loop, where the same indices were other positions. */
    record Global(String name, List<Value> indices, Object layout, Optional<MemoryOp.AtomicKind> atomic, boolean stale)
        implements Place {
      Global inNextRound(Value position, long step) {
        return indices.stream().anyMatch(i -> movesOn(i, position, step)) ? this
            : new Global(name, indices, layout, atomic, true);
      }

      /** Updates of one kind come out the same in any order. */
      boolean commutes(Global other) {
        return atomic.isPresent() && atomic.equals(other.atomic);
      }

      /** Whether the index is a range that a loop moves by at least its size each round. */
      private static boolean movesOn(Value index, Value position, long step) {
        return index == position || Access.range(index).filter(r -> r.start() == position
            && r.size() <= step && Regions.isInteger(r.stride(), 1)).isPresent();
      }
    }

    default boolean meets(Place other) {
      return switch (this) {
        case Bytes a -> other instanceof Bytes b && a.from < b.to && b.from < a.to;
        case Global a -> other instanceof Global b && a.name.equals(b.name) && !a.commutes(b)
            && (a.stale || !a.equals(b));
      };
    }
  }

  private record State(Set<Place> reads, Set<Place> writes, Set<Place> copies) {
    static State empty() {
      return new State(new HashSet<>(), new HashSet<>(), new HashSet<>());
    }

    State copy() {
      return new State(new HashSet<>(reads), new HashSet<>(writes), new HashSet<>(copies));
    }

    /** Of a loop whose positions are at least {@code step} apart. */
    State inNextRound(Value position, long step) {
      return new State(inNextRound(reads, position, step), inNextRound(writes, position, step), new HashSet<>(copies));
    }

    /** What is left of it for another tile of the grid: blocks do not wait for each other's global memory. */
    State ofBlock() {
      return new State(ofBlock(reads), ofBlock(writes), new HashSet<>(copies));
    }

    private static Set<Place> ofBlock(Set<Place> places) {
      return places.stream().filter(p -> p instanceof Place.Bytes).collect(Collectors.toSet());
    }

    private static Set<Place> inNextRound(Set<Place> places, Value position, long step) {
      Set<Place> next = new HashSet<>();
      places.forEach(p -> next.add(p instanceof Place.Global g ? g.inNextRound(position, step) : p));
      return next;
    }

    boolean add(State other) {
      return reads.addAll(other.reads) | writes.addAll(other.writes) | copies.addAll(other.copies);
    }

    boolean isEmpty() {
      return reads.isEmpty() && writes.isEmpty();
    }

    void meet() {
      reads.clear();
      writes.clear();
    }

    boolean hits(Set<Place> set, Place place) {
      return set.stream().anyMatch(place::meets);
    }
  }

  /**
   * What one instruction does to memory, in this order: reads and writes, then (for scratch) a meeting of all threads.
   */
  private record Effect(List<Place> reads, List<Place> writes, List<Place> copies, boolean meets, List<Place> after) {
    static Effect none() {
      return new Effect(List.of(), List.of(), List.of(), false, List.of());
    }
  }

  private InsertBarriers() {}

  public static void run(Func func, PassContext context) {
    new InsertBarriers().visit(func.body(), State.empty());
  }

  private void visit(Region region, State state) {
    for (Inst inst : List.copyOf(region.insts())) {
      switch (inst.op()) {
        case ControlOp.For loop -> repeat(inst, loop.body(), loop.step(), state);
        case ControlOp.While loop -> repeat(inst, loop.body(), 1, state);
        case ControlOp.If branch -> {
          State then = state.copy();
          State otherwise = state.copy();
          visit(branch.then(), then);
          visit(branch.otherwise(), otherwise);
          state.meet();
          state.copies.clear();
          state.add(then);
          state.add(otherwise);
        }
        case ControlOp.Role role -> {
          if (!state.isEmpty()) {
            insertBefore(inst, region);
            state.meet();
          }
          visit(role.body(), State.empty());
        }
        case ControlOp _, MemoryOp _, ElementwiseOp _, ShapeOp _, ReductionOp _, MatrixOp _, SharedOp _, AsyncOp _ ->
            step(inst, region, state);
      }
    }
  }

  private void repeat(Inst loop, Region body, long step, State state) {
    boolean tiles = loop.flag(PersistGrid.TILES);
    State entry = state.copy();
    boolean changed = true;
    while (changed) {
      State round = entry.copy();
      visit(body, round);
      changed = entry.add(tiles ? round.ofBlock() : round.inNextRound(body.params().getFirst(), step));
    }
    state.add(entry);
  }

  private void step(Inst inst, Region region, State state) {
    if (inst.annotations().containsKey("group") || inst.flag("ordered")) {
      // In order among themselves, by barriers of groups or transaction barriers, which order nothing else.
      return;
    }
    if (inst.op() instanceof SharedOp.Barrier || inst.op() instanceof MemoryOp.LastArrival) {
      state.meet();
      return;
    }
    if (inst.op() instanceof SharedOp.CopyWait wait) {
      state.writes.addAll(state.copies);
      if (wait.pending() == 0) {
        state.copies.clear();
      }
      return;
    }
    Effect effect = effect(inst);
    boolean waits = effect.reads.stream().anyMatch(p -> state.hits(state.writes, p))
        || effect.writes.stream().anyMatch(p -> state.hits(state.writes, p) || state.hits(state.reads, p))
        || effect.copies.stream().anyMatch(p -> state.hits(state.reads, p) || hitsStores(state, p));
    if (waits) {
      insertBefore(inst, region);
      state.meet();
    }
    state.reads.addAll(effect.reads);
    state.writes.addAll(effect.writes);
    state.copies.addAll(effect.copies);
    if (effect.meets) {
      state.meet();
      state.reads.addAll(effect.after);
    }
  }

  private static void insertBefore(Inst inst, Region region) {
    region.insts().add(region.insts().indexOf(inst), new Inst(new SharedOp.Barrier(), List.of(), inst.loc()));
  }

  /** Writes that are not copies into the same ring: those go to other slots. */
  private static boolean hitsStores(State state, Place place) {
    return state.writes.stream().anyMatch(w -> !state.copies.contains(w) && place.meets(w));
  }

  private Effect effect(Inst inst) {
    if (inst.annotations().containsKey("scratch")) {
      long from = inst.annotation("scratch", 0);
      List<Place> scratch = List.of(new Place.Bytes(from, from + ScratchBytes.of(inst)));
      return new Effect(List.of(), scratch, List.of(), true, scratch);
    }
    return switch (inst.op()) {
      case SharedOp.SharedLoad o -> new Effect(List.of(bytes(o.buffer())), List.of(), List.of(), false, List.of());
      case SharedOp.GroupLoad o -> new Effect(List.of(bytes(o.buffer())), List.of(), List.of(), false, List.of());
      case SharedOp.SharedStore o -> new Effect(List.of(), List.of(bytes(o.buffer())), List.of(), false, List.of());
      case SharedOp.CopyAsync o -> new Effect(global(o.tensor(), o.indices(), inst, Optional.empty()), List.of(),
          List.of(bytes(o.buffer())), false, List.of());
      case MemoryOp.Load o -> new Effect(
          global(o.tensor(), o.indices(), inst.result().type(), Optional.empty()), List.of(), List.of(), false,
          List.of());
      case MemoryOp.Store o -> written(global(o.tensor(), o.indices(), o.value().type(), Optional.empty()));
      case MemoryOp.Atomic o -> written(global(o.tensor(), o.indices(), inst, Optional.of(o.kind())));
      case ControlOp _, MemoryOp _, ElementwiseOp _, ShapeOp _, ReductionOp _, MatrixOp _, SharedOp _, AsyncOp _ ->
          Effect.none();
    };
  }

  private static Effect written(List<Place> places) {
    return new Effect(List.of(), places, List.of(), false, List.of());
  }

  private static List<Place> global(
      Value tensor, List<Value> indices, Object layout, Optional<MemoryOp.AtomicKind> atomic) {
    if (!(tensor.definition() != null && tensor.definition().op() instanceof MemoryOp.MakeTensor t)) {
      throw new IllegalStateException("a device function's tensor that is not made there: " + tensor);
    }
    return t.access() == MemoryOp.Access.IN
        ? List.of() : List.of(new Place.Global(t.name(), indices, layout, atomic, false));
  }

  private static Place bytes(Value buffer) {
    SharedType type = (SharedType) buffer.type();
    long from = buffer.definition().annotation("offset", 0);
    return new Place.Bytes(from, from + SlotBytes.of(buffer) * type.stages());
  }
}
