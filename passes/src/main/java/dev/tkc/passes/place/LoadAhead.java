package dev.tkc.passes.place;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.analysis.ReadOnly;
import dev.tkc.passes.stage.Ahead;
import dev.tkc.passes.tile.PersistGrid;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Loads the few numbers that a round of products needs from global memory, such as its scales, a round ahead: what one
 * round takes hides what the memory takes to answer.
 *
 * <pre>
 *                                          %x0 = if %lo < %hi { load %t, [%r, %lo / 128] } else { 0 }
 *   for %k … {                             for %k … (…, %x) {
 *     %x = load %t, [%r, %k / 128]    →      %n = select %k + 128 < %hi, %k + 128, %k
 *     …products…                             %y = load %t, [%r, %n / 128]
 *     … %x …                                 …products…   … %x …
 *     yield […]                              yield […, %y]
 *   }                                      }
 * </pre>
 *
 * The last round loads its own numbers again, so that no address is outside that was inside. Only tensors that nothing
 * writes, and addresses that follow from the loop's position; values that take more than {@link #REGISTERS} registers of
 * a thread, which layouts tell, stay where they are.
 */
public final class LoadAhead {
  /** The most registers of a thread that one value may take through the loop. */
  private static final long REGISTERS = 4;

  private final Func func;
  private final ReadOnly readOnly;

  private LoadAhead(Func func) {
    this.func = func;
    this.readOnly = new ReadOnly(func);
  }

  public static void run(Func func, PassContext context) {
    LoadAhead pass = new LoadAhead(func);
    func.body().insts().stream().filter(i -> i.op() instanceof ControlOp.Role)
        .forEach(i -> pass.region(((ControlOp.Role) i.op()).body()));
  }

  private void region(Region region) {
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(this::region);
      if (inst.op() instanceof ControlOp.For loop && !loop.reversed() && !inst.flag("once")
          && !PersistGrid.isDrawn(func, inst) && multiplies(loop.body())) {
        for (Inst load : List.copyOf(loop.body().insts())) {
          ahead((ControlOp.For) inst.op(), load).ifPresent(a -> move(region, inst, load, a));
        }
      }
    }
  }

  private static boolean multiplies(Region body) {
    return body.insts().stream().anyMatch(i -> i.op() instanceof AsyncOp.DotAsync);
  }

  /** How to compute where the load's tile of another round lies, if it is worth loading ahead and may be. */
  private Optional<Ahead> ahead(ControlOp.For loop, Inst inst) {
    if (!(inst.op() instanceof MemoryOp.Load load) || !readOnly.tensor(load.tensor())
        || registers(inst.result().tile()) > REGISTERS) {
      return Optional.empty();
    }
    return Ahead.of(loop, inst.operands()).filter(Ahead::movesWithPosition);
  }

  private static long registers(TileType type) {
    long bits = type.layout() == null ? type.element().bits()
        : (long) type.element().bits() * type.layout().registersPerThread();
    return Math.ceilDiv(bits, 32);
  }

  private static void move(Region region, Inst inst, Inst load, Ahead ahead) {
    ControlOp.For loop = (ControlOp.For) inst.op();
    Region body = loop.body();
    Value value = load.result();
    Value carried = new Value(value.type(), value.name());

    Builder front = new Builder(region, region.insts().indexOf(inst)).at(load.loc());
    Region some = new Region();
    Region none = new Region();
    front.in(some, () -> front.yield(List.of(load(front, load, ahead.at(loop.lo(), front)))));
    front.in(none, () -> front.yield(List.of(zero(front, value.tile()))));
    Value any = front.compare(CompareKind.LT, loop.lo(), loop.hi());
    Inst first = front.append(new ControlOp.If(any, some, none), List.of(value.type()));

    Builder b = new Builder(body, body.insts().indexOf(load)).at(load.loc());
    Value position = body.params().getFirst();
    Value next = b.add(position, b.constant(loop.step()));
    Value there = b.emit(new ElementwiseOp.Select(b.compare(CompareKind.LT, next, loop.hi()), next, position));
    Value loaded = load(b, load, ahead.at(there, b));
    body.insts().remove(load);
    body.replaceUses(new HashMap<>(Map.of(value, carried)));

    body.params().add(carried);
    List<Value> yielded = new ArrayList<>(((ControlOp.Yield) body.terminator().op()).values());
    yielded.add(loaded);
    body.terminator().setOp(new ControlOp.Yield(yielded));
    List<Value> inits = new ArrayList<>(loop.inits());
    inits.add(first.result());
    inst.setOp(new ControlOp.For(loop.lo(), loop.hi(), loop.step(), inits, false, body));
    inst.addResult(new Value(value.type()));
  }

  private static Value zero(Builder b, TileType type) {
    Value zero = b.constant(Literal.of(type.element(), 0));
    return type.isScalar() ? zero : b.append(new ShapeOp.Splat(zero, type.shape()), List.of(type)).result();
  }

  private static Value load(Builder b, Inst load, Cloner addresses) {
    Inst copy = addresses.clone(load);
    b.insert(copy);
    return copy.result();
  }
}
