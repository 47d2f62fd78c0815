package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.TileType;
import dev.tkc.ir.type.Type;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.target.AsyncMatrix;
import dev.tkc.passes.target.TargetInfo;
import dev.tkc.passes.tile.Canonicalize;
import dev.tkc.passes.tile.EliminateDead;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Computes products of few rows the other way about, aᵀ and bᵀ in exchanged places: asynchronous instructions have many
 * rows and any number of columns, so that the columns of the product become their rows and nothing is computed or
 * copied for rows that are not there.
 *
 * <pre>
 *   %s = for … [%acc = zeros f32[16, 128]] {          %r = for … [%acc = zeros f32[128, 16]] {
 *     dot %x, %y, %acc : f32[16, 128]          →        dot (permute %y), (permute %x), %acc : f32[128, 16]
 *   }                                                 }
 *                                                     %s = permute %r
 * </pre>
 *
 * A phase is turned as a whole, and only if its products are asynchronous then: the passes up to {@code choose-async}
 * are tried on a copy of the kernel. Loops carry the turned sum, so that it is turned back once, behind them. Behind
 * {@code split-accumulations}, so that the parts of a sum that is shared out lie as the result does and whoever adds
 * them turns nothing.
 */
public final class TurnProducts {
  private static final List<Integer> EXCHANGED = List.of(1, 0);

  private final Set<Value> turnedBack = Collections.newSetFromMap(new IdentityHashMap<>());

  private TurnProducts() {}

  public static void run(Module module, PassContext cx) {
    Func kernel = module.kernel();
    cx.enter(kernel);
    boolean any = false;
    for (int i = 0; i < kernel.body().insts().size(); i++) {
      if (isTurnable(kernel.body().insts().get(i), cx.target()) && helps(module, i, cx)) {
        cx.enter(kernel);
        turn(kernel, i);
        any = true;
      }
    }
    cx.enter(kernel);
    if (any) {
      tidy(kernel, cx);
    }
  }

  private static void tidy(Func kernel, PassContext cx) {
    Canonicalize.run(kernel, cx);
    EliminateDead.run(kernel, cx);
  }

  // ------------------------------------------------------------------------------------------------ finding

  /** Whether a phase has products, all of them with too few rows as they are and enough when turned. */
  private static boolean isTurnable(Inst phase, TargetInfo target) {
    List<Inst> dots = new ArrayList<>();
    if (phase.op() instanceof ControlOp.Parallel p) {
      p.body().walk(i -> {
        if (i.op() instanceof MatrixOp.Dot) {
          dots.add(i);
        }
      });
    }
    return !dots.isEmpty() && dots.stream().allMatch(d -> isTurnable((MatrixOp.Dot) d.op(), target));
  }

  private static boolean isTurnable(MatrixOp.Dot dot, TargetInfo target) {
    TileType acc = dot.acc().tile();
    Optional<AsyncMatrix> row =
        target.asyncFor(dot.b().tile().element(), dot.a().tile().element(), acc.element(), dot.precision());
    return acc.rank() == 2 && row.isPresent() && acc.shape().get(0) < row.get().rows()
        && acc.shape().get(0) % row.get().columnStep() == 0 && acc.shape().get(1) % row.get().rows() == 0;
  }

  /** Whether the products of a phase become asynchronous if they are turned. */
  private static boolean helps(Module module, int phase, PassContext cx) {
    Module trial = Cloner.clone(module);
    turn(trial.kernel(), phase);
    tidy(trial.kernel(), cx);
    Trial.decide(trial, "turn-products", cx);
    return trial.funcs().stream().filter(f -> f.annotations().containsKey("turned"))
        .noneMatch(f -> f.body().anyMatch(TurnProducts::isUnsuited));
  }

  private static boolean isUnsuited(Inst inst) {
    return inst.op() instanceof MatrixOp.Dot d
        && !(inst.annotations().containsKey("instruction") && isCopiedOrComputed(d.a()));
  }

  /** A left operand that threads would have to load across its rows is better multiplied as it lies. */
  private static boolean isCopiedOrComputed(Value left) {
    Inst def = left.definition();
    while (def != null && def.op() instanceof ShapeOp.Permute p) {
      def = p.x().definition();
    }
    return def == null || !(def.op() instanceof MemoryOp.Load) || def.flag("bulk");
  }

  // ------------------------------------------------------------------------------------------------ turning

  private static void turn(Func kernel, int phase) {
    Inst inst = kernel.body().insts().get(phase);
    inst.annotate("turned", true);
    new TurnProducts().region(((ControlOp.Parallel) inst.op()).body());
  }

  private void region(Region region) {
    Map<Value, Value> replaced = new HashMap<>();
    List<Inst> old = new ArrayList<>(region.insts());
    region.insts().clear();
    for (Inst inst : old) {
      inst.mapOperands(replaced);
      inst.regions().forEach(r -> r.replaceUses(replaced));
      inst.regions().forEach(this::region);
      Builder b = new Builder(region).at(inst.loc());
      switch (inst.op()) {
        case MatrixOp.Dot dot -> replaced.put(inst.result(), product(dot, b));
        case ControlOp.For loop when carries(loop) -> loop(inst, loop, b, replaced);
        default -> region.insts().add(inst);
      }
    }
  }

  private static Value exchanged(Value x, Builder b) {
    return b.emit(new ShapeOp.Permute(x, EXCHANGED));
  }

  private Value product(MatrixOp.Dot dot, Builder b) {
    Value left = exchanged(dot.b(), b);
    Value right = exchanged(dot.a(), b);
    Value sum = b.emit(new MatrixOp.Dot(left, right, exchanged(dot.acc(), b), dot.precision()));
    return back(sum, b);
  }

  private Value back(Value sum, Builder b) {
    Value result = exchanged(sum, b);
    turnedBack.add(result);
    return result;
  }

  private boolean carries(ControlOp.For loop) {
    return loop.body().terminator().operands().stream().anyMatch(turnedBack::contains);
  }

  /** The same loop, carrying turned what its body turns. */
  private void loop(Inst inst, ControlOp.For loop, Builder b, Map<Value, Value> replaced) {
    List<Value> next = loop.body().terminator().operands();
    List<Value> inits = new ArrayList<>();
    List<Type> types = new ArrayList<>();
    List<Value> yields = new ArrayList<>();
    Region body = new Region(params(loop, next));
    Builder inside = new Builder(body).at(inst.loc());
    Map<Value, Value> own = new HashMap<>();
    for (int i = 0; i < next.size(); i++) {
      boolean turned = turnedBack.contains(next.get(i));
      Value param = body.params().get(i + 1);
      inits.add(turned ? exchanged(loop.inits().get(i), b) : loop.inits().get(i));
      yields.add(turned ? ((ShapeOp.Permute) next.get(i).definition().op()).x() : next.get(i));
      types.add(param.type());
      if (turned) {
        own.put(loop.body().params().get(i + 1), exchanged(param, inside));
      }
    }
    loop.body().insts().removeLast();
    loop.body().insts().forEach(i -> {
      i.mapOperands(own);
      i.regions().forEach(r -> r.replaceUses(own));
      inside.insert(i);
    });
    inside.yield(yields.stream().map(v -> own.getOrDefault(v, v)).toList());
    Inst made = b.append(new ControlOp.For(loop.lo(), loop.hi(), loop.step(), inits, loop.reversed(), body), types);
    made.annotations().putAll(inst.annotations());
    for (int i = 0; i < next.size(); i++) {
      Value result = made.results().get(i);
      replaced.put(inst.results().get(i), turnedBack.contains(next.get(i)) ? back(result, b) : result);
    }
  }

  private List<Value> params(ControlOp.For loop, List<Value> next) {
    List<Value> params = new ArrayList<>(List.of(loop.body().params().getFirst()));
    for (int i = 0; i < next.size(); i++) {
      Value old = loop.body().params().get(i + 1);
      params.add(turnedBack.contains(next.get(i))
          ? new Value(((ShapeOp.Permute) next.get(i).definition().op()).x().type(), old.name()) : old);
    }
    return params;
  }
}
