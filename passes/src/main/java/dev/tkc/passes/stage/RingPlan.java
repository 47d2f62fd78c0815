package dev.tkc.passes.stage;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.passes.analysis.Uses;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which bulk loads of a function go through which ring. Loads that stand in one region and feed the same asynchronous products
 * share slots; places that copy the same tiles of the same tensors share a ring, whatever loop they stand in.
 */
final class RingPlan {
  /** Loads copied together, in order, and their ring. */
  record Site(Ring ring, List<Inst> loads, int depth) {
    Inst last() {
      return loads.getLast();
    }

    boolean isKept() {
      return RingPlan.isKept(last());
    }

    boolean isAgain() {
      return RingPlan.isAgain(last());
    }
  }

  private final Map<List<Ring.Member>, Ring> rings = new LinkedHashMap<>();
  private final Map<Inst, Site> sites = new IdentityHashMap<>();
  private final Map<Ring, Integer> depths = new LinkedHashMap<>();
  private final Uses uses;

  RingPlan(Region body) {
    this.uses = new Uses(body);
    visit(body, 0);
  }

  List<Ring> rings() {
    return List.copyOf(rings.values());
  }

  /** The site that a load belongs to, null if it is no bulk load. */
  Site site(Inst load) {
    return sites.get(load);
  }

  /** How many loops are around the ring's deepest load. */
  int depth(Ring ring) {
    return depths.get(ring);
  }

  /** The rings of the loads in a region, in order. */
  List<Ring> ringsIn(List<Region> regions) {
    Set<Ring> found = new HashSet<>();
    regions.forEach(r -> r.walk(i -> {
      if (sites.containsKey(i)) {
        found.add(sites.get(i).ring);
      }
    }));
    return rings().stream().filter(found::contains).toList();
  }

  /** Whether a tile stays in a slot of the ring while the next one is copied. */
  boolean holds(Ring ring) {
    return sites.values().stream().anyMatch(s -> s.ring == ring && s.isKept());
  }

  private void visit(Region region, int depth) {
    Map<Set<Inst>, List<Inst>> together = new LinkedHashMap<>();
    for (Inst inst : region.insts()) {
      int inside = inst.op() instanceof ControlOp.For ? depth + 1 : depth;
      inst.regions().forEach(r -> visit(r, inside));
      if (isBulk(inst)) {
        Set<Inst> dots = new HashSet<>();
        boolean shares = region.insts().containsAll(products(inst.result(), dots)) && onlyProducts(inst.result())
            && !dots.isEmpty() && !isKept(inst) && !isAgain(inst);
        Set<Inst> key = shares ? dots : Set.of(inst);
        together.computeIfAbsent(key, _ -> new ArrayList<>()).add(inst);
      }
    }
    for (List<Inst> loads : together.values()) {
      List<Ring.Member> members = loads.stream()
          .map(l -> new Ring.Member(((MemoryOp.Load) l.op()).tensor(), l.result().tile())).toList();
      Ring ring = rings.computeIfAbsent(members, Ring::new);
      depths.merge(ring, depth, Math::max);
      Site site = new Site(ring, loads, depth);
      loads.forEach(l -> sites.put(l, site));
    }
  }

  /** Whether the tile of a bulk load stays in its slot, for the next load that finds it there again. */
  static boolean isKept(Inst load) {
    return load.flag("kept");
  }

  /** Whether a bulk load finds its tile where the kept load before copied it; the slot is free after its last use. */
  static boolean isAgain(Inst load) {
    return load.flag("again");
  }

  static boolean isBulk(Inst inst) {
    return inst.op() instanceof MemoryOp.Load && inst.flag("bulk");
  }

  /** The products that a value feeds, transposed or not. */
  private Set<Inst> products(Value v, Set<Inst> into) {
    for (Inst user : uses.of(v)) {
      if (user.op() instanceof MatrixOp.Dot) {
        into.add(user);
      } else if (user.op() instanceof ShapeOp.Permute) {
        products(user.result(), into);
      }
    }
    return into;
  }

  /** Whether products, of the tile as it is or transposed, are the only uses. */
  boolean onlyProducts(Value v) {
    return uses.of(v).stream().allMatch(u -> u.op() instanceof MatrixOp.Dot
        || u.op() instanceof ShapeOp.Permute && onlyProducts(u.result()));
  }
}
