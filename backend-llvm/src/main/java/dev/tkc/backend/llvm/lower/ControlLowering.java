package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Unroll;
import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Loops, branches, block numbers, assertions. A carried tile becomes one phi for each register that is no duplicate.
 */
final class ControlLowering {
  private final FunctionLowering f;
  private boolean inBranch;

  ControlLowering(FunctionLowering f) {
    this.f = f;
  }

  /** Whether the code at hand stands in a branch, within the innermost loop. */
  boolean isInBranch() {
    return inBranch;
  }

  /** The code of a region in a branch or in a loop. */
  private List<Lowered> region(Region region, boolean branch) {
    boolean before = inBranch;
    inBranch = branch;
    List<Lowered> results = f.region(region);
    inBranch = before;
    return results;
  }

  List<Lowered> lower(Inst inst, ControlOp op) {
    return switch (op) {
      case ControlOp.For o -> loop(inst, o);
      case ControlOp.While o -> loop(inst, o);
      case ControlOp.If o -> branch(inst, o);
      case ControlOp.Assert o -> check(o);
      case ControlOp.BlockId _ -> List.of(new Lowered.Scalar(f.b().zext(f.target().blockId(f.b()), LlvmType.I64)));
      case ControlOp.BlockCount _ ->
          List.of(new Lowered.Scalar(f.b().zext(f.target().blockCount(f.b()), LlvmType.I64)));
      case ControlOp.Role _, ControlOp.Parallel _, ControlOp.Launch _, ControlOp.Yield _ ->
          throw new IllegalStateException(inst + " in a device function");
    };
  }

  private List<Lowered> loop(Inst inst, ControlOp.For o) {
    if (isNumbered(inst) || inst.flag("small") && f.beside().here()) {
      return numbered(inst, o.lo(), o.hi(), o.inits(), o.body(), (position, carried) -> {
        List<LlvmValue> next = new ArrayList<>(round(inst, o, position, carried));
        next.addFirst(f.b().add(position, LlvmValue.i64(o.step())));
        return next;
      });
    }
    LlvmBuilder b = f.b();
    LlvmValue lo = f.scalar(o.lo());
    LlvmValue hi = f.scalar(o.hi());
    LlvmValue step = LlvmValue.i64(o.step());
    long unroll = inst.annotation("unroll", 1);
    List<LlvmValue> start = flatten(carried(o.body()), o.inits().stream().map(f::get).toList());
    List<LlvmValue> end;
    Unroll how = new Unroll(OptionalInt.of((int) unroll));
    if (o.reversed()) {
      // Counts up, and walks down from the last position.
      LlvmValue span = b.subNsw(hi, lo);
      LlvmValue rounds = b.sdiv(b.addNsw(span, LlvmValue.i64(o.step() - 1)), step);
      LlvmValue last = b.addNsw(lo, b.mulNsw(b.subNsw(rounds, LlvmValue.i64(1)), step));
      end = b.forLoop(LlvmValue.i64(0), rounds, LlvmValue.i64(1), start, how,
          (i, carried) -> round(inst, o, b.subNsw(last, b.mulNsw(i, step)), carried));
    } else {
      end = b.forLoop(lo, hi, step, start, how, (i, carried) -> round(inst, o, i, carried));
    }
    return rebuild(carried(o.body()), end);
  }

  /**
   * A loop over tiles or other things whose numbers have 31 bits; the next one, which may be nothing's, has 32. In 64
   * it would take two registers of each thread for as long as a round does. Where there are registers for that, numbers
   * are left as they are: {@code ptxas} orders attention's exponentials worse beside one of 32 bits.
   */
  private List<Lowered> numbered(
      Inst inst, Value lo, Value hi, List<Value> inits, Region body, LlvmBuilder.LoopBody round) {
    LlvmBuilder b = f.b();
    List<LlvmValue> start = flatten(carried(body), inits.stream().map(f::get).toList());
    List<LlvmValue> end = b.numberLoop(b.trunc(f.scalar(lo), LlvmType.I32), b.trunc(f.scalar(hi), LlvmType.I32), start,
        (number, carried) -> {
          if (inst.flag("tiles")) {
            f.beside().enterTiles(body);
          }
          List<LlvmValue> next = new ArrayList<>(round.run(b.zext(number, LlvmType.I64), carried));
          if (inst.flag("tiles")) {
            f.beside().leaveTiles();
          }
          next.set(0, f.target().async().opaque(b, b.trunc(next.getFirst(), LlvmType.I32)));
          return next;
        });
    return rebuild(carried(body), end);
  }

  private boolean isNumbered(Inst loop) {
    return loop.flag("tiles") && f.beside().hasCrowded();
  }

  private List<LlvmValue> round(Inst inst, ControlOp.For o, LlvmValue position, List<LlvmValue> carried) {
    enter(o.body(), position, carried);
    Optional<LlvmValue> around = f.round();
    f.enterRound(inst.flag("tiles") ? Optional.empty() : Optional.of(position));
    List<LlvmValue> next = flatten(carried(o.body()), region(o.body(), false));
    f.enterRound(around);
    converge(inst);
    return next;
  }

  /**
   * At the end of a role's loop over tiles, whose last stores may be a branch for some threads: LLVM would make its end
   * the loop's head, and the loop would be taken for one that threads leave one by one.
   */
  private void converge(Inst loop) {
    if (loop.flag("tiles") && f.team().number() > 0 && !f.team().alone()) {
      f.target().async().converge(f.b());
    }
  }

  /** What a loop's body is given beside the position. */
  private static List<Value> carried(Region body) {
    return body.params().subList(1, body.params().size());
  }

  private void enter(Region body, LlvmValue position, List<LlvmValue> carried) {
    List<Value> params = body.params();
    f.define(params.get(0), new Lowered.Scalar(position));
    List<Lowered> inside = rebuild(carried(body), carried);
    for (int i = 0; i < inside.size(); i++) {
      f.define(params.get(i + 1), inside.get(i));
    }
  }

  private List<Lowered> loop(Inst inst, ControlOp.While o) {
    if (isNumbered(inst)) {
      return numbered(inst, o.start(), o.limit(), o.inits(), o.body(),
          (position, carried) -> round(inst, o, position, carried));
    }
    List<LlvmValue> start = flatten(carried(o.body()), o.inits().stream().map(f::get).toList());
    List<LlvmValue> end = f.b().whileLoop(f.scalar(o.start()), f.scalar(o.limit()), start,
        (position, carried) -> round(inst, o, position, carried));
    return rebuild(carried(o.body()), end);
  }

  private List<LlvmValue> round(Inst inst, ControlOp.While o, LlvmValue position, List<LlvmValue> carried) {
    enter(o.body(), position, carried);
    List<LlvmValue> next = flatten(o.body().params(), region(o.body(), false));
    converge(inst);
    return next;
  }

  private List<Lowered> branch(Inst inst, ControlOp.If o) {
    List<Value> results = inst.results();
    List<LlvmValue> joined = f.b().ifElse(f.scalar(o.condition()),
        () -> flatten(results, region(o.then(), true)), () -> otherwise(inst, o.otherwise()));
    return rebuild(results, joined);
  }

  /**
   * The second side of a branch. One that is {@code seldom} taken is kept from being empty: LLVM would put its values
   * into registers in front of the branch, on the way of the side that has no use for them.
   */
  private List<LlvmValue> otherwise(Inst inst, Region region) {
    if (inst.flag("seldom")) {
      f.b().inlineAsm(LlvmType.VOID, new LlvmIntrinsic.Asm("", "", true, false));
    }
    return flatten(inst.results(), region(region, true));
  }

  private List<Lowered> check(ControlOp.Assert o) {
    if (f.options().asserts()) {
      LlvmValue broken = f.b().not(f.scalar(o.condition()));
      f.b().ifThen(broken, () -> f.b().call(new LlvmIntrinsic.Overloaded("llvm.trap", LlvmType.VOID, List.of())));
    }
    return List.of();
  }

  /**
   * The LLVM values of lowered values, duplicates left out. {@code like} are the values that they become, which give
   * the types.
   */
  private List<LlvmValue> flatten(List<Value> like, List<Lowered> values) {
    List<LlvmValue> flat = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      switch (values.get(i)) {
        case Lowered.Scalar s -> flat.add(
            f.small().contains(like.get(i)) ? f.b().trunc(s.value(), LlvmType.I32) : s.value());
        case Lowered.Tile t -> {
          LayoutView view = f.view(like.get(i).tile());
          for (int r = 0; r < view.registers(); r++) {
            if (view.isFirst(r)) {
              flat.add(t.register(r));
            }
          }
        }
        case Lowered.Range r -> flat.addAll(List.of(r.start(), r.stride(), r.count()));
        case Lowered.Tensor _, Lowered.Buffer _, Lowered.Barriers _, Lowered.View _ ->
            throw new IllegalStateException("a loop or branch carries " + like.get(i));
      }
    }
    return flat;
  }

  private List<Lowered> rebuild(List<Value> like, List<LlvmValue> flat) {
    List<Lowered> values = new ArrayList<>();
    int at = 0;
    for (Value v : like) {
      switch (v.type()) {
        case dev.tkc.ir.type.TileType t when t.isScalar() -> {
          LlvmValue x = flat.get(at++);
          values.add(new Lowered.Scalar(f.small().contains(v) ? f.b().zext(x, LlvmType.I64) : x));
        }
        case dev.tkc.ir.type.TileType t -> {
          LayoutView view = f.view(t);
          List<LlvmValue> registers = new ArrayList<>();
          for (int r = 0; r < view.registers(); r++) {
            registers.add(view.isFirst(r) ? flat.get(at++) : registers.get(view.twin(r)));
          }
          values.add(new Lowered.Tile(registers));
        }
        case dev.tkc.ir.type.RangeType r -> {
          values.add(new Lowered.Range(flat.get(at), flat.get(at + 1), flat.get(at + 2), r.size(), false));
          at += 3;
        }
        case dev.tkc.ir.type.TensorType _, dev.tkc.ir.type.PointerType _, dev.tkc.ir.type.SharedType _,
            dev.tkc.ir.type.BarrierType _, dev.tkc.ir.type.TensorMapType _ ->
            throw new IllegalStateException("a loop or branch carries " + v);
      }
    }
    return values;
  }
}
