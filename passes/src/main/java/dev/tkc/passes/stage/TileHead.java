package dev.tkc.passes.stage;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.analysis.ReadOnly;
import dev.tkc.passes.analysis.Scalars;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The body of a loop over tiles around a loop that {@link RotateLoops} rotated, taken apart:
 *
 * <pre>
 *   for tile … {
 *     before                                  positions, loads such as the queries
 *     r = if any round {
 *       opening                               the first round's first half
 *       for rounds { … }
 *       closing                               the last round's second half
 *     }
 *     after                                   what becomes of the sums
 *   }
 * </pre>
 *
 * The <em>head</em> of a tile is its opening and what that needs of {@code before}: it can be computed while the tile
 * before it is not done, since it only reads what nothing writes. What the opening gives and the rest of the tile needs
 * is
 * <em>carried</em>, if it does not follow from positions; what the rest needs of {@code before} is computed again
 * there, but for divisions. A bulk load that both need is <em>kept</em>: the tile stays where it was copied to until
 * the rounds are over.
 */
final class TileHead {
  private final ReadOnly readOnly;
  private final Predicate<Inst> asynchronous;
  private final List<Inst> before;
  private final List<Inst> opening;
  private final Inst rounds;
  private final List<Inst> closing;
  private final List<Inst> after;
  private final ControlOp.If branch;
  private final Inst branchInst;
  /** The head, in order. */
  private final List<Inst> head;

  private TileHead(Region body, Inst branchInst, Inst rounds, ReadOnly readOnly, Predicate<Inst> asynchronous) {
    this.readOnly = readOnly;
    this.asynchronous = asynchronous;
    this.branchInst = branchInst;
    this.branch = (ControlOp.If) branchInst.op();
    this.rounds = rounds;
    int at = body.insts().indexOf(branchInst);
    this.before = List.copyOf(body.insts().subList(0, at));
    this.after = List.copyOf(body.insts().subList(at + 1, body.insts().size()));
    List<Inst> then = branch.then().insts();
    this.opening = List.copyOf(then.subList(0, then.indexOf(rounds)));
    this.closing = List.copyOf(then.subList(then.indexOf(rounds) + 1, then.size() - 1));
    List<Inst> all = new ArrayList<>(slice(before, used(opening)));
    boolean reads = all.stream().anyMatch(i -> i.op() instanceof MemoryOp.Load && !RingPlan.isBulk(i));
    if (reads) {
      // What is asserted before may say that the load is inside its tensor; bulk copies read nothing outside.
      List<Inst> asserts = before.stream().filter(i -> i.op() instanceof ControlOp.Assert).toList();
      Set<Inst> needed = identities();
      needed.addAll(all);
      needed.addAll(asserts);
      needed.addAll(slice(before, used(asserts)));
      all = new ArrayList<>(before.stream().filter(needed::contains).toList());
    }
    all.addAll(opening);
    this.head = all;
  }

  /** The parts of a loop's body, if the head of its next tile can be computed early. */
  static Optional<TileHead> of(ControlOp.For loop, ReadOnly readOnly, Predicate<Inst> asynchronous) {
    Optional<Inst> rotated = only(loop.body().insts(), i -> i.flag(RotateLoops.ROTATED));
    Optional<Inst> rounds = rotated.flatMap(i -> only(
        ((ControlOp.If) i.op()).then().insts(), r -> r.op() instanceof ControlOp.For));
    return rounds.map(r -> new TileHead(loop.body(), rotated.get(), r, readOnly, asynchronous))
        .filter(TileHead::isLegal);
  }

  private static Optional<Inst> only(List<Inst> insts, Predicate<Inst> which) {
    List<Inst> found = insts.stream().filter(which).toList();
    return found.size() == 1 ? Optional.of(found.getFirst()) : Optional.empty();
  }

  private boolean isLegal() {
    boolean movable = head.stream().allMatch(i -> i.op() instanceof ControlOp.Assert || movable(i))
        && head.stream().filter(before::contains).noneMatch(i -> asynchronous.test(i) || !i.regions().isEmpty());
    boolean carries = carried().stream().allMatch(v -> v.type() instanceof TileType && !isBulk(v));
    // A kept tile must be free when the rounds are over.
    Set<Value> copied = results(dependents());
    boolean free = Collections.disjoint(used(after), copied) && Collections.disjoint(used(closing), copied)
        && before.stream().filter(i -> !Effects.isPure(i) && !RingPlan.isBulk(i))
            .noneMatch(i -> !Collections.disjoint(used(i), copied))
        && branch.otherwise().insts().stream().noneMatch(i -> !Collections.disjoint(used(i), copied));
    boolean bulkInOpening = opening.stream().filter(RingPlan::isBulk)
        .allMatch(i -> opening.containsAll(users(i.result())));
    return movable && carries && free && bulkInOpening && opening.stream().anyMatch(asynchronous)
        && closing.stream().anyMatch(asynchronous);
  }

  private List<Inst> users(Value v) {
    List<Inst> found = new ArrayList<>();
    for (List<Inst> part : List.of(before, opening, List.of(rounds), closing, List.of(branch.then().terminator()),
        after)) {
      part.stream().filter(i -> used(i).contains(v)).forEach(found::add);
    }
    return found;
  }

  private static boolean isBulk(Value v) {
    return v.definition() != null && RingPlan.isBulk(v.definition());
  }

  private boolean movable(Inst inst) {
    if (inst.op() instanceof MemoryOp.Load l) {
      return readOnly.tensor(l.tensor());
    }
    return Effects.isPure(inst) && !inst.anyInside(i -> RingPlan.isBulk(i) || asynchronous.test(i));
  }

  // ------------------------------------------------------------------------------------------------ the parts

  Inst branchInst() {
    return branchInst;
  }

  ControlOp.If branch() {
    return branch;
  }

  Inst rounds() {
    return rounds;
  }

  /** The bulk loads of the last second half, and what they need. */
  List<Inst> lastLoads() {
    List<Value> loaded = closing.stream().filter(RingPlan::isBulk).flatMap(i -> i.results().stream()).toList();
    List<Inst> needed = slice(closing, loaded);
    return needed.stream().allMatch(i -> RingPlan.isBulk(i) || Effects.isPure(i) && LateSlice.isCheap(i)) ? needed
        : List.of();
  }

  /** The last second half but these. */
  List<Inst> closing() {
    Set<Inst> loads = identities();
    loads.addAll(lastLoads());
    return closing.stream().filter(i -> !loads.contains(i)).toList();
  }

  /** Of the head, the products that wait for no other one, and what they need. */
  List<Inst> first() {
    Set<Inst> first = identities();
    for (Inst i : head) {
      List<Inst> needed = asynchronous.test(i) ? slice(head, used(i)) : List.of();
      if (asynchronous.test(i) && needed.stream().noneMatch(asynchronous)) {
        first.add(i);
        first.addAll(needed);
      } else if (i.op() instanceof ControlOp.Assert && before.contains(i)) {
        first.add(i);
        first.addAll(slice(head, used(i)));
      }
    }
    return head.stream().filter(first::contains).toList();
  }

  List<Inst> rest() {
    Set<Inst> first = identities();
    first.addAll(first());
    return head.stream().filter(i -> !first.contains(i)).toList();
  }

  /** Bulk loads of the head whose tiles the rounds need too. */
  List<Inst> kept() {
    return head.stream().filter(i -> before.contains(i) && RingPlan.isBulk(i) && dependents().contains(i)).toList();
  }

  /**
   * What depends on the head's bulk loads and is needed by the rounds, loads included: computed for these once more.
   */
  List<Inst> dependents() {
    Set<Value> values = identities();
    Set<Inst> found = identities();
    for (Inst i : before) {
      if (RingPlan.isBulk(i) && head.contains(i) || !Collections.disjoint(used(i), values)) {
        found.add(i);
        values.addAll(i.results());
      }
    }
    Set<Value> wanted = used(List.of(rounds));
    wanted.addAll(used(closing));
    return slice(before, wanted).stream().filter(found::contains).toList();
  }

  /**
   * Quotients of the head that the rest of the tile needs, and what the opening gives it that does not follow from
   * positions.
   */
  List<Value> carried() {
    Set<Inst> positional = identities();
    positional.addAll(positional());
    Set<Value> wanted = wanted();
    List<Value> values = new ArrayList<>(quotients());
    opening.stream().filter(i -> !positional.contains(i)).flatMap(i -> i.results().stream())
        .filter(wanted::contains).forEach(values::add);
    return values;
  }

  /** Scalars of the head that take a division to compute, where the rest of the tile meets them. */
  List<Value> quotients() {
    Set<Value> wanted = wanted();
    wanted.addAll(used(after));
    before.stream().filter(i -> !Effects.isPure(i) && !RingPlan.isBulk(i)).forEach(i -> wanted.addAll(used(i)));
    List<Value> found = new ArrayList<>();
    for (Inst i : before.reversed()) {
      if (i.results().stream().anyMatch(wanted::contains)) {
        if (head.contains(i) && i.op() instanceof ElementwiseOp.Binary b && Scalars.isInt(i.result())
            && (b.kind() == BinaryKind.DIV || b.kind() == BinaryKind.REM)) {
          found.addFirst(i.result());
        } else {
          wanted.addAll(used(i));
        }
      }
    }
    return found;
  }

  /** What the quotients need. */
  List<Inst> toQuotients() {
    return slice(before, quotients());
  }

  /** The scalars among what the first products need, and ranges of them. */
  List<Inst> places() {
    Set<Value> outside = results(before);
    List<Inst> found = new ArrayList<>();
    for (Inst i : first()) {
      if (before.contains(i) && i.regions().isEmpty() && Effects.isPure(i) && LateSlice.isCheap(i)
          && i.operands().stream().noneMatch(outside::contains)) {
        found.add(i);
        outside.removeAll(i.results());
      }
    }
    return found;
  }

  /** Those places that the rest of the head, or of the tile, needs. */
  List<Inst> placesOfRest() {
    Set<Value> wanted = used(rest());
    wanted.addAll(quotients());
    Set<Inst> places = identities();
    places.addAll(places());
    return slice(before, wanted).stream().filter(places::contains).toList();
  }

  /** What of the opening follows from positions and is needed behind it: computed there once more. */
  List<Inst> again() {
    Set<Value> wanted = wanted();
    wanted.retainAll(results(positional()));
    return slice(opening, wanted);
  }

  private Set<Value> wanted() {
    Set<Value> wanted = used(List.of(rounds, branch.then().terminator()));
    wanted.addAll(used(closing));
    return wanted;
  }

  /** Scalars and ranges that are computed from such, and tiles that are the same everywhere. */
  private List<Inst> positional() {
    Set<Value> known = identities();
    List<Inst> found = new ArrayList<>();
    Set<Value> inside = results(opening);
    for (Inst i : opening) {
      boolean cheap = i.regions().isEmpty() && Effects.isPure(i) && LateSlice.isCheap(i);
      if (cheap && i.operands().stream().allMatch(v -> !inside.contains(v) || known.contains(v))) {
        known.addAll(i.results());
        found.add(i);
      }
    }
    return found;
  }

  /** 32-bit registers of what is carried and of what the tile before still needs, over so many threads. */
  long registers(long threads) {
    long bytes = carried().stream().mapToLong(LateSlice::bytes).sum()
        + branchInst.results().stream().mapToLong(LateSlice::bytes).sum();
    return bytes / (4 * threads);
  }

  // ------------------------------------------------------------------------------------------------ slices

  /** The instructions of a list that values depend on, in order. */
  private static List<Inst> slice(List<Inst> insts, Collection<Value> values) {
    Set<Value> wanted = identities();
    wanted.addAll(values);
    List<Inst> found = new ArrayList<>();
    for (Inst i : insts.reversed()) {
      if (i.results().stream().anyMatch(wanted::contains)) {
        found.addFirst(i);
        wanted.addAll(used(i));
      }
    }
    return found;
  }

  private static Set<Value> used(Inst inst) {
    return LateSlice.used(inst);
  }

  private static Set<Value> used(List<Inst> insts) {
    Set<Value> used = identities();
    insts.forEach(i -> used.addAll(used(i)));
    return used;
  }

  private static Set<Value> results(List<Inst> insts) {
    Set<Value> values = identities();
    insts.forEach(i -> values.addAll(i.results()));
    return values;
  }

  private static <T> Set<T> identities() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }
}
