package dev.tkc.ir.rules;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Loc;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.layout.WarpTeam;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TileType;
import dev.tkc.ir.type.Type;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Checks a module. What it demands:
 *
 * <ul>
 *   <li>function names are unique; a module has at most one kernel; a launch names a device function of the module
 *       and passes values of its parameters' types;
 *   <li>every region is non-empty and ends in a {@code yield}, which stands nowhere else; a function's body yields
 *       nothing;
 *   <li>an operand is defined before its use, in the same region or one around it, and every value has one definition;
 *   <li>operands and attributes follow {@link TypeRules}, and the results have the types it gives, layouts aside;
 *   <li>{@code parallel}, {@code temp}, {@code launch} and {@code address_of} stand in kernels only; {@code parallel}
 *       and {@code launch} not inside loops or branches; {@code block_id} and {@code block_count} in device functions;
 *   <li>inside a {@code parallel} another one may stand only as the last instruction before the yield, and in front of
 *       it nothing that writes;
 *   <li>loads, stores and tiles of rank 1 and up stand inside a {@code parallel} or a device function, never in a
 *       kernel's own body, which is scalar;
 *   <li>shared-memory ops, asynchronous ops and {@code convert_layout} stand in device functions only;
 *   <li>{@code turn_take} and {@code turn_pass} stand in roles of two or more whole groups of four warps, and in each
 *       region in turn, with no region that has any between a take and its pass;
 *   <li>{@code role}s are the last instructions of a device function's body; {@code make_tensor_map} and
 *       {@code counter} stand in kernels only; {@code number_draw} and {@code number_post} in roles of
 *       {@link OneThread};
 *   <li>{@code while} stands in placed device functions only;
 *   <li>in a device function annotated {@code placed}, every tile of rank 1 and up and every shared buffer has a
 *       layout, whose sizes are the power-of-two cover of the shape; elsewhere none has one; where warps are no power
 *       of two, nothing of a tile is held by warps that there are not ({@link WarpTeam});
 *   <li>ops that are elementwise have one layout for operands and results (placed level).
 * </ul>
 */
public final class Verifier {
  private final List<Diagnostic> found = new ArrayList<>();
  private final Module module;
  private final Set<Value> defined = new HashSet<>();
  private Func func;
  private boolean placed;
  /** Who runs the code at hand. */
  private WarpTeam warps = new WarpTeam(1);
  /** Whether the instructions at hand are those of a role that one thread can do. */
  private boolean alone;

  private Verifier(Module module) {
    this.module = module;
  }

  /** Everything that is wrong with the module; empty if it is sound. */
  public static List<Diagnostic> verify(Module module) {
    Verifier v = new Verifier(module);
    v.run();
    return List.copyOf(v.found);
  }

  private void run() {
    Set<String> names = new HashSet<>();
    long kernels = module.funcs().stream().filter(f -> f.kind() == Func.Kind.KERNEL).count();
    for (Func f : module.funcs()) {
      func = f;
      placed = Boolean.TRUE.equals(f.annotations().get("placed"));
      warps = new WarpTeam((int) f.annotation("warps", 1));
      check(names.add(f.name()), f.loc(), "two functions are called @" + f.name());
      check(f.kind() == Func.Kind.DEVICE || kernels == 1, f.loc(), "a module has one kernel, not " + kernels);
      Set<Value> visible = new HashSet<>();
      for (Param p : f.params()) {
        define(p.value(), f.loc(), visible);
      }
      check(f.body().params().isEmpty(), f.loc(), "a function's body has no parameters of its own");
      region(f.body(), visible, f.kind() == Func.Kind.DEVICE ? Place.DEVICE : Place.HOST, f.loc());
      if (!f.body().insts().isEmpty() && f.body().terminator().op() instanceof ControlOp.Yield y) {
        check(y.values().isEmpty(), f.loc(), "a function yields nothing");
      }
    }
  }

  /** Where a region lies: on the host, directly in a parallel, or anywhere inside device code. */
  private enum Place {
    HOST,
    HOST_NESTED,
    PARALLEL,
    DEVICE
  }

  private void region(Region region, Set<Value> outer, Place place, Loc loc) {
    if (region.insts().isEmpty() || !(region.terminator().op() instanceof ControlOp.Yield)) {
      check(false, loc, "a region does not end in yield");
      return;
    }
    Set<Value> visible = new HashSet<>(outer);
    region.params().forEach(p -> define(p, loc, visible));
    for (int i = 0; i < region.insts().size(); i++) {
      Inst inst = region.insts().get(i);
      boolean last = i == region.insts().size() - 1;
      check(last || !(inst.op() instanceof ControlOp.Yield), inst.loc(), "yield before the end of its region");
      instruction(inst, visible, place, region, i);
      inst.results().forEach(r -> define(r, inst.loc(), visible));
    }
  }

  private void define(Value value, Loc loc, Set<Value> visible) {
    check(defined.add(value), loc, "value " + value + " is defined twice");
    visible.add(value);
    layoutPresent(value, loc);
  }

  private void layoutPresent(Value value, Loc loc) {
    Type type = value.type();
    if (type instanceof TileType t && t.rank() > 0) {
      check((t.layout() != null) == placed, loc,
          value + (placed ? " has no layout" : " has a layout before it is placed"));
      if (t.layout() != null) {
        check(t.layout().sizes().equals(dev.tkc.ir.layout.LinearLayout.cover(t.shape())), loc,
            "the layout of " + value + " covers " + t.layout().sizes());
        check(warps.holds(t.layout(), t.shape()), loc,
            "the layout of " + value + " is not held by " + warps.count() + " warps");
      }
    } else if (type instanceof TileType t) {
      check(t.layout() == null, loc, "the scalar " + value + " has a layout");
    } else if (type instanceof SharedType s && !isView(value)) {
      check((s.layout() != null) == placed, loc,
          "shared buffer " + value + (placed ? " has no layout" : " has a layout early"));
    }
  }

  /** A view has no layout of its own: it is part of its buffer. */
  private static boolean isView(Value value) {
    return value.definition() != null && value.definition().op() instanceof AsyncOp.SharedView;
  }

  private void instruction(Inst inst, Set<Value> visible, Place place, Region region, int index) {
    for (Value v : inst.operands()) {
      check(visible.contains(v), inst.loc(),
          OpShape.mnemonic(inst.op()) + " uses " + v + ", which is not defined before it");
    }
    placement(inst, place, region, index);
    Place inner = switch (inst.op()) {
      case ControlOp.Parallel _ -> Place.PARALLEL;
      case ControlOp _, MemoryOp _, dev.tkc.ir.op.ElementwiseOp _, ShapeOp _, dev.tkc.ir.op.ReductionOp _,
          dev.tkc.ir.op.MatrixOp _, SharedOp _, AsyncOp _ -> place == Place.HOST ? Place.HOST_NESTED
          : place == Place.PARALLEL ? Place.DEVICE : place;
    };
    WarpTeam all = warps;
    if (inst.op() instanceof ControlOp.Role role) {
      warps = new WarpTeam(role.warps());
      alone = OneThread.suffices(role.body());
    }
    inst.regions().forEach(r -> region(r, visible, inner, inst.loc()));
    warps = all;
    alone = alone && !(inst.op() instanceof ControlOp.Role);
    types(inst);
  }

  private void types(Inst inst) {
    try {
      List<Type> expected = TypeRules.infer(inst.op()).stream().map(TypeRules::bare).toList();
      List<Type> actual = inst.results().stream().map(r -> TypeRules.bare(r.type())).toList();
      List<Type> bareExpected = inst.op() instanceof SharedOp.SharedAlloc ? actual : expected;
      check(actual.equals(bareExpected), inst.loc(),
          OpShape.mnemonic(inst.op()) + " gives " + expected + ", but its results are " + actual);
    } catch (TypeException e) {
      check(false, inst.loc(), e.getMessage());
    }
    if (placed && inst.op() instanceof dev.tkc.ir.op.ElementwiseOp
        && !(inst.op() instanceof dev.tkc.ir.op.ElementwiseOp.Constant)) {
      TileType result = inst.result().tile();
      for (Value v : inst.operands()) {
        check(v.tile().isScalar() || java.util.Objects.equals(v.tile().layout(), result.layout()), inst.loc(),
            OpShape.mnemonic(inst.op()) + " mixes layouts");
      }
    }
  }

  private void placement(Inst inst, Place place, Region region, int index) {
    String name = OpShape.mnemonic(inst.op());
    boolean device = place == Place.DEVICE && func.kind() == Func.Kind.DEVICE;
    switch (inst.op()) {
      case ControlOp.Parallel _ -> {
        check(place == Place.HOST || place == Place.PARALLEL, inst.loc(), name + " inside a loop or branch");
        if (place == Place.PARALLEL) {
          check(index == region.insts().size() - 2, inst.loc(),
              "an inner parallel is the last instruction before the yield");
          for (Inst before : region.insts().subList(0, index)) {
            check(!Effects.of(before).contains(Effects.WRITES_GLOBAL), before.loc(),
                "a write in front of an inner parallel");
          }
        }
      }
      case ControlOp.Launch l -> {
        check(place == Place.HOST, inst.loc(), name + " outside a kernel's own body");
        launch(inst, l);
      }
      case MemoryOp.Temp _, MemoryOp.Counter _, MemoryOp.AddressOf _ ->
          check(place == Place.HOST, inst.loc(), name + " outside a kernel's own body");
      case ControlOp.BlockId _, ControlOp.BlockCount _ ->
          check(device, inst.loc(), name + " outside a device function");
      case ControlOp.Role role -> {
        check(device && region == func.body(), inst.loc(), name + " inside another region");
        boolean rest = region.insts().subList(index, region.insts().size() - 1).stream()
            .allMatch(i -> i.op() instanceof ControlOp.Role);
        check(rest, inst.loc(), "roles are the last instructions of a function");
        Turns.obstacle(role).ifPresent(why -> check(false, inst.loc(), why));
      }
      case MemoryOp.LastArrival _ ->
          check(place != Place.HOST && place != Place.HOST_NESTED, inst.loc(), name + " outside a phase");
      case MemoryOp.MakeTensorMap _ -> check(place == Place.HOST, inst.loc(), name + " outside a kernel's own body");
      case AsyncOp.NumberDraw _, AsyncOp.NumberPost _ ->
          check(device && alone, inst.loc(), name + " outside a role that one thread can do by itself");
      case ControlOp.While _ -> check(device && placed, inst.loc(), name + " before a device function is placed");
      case SharedOp _, AsyncOp _, ShapeOp.ConvertLayout _ ->
          check(device, inst.loc(), name + " outside a device function");
      case ControlOp _, MemoryOp _, dev.tkc.ir.op.ElementwiseOp _, ShapeOp _, dev.tkc.ir.op.ReductionOp _,
          dev.tkc.ir.op.MatrixOp _ -> { }
    }
    if (place == Place.HOST || place == Place.HOST_NESTED) {
      boolean scalar = inst.results().stream().allMatch(r -> !(r.type() instanceof TileType t) || t.isScalar());
      boolean access = inst.op() instanceof MemoryOp.Load || inst.op() instanceof MemoryOp.Store
          || inst.op() instanceof MemoryOp.Atomic;
      check(scalar && !access, inst.loc(), name + " works on tiles or memory in a kernel's own body");
    }
  }

  private void launch(Inst inst, ControlOp.Launch l) {
    Func callee = module.func(l.callee()).orElse(null);
    if (callee == null || callee.kind() != Func.Kind.DEVICE) {
      check(false, inst.loc(), "launch of @" + l.callee() + ", which is no device function here");
      return;
    }
    List<Type> wanted = callee.params().stream().map(p -> p.value().type()).toList();
    List<Type> given = l.arguments().stream().map(Value::type).toList();
    check(wanted.equals(given), inst.loc(), "@" + l.callee() + " takes " + wanted + " and is given " + given);
  }

  private void check(boolean holds, Loc loc, String message) {
    if (holds) {
      return;
    }
    Diagnostic d = Diagnostic.error(Code.IR_INVALID, "in @" + func.name() + ": " + message);
    found.add(loc.span().isPresent() ? d.label(loc.span().get(), "") : loc.isKnown() ? d.note("at " + loc) : d);
  }
}
