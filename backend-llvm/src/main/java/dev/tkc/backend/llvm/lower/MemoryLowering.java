package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmBuilder.Hint;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.MemoryOp.Access;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.PointerType;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.place.AllocateShared;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Tensors, ranges, loads and stores.
 *
 * <p>A load is never guarded by a branch: a lane outside reads sixteen zero bytes kept for this purpose, so all of a
 * tile's loads are under way together and the usual pad value needs no further instruction. A store is guarded
 * the target's way; only the first holder of an element stores.
 */
final class MemoryLowering {
  private final FunctionLowering f;
  private final AtomicLowering atomics;

  MemoryLowering(FunctionLowering f) {
    this.f = f;
    this.atomics = new AtomicLowering(f);
  }

  List<Lowered> lower(Inst inst, MemoryOp op) {
    return switch (op) {
      case MemoryOp.MakeTensor o when inst.annotation(AllocateShared.NEAR, -1) >= 0 ->
          List.of(near(o, inst.annotation(AllocateShared.NEAR, -1)));
      case MemoryOp.MakeTensor o -> List.of(new Lowered.Tensor(f.scalar(o.pointer()),
          ((dev.tkc.ir.type.TensorType) inst.result().type()).element(), scalars(o.sizes()), scalars(o.strides()),
          o.access()));
      case MemoryOp.View o -> List.of(view(o));
      case MemoryOp.Range o -> List.of(new Lowered.Range(f.scalar(o.start()), f.scalar(o.stride()), f.scalar(o.count()),
          o.size(), f.signs().isNonNegative(o.start())));
      case MemoryOp.Lanes o -> List.of(lanes(inst, (Lowered.Range) f.get(o.range())));
      case MemoryOp.Valid o -> List.of(valid(inst, (Lowered.Range) f.get(o.range())));
      case MemoryOp.Load o -> List.of(load(inst, o));
      case MemoryOp.Store o -> {
        store(inst, o);
        yield List.of();
      }
      case MemoryOp.Atomic o -> {
        atomics.lower(inst, o);
        yield List.of();
      }
      case MemoryOp.LastArrival o -> List.of(lastArrival(o));
      case MemoryOp.AddressOf o -> List.of(new Lowered.Scalar(f.tensor(o.tensor()).pointer()));
      case MemoryOp.Temp _, MemoryOp.Counter _, MemoryOp.MakeTensorMap _ ->
          throw new IllegalStateException(inst + " in a device function");
    };
  }

  /** The team meets, so that its first thread arrives for all, and learns from it whether they are the last. */
  private Lowered lastArrival(MemoryOp.LastArrival o) {
    LlvmBuilder b = f.b();
    if (f.cluster() > 1) {
      f.target().meetCluster(b);
      LlvmValue rank = b.and(f.target().blockId(b), LlvmValue.i32(f.cluster() - 1));
      return new Lowered.Scalar(b.icmp(Compare.EQ, rank, LlvmValue.i32(f.cluster() - 1)));
    }
    f.barrier(0);
    LlvmValue first = b.and(b.icmp(Compare.EQ, f.thread().lane(), LlvmValue.i32(0)),
        b.icmp(Compare.EQ, f.thread().warp(), LlvmValue.i32(0)));
    LlvmValue counter = b.gep(LlvmType.I32, f.scalar(o.counters()), f.scalar(o.number()));
    LlvmValue last = b.sub(b.trunc(f.scalar(o.expected()), LlvmType.I32), LlvmValue.i32(1));
    return new Lowered.Scalar(f.target().lastArrival(b, first, counter, last, f.team().number(),
        f.team().warps() * f.target().lanes()));
  }

  /**
   * Parts that a cluster's blocks leave for the last of them, each the last dimension of the tensor under the number of
   * its block: they lie one after the other in the shared memory of that block, which reads them there.
   */
  private Lowered near(MemoryOp.MakeTensor o, long offset) {
    List<LlvmValue> sizes = scalars(o.sizes());
    List<LlvmValue> strides = new ArrayList<>(Collections.nCopies(sizes.size(), LlvmValue.i64(0)));
    strides.set(0, sizes.getLast());
    strides.set(sizes.size() - 1, LlvmValue.i64(1));
    Element element = ((PointerType) o.pointer().type()).element();
    return new Lowered.Tensor(f.sharedAt(offset), element, sizes, strides, o.access());
  }

  private List<LlvmValue> scalars(List<Value> values) {
    return values.stream().map(f::scalar).toList();
  }

  private Lowered view(MemoryOp.View o) {
    Lowered.Tensor tensor = f.tensor(o.tensor());
    List<LlvmValue> sizes = scalars(o.sizes());
    List<LlvmValue> strides = new ArrayList<>();
    LlvmValue stride = LlvmValue.i64(1);
    for (int i = sizes.size() - 1; i >= 0; i--) {
      strides.addFirst(stride);
      stride = i == 0 ? stride : f.b().mulNsw(stride, sizes.get(i));
    }
    return new Lowered.Tensor(tensor.pointer(), tensor.element(), sizes, strides, tensor.access());
  }

  private Lowered lanes(Inst inst, Lowered.Range range) {
    LlvmBuilder b = f.b();
    LlvmValue start = b.trunc(range.start(), LlvmType.I32);
    LlvmValue stride = b.trunc(range.stride(), LlvmType.I32);
    LayoutView view = f.view(inst.result().tile());
    return view.map(LlvmValue.i32(0), r -> b.add(start, b.mul(f.thread().position(view, r, 0), stride)));
  }

  private Lowered valid(Inst inst, Lowered.Range range) {
    LlvmBuilder b = f.b();
    LlvmValue count = clamp(b, range.count(), range.size());
    LayoutView view = f.view(inst.result().tile());
    return view.map(LlvmValue.i1(false), r -> b.icmp(Compare.SLT, f.thread().position(view, r, 0), count));
  }

  /** An i64 limited to 0 … {@code most}, as i32. */
  static LlvmValue clamp(LlvmBuilder b, LlvmValue x, long most) {
    return b.trunc(IntegerMath.max(b, IntegerMath.min(b, x, LlvmValue.i64(most), true), LlvmValue.i64(0), true),
        LlvmType.I32);
  }

  // Loads and stores.

  private Lowered load(Inst inst, MemoryOp.Load o) {
    TileType type = inst.result().tile();
    Lowered.Tensor tensor = f.tensor(o.tensor());
    Optional<LlvmValue> pad = o.pad().map(f::scalar);
    TensorAccess access = TensorAccess.of(f, inst, o.tensor(), o.indices(), type);
    Hint[] hints = tensor.access() == Access.IN ? new Hint[] {Hint.INVARIANT} : new Hint[0];
    if (type.isScalar()) {
      return new Lowered.Scalar(read(access, 0, 1, type.element(), pad, hints).get(0));
    }
    LayoutView view = f.view(type);
    int vector = (int) inst.annotation("vector", 1);
    LlvmValue[] values = new LlvmValue[view.registers()];
    for (int r = 0; r < values.length; r += vector) {
      if (!view.isFirst(r)) {
        continue;
      }
      List<LlvmValue> group = view.allPadding(r)
          ? java.util.Collections.nCopies(vector, RegisterTypes.zero(type.element()))
          : read(access, r, vector, type.element(), pad, hints);
      for (int i = 0; i < vector; i++) {
        values[r + i] = group.get(i);
      }
    }
    return view.map(RegisterTypes.zero(type.element()), r -> values[r]);
  }

  /** The elements of {@code vector} registers from {@code register}, in pieces of at most 16 bytes. */
  private List<LlvmValue> read(
      TensorAccess access, int register, int vector, Element element, Optional<LlvmValue> pad, Hint... hints) {
    LlvmBuilder b = f.b();
    Optional<LlvmValue> guard = access.guard(register);
    int piece = Math.min(vector, Packing.mostElements(element));
    List<LlvmValue> all = new ArrayList<>();
    for (int from = 0; from < vector; from += piece) {
      LlvmValue pointer = access.pointer(register, from);
      LlvmValue safe = guard.isPresent() ? b.select(guard.get(), pointer, f.zeros()) : pointer;
      LlvmValue raw = b.load(Packing.type(element, piece), safe, Packing.align(element, piece), hints);
      List<LlvmValue> elements = Packing.unpack(b, raw, element, piece, access.nibble(register));
      for (LlvmValue e : elements) {
        all.add(guard.isPresent() && pad.isPresent() ? b.select(guard.get(), e, pad.get()) : e);
      }
    }
    return all;
  }

  /** The tensor as this block writes it: parts go to the last block of the cluster. */
  private Lowered.Tensor written(Value tensor) {
    Lowered.Tensor t = f.tensor(tensor);
    return t.pointer().type().equals(LlvmType.SHARED)
        ? new Lowered.Tensor(f.target().inBlockOfCluster(f.b(), t.pointer(), LlvmValue.i32(f.cluster() - 1)),
            t.element(), t.sizes(), t.strides(), t.access())
        : t;
  }

  private void store(Inst inst, MemoryOp.Store o) {
    TileType type = o.value().tile();
    LayoutView view = type.isScalar() ? null : f.view(type);
    TensorAccess access = TensorAccess.of(f, inst, written(o.tensor()), o.indices(), type, view);
    List<LlvmValue> values = f.registers(o.value());
    int vector = type.isScalar() ? 1 : (int) inst.annotation("vector", 1);
    Guarded.Run nibbles = new Guarded.Run(f.b());
    for (int r : access.groups(vector)) {
      if (type.element().bits() < 8 && vector == 1) {
        nibbles.add(access.owned(r), () -> atomics.storeNibble(access.pointer(r, 0), access.nibble(r), values.get(r)));
      } else {
        write(access, r, values.subList(r, r + vector), type.element());
      }
    }
    nibbles.flush();
  }

  private void write(TensorAccess access, int register, List<LlvmValue> values, Element element) {
    LlvmBuilder b = f.b();
    int vector = values.size();
    int piece = Math.min(vector, Packing.mostElements(element));
    int align = Packing.align(element, piece);
    Optional<LlvmValue> guard = access.owned(register);
    for (int from = 0; from < vector; from += piece) {
      LlvmValue raw = Packing.pack(b, values.subList(from, from + piece), element);
      LlvmValue pointer = access.pointer(register, from);
      if (guard.isPresent()) {
        f.target().storeIf(b, guard.get(), raw, pointer, align);
      } else {
        b.store(raw, pointer, align);
      }
    }
  }
}
