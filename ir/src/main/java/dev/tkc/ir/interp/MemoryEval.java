package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.num.Integers;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.type.Element;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Tensors, ranges, and the accesses between them and tiles. */
final class MemoryEval {
  private final Machine machine;

  MemoryEval(Machine machine) {
    this.machine = machine;
  }

  List<Datum> evaluate(Inst inst, MemoryOp op, Frame frame) {
    return switch (op) {
      case MemoryOp.MakeTensor o -> List.of(tensor(inst, o, frame));
      case MemoryOp.Temp o -> List.of(temp(inst, o, frame));
      case MemoryOp.Counter o -> List.of(machine.device().counter(inst, frame.integer(o.count())));
      case MemoryOp.View o -> List.of(view(inst, o, frame));
      case MemoryOp.MakeTensorMap o -> List.of(new TensorMap((TensorView) frame.get(o.tensor()), o.box(), o.swizzle()));
      case MemoryOp.AddressOf o -> List.of(((TensorView) frame.get(o.tensor())).buffer());
      case MemoryOp.Range o ->
          List.of(new LaneRange(frame.integer(o.start()), frame.integer(o.stride()), frame.integer(o.count()),
              o.size()));
      case MemoryOp.Lanes o -> List.of(lanes(inst, (LaneRange) frame.get(o.range())));
      case MemoryOp.Valid o -> List.of(valid((LaneRange) frame.get(o.range())));
      case MemoryOp.Load o -> List.of(load(inst, o.tensor(), o.indices(), o.pad(), frame));
      case MemoryOp.Store o -> {
        store(inst, o, frame);
        yield List.of();
      }
      case MemoryOp.Atomic o -> {
        atomic(inst, o, frame);
        yield List.of();
      }
      case MemoryOp.LastArrival o -> {
        if (frame.team() != null) {
          frame.team().barrier();
        }
        yield List.of(Tile.bool(machine.arrivals().arrive(inst, (Buffer) frame.get(o.counters()),
            frame.integer(o.number()), frame.integer(o.expected()))));
      }
    };
  }

  // ------------------------------------------------------------------------------------------------ tensors and ranges

  private long[] integers(List<Value> values, Frame frame) {
    return values.stream().mapToLong(frame::integer).toArray();
  }

  private TensorView tensor(Inst inst, MemoryOp.MakeTensor op, Frame frame) {
    Buffer buffer = (Buffer) frame.get(op.pointer());
    TensorView t = new TensorView(buffer, sizes(inst, op.sizes(), frame), integers(op.strides(), frame), op.access(),
        op.name());
    if (inst.flag(MemoryOp.WRAPS)) {
      return t;
    }
    long extent = exact(inst, op.name(), t.sizes(), t::extent);
    if (extent > buffer.capacity()) {
      throw Faults.fault(Code.TENSOR_MEMORY, inst, t.described() + " needs " + extent + " elements of memory, and "
          + buffer.capacity() + " are there");
    }
    if (machine.checker() != null) {
      machine.checker().tensor(inst, t);
    } else if (op.access() != MemoryOp.Access.IN) {
      buffer.trustAll();
    }
    return t;
  }

  private long[] sizes(Inst inst, List<Value> values, Frame frame) {
    long[] sizes = integers(values, frame);
    for (long size : sizes) {
      if (size < 0) {
        throw Faults.fault(Code.TENSOR_MEMORY, inst, "a tensor of negative size " + Arrays.toString(sizes));
      }
    }
    return sizes;
  }

  private interface Count {
    long compute();
  }

  private static long exact(Inst inst, String name, long[] sizes, Count count) {
    try {
      return count.compute();
    } catch (ArithmeticException e) {
      throw Faults.fault(Code.TENSOR_MEMORY, inst,
          name + Arrays.toString(sizes) + " has more elements than an address can count");
    }
  }

  private TensorView temp(Inst inst, MemoryOp.Temp op, Frame frame) {
    long[] sizes = sizes(inst, op.sizes(), frame);
    long count = exact(inst, op.name(), sizes, () -> {
      long all = TensorView.count(sizes);
      op.element().bytes(all);
      return all;
    });
    Buffer buffer = machine.device().temp(inst, op.element(), count);
    if (machine.checker() != null) {
      buffer.poisonAll();
      if (inst.flag("padded")) {
        machine.budget().askTemp(inst, op.name(), count, Integer.BYTES * count);
        buffer.keepPadding();
      }
    }
    return new TensorView(buffer, sizes, TensorView.rowMajor(sizes), MemoryOp.Access.TEMP, op.name());
  }

  private TensorView view(Inst inst, MemoryOp.View op, Frame frame) {
    TensorView t = (TensorView) frame.get(op.tensor());
    long[] sizes = sizes(inst, op.sizes(), frame);
    TensorView view = new TensorView(t.buffer(), sizes, TensorView.rowMajor(sizes), t.access(), t.name());
    if (!t.isContiguous()) {
      throw Faults.fault(Code.VIEW, inst, "a view of " + t.described() + ", which is not contiguous in memory");
    }
    if (exact(inst, t.name(), sizes, view::count) != t.count()) {
      throw Faults.fault(Code.VIEW, inst, "a view of " + t.described() + " as " + Arrays.toString(sizes)
          + ", which has " + view.count() + " elements and not " + t.count());
    }
    return view;
  }

  private Tile lanes(Inst inst, LaneRange r) {
    long[] out = new long[r.size()];
    for (int t = 0; t < out.length; t++) {
      out[t] = r.position(t);
      if (!Integers.fits(Element.I32, out[t])) {
        throw Faults.fault(Code.INT_FIT, inst, "position " + out[t] + " of a range does not fit in i32");
      }
    }
    return new Tile(Element.I32, List.of(r.size()), out);
  }

  private static Tile valid(LaneRange r) {
    boolean[] out = new boolean[r.size()];
    for (int t = 0; t < out.length; t++) {
      out[t] = r.isValid(t);
    }
    return new Tile(Element.BOOL, List.of(r.size()), out);
  }

  // ------------------------------------------------------------------------------------------------ accesses

  private Footprint footprint(Inst inst, TensorView tensor, List<Value> indices, Frame frame) {
    List<Datum> data = indices.stream().map(frame::get).toList();
    if (machine.checker() != null) {
      for (Datum d : data) {
        if (d instanceof Tile t) {
          machine.checker().index(inst, t);
        }
      }
    }
    return Footprint.of(inst, tensor, data);
  }

  /** Reads a tile; outside lanes get {@code pad}, or a 0 that counts as padding. */
  Tile load(Inst inst, Value tensor, List<Value> indices, Optional<Value> pad, Frame frame) {
    TensorView t = (TensorView) frame.get(tensor);
    return read(inst, footprint(inst, t, indices, frame), pad.map(frame::tile).orElse(null));
  }

  /** Reads what an access touches; outside lanes get {@code pad}, or a 0 that counts as padding if it is null. */
  Tile read(Inst inst, Footprint f, Tile pad) {
    TensorView t = f.tensor();
    Object data = machine.allocate(inst, t.element(), f.count());
    if (pad != null) {
      Tile.fill(data, pad.data(), 0);
    } else if (t.element() == Element.E8M0) {
      Arrays.fill((float[]) data, FloatFormat.E8M0.decode(0));
    }
    if (machine.checker() != null) {
      machine.checker().read(inst, f);
    }
    f.forEachRun((offset, step, at, n) -> Codec.read(t.element(), t.buffer().memory(), offset, step, data, at, n));
    return new Tile(t.element(), f.shape(), data, pad != null ? null : padding(inst, f), false);
  }

  private int[] padding(Inst inst, Footprint f) {
    int mark = f.isFull() ? 0 : machine.padding(inst);
    Buffer buffer = f.tensor().buffer();
    if (mark == 0 && !buffer.hasPadding()) {
      return null;
    }
    int[] states = new int[(int) f.count()];
    Arrays.fill(states, mark);
    f.forEachRun((offset, step, at, n) -> {
      for (int i = 0; i < n; i++) {
        states[at + i] = buffer.origin(offset + i * step);
      }
    });
    return states;
  }

  private void store(Inst inst, MemoryOp.Store op, Frame frame) {
    TensorView t = (TensorView) frame.get(op.tensor());
    write(inst, footprint(inst, t, op.indices(), frame), frame.tile(op.value()));
  }

  /** Writes what an access touches. */
  void write(Inst inst, Footprint f, Tile value) {
    TensorView t = f.tensor();
    long twice = f.coinciding();
    if (twice >= 0) {
      throw new DiagnosticException(Faults.error(Code.STORE_COINCIDES, inst,
          "two elements of one store go to " + t.place(twice)).note("which of them would stay is not defined")
          .help("add them up with `+=`, or make the indices distinct"));
    }
    if (machine.checker() != null) {
      machine.checker().write(inst, f, value);
    }
    f.forEachRun((offset, step, at, n) ->
        Codec.write(t.element(), t.buffer().memory(), offset, step, value.data(), at, n));
    machine.budget().work(inst, value.count());
  }

  private void atomic(Inst inst, MemoryOp.Atomic op, Frame frame) {
    TensorView t = (TensorView) frame.get(op.tensor());
    Footprint f = footprint(inst, t, op.indices(), frame);
    Tile value = frame.tile(op.value());
    if (machine.checker() != null) {
      machine.checker().atomic(inst, f, value);
    }
    Element e = t.element();
    Object cell = Tile.Storage.of(e).allocate(1);
    f.forEachLane((offset, at) -> {
      Codec.read(e, t.buffer().memory(), offset, 1, cell, 0, 1);
      update(op.kind(), e, cell, value, at);
      Codec.write(e, t.buffer().memory(), offset, 1, cell, 0, 1);
    });
    machine.budget().work(inst, value.count());
  }

  private static void update(MemoryOp.AtomicKind kind, Element e, Object cell, Tile value, int at) {
    switch (cell) {
      case float[] c -> {
        float x = value.floats()[at];
        float y = switch (kind) {
          case ADD -> c[0] + x;
          case SUB -> c[0] - x;
          case MIN -> Math.min(c[0], x);
          case MAX -> Math.max(c[0], x);
        };
        c[0] = e == Element.F32 ? y : FloatFormat.of(e).round(y, false);
      }
      case double[] c -> {
        double x = value.doubles()[at];
        c[0] = switch (kind) {
          case ADD -> c[0] + x;
          case SUB -> c[0] - x;
          case MIN -> Math.min(c[0], x);
          case MAX -> Math.max(c[0], x);
        };
      }
      case long[] c -> {
        long x = value.longs()[at];
        c[0] = switch (kind) {
          case ADD -> Integers.wrap(e, c[0] + x);
          case SUB -> Integers.wrap(e, c[0] - x);
          case MIN -> Integers.min(e, c[0], x);
          case MAX -> Integers.max(e, c[0], x);
        };
      }
      default -> throw new IllegalStateException("an atomic update of " + e.text());
    }
  }
}
