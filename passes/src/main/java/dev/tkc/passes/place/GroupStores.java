package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import java.util.ArrayList;
import java.util.List;

/**
 * Lets each group of four warps of a role store its own rows, without waiting for the other groups.
 *
 * <pre>
 *   store_wait …  barrier shared_store %b, …  proxy_fence  barrier  store_bulk …  store_commit → all with #{group = 4}
 * </pre>
 *
 * With {@code group = g} a barrier is for each g warps alone, and one thread of each g warps stores their share of the
 * slot's rows. Possible where warps own rows as accumulators lie: then a group writes and stores the same part of a
 * slot, and the groups drift apart as their work does: one multiplies while another stores. All bulk stores of a role
 * or none, since each storing thread counts its own. A slot that products read before must have been read by rows in
 * the same way: else a group would write what another still multiplies. Barriers marked {@code own}, behind a tile of
 * which each warp then reads rows of its own, are for a group too.
 */
public final class GroupStores {
  static final int GROUP = 4;

  private GroupStores() {}

  public static void run(Func func, PassContext context) {
    for (Inst inst : func.body().insts()) {
      if (inst.op() instanceof ControlOp.Role role && role.warps() > GROUP && role.warps() % GROUP == 0) {
        own(role.body(), role.warps() / GROUP);
        List<Inst> sequence = new ArrayList<>();
        if (collect(role.body(), role.warps() / GROUP, sequence)
            && readsOwnRows(role.body(), role.warps() / GROUP, sequence)) {
          sequence.forEach(i -> i.annotate("group", (long) GROUP));
        }
      }
    }
  }

  /** Barriers after which a group reads what it wrote itself, and nothing else. */
  private static void own(Region region, int groups) {
    List<TileType> written = new ArrayList<>();
    for (Inst inst : region.insts()) {
      inst.regions().forEach(r -> own(r, groups));
      if (inst.op() instanceof SharedOp.SharedStore store && inst.flag("ordered")) {
        written.add(store.tile().tile());
      } else if (inst.op() instanceof SharedOp.Barrier) {
        if (inst.flag("own") && !written.isEmpty() && written.stream().allMatch(t -> ownRows(t, groups))) {
          inst.annotate("group", (long) GROUP);
        }
        written.clear();
      }
    }
  }

  /** Adds the instructions of all bulk stores; false if one of them cannot be divided. */
  private static boolean collect(Region region, int groups, List<Inst> into) {
    List<Inst> insts = region.insts();
    for (int n = 0; n < insts.size(); n++) {
      Inst inst = insts.get(n);
      for (Region r : inst.regions()) {
        if (!collect(r, groups, into)) {
          return false;
        }
      }
      switch (inst.op()) {
        case AsyncOp.StoreBulk _, AsyncOp.StoreCommit _, AsyncOp.StoreWait _ -> into.add(inst);
        case SharedOp.SharedStore store when isStored(insts, inst, store) -> {
          Inst before = barrier(insts, n, -1);
          Inst behind = barrier(insts, n, 1);
          if (before == null || behind == null || !ownRows(store.tile().tile(), groups)) {
            return false;
          }
          into.addAll(List.of(before, inst, behind));
        }
        default -> { }
      }
    }
    return true;
  }

  /** Whether products read of these buffers, each group its own rows, which are their results' rows. */
  private static boolean readsOwnRows(Region role, int groups, List<Inst> stores) {
    return !role.anyMatch(i -> i.op() instanceof AsyncOp.DotAsync dot && (isView(dot.b(), stores)
        || isView(dot.a(), stores) && !ownRows(dot.acc().tile(), groups)));
  }

  private static boolean isView(Value operand, List<Inst> stores) {
    return operand.definition() != null && operand.definition().op() instanceof AsyncOp.SharedView v
        && stores.stream().anyMatch(i -> i.op() instanceof SharedOp.SharedStore s && s.buffer() == v.buffer());
  }

  private static boolean isStored(List<Inst> insts, Inst inst, SharedOp.SharedStore store) {
    return insts.subList(insts.indexOf(inst), insts.size()).stream()
        .anyMatch(i -> i.op() instanceof AsyncOp.StoreBulk s && s.buffer() == store.buffer());
  }

  /** The next barrier in one direction, if no other access to shared memory is on the way. */
  private static Inst barrier(List<Inst> insts, int from, int step) {
    for (int n = from + step; n >= 0 && n < insts.size(); n += step) {
      Inst inst = insts.get(n);
      switch (inst.op()) {
        case SharedOp.Barrier _ -> {
          return inst;
        }
        // Slices that leave together share the barriers.
        case SharedOp.SharedStore store when isStored(insts, inst, store) -> { }
        case SharedOp _ -> {
          return null;
        }
        case ControlOp _ -> {
          return null;
        }
        default -> { }
      }
    }
    return null;
  }

  /** Whether group n holds the n-th share of the rows and nothing else. */
  static boolean ownRows(TileType tile, int groups) {
    LinearLayout layout = tile.layout();
    int axis = tile.rank() - 2;
    if (axis < 0 || layout == null || tile.rank() != 2 || tile.shape().get(axis) % groups != 0) {
      return false;
    }
    int share = tile.shape().get(axis) / groups;
    int inside = Integer.numberOfTrailingZeros(GROUP);
    for (InDim dim : layout.inDims()) {
      List<List<Integer>> basis = layout.basis(dim);
      for (int bit = 0; bit < basis.size(); bit++) {
        int row = basis.get(bit).get(axis);
        boolean selects = dim == InDim.WARP && bit >= inside;
        if (selects ? row != share << (bit - inside) || basis.get(bit).get(1 - axis) != 0 : row >= share) {
          return false;
        }
      }
    }
    return true;
  }
}
