package dev.tkc.ir.lint;

import dev.tkc.ir.Inst;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BinaryOperator;
import java.util.function.UnaryOperator;

/**
 * Where a tile may hold padding: a static form of the provenance that the interpreter keeps for each element.
 *
 * @param lanes the states of the lanes that are invalid in a range, for each range that may be partial and the
 *     dimension it lies along; all other elements are inside
 * @param leak foreign padding that is no longer bound to lanes: a reduction took it in
 * @param masks of bools: lanes that are invalid only where the bool is false
 * @param indices the ranges whose indices the tile was computed from
 * @param spread whether it is a scalar or a smaller tile repeated
 */
record Origin(Map<Lane, State> lanes, Optional<Leak> leak, Set<Lane> masks, Set<Lane> indices, boolean spread) {
  static final Origin INSIDE = new Origin(Map.of(), Optional.empty(), Set.of(), Set.of(), false);
  static final Origin SCALAR = new Origin(Map.of(), Optional.empty(), Set.of(), Set.of(), true);

  /** The lanes of a range, known by how many of them are valid, along a dimension. */
  record Lane(String count, int axis) {}

  /** What invalid lanes hold: the 0 of a load, or something computed from it that a sum does not ignore. */
  record State(boolean foreign, Inst load) {
    State asForeign() {
      return new State(true, load);
    }
  }

  /** The instruction that took padding in, and the load that made it up. */
  record Leak(Inst at, State state) {}

  Origin {
    lanes = Map.copyOf(lanes);
    masks = Set.copyOf(masks);
    indices = Set.copyOf(indices);
  }

  static Origin of(Map<Lane, State> lanes, Optional<Leak> leak) {
    return new Origin(lanes, leak, Set.of(), Set.of(), false);
  }

  Origin withLanes(Map<Lane, State> other) {
    return new Origin(other, leak, masks, indices, spread);
  }

  Origin withSpread(boolean on) {
    return new Origin(lanes, leak, masks, indices, on);
  }

  /** The same tile after an operation that keeps no 0. */
  Origin foreign() {
    Map<Lane, State> out = new LinkedHashMap<>();
    lanes.forEach((lane, state) -> out.put(lane, state.asForeign()));
    return new Origin(out, leak, Set.of(), indices, spread);
  }

  /** The same with its dimensions moved; {@code axes[d]} is where dimension d goes, −1 for nowhere. */
  Origin moved(int[] axes) {
    Map<Lane, State> out = new LinkedHashMap<>();
    lanes.forEach((lane, state) -> move(lane, axes).ifPresent(l -> out.put(l, state)));
    return new Origin(out, leak, move(masks, axes), move(indices, axes), spread);
  }

  private static Set<Lane> move(Set<Lane> lanes, int[] axes) {
    Set<Lane> out = new HashSet<>();
    lanes.forEach(l -> move(l, axes).ifPresent(out::add));
    return out;
  }

  private static Optional<Lane> move(Lane lane, int[] axes) {
    return axes[lane.axis] < 0 ? Optional.empty() : Optional.of(new Lane(lane.count, axes[lane.axis]));
  }

  /** States lane by lane, where a tile that lacks one gives null; a null result drops the lane. */
  static Map<Lane, State> combine(Origin a, Origin b, BinaryOperator<State> rule) {
    Set<Lane> all = new HashSet<>(a.lanes.keySet());
    all.addAll(b.lanes.keySet());
    Map<Lane, State> out = new LinkedHashMap<>();
    for (Lane lane : all) {
      State state = rule.apply(a.lanes.get(lane), b.lanes.get(lane));
      if (state != null) {
        out.put(lane, state);
      }
    }
    return out;
  }

  /** What may come of either of two ways. */
  static Origin join(Origin a, Origin b) {
    Set<Lane> masks = new HashSet<>(a.masks);
    masks.retainAll(b.masks);
    Set<Lane> indices = new HashSet<>(a.indices);
    indices.retainAll(b.indices);
    return new Origin(combine(a, b, Origin::worse), a.leak.or(b::leak), masks, indices, a.spread && b.spread);
  }

  static State worse(State a, State b) {
    return a == null || b != null && b.foreign && !a.foreign ? b : a;
  }

  /** A product: neutral if either factor is. */
  static State product(State a, State b) {
    return a != null && !a.foreign ? a : b != null && !b.foreign ? b : a != null ? a : b;
  }

  /** Anything that no rule treats kindly. */
  static State any(State a, State b) {
    UnaryOperator<State> foreign = s -> s == null ? null : s.asForeign();
    return a != null ? foreign.apply(a) : foreign.apply(b);
  }
}
