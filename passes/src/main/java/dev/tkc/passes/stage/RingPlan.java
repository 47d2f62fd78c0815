package dev.tkc.passes.stage;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Loc;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.Uses;
import dev.tkc.passes.target.AsyncMatrix;
import dev.tkc.passes.target.TargetInfo;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which tiles of a function go through which ring.
 *
 * <p>Bulk loads that stand in one region and feed the same asynchronous products share slots; places that copy the same
 * tiles of the same tensors share a ring, whatever loop they stand in. A tile that is handed over
 * ({@link SharedOperands}) has a ring for itself, which it shares with those that flow into the same carried tile, and
 * with those of its shape in other regions.
 *
 * <p>What a loop carries from round to round may be the slot of a tile rather than the tile.
 */
final class RingPlan {
  /** Tiles that come into one slot together, in order, and their ring. */
  record Site(Ring ring, List<Inst> sources, int depth) {
    Inst last() {
      return sources.getLast();
    }

    boolean isKept() {
      return RingPlan.isKept(last());
    }

    boolean isAgain() {
      return RingPlan.isAgain(last());
    }
  }

  private record Source(Value tensor, TileType type) {}

  private final Map<List<Source>, Ring> copied = new LinkedHashMap<>();
  private final List<Ring> rings = new ArrayList<>();
  private final Map<Inst, Site> sites = new IdentityHashMap<>();
  private final Map<Ring, Integer> depths = new LinkedHashMap<>();
  private final Map<Inst, Region> regionOf = new IdentityHashMap<>();
  private final Map<Ring, List<Region>> handedIn = new IdentityHashMap<>();
  private final Map<Ring, List<Inst>> first = new LinkedHashMap<>();
  private final Uses uses;
  private final SharedOperands shared;

  RingPlan(Region body, TargetInfo target) {
    this.uses = new Uses(body);
    this.shared = new SharedOperands(body, i -> instruction(i, target), RingPlan::isBulk);
    visit(body, 0);
    hand(body);
  }

  private static Optional<AsyncMatrix> instruction(Inst inst, TargetInfo target) {
    return inst.annotations().get("instruction") instanceof String name ? target.asyncMatrix(name) : Optional.empty();
  }

  List<Ring> rings() {
    return List.copyOf(rings);
  }

  SharedOperands shared() {
    return shared;
  }

  /** The site that an instruction's result comes into a slot at, null if it does not. */
  Site site(Inst source) {
    return sites.get(source);
  }

  /** The same for bulk copies alone. */
  Site copy(Inst load) {
    return isBulk(load) ? sites.get(load) : null;
  }

  /** How many loops are around the ring's deepest source. */
  int depth(Ring ring) {
    return depths.get(ring);
  }

  /** Where the program first asks for what a member holds, or computes it. */
  Loc loc(Ring ring, int member) {
    return first.get(ring).get(member).loc();
  }

  /** The rings of the sources in a region, in order. */
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

  /**
   * Whether tiles of both rings may come into the slots of one, in the order in which the program asks for them: tiles
   * of one type that products alone read, and that nobody needs for longer than a round.
   */
  boolean mayShare(Ring a, Ring b) {
    return mayShare(a) && mayShare(b) && a.members.getFirst().type().equals(b.members.getFirst().type())
        && depth(a) == depth(b);
  }

  private boolean mayShare(Ring ring) {
    return !ring.handed && ring.members.size() == 1 && !isRead(ring) && sites.values().stream()
        .noneMatch(s -> s.ring == ring && (s.isKept() || s.isAgain() || shared.flows(s.last().result())));
  }

  /** Makes one ring of several that may share their slots, and gives it. */
  Ring share(List<Ring> together) {
    Ring first = together.getFirst();
    String name = String.join("_", together.stream().map(r -> r.members.getFirst().name()).toList());
    Ring all = new Ring(List.of(new Ring.Member(name, first.members.getFirst().type())), false);
    sites.replaceAll((_, s) -> together.contains(s.ring) ? new Site(all, s.sources, s.depth) : s);
    copied.replaceAll((_, r) -> together.contains(r) ? all : r);
    depths.put(all, depth(first));
    this.first.put(all, this.first.get(first));
    rings.set(rings.indexOf(first), all);
    rings.removeAll(together);
    return all;
  }

  private Ring made(Ring ring) {
    rings.add(ring);
    return ring;
  }

  /** Whether a tile of the ring is read into registers. */
  boolean isRead(Ring ring) {
    return sites.values().stream()
        .anyMatch(s -> s.ring == ring && !ring.handed && s.sources.stream().anyMatch(l -> !onlyProducts(l.result())));
  }

  private void visit(Region region, int depth) {
    Map<Set<Inst>, List<Inst>> together = new LinkedHashMap<>();
    Set<Inst> key = Set.of();
    for (Inst inst : region.insts()) {
      int inside = inst.op() instanceof ControlOp.For ? depth + 1 : depth;
      inst.regions().forEach(r -> visit(r, inside));
      if (inst.op() instanceof MatrixOp.Dot) {
        // Its operands must be there before it: what comes later shares no slot with them.
        key = Set.of();
      }
      if (isBulk(inst) && inst.flag(ChooseAsync.JOINED) && together.containsKey(key)) {
        together.get(key).add(inst);
      } else if (isBulk(inst)) {
        Set<Inst> dots = new HashSet<>();
        boolean joins = region.insts().containsAll(products(inst.result(), dots)) && onlyProducts(inst.result())
            && !dots.isEmpty() && !isKept(inst) && !isAgain(inst) && !shared.flows(inst.result());
        key = joins ? dots : Set.of(inst);
        together.computeIfAbsent(key, _ -> new ArrayList<>()).add(inst);
      }
    }
    for (List<Inst> loads : together.values()) {
      List<Source> sources = loads.stream()
          .map(l -> new Source(((MemoryOp.Load) l.op()).tensor(), l.result().tile())).toList();
      Ring ring = copied.computeIfAbsent(sources, _ -> made(new Ring(
          sources.stream().map(s -> Ring.Member.of(s.tensor(), s.type())).toList(), false)));
      depths.merge(ring, depth, Math::max);
      first.putIfAbsent(ring, loads);
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

  /** Whether all who use a value stand in the region that its definition stands in, and have no regions. */
  boolean isUsedBeside(Value v) {
    Region around = regionOf.get(v.definition());
    return uses.of(v).stream().allMatch(u -> u.regions().isEmpty() && regionOf.get(u) == around);
  }

  /** Whether a product takes the tile as its left operand as it is. */
  boolean isLeft(Value tile) {
    return uses.of(tile).stream().anyMatch(u -> u.op() instanceof MatrixOp.Dot d && d.a() == tile);
  }

  /** Whether such a product stands in the region of the tile's definition. */
  boolean isLeftBeside(Value tile) {
    Region around = regionOf.get(tile.definition());
    return uses.of(tile).stream()
        .anyMatch(u -> u.op() instanceof MatrixOp.Dot d && d.a() == tile && regionOf.get(u) == around);
  }

  /** Whether a tile is never in registers: one that is copied, or comes from the round before, for products alone. */
  boolean isInMemory(Value v) {
    return v.definition() != null && isBulk(v.definition()) && onlyProducts(v) || isCarriedInMemory(v);
  }

  private boolean isCarriedInMemory(Value v) {
    return shared.contains(v) && (v.definition() == null || !v.definition().regions().isEmpty())
        && uses.of(v).stream().noneMatch(u -> u.op() instanceof MatrixOp.Dot d && d.a() == v) && onlyProducts(v);
  }

  /** Whether products that read it where it is, as it is or transposed, are the only uses, carried on or not. */
  boolean onlyProducts(Value v) {
    return onlyProducts(v, new HashSet<>());
  }

  private boolean onlyProducts(Value v, Set<Value> seen) {
    if (!seen.add(v)) {
      return true;
    }
    Set<Value> on = shared.next(v);
    return uses.of(v).stream().allMatch(u -> switch (u.op()) {
      case MatrixOp.Dot _ -> true;
      case ShapeOp.Permute _ -> onlyProducts(u.result(), seen);
      case ControlOp.For _, ControlOp.Yield _ -> !on.isEmpty();
      default -> false;
    }) && on.stream().allMatch(n -> onlyProducts(n, seen));
  }

  // ----------------------------------------------------------------------------------------------- what is handed over

  private void hand(Region body) {
    Map<Inst, Integer> depthOf = new IdentityHashMap<>();
    places(body, 0, regionOf, depthOf);
    for (Set<Value> flow : shared.handed()) {
      List<Inst> sources = flow.stream().map(Value::definition).toList();
      List<Region> around = sources.stream().map(regionOf::get).toList();
      TileType type = flow.iterator().next().tile();
      Ring ring = rings.stream().filter(r -> r.handed && r.members.getFirst().type().equals(type)
          && handedIn.get(r).stream().allMatch(a -> around.stream().allMatch(b -> apart(a, b)))).findFirst()
          .orElseGet(() -> made(new Ring(List.of(new Ring.Member("handed", type)), true)));
      handedIn.computeIfAbsent(ring, _ -> new ArrayList<>()).addAll(around);
      first.putIfAbsent(ring, sources);
      for (Inst source : sources) {
        int depth = depthOf.get(source);
        depths.merge(ring, depth, Math::max);
        sites.put(source, new Site(ring, List.of(source), depth));
      }
    }
  }

  private static void places(Region region, int depth, Map<Inst, Region> regions, Map<Inst, Integer> depths) {
    for (Inst inst : region.insts()) {
      regions.put(inst, region);
      depths.put(inst, depth);
      int inside = inst.op() instanceof ControlOp.For ? depth + 1 : depth;
      inst.regions().forEach(r -> places(r, inside, regions, depths));
    }
  }

  /** Whether neither region is inside the other. */
  private static boolean apart(Region a, Region b) {
    return !inside(a, b) && !inside(b, a);
  }

  private static boolean inside(Region inner, Region outer) {
    return inner == outer || outer.anyMatch(i -> i.regions().contains(inner));
  }
}
