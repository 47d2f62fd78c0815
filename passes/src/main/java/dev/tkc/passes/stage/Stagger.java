package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.ReadOnly;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * A loop's body in two parts, of which the <em>minor</em> one, a single product with what belongs to it, runs a round
 * ahead of the <em>major</em> one, or a round late ({@link StaggerLoops}). The major part owns all the loop carries.
 * Values go from the one that runs first to the other: they <em>cross</em> to the next round; what follows from the
 * position alone is computed in both.
 *
 * <p>A bulk load that both need is copied once: kept by the part ahead, found again by the other, which stands before
 * it in the text of a round.
 */
final class Stagger {
  private final Inst inst;
  private final ControlOp.For loop;
  private final boolean ahead;
  private final List<Inst> body;
  private final List<Value> yielded;
  private final Set<Value> positional = identities();
  /** The minor part: the product, and what uses its result if it is late; without what follows from the position. */
  private final Set<Inst> minor;
  /** Before which product of the major part the minor one's starts. */
  private final Inst anchor;

  private Stagger(Inst inst, ReadOnly readOnly, boolean ahead, Set<Inst> minor, Inst anchor) {
    this.inst = inst;
    this.loop = (ControlOp.For) inst.op();
    this.ahead = ahead;
    this.body = body(loop);
    this.yielded = loop.body().terminator().operands();
    this.minor = minor;
    this.anchor = anchor;
    findPositional(readOnly);
  }

  private static List<Inst> body(ControlOp.For loop) {
    return loop.body().insts().subList(0, loop.body().insts().size() - 1);
  }

  // ------------------------------------------------------------------------------------------------ finding

  /** The round's first product a round ahead. */
  static Optional<Stagger> ahead(Inst inst, ReadOnly readOnly, Predicate<Inst> asynchronous) {
    List<Inst> body = body((ControlOp.For) inst.op());
    Optional<Inst> first = body.stream().filter(asynchronous).findFirst();
    Optional<Inst> last = body.stream().filter(asynchronous).reduce((_, b) -> b);
    if (first.isEmpty() || first.equals(last)) {
      return Optional.empty();
    }
    Stagger s = new Stagger(inst, readOnly, true, setOf(first.get()), last.get());
    boolean needsNothing = first.get().operands().stream().allMatch(v -> s.positional.contains(v) || !s.isInside(v));
    boolean followed = s.after(setOf(first.get())).stream().anyMatch(i -> asynchronous.test(i));
    boolean followedByLast = s.before(last.get()).contains(first.get());
    return needsNothing && followed && followedByLast && s.isLegal() ? Optional.of(s) : Optional.empty();
  }

  /**
   * A product whose sum is only added to memory, and which needs nothing of its round but through shared memory, a
   * round late.
   */
  static Optional<Stagger> late(Inst inst, ReadOnly readOnly, Predicate<Inst> asynchronous, SharedOperands shared) {
    List<Inst> body = body((ControlOp.For) inst.op());
    for (Inst dot : body.reversed()) {
      if (!asynchronous.test(dot)) {
        continue;
      }
      Stagger probe = new Stagger(inst, readOnly, false, setOf(dot), dot);
      Set<Inst> minor = probe.after(setOf(dot));
      minor.add(dot);
      minor.addAll(turned(dot, body));
      Optional<Inst> anchor = body.stream().filter(i -> asynchronous.test(i) && !minor.contains(i)).reduce((_, b) -> b);
      boolean sink = minor.stream().allMatch(i -> i == dot || mayFollow(i, body, minor, readOnly));
      boolean waits = probe.before(dot).stream().anyMatch(asynchronous);
      if (sink && waits && anchor.isPresent()) {
        Stagger s = new Stagger(inst, readOnly, false, minor, anchor.get());
        boolean handed = s.crossing().stream()
            .allMatch(v -> shared.contains(v) && users(minor, v).allMatch(u -> u == dot
            || u.op() instanceof ShapeOp.Permute));
        if (handed && s.isLegal()) {
          return Optional.of(s);
        }
      }
    }
    return Optional.empty();
  }

  /** The transpositions that nobody else needs than the product. */
  private static List<Inst> turned(Inst dot, List<Inst> body) {
    return body.stream().filter(i -> i.op() instanceof ShapeOp.Permute && dot.operands().contains(i.result())
        && body.stream().allMatch(u -> u == dot || !LateSlice.used(u).contains(i.result()))).toList();
  }

  private static Stream<Inst> users(Set<Inst> insts, Value v) {
    return insts.stream().filter(i -> LateSlice.used(i).contains(v));
  }

  /**
   * Whether the instruction may run in the round after: it is pure, or adds atomically to what the rest of the round
   * leaves alone.
   */
  private static boolean mayFollow(Inst i, List<Inst> body, Set<Inst> minor, ReadOnly readOnly) {
    if (i.op() instanceof MemoryOp.Atomic atomic) {
      Value root = ReadOnly.root(atomic.tensor());
      return body.stream().filter(o -> !minor.contains(o))
          .allMatch(o -> Effects.isPure(o) || accesses(o, root, readOnly));
    }
    return movable(i, readOnly);
  }

  /** Whether the instruction is an access to another tensor. */
  private static boolean accesses(Inst o, Value root, ReadOnly readOnly) {
    return switch (o.op()) {
      case MemoryOp.Load l -> readOnly.tensor(l.tensor()) || ReadOnly.root(l.tensor()) != root;
      case MemoryOp.Store s -> ReadOnly.root(s.tensor()) != root;
      case MemoryOp.Atomic a -> ReadOnly.root(a.tensor()) != root;
      default -> false;
    };
  }

  private static boolean movable(Inst inst, ReadOnly readOnly) {
    return Effects.isPure(inst) || inst.op() instanceof MemoryOp.Load l && readOnly.tensor(l.tensor());
  }

  private void findPositional(ReadOnly readOnly) {
    positional.add(loop.body().params().getFirst());
    for (Inst i : body) {
      if (LateSlice.isCheap(i) && movable(i, readOnly) && !minor.contains(i)
          && i.operands().stream().allMatch(v -> !isInside(v) || positional.contains(v))) {
        positional.addAll(i.results());
      }
    }
  }

  private boolean isInside(Value v) {
    return loop.body().params().contains(v) || v.definition() != null && body.contains(v.definition());
  }

  /** What depends on these, in the round. */
  private Set<Inst> after(Set<Inst> from) {
    Set<Inst> found = identities();
    Set<Value> values = identities();
    from.forEach(i -> values.addAll(i.results()));
    for (Inst i : body) {
      if (LateSlice.used(i).stream().anyMatch(values::contains)) {
        found.add(i);
        values.addAll(i.results());
      }
    }
    return found;
  }

  /** What an instruction depends on, in the round. */
  private Set<Inst> before(Inst inst) {
    return needed(LateSlice.used(inst));
  }

  private Set<Inst> needed(Set<Value> values) {
    Set<Value> wanted = identities();
    wanted.addAll(values);
    Set<Inst> found = identities();
    for (Inst i : body.reversed()) {
      if (i.results().stream().anyMatch(wanted::contains)) {
        found.add(i);
        wanted.addAll(LateSlice.used(i));
      }
    }
    return found;
  }

  /** The minor part touches nothing that is carried, and what is copied for both can be found again. */
  private boolean isLegal() {
    Set<Value> used = identities();
    minor.forEach(i -> used.addAll(LateSlice.used(i)));
    List<Value> params = loop.body().params();
    boolean carries = params.subList(1, params.size()).stream().anyMatch(used::contains)
        || minor.stream().anyMatch(i -> i.results().stream().anyMatch(yielded::contains))
        || yielded.stream().anyMatch(positional::contains);
    boolean bothCopied = twice().isEmpty() || ahead;
    return !carries && bothCopied;
  }

  /** The bulk loads that both parts need. */
  private Set<Inst> twice() {
    Set<Inst> both = identities();
    both.addAll(part(true));
    both.retainAll(part(false));
    both.removeIf(i -> !RingPlan.isBulk(i));
    return both;
  }

  // ------------------------------------------------------------------------------------------------ the parts

  /** The instructions of a part, in order, with what it needs that follows from the position. */
  private List<Inst> part(boolean isMinor) {
    Set<Value> used = identities();
    Set<Inst> own = identities();
    for (Inst i : body) {
      if (minor.contains(i) == isMinor && !positional.containsAll(i.results()) || i.results().isEmpty()
          && minor.contains(i) == isMinor) {
        own.add(i);
        used.addAll(LateSlice.used(i));
      }
    }
    used.retainAll(positional);
    own.addAll(needed(used));
    return body.stream().filter(own::contains).toList();
  }

  private List<Value> crossing() {
    boolean firstIsMinor = ahead;
    Set<Value> used = identities();
    body.stream().filter(i -> minor.contains(i) != firstIsMinor).forEach(i -> used.addAll(LateSlice.used(i)));
    return body.stream().filter(i -> minor.contains(i) == firstIsMinor).flatMap(i -> i.results().stream())
        .filter(v -> used.contains(v) && !positional.contains(v)).toList();
  }

  // ------------------------------------------------------------------------------------------------ rewriting

  /** One part's instructions at a position, each put where the builder is when it is asked for. */
  private final class Copy {
    private final Cloner cloner;
    private final Set<Inst> found;
    private final String flag;

    Copy(Value position, List<Value> carried, List<Value> crossed, boolean isMinor) {
      Map<Value, Value> map = new HashMap<>();
      map.put(loop.body().params().getFirst(), position);
      for (int n = 0; n < carried.size(); n++) {
        map.put(loop.body().params().get(n + 1), carried.get(n));
      }
      for (int n = 0; n < crossed.size(); n++) {
        map.put(crossing().get(n), crossed.get(n));
      }
      this.cloner = new Cloner(map);
      this.found = twice();
      this.flag = isMinor == ahead ? "kept" : "again";
    }

    void put(Builder b, List<Inst> insts) {
      for (Inst i : insts) {
        Inst copy = cloner.clone(i);
        if (found.contains(i)) {
          copy.annotate(flag, true);
        }
        b.insert(copy);
      }
    }

    List<Value> all(List<Value> values) {
      return values.stream().map(cloner::get).toList();
    }
  }

  /** Before the anchor, and from it on. */
  private List<Inst> majorPart(boolean fromAnchor) {
    List<Inst> all = part(false);
    int at = all.indexOf(anchor);
    return fromAnchor ? all.subList(at, all.size()) : all.subList(0, at);
  }

  /** Up to the product, and behind it. */
  private List<Inst> minorPart(boolean behind) {
    List<Inst> all = part(true);
    int last = 0;
    for (int n = 0; n < all.size(); n++) {
      last = all.get(n).op() instanceof MatrixOp.Dot ? n + 1 : last;
    }
    return behind ? all.subList(last, all.size()) : all.subList(0, last);
  }

  void rewrite(Bounds bounds) {
    Region region = bounds.scopes().regionOf(inst);
    Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
    Value some = b.compare(CompareKind.LT, loop.lo(), loop.hi());
    Region then = new Region();
    b.in(then, () -> staggered(b, bounds));
    Region otherwise = new Region();
    b.in(otherwise, () -> b.yield(loop.inits()));
    inst.setOp(new ControlOp.If(some, then, otherwise));
    inst.annotations().clear();
    inst.annotate(StaggerLoops.STAGGERED, true);
  }

  private void staggered(Builder b, Bounds bounds) {
    Value highest = highest(b, bounds);
    List<Value> pending = new ArrayList<>();
    if (ahead) {
      Copy minorCopy = new Copy(loop.lo(), List.of(), List.of(), true);
      minorCopy.put(b, part(true));
      pending.addAll(loop.inits());
      pending.addAll(minorCopy.all(crossing()));
    } else {
      Copy majorCopy = new Copy(loop.lo(), loop.inits(), List.of(), false);
      majorCopy.put(b, part(false));
      pending.addAll(majorCopy.all(yielded));
      pending.addAll(majorCopy.all(crossing()));
    }
    Value second = b.add(loop.lo(), b.constant(loop.step()));
    Inst rounds = b.loop(second, loop.hi(), loop.step(), false, pending, carried -> round(b, carried));
    rounds.annotations().putAll(inst.annotations());
    List<Value> owned = rounds.results().subList(0, yielded.size());
    List<Value> crossed = rounds.results().subList(yielded.size(), rounds.results().size());
    Copy rest = new Copy(highest, ahead ? owned : List.of(), crossed, !ahead);
    rest.put(b, part(!ahead));
    b.yield(ahead ? rest.all(yielded) : owned);
  }

  private void round(Builder b, List<Value> carried) {
    carried.getFirst().setName(loop.body().params().getFirst().name());
    List<Value> owned = carried.subList(1, 1 + yielded.size());
    List<Value> crossed = carried.subList(1 + yielded.size(), carried.size());
    Value before = b.sub(carried.getFirst(), b.constant(loop.step()));
    Copy majorCopy = new Copy(ahead ? before : carried.getFirst(), owned, ahead ? crossed : List.of(), false);
    Copy minorCopy = new Copy(ahead ? carried.getFirst() : before, List.of(), ahead ? List.of() : crossed, true);
    majorCopy.put(b, majorPart(false));
    minorCopy.put(b, minorPart(false));
    majorCopy.put(b, majorPart(true));
    minorCopy.put(b, minorPart(true));
    List<Value> next = new ArrayList<>(majorCopy.all(yielded));
    next.addAll((ahead ? minorCopy : majorCopy).all(crossing()));
    b.yield(next);
  }

  private Value highest(Builder b, Bounds bounds) {
    Value step = b.constant(loop.step());
    if (bounds.divides(loop.step(), bounds.form(loop.hi()).minus(bounds.form(loop.lo())))) {
      return b.sub(loop.hi(), step);
    }
    Value last = b.sub(b.sub(loop.hi(), loop.lo()), b.constant(1L));
    return b.add(loop.lo(), b.mul(b.binary(BinaryKind.DIV, last, step), step));
  }

  private static <T> Set<T> setOf(T one) {
    Set<T> set = identities();
    set.add(one);
    return set;
  }

  private static <T> Set<T> identities() {
    return Collections.newSetFromMap(new IdentityHashMap<>());
  }
}
