package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Shapes;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.stage.StageStores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Shape operations: each thread finds what it needs among its own registers, so they only rename. The register is found
 * by the element's coordinates, with the threads' part left out because operand and result agree on it; where a size is
 * no power of two the row-major index does not follow from the cover's bits, so the operand is looked up by true
 * coordinates.
 */
final class ShapeLowering {
  private final FunctionLowering f;
  private final ConvertLowering convert;

  ShapeLowering(FunctionLowering f) {
    this.f = f;
    this.convert = new ConvertLowering(f);
  }

  Lowered lower(Inst inst, ShapeOp op) {
    return switch (op) {
      case ShapeOp.Splat o -> {
        LlvmValue value = f.registers(o.scalar()).get(0);
        yield inst.result().tile().isScalar() ? new Lowered.Scalar(value) : rename(inst, _ -> Optional.of(value));
      }
      case ShapeOp.Iota _ -> {
        LayoutView view = f.view(inst.result().tile());
        yield view.map(LlvmValue.i32(0), r -> f.thread().position(view, r, 0));
      }
      case ShapeOp.Broadcast o -> rename(inst, at -> find(o.x(), collapse(at, o.x().tile().shape())));
      case ShapeOp.Reshape o -> reshape(inst, o);
      case ShapeOp.Permute o -> rename(inst, at -> {
        Integer[] from = new Integer[at.size()];
        for (int i = 0; i < from.length; i++) {
          from[o.order().get(i)] = at.get(i);
        }
        return find(o.x(), List.of(from));
      });
      case ShapeOp.Concat o -> concat(inst, o);
      case ShapeOp.Slice o -> rename(inst, at -> {
        List<Integer> from = new ArrayList<>();
        for (int i = 0; i < at.size(); i++) {
          from.add(at.get(i) + o.offsets().get(i));
        }
        Optional<LlvmValue> found = find(o.x(), from);
        return inst.flag(StageStores.APART) ? found.map(v -> f.target().async().opaque(f.b(), v)) : found;
      });
      case ShapeOp.ConvertLayout o -> convert.lower(inst, o);
    };
  }

  private interface Source {
    Optional<LlvmValue> at(List<Integer> coordinates);
  }

  /**
   * The result whose register at some coordinates is what the source gives there; nothing may be given for padding
   * only.
   */
  private Lowered rename(Inst inst, Source source) {
    TileType type = inst.result().tile();
    LayoutView view = f.view(type);
    return view.map(RegisterTypes.zero(type.element()), r -> {
      List<Integer> at = view.layout().coordinates(view.place(r));
      return source.at(at).orElseGet(() -> {
        for (int axis = 0; axis < at.size(); axis++) {
          if (view.mayPad(r, axis)) {
            return RegisterTypes.zero(type.element());
          }
        }
        throw new IllegalStateException(inst + ": no register holds " + at + "; layouts "
            + inst.operands().stream().map(Value::type).toList() + " and " + type);
      });
    });
  }

  private static List<Integer> collapse(List<Integer> at, List<Integer> shape) {
    List<Integer> from = new ArrayList<>();
    for (int i = 0; i < at.size(); i++) {
      from.add(shape.get(i) == 1 ? 0 : at.get(i));
    }
    return from;
  }

  /** The operand's register whose part of the coordinates is this. */
  private Optional<LlvmValue> find(Value x, List<Integer> coordinates) {
    LayoutView view = f.view(x.tile());
    long flat = 0;
    for (int axis = 0; axis < coordinates.size(); axis++) {
      if (coordinates.get(axis) >= view.layout().size(axis)) {
        return Optional.empty();
      }
      flat = flat * view.layout().size(axis) + coordinates.get(axis);
    }
    return view.layout().matrix(InDim.REGISTER).solve(flat).map(r -> f.tile(x).register(r.intValue()));
  }

  private Lowered reshape(Inst inst, ShapeOp.Reshape o) {
    TileType from = o.x().tile();
    TileType to = inst.result().tile();
    if (to.isScalar()) {
      return new Lowered.Scalar(f.registers(o.x()).get(0));
    }
    if (from.isScalar()) {
      LlvmValue value = f.scalar(o.x());
      return rename(inst, _ -> Optional.of(value));
    }
    return rename(inst, at -> {
      long index = flatten(at, to.shape());
      return index < 0 ? Optional.empty() : find(o.x(), unflatten(index, from.shape()));
    });
  }

  /** The row-major index of coordinates in a shape, or −1 outside it. */
  private static long flatten(List<Integer> at, List<Integer> shape) {
    long index = 0;
    for (int i = 0; i < at.size(); i++) {
      if (at.get(i) >= shape.get(i)) {
        return -1;
      }
      index = index * shape.get(i) + at.get(i);
    }
    return index;
  }

  private static List<Integer> unflatten(long index, List<Integer> shape) {
    long[] strides = Shapes.strides(shape);
    List<Integer> at = new ArrayList<>();
    for (int i = 0; i < strides.length; i++) {
      at.add((int) (index / strides[i] % shape.get(i)));
    }
    return at;
  }

  private Lowered concat(Inst inst, ShapeOp.Concat o) {
    return rename(inst, at -> {
      int along = at.get(o.axis());
      for (Value part : o.parts()) {
        int size = part.tile().shape().get(o.axis());
        if (along < size) {
          List<Integer> from = new ArrayList<>(at);
          from.set(o.axis(), along);
          return find(part, from);
        }
        along -= size;
      }
      return Optional.empty();
    });
  }
}
