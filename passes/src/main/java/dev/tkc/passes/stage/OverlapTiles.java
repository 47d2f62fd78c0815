package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.Affine;
import dev.tkc.passes.analysis.Bounds;
import dev.tkc.passes.analysis.Divisibility;
import dev.tkc.passes.analysis.ReadOnly;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.target.TargetInfo;
import dev.tkc.passes.tile.EliminateDead;
import dev.tkc.passes.tile.PersistGrid;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Starts a block's next tile under the last product of the tile before: what {@link RotateLoops} does with the rounds
 * of a loop, done with the tiles around it.
 *
 * <pre>
 *   for tile … {                                h = head(first)
 *     q = load …                                for tile … [h] {
 *     r = if any round {                          r, h' = if any round {
 *       s = q @ k[lo]; p, c = f(s)                  for j … [h]
 *       for j … [p, c]                       →      if next &lt; tiles {
 *       o = o * c + p @ v[last]                       s' = q' @ k'[lo]
 *     }                                               o = o * c + p @ v[last]
 *     store g(r)                                      h' = f(s')
 *   }                                               } else { o = o * c + p @ v[last] }
 *                                                 }
 *                                                 store g(r)
 *                                               }
 * </pre>
 *
 * So the matrix units have work while the first scores of a tile are turned into weights, and results leave while the
 * next tile goes on. {@link TileHead} says what the head is. The tile that both halves of a head's work need, as the
 * queries, is copied once and stays: its load is {@code kept}, the one that finds it {@code again} in the next round of
 * the tiles' loop copies nothing.
 *
 * <p>Whether there is any round must not depend on the tile, or only in a way that {@link Bounds} sees through:
 * {@code 0 < min(n, i + 128)} is {@code 0 < n}, and so is what has {@code i + 128} rounded up. The loop over tiles
 * stays otherwise, and where two tiles that are kept don't fit shared memory beside rings of two slots, or what is
 * carried the registers.
 *
 * <p>No role waits for ever: producer and consumers walk the same text, a tile's last use of a slot comes before the
 * head of the next tile in it, and each copy waits for the release of one that stands before it there, whatever the
 * number of slots.
 */
public final class OverlapTiles {
  private final Func func;
  private final TargetInfo target;
  private final Predicate<Inst> asynchronous;

  private OverlapTiles(Func func, TargetInfo target) {
    this.func = func;
    this.target = target;
    this.asynchronous = i -> RotateLoops.isAsynchronous(i, target);
  }

  public static void run(Func func, PassContext context) {
    OverlapTiles pass = new OverlapTiles(func, context.target());
    boolean changed = false;
    for (Inst inst : List.copyOf(func.body().insts())) {
      if (inst.flag(PersistGrid.TILES) && inst.op() instanceof ControlOp.For loop && loop.inits().isEmpty()
          && !loop.reversed()) {
        changed |= pass.visit(inst, loop);
      }
    }
    if (changed) {
      EliminateDead.run(func, context);
    }
  }

  private boolean visit(Inst inst, ControlOp.For loop) {
    Optional<TileHead> parts = TileHead.of(loop, new ReadOnly(func), asynchronous).filter(this::fits);
    Optional<List<Affine>> rounds = parts.flatMap(p -> rounds(loop, p.branchInst()));
    rounds.ifPresent(r -> new Rewrite(inst, loop, parts.get()).run(r));
    return rounds.isPresent();
  }

  private boolean fits(TileHead parts) {
    long threads = target.lanes() * func.annotation("warps", 8);
    return parts.registers(threads) <= RoleRegisters.forTiles(target, (int) func.annotation("warps", 8))
        && new RingRoom(func, new RingPlan(func.body(), target), target).fitsTwice(parts.kept());
  }

  // ------------------------------------------------------------------------------------------------ the condition

  /** What must be more than 0 for any tile to have a round, the same for all of them; nothing if tiles differ. */
  private Optional<List<Affine>> rounds(ControlOp.For loop, Inst branch) {
    Value condition = ((ControlOp.If) branch.op()).condition();
    if (condition.definition() == null
        || !(condition.definition().op() instanceof ElementwiseOp.Compare c) || c.kind() != CompareKind.LT) {
      return Optional.empty();
    }
    Bounds bounds = new Bounds(func);
    Set<Value> inside = Regions.defined(loop.body());
    Set<Affine> margins = new LinkedHashSet<>();
    for (Value lo : parts(c.lhs(), BinaryKind.MAX).toList()) {
      for (Value hi : ends(c.rhs(), lo, bounds.divisibility()).toList()) {
        Affine margin = bounds.form(hi).minus(bounds.form(lo));
        if (!bounds.atMostZero(branch, margin.times(-1).plus(1))) {
          margins.add(margin);
        }
      }
    }
    boolean same = margins.stream().flatMap(m -> m.terms().keySet().stream()).noneMatch(inside::contains);
    return same ? Optional.of(List.copyOf(margins)) : Optional.empty();
  }

  private static Stream<Value> parts(Value v, BinaryKind kind) {
    return v.definition() != null && v.definition().op() instanceof ElementwiseOp.Binary b && b.kind() == kind
        ? Stream.concat(parts(b.lhs(), kind), parts(b.rhs(), kind)) : Stream.of(v);
  }

  /**
   * Values of which the least is more than {@code lo} just where {@code v} is: a minimum's operands, and what is
   * rounded up to a number that {@code lo} is a multiple of.
   */
  private static Stream<Value> ends(Value v, Value lo, Divisibility divisibility) {
    return parts(v, BinaryKind.MIN).flatMap(hi -> roundedUp(hi).filter(r -> divisibility.divides(r.to, lo))
        .map(r -> ends(r.value, lo, divisibility)).orElse(Stream.of(hi)));
  }

  private record RoundedUp(Value value, long to) {}

  /** {@code ((value + to - 1) / to) * to}, if this is what it is. */
  private static Optional<RoundedUp> roundedUp(Value v) {
    return operands(v, BinaryKind.MUL).flatMap(times -> operands(times.lhs(), BinaryKind.DIV).flatMap(by ->
        operands(by.lhs(), BinaryKind.ADD).flatMap(sum -> Regions.literal(by.rhs()).map(Literal::bits)
            .filter(to -> to > 0 && Regions.isInteger(times.rhs(), to) && Regions.isInteger(sum.rhs(), to - 1))
            .map(to -> new RoundedUp(sum.lhs(), to)))));
  }

  private static Optional<ElementwiseOp.Binary> operands(Value v, BinaryKind kind) {
    return v.definition() != null && v.definition().op() instanceof ElementwiseOp.Binary b && b.kind() == kind
        ? Optional.of(b) : Optional.empty();
  }

  // ------------------------------------------------------------------------------------------------ building

  private final class Rewrite {
    private final Inst inst;
    private final ControlOp.For loop;
    private final TileHead parts;
    private final List<Value> carried;
    private final List<Value> quotients;

    Rewrite(Inst inst, ControlOp.For loop, TileHead parts) {
      this.inst = inst;
      this.loop = loop;
      this.parts = parts;
      this.carried = parts.carried();
      this.quotients = parts.quotients();
    }

    void run(List<Affine> rounds) {
      Region around = func.body();
      Builder b = new Builder(around, around.insts().indexOf(inst)).at(inst.loc());
      Value any = b.constant(Literal.of(true));
      for (Affine margin : rounds) {
        any = b.binary(BinaryKind.AND, any, b.compare(CompareKind.LT, b.constant(0), margin.emit(b)));
      }
      Value begins = b.binary(BinaryKind.AND, any, b.compare(CompareKind.LT, loop.lo(), loop.hi()));
      Inst front = b.branch(begins, () -> {
        Head head = new Head(loop.lo());
        head.places(b);
        head.products(b);
        head.rest(b);
        b.yield(head.carried());
      }, () -> b.yield(onlyPlaces(b, loop.lo(), v -> nothing(b, v))));
      List<Value> params = carried.stream().map(v -> new Value(v.type(), v.name())).toList();
      loop.body().params().addAll(params);
      List<Value> following = rounds(any, params);
      loop.body().terminator().setOp(new ControlOp.Yield(following));
      inst.setOp(new ControlOp.For(loop.lo(), loop.hi(), loop.step(), front.results(), false, loop.body()));
      carried.forEach(v -> inst.addResult(new Value(v.type(), v.name())));
      Map<Value, Value> known = new HashMap<>();
      quotients.forEach(v -> known.put(v, params.get(carried.indexOf(v))));
      loop.body().replaceUses(known);
    }

    private Value nothing(Builder b, Value v) {
      TileType t = v.tile();
      return b.full(t, t.element().isFloat() ? Literal.of(t.element(), 0.0) : Literal.of(t.element(), 0L));
    }

    /** What is carried to a tile without rounds: its places, and for the rest whatever there is. */
    private List<Value> onlyPlaces(Builder b, Value number, UnaryOperator<Value> other) {
      Cloner cloner = new Cloner();
      cloner.define(loop.body().params().getFirst(), number);
      parts.toQuotients().forEach(i -> b.insert(cloner.clone(i)));
      return carried.stream().map(v -> quotients.contains(v) ? cloner.get(v) : other.apply(v)).toList();
    }

    /** Makes the branch that held the rounds go on with the next tile's head; gives what is carried to that tile. */
    private List<Value> rounds(Value any, List<Value> params) {
      ControlOp.If old = parts.branch();
      Region then = new Region();
      roundsAndNext(new Builder(then).at(inst.loc()), params);
      Builder b = new Builder(old.otherwise(), old.otherwise().insts().size() - 1).at(inst.loc());
      Value next = next(b);
      List<Value> values = new ArrayList<>(((ControlOp.Yield) old.otherwise().terminator().op()).values());
      values.addAll(b.branch(isTile(b, next),
          () -> b.yield(onlyPlaces(b, next, v -> params.get(carried.indexOf(v)))), () -> b.yield(params)).results());
      old.otherwise().terminator().setOp(new ControlOp.Yield(values));
      parts.branchInst().setOp(new ControlOp.If(any, then, old.otherwise()));
      List<Value> following = carried.stream().map(v -> new Value(v.type(), v.name())).toList();
      following.forEach(parts.branchInst()::addResult);
      return following;
    }

    private Value next(Builder b) {
      Inst next = b.append(new ElementwiseOp.Binary(
          BinaryKind.ADD, loop.body().params().getFirst(), b.constant(loop.step())));
      next.annotate(PersistGrid.NEXT_TILE, true);
      next.result().setName("next");
      return next.result();
    }

    private Value isTile(Builder b, Value number) {
      return b.compare(CompareKind.LT, number, loop.hi());
    }

    private void roundsAndNext(Builder b, List<Value> params) {
      Map<Value, Value> map = new HashMap<>();
      for (int n = 0; n < carried.size(); n++) {
        map.put(carried.get(n), params.get(n));
      }
      Cloner own = new Cloner(map);
      // Where tiles are copied, the next one's place is known before this one's rounds are over; a drawn number is
      // waited for.
      boolean drawn = Boolean.TRUE.equals(func.annotations().get("uneven"));
      Optional<Next> early = drawn ? Optional.empty() : Optional.of(nextAndPlaces(b));
      for (Inst i : parts.dependents()) {
        Inst copy = own.clone(i);
        if (parts.kept().contains(i)) {
          copy.annotate("again", true);
        }
        b.insert(copy);
      }
      parts.again().forEach(i -> b.insert(own.clone(i)));
      Inst looped = own.clone(parts.rounds());
      b.insert(looped);
      // What is needed first is copied first.
      parts.lastLoads().forEach(i -> b.insert(own.clone(i)));
      Next next = early.orElseGet(() -> nextAndPlaces(b));
      b.yield(closing(b, own, idle(looped, params), next).results());
    }

    /** The head of the next tile, and whether there is one. */
    private record Next(Head head, Value more) {}

    private Next nextAndPlaces(Builder b) {
      Value next = next(b);
      Value more = isTile(b, next);
      // Places past the last tile need not be numbers at all, so this tile's stand in.
      Head head = new Head(b.emit(new ElementwiseOp.Select(more, next, loop.body().params().getFirst())));
      head.places(b);
      return new Next(head, more);
    }

    /** What stands for the next tile's values where there is none: what this tile's became, which costs nothing. */
    private List<Value> idle(Inst looped, List<Value> params) {
      List<Value> inits = ((ControlOp.For) looped.op()).inits();
      return params.stream().map(v -> inits.contains(v) ? looped.results().get(inits.indexOf(v)) : v).toList();
    }

    /** The last round's second half, between the two parts of the next tile's head if there is such a tile. */
    private Inst closing(Builder b, Cloner own, List<Value> idle, Next next) {
      List<Value> yielded = ((ControlOp.Yield) parts.branch().then().terminator().op()).values();
      return b.branch(next.more, () -> {
        next.head.products(b);
        parts.closing().forEach(i -> b.insert(own.clone(i)));
        List<Value> values = new ArrayList<>(yielded.stream().map(own::get).toList());
        next.head.rest(b);
        values.addAll(next.head.carried());
        b.yield(values);
      }, () -> {
        parts.closing().forEach(i -> b.insert(own.clone(i)));
        List<Value> values = new ArrayList<>(yielded.stream().map(own::get).toList());
        values.addAll(idle);
        b.yield(values);
      });
    }

    /** A copy of the head, for the tile of a number. */
    private final class Head {
      private final Cloner cloner = new Cloner();

      Head(Value number) {
        cloner.define(loop.body().params().getFirst(), number);
      }

      void places(Builder b) {
        copy(b, parts.places());
      }

      /** What the first products need but places, and these. */
      void products(Builder b) {
        List<Inst> places = parts.places();
        copy(b, parts.first().stream().filter(i -> !places.contains(i)).toList());
      }

      /** The places once more, so that where nothing is copied they are computed beside the products. */
      void rest(Builder b) {
        copy(b, parts.placesOfRest());
        copy(b, parts.rest());
      }

      private void copy(Builder b, List<Inst> insts) {
        for (Inst i : insts) {
          Inst made = cloner.clone(i);
          if (parts.kept().contains(i)) {
            made.annotate("kept", true);
          }
          b.insert(made);
        }
      }

      List<Value> carried() {
        return carried.stream().map(cloner::get).toList();
      }
    }
  }
}
