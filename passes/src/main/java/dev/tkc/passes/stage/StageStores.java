package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Loc;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.Panels;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.rules.SlotBytes;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.ReadOnly;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.analysis.Tensors;
import dev.tkc.passes.analysis.Uses;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Sends tiles that are stored in bulk through shared memory, in slices of {@link StoreSlices#ROW_BYTES} bytes of each
 * row.
 *
 * <pre>
 *                                            %b = shared_alloc {…} : shared&lt;bf16[128, 64], 2&gt;
 *   %o = cast %acc {to = bf16}               for each slice n:
 *   store %t, [%i, %j], %o #{bulk}             %s = slice %acc …     %o = cast %s
 *                                       →      store_wait {pending = 1, read}   barrier
 *                                              shared_store %b, n % 2, %o       proxy_fence   barrier
 *                                              store_bulk %t, [%i, %j + 64n], %b, n % 2      store_commit
 *                                            …  at the team's end: store_wait {pending = 0, read}
 * </pre>
 *
 * What lies between the sum and the store is computed for each slice ({@link TileParts}), so the tile never exists in
 * full besides the sum; loads for a slice start a slice ahead. A slot is written again when the store of the slice
 * before in it has read it; in a loop over tiles that is the tile before's last slices, whose number is known, so waits
 * are constants. Slots are used in the same order for every tile, and stores of one shape share them.
 *
 * <p>A block that has no other tile needs no slots of its own: slices leave through those of a ring that is over
 * ({@link DeadRing}), as many as there are slices, none of which waits for another.
 *
 * <p>The function's {@code store_buffers} says how many slots, {@link StoreSlices#BUFFERS} if it is silent; fewer where
 * shared memory is full. A store for which there is none, or whose slices do not fit panels, is done by the threads.
 *
 * <p>In a role, what the threads store themselves is cut into slices too ({@link StoreSlices#columnsByThreads}), so
 * that they exchange it through little scratch, which leaves shared memory for what is loaded.
 *
 * <p>Slices that are {@link #APART} stay so in what optimisers make of the code.
 */
public final class StageStores {
  /** On a slice: nothing that is computed from it is computed before. */
  public static final String APART = "apart";

  /** Slots start at multiples of this. */
  private static final long ALIGNMENT = 1024;

  /** For the transaction barriers. */
  private static final long BARRIERS = 1024;

  private final Func func;
  private final ReadOnly readOnly;
  private final Uses uses;
  private final long most;
  private final boolean roles;
  private final Set<Inst> rebuilt = Collections.newSetFromMap(new IdentityHashMap<>());
  /** The buffers made so far, by what is stored through them and in how many slices. */
  private final Map<List<Object>, Value> buffers = new HashMap<>();
  private long room;
  /** Whether scratch for tiles that are loaded on the way is set aside. */
  private boolean scratch;

  private StageStores(Func func, TargetInfo target) {
    this.func = func;
    this.readOnly = new ReadOnly(func);
    this.uses = new Uses(func.body());
    this.roles = func.body().insts().stream().anyMatch(i -> i.op() instanceof ControlOp.Role);
    this.most = Math.max(1, func.annotation("store_buffers", StoreSlices.BUFFERS));
    this.room = target.shared().perBlock() - taken() - (roles ? StoreSlices.scratch(func.body()) : 0);
  }

  public static void run(Func func, PassContext context) {
    StageStores s = new StageStores(func, context.target());
    List<Inst> roles = func.body().insts().stream().filter(i -> i.op() instanceof ControlOp.Role).toList();
    if (roles.isEmpty()) {
      s.team(func.body());
    }
    roles.forEach(r -> s.team(((ControlOp.Role) r.op()).body()));
    keepApart(func);
  }

  /**
   * Marks the slices of a sum that another way through the program gives a constant: what is computed from nothing but
   * such a slice could as well be computed on both ways, and optimisers would do so for all slices at once, which takes
   * the registers of another tile. What takes fewer bits may.
   */
  private static void keepApart(Func func) {
    Uses uses = new Uses(func.body());
    func.body().walk(i -> {
      if (i.op() instanceof ShapeOp.Slice s && s.x().definition() != null
          && s.x().definition().op() instanceof ControlOp.If && i.result().tile().element().bits() == 32
          && uses.of(i.result()).size() == 1 && needsNothingElse(uses.of(i.result()).getFirst(), i.result())) {
        i.annotate(APART, true);
      }
    });
  }

  /** Whether an instruction computes as many bits as there are from one value and constants. */
  private static boolean needsNothingElse(Inst inst, Value value) {
    return inst.op() instanceof ElementwiseOp && inst.result().tile().element().bits() >= 32
        && inst.operands().stream().allMatch(o -> o == value || isConstant(o));
  }

  private static boolean isConstant(Value v) {
    return Regions.literal(v).isPresent() || v.definition() != null && v.definition().op() instanceof ShapeOp.Splat s
        && Regions.literal(s.scalar()).isPresent();
  }

  /** A tile that threads read from a single slot comes in parts, without gaps between panels ({@code group-copies}). */
  private long taken() {
    long[] bytes = {0};
    func.body().walk(i -> {
      if (i.op() instanceof SharedOp.SharedAlloc a) {
        SharedType t = a.type();
        boolean parts = roles && t.stages() == 1
            && uses.of(i.result()).stream().anyMatch(u -> u.op() instanceof SharedOp.SharedLoad)
            && uses.of(i.result()).stream().noneMatch(u -> u.op() instanceof AsyncOp.SharedView);
        bytes[0] += parts ? t.element().bytes(count(t.shape())) : bytes(t);
      }
    });
    return bytes[0] + BARRIERS;
  }

  private static long count(List<Integer> shape) {
    return shape.stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b);
  }

  private static long bytes(SharedType type) {
    long slot = Panels.of(type.shape(), type.element().bits()).map(Panels::slotBytes).orElse(SlotBytes.ofCover(type));
    return Math.ceilDiv(slot, ALIGNMENT) * ALIGNMENT * type.stages();
  }

  private void team(Region body) {
    List<Inst> stores = new ArrayList<>();
    body.walk(i -> {
      if (i.op() instanceof MemoryOp.Store && (i.flag("bulk") || columnsByThreads(i) > 0)) {
        stores.add(i);
      }
    });
    findRebuilt(body, Set.copyOf(stores));
    if (visit(body)) {
      Builder end = new Builder(body, body.insts().size() - 1).at(body.terminator().loc());
      // Slots must outlive what reads them; what is still on its way to global memory the end of the launch waits for.
      end.append(new AsyncOp.StoreWait(0, true));
    }
  }

  /** What only the stores use, directly or through each other. */
  private void findRebuilt(Region region, Set<Inst> stores) {
    for (Inst i : region.insts().reversed()) {
      i.regions().forEach(r -> findRebuilt(r, stores));
      if (TileParts.divides(i) && uses.isUsed(i.result())
          && uses.of(i.result()).stream().allMatch(u -> rebuilt.contains(u) || stores.contains(u))) {
        rebuilt.add(i);
      }
    }
  }

  private boolean visit(Region region) {
    boolean staged = false;
    for (Inst i : List.copyOf(region.insts())) {
      for (Region r : i.regions()) {
        staged |= visit(r);
      }
      if (i.op() instanceof MemoryOp.Store store && i.flag("bulk")) {
        staged |= stage(region, i, store);
      } else if (i.op() instanceof MemoryOp.Store store && columnsByThreads(i) > 0) {
        cut(region, i, store, columnsByThreads(i));
      }
    }
    return staged;
  }

  private boolean stage(Region region, Inst inst, MemoryOp.Store store) {
    TileType tile = store.value().tile();
    Optional<Value> dead = new DeadRing(func).of(region, inst, tile);
    int columns = dead.map(d -> ((SharedType) d.type()).shape().getLast())
        .orElseGet(() -> tile.rank() < 2 ? 0 : StoreSlices.columns(tile));
    int slices = columns == 0 ? 0 : tile.shape().getLast() / columns;
    if (slices == 0) {
      return false;
    }
    List<Integer> shape = new ArrayList<>(tile.shape());
    shape.set(tile.rank() - 1, columns);
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    int axis = tile.rank() - 1;
    Optional<List<Value>> whole = new TileParts(new Builder(new Region()), rebuilt, readOnly, 0, columns)
        .indices(store.indices(), axis);
    Optional<Value> buffer = whole
        .flatMap(_ -> dead.or(() -> buffer(SharedType.of(tile.element(), shape, 1), slices, store)));
    if (buffer.isEmpty()) {
      return false;
    }
    int slots = Math.min(slices, ((SharedType) buffer.get().type()).stages());
    // With a slot for each slice the tile goes at once: it waits for the tile before, and its threads meet twice, not
    // twice a slice.
    int together = slots == slices && dead.isEmpty() ? slices : 1;
    TileParts parts = new TileParts(b, rebuilt, readOnly, 0, columns);
    parts.load(store.value(), axis);
    List<AsyncOp.StoreBulk> copies = new ArrayList<>();
    for (int n = 0; n < slices; n++) {
      TileParts next = new TileParts(b, rebuilt, readOnly, (n + 1) * columns, columns);
      if (n + 1 < slices) {
        next.load(store.value(), axis);
      }
      Value part = parts.of(store.value(), axis);
      Value slot = b.constant((long) (n % slots));
      if (n % together == 0) {
        meet(b, n, dead.isPresent(), together > 1 ? 0 : since(n, slices, slots) - 1);
      }
      b.append(new SharedOp.SharedStore(buffer.get(), slot, part));
      copies.add(new AsyncOp.StoreBulk(
          store.tensor(), parts.indices(store.indices(), axis).orElseThrow(), Optional.empty(), buffer.get(), slot));
      if (copies.size() == together) {
        send(b, copies);
      }
      parts = next;
    }
    region.insts().remove(inst);
    return true;
  }

  /** Before slice {@code n} is written: nothing reads its slot any more. In a ring that is over that is so for all. */
  private static void meet(Builder b, int n, boolean dead, int pending) {
    if (!dead) {
      b.append(new AsyncOp.StoreWait(pending, true));
    }
    if (!dead || n == 0) {
      b.append(new SharedOp.Barrier());
    }
  }

  /** What the threads have written to the slots of these copies leaves, as one group. */
  private static void send(Builder b, List<AsyncOp.StoreBulk> copies) {
    b.append(new AsyncOp.ProxyFence());
    b.append(new SharedOp.Barrier());
    copies.forEach(b::append);
    b.append(new AsyncOp.StoreCommit());
    copies.clear();
  }

  private int columnsByThreads(Inst inst) {
    return roles ? StoreSlices.columnsByThreads(inst) : 0;
  }

  private void cut(Region region, Inst inst, MemoryOp.Store store, int columns) {
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    TileType tile = store.value().tile();
    int axis = tile.rank() - 1;
    for (int from = 0; from < tile.shape().getLast(); from += columns) {
      TileParts parts = new TileParts(b, rebuilt, readOnly, from, columns);
      Value part = parts.of(store.value(), axis);
      b.append(new MemoryOp.Store(store.tensor(), parts.indices(store.indices(), axis).orElseThrow(), part));
    }
    region.insts().remove(inst);
  }

  /** How many slices ago, this one counted, the slot of slice {@code n} was last used, if another tile went before. */
  private static int since(int n, int slices, int slots) {
    if (n >= slots) {
      return slots;
    }
    int last = (slices - 1 - n) / slots * slots + n;
    return slices - last + n;
  }

  /** A buffer for slices of one slot's type, before the roles. */
  private Optional<Value> buffer(SharedType slot, int slices, MemoryOp.Store store) {
    List<Object> key = List.of(slot, slices);
    if (!buffers.containsKey(key)) {
      if (!scratch && loads(store.value())) {
        // What is loaded for a slice may have to change places among the threads.
        room -= bytes(slot);
        scratch = true;
      }
      long slots = Math.min(Math.min(most, slices), room / bytes(slot));
      if (slots < 1) {
        return Optional.empty();
      }
      SharedType type = SharedType.of(slot.element(), slot.shape(), (int) slots);
      room -= bytes(type);
      Inst made = store.value().definition();
      buffers.put(key, allocate(type, Tensors.name(store.tensor()), made == null ? func.loc() : made.loc()));
    }
    return Optional.of(buffers.get(key));
  }

  /** Whether tiles are loaded between the sum and the store. */
  private boolean loads(Value v) {
    Inst inst = v.definition();
    return inst != null && rebuilt.contains(inst) && (inst.op() instanceof MemoryOp.Load && v.tile().rank() >= 2
        || inst.operands().stream().anyMatch(o -> o.type() instanceof TileType t && t.rank() > 0 && loads(o)));
  }

  private Value allocate(SharedType type, String name, Loc loc) {
    List<Inst> insts = func.body().insts();
    int at = 0;
    for (int i = 0; i < insts.size(); i++) {
      boolean before = insts.get(i).op() instanceof SharedOp.SharedAlloc;
      at = before ? i + 1 : at;
    }
    Value buffer = new Builder(func.body(), at).at(loc).emit(new SharedOp.SharedAlloc(type, name));
    buffer.setName(name);
    return buffer;
  }
}
