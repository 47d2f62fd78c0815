package dev.tkc.passes.place;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.Panels;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.rules.SlotBytes;
import dev.tkc.ir.type.BarrierType;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.SharedType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Scopes;
import dev.tkc.passes.analysis.Uses;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Copies a tile of which each group of four warps reads its own rows in parts by rows, one for each group, with
 * barriers of their own.
 *
 * <pre>
 *   barrier_wait %empty, %slot, …               barrier_wait %empty, %slot, …      barrier_wait %empty, (%slot + 1), …
 *   barrier_expect %full, %slot {bytes}    →    barrier_expect %full, %slot …      barrier_expect %full, (%slot + 1) …
 *   copy_bulk %t, [%rows, …], …, %b, %slot      copy_bulk %t, [%first, …] …        copy_bulk %t, [%second, …] …
 *
 *   barrier_wait %full, %slot, …                barrier_wait %full, %slot, … #{each = 2}
 *   %x = shared_load %b, %slot {…}         →    %x = group_load %b, %slot {groups = 2}
 *   barrier_arrive %empty, %slot                barrier_arrive %empty, %slot #{each = 2}
 * </pre>
 *
 * A slot that is the only one of its ring is copied anew when all groups have read it. They read it one after the
 * other, since they compute in turn, so that hardly half a round is left for the copy: the first group finds it late. A
 * part of its own is copied anew while the others still wait to read theirs, and has all of the round. Rings of more
 * slots have that anyway, and stay as they are.
 *
 * <p>Needs layouts, which say whose rows are whose, and what {@code partition-roles} makes of a tile that is read into
 * registers. Leaves alone what a product reads too, and what lies with gaps between slots.
 */
public final class GroupCopies {
  private static final int GROUP = GroupStores.GROUP;

  /** A ring of one slot, with who fills and who reads it. */
  private record Ring(
      Inst alloc, SharedType type, Inst full, Inst empty, List<Inst> copies, List<Inst> loads, int groups) {
    int share() {
      return type.shape().getFirst() / groups;
    }
  }

  private final Func func;
  private final Uses uses;
  private final Scopes scopes;

  private GroupCopies(Func func) {
    this.func = func;
    this.uses = new Uses(func.body());
    this.scopes = new Scopes(func);
  }

  public static void run(Func func, PassContext context) {
    GroupCopies g = new GroupCopies(func);
    for (Inst inst : List.copyOf(func.body().insts())) {
      if (inst.op() instanceof SharedOp.SharedAlloc) {
        g.ring(inst).ifPresent(g::divide);
      }
    }
  }

  // ------------------------------------------------------------------------------------------------ which rings

  private Optional<Ring> ring(Inst alloc) {
    SharedType type = ((SharedOp.SharedAlloc) alloc.op()).type();
    List<Inst> copies = uses.of(alloc.result()).stream().filter(i -> i.op() instanceof AsyncOp.CopyBulk).toList();
    List<Inst> loads = uses.of(alloc.result()).stream().filter(i -> i.op() instanceof SharedOp.SharedLoad).toList();
    if (copies.isEmpty() || loads.isEmpty() || copies.size() + loads.size() != uses.of(alloc.result()).size()
        || type.stages() != 1 || type.shape().size() != 2) {
      return Optional.empty();
    }
    AsyncOp.CopyBulk copy = (AsyncOp.CopyBulk) copies.getFirst().op();
    Inst full = copy.barrier().definition();
    Optional<ControlOp.Role> reader = roleOf(loads);
    Optional<Value> empty = waitedFor(copies.getFirst());
    if (reader.isEmpty() || empty.isEmpty() || roleOf(copies).isEmpty() || roleOf(copies).equals(reader)) {
      return Optional.empty();
    }
    int groups = reader.get().warps() / GROUP;
    Ring ring = new Ring(alloc, type, full, empty.get().definition(), copies, loads, groups);
    boolean divides = reader.get().warps() % GROUP == 0 && groups > 1 && type.shape().getFirst() % groups == 0;
    return divides && lies(ring) && isFilled(ring) && isRead(ring, reader.get()) ? Optional.of(ring) : Optional.empty();
  }

  /** Whether each part lies as a slot of its own would, and the parts follow each other. */
  private static boolean lies(Ring ring) {
    SharedType part = part(ring);
    return Panels.of(part.shape(), part.element().bits()).isPresent()
        && Panels.of(ring.type.shape(), ring.type.element().bits(), ring.type.layout()).isPresent()
        && SharedBuffers.pitch(SharedBuffers.inPanels(part)).isEmpty();
  }

  private static SharedType part(Ring ring) {
    return SharedType.of(ring.type.element(), List.of(ring.share(), ring.type.shape().getLast()), ring.groups);
  }

  /** The barrier that is waited for right before what a copy expects is said. */
  private Optional<Value> waitedFor(Inst copy) {
    List<Inst> insts = scopes.regionOf(copy).insts();
    int at = insts.indexOf(copy);
    return at >= 2 && insts.get(at - 2).op() instanceof AsyncOp.BarrierWait w
        && insts.get(at - 1).op() instanceof AsyncOp.BarrierExpect e
        && e.barrier() == ((AsyncOp.CopyBulk) copy.op()).barrier()
        ? Optional.of(w.barrier()) : Optional.empty();
  }

  /** Whether every copy comes alone, behind a wait for its slot, and rows are what its first range says. */
  private boolean isFilled(Ring ring) {
    List<Inst> expects = uses.of(ring.full.result()).stream()
        .filter(i -> i.op() instanceof AsyncOp.BarrierExpect).toList();
    List<Inst> copied = uses.of(ring.full.result()).stream().filter(i -> i.op() instanceof AsyncOp.CopyBulk).toList();
    return expects.size() == ring.copies.size() && copied.equals(ring.copies) && ring.copies.stream().allMatch(
        c -> waitedFor(c).equals(Optional.of(ring.empty.result()))
            && rows(c).filter(r -> r.size() == ring.type.shape().getFirst()).isPresent());
  }

  /** Whether groups read nothing but their own rows, and warps say by themselves when they have. */
  private boolean isRead(Ring ring, ControlOp.Role reader) {
    boolean own = ring.loads.stream().allMatch(l -> l.result().tile().shape().equals(ring.type.shape())
        && GroupStores.ownRows(l.result().tile(), ring.groups));
    return own && ((AsyncOp.BarrierAlloc) ring.full.op()).arrivals() == 1
        && ((AsyncOp.BarrierAlloc) ring.empty.op()).arrivals() == reader.warps()
        && users(ring.full, AsyncOp.BarrierWait.class).stream().allMatch(i -> isIn(reader, i))
        && users(ring.empty, AsyncOp.BarrierArrive.class).stream().allMatch(i -> isIn(reader, i))
        && users(ring.full, AsyncOp.BarrierArrive.class).isEmpty()
        && users(ring.empty, AsyncOp.BarrierWait.class).size() == ring.copies.size();
  }

  private List<Inst> users(Inst barrier, Class<? extends AsyncOp> kind) {
    return uses.of(barrier.result()).stream().filter(i -> kind.isInstance(i.op())).toList();
  }

  /** The role that all of these instructions stand in. */
  private Optional<ControlOp.Role> roleOf(List<Inst> insts) {
    return func.body().insts().stream().filter(i -> i.op() instanceof ControlOp.Role).map(i -> (ControlOp.Role) i.op())
        .filter(r -> insts.stream().allMatch(i -> isIn(r, i))).findFirst();
  }

  private boolean isIn(ControlOp.Role role, Inst wanted) {
    return scopes.around(wanted).anyMatch(i -> i.op() == role);
  }

  /** The range of the copied tile's first dimension. */
  private static Optional<MemoryOp.Range> rows(Inst copy) {
    return ((AsyncOp.CopyBulk) copy.op()).indices().stream().filter(v -> v.type() instanceof RangeType).findFirst()
        .filter(v -> v.definition() != null && v.definition().op() instanceof MemoryOp.Range)
        .map(v -> (MemoryOp.Range) v.definition().op());
  }

  // ------------------------------------------------------------------------------------------------ dividing

  private void divide(Ring ring) {
    SharedType type = SharedBuffers.inPanels(part(ring));
    ring.alloc.setOp(new SharedOp.SharedAlloc(type, ((SharedOp.SharedAlloc) ring.alloc.op()).name()));
    ring.alloc.result().setType(type);
    ring.alloc.annotations().remove(SlotBytes.PITCH);
    slots(ring.full, ring.groups, 1);
    slots(ring.empty, ring.groups, GROUP);
    for (Inst copy : ring.copies) {
      copies(ring, copy);
    }
    for (Inst load : ring.loads) {
      SharedOp.SharedLoad op = (SharedOp.SharedLoad) load.op();
      load.setOp(new SharedOp.GroupLoad(op.buffer(), op.stage(), ring.groups));
    }
    users(ring.full, AsyncOp.BarrierWait.class).forEach(i -> i.annotate(AsyncOp.EACH, (long) ring.groups));
    users(ring.empty, AsyncOp.BarrierArrive.class).forEach(i -> i.annotate(AsyncOp.EACH, (long) ring.groups));
  }

  private static void slots(Inst barrier, int groups, int arrivals) {
    barrier.setOp(new AsyncOp.BarrierAlloc(groups, arrivals, ((AsyncOp.BarrierAlloc) barrier.op()).name()));
    barrier.result().setType(new BarrierType(groups));
  }

  /** The ring's one slot is number 0, and part n's n. */
  private void copies(Ring ring, Inst copy) {
    AsyncOp.CopyBulk op = (AsyncOp.CopyBulk) copy.op();
    Region region = scopes.regionOf(copy);
    int at = region.insts().indexOf(copy);
    AsyncOp.BarrierWait wait = (AsyncOp.BarrierWait) region.insts().get(at - 2).op();
    long bytes = ((AsyncOp.BarrierExpect) region.insts().get(at - 1).op()).bytes() / ring.groups;
    region.insts().subList(at - 2, at + 1).clear();
    Builder b = new Builder(region, at - 2).at(copy.loc());
    MemoryOp.Range rows = rows(copy).orElseThrow();
    for (int n = 0; n < ring.groups; n++) {
      Value slot = b.constant((long) n);
      Value first = b.add(rows.start(), b.constant((long) n * ring.share()));
      Value range = b.emit(new MemoryOp.Range(first, rows.stride(), b.constant((long) ring.share()), ring.share()));
      List<Value> indices = new ArrayList<>(op.indices());
      indices.replaceAll(v -> v.definition() != null && v.definition().op() == rows ? range : v);
      b.append(new AsyncOp.BarrierWait(wait.barrier(), slot, wait.parity()));
      b.append(new AsyncOp.BarrierExpect(op.barrier(), slot, bytes));
      b.append(new AsyncOp.CopyBulk(op.tensor(), indices, op.map(), op.buffer(), slot, op.barrier(), slot));
    }
  }
}
