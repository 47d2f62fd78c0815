package dev.tkc.tests.ptx;

import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.type.Element;
import dev.tkc.tests.ptx.PtxMachine.Lane;
import dev.tkc.tests.ptx.PtxProgram.Immediate;
import dev.tkc.tests.ptx.PtxProgram.Instruction;
import dev.tkc.tests.ptx.PtxProgram.Kernel;
import dev.tkc.tests.ptx.PtxProgram.Memory;
import dev.tkc.tests.ptx.PtxProgram.Operand;
import dev.tkc.tests.ptx.PtxProgram.Register;
import dev.tkc.tests.ptx.PtxProgram.Symbol;
import dev.tkc.tests.ptx.PtxProgram.Vector;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/** Instructions to executable steps: control, memory, and what a warp does together; arithmetic is {@link PtxArithmetic}'s. */
final class PtxDecoder {
  private final Kernel kernel;
  private final Map<String, Integer> parameters;
  private final Map<String, Long> addresses;

  PtxDecoder(Kernel kernel, Map<String, Integer> parameters, Map<String, Long> addresses) {
    this.kernel = kernel;
    this.parameters = parameters;
    this.addresses = addresses;
  }

  /** What one lane does. */
  private interface Single {
    void run(Lane lane);
  }

  PtxStep decode(Instruction i) {
    return switch (i.opcode()) {
      case "bar", "barrier" -> (lanes, n) -> {
        for (int k = 0; k < n; k++) {
          lanes[k].waiting = true;
        }
      };
      case "shfl" -> shuffle(i);
      case "mma" -> PtxMatrices.multiply(i, this);
      case "ldmatrix" -> PtxMatrices.load(i, this);
      default -> each(i, single(i));
    };
  }

  private static PtxStep each(Instruction i, Single single) {
    int guard = i.guard();
    long wanted = i.negated() ? 0 : 1;
    return (lanes, n) -> {
      for (int k = 0; k < n; k++) {
        if (guard < 0 || lanes[k].registers[guard] == wanted) {
          single.run(lanes[k]);
        }
      }
    };
  }

  private Single single(Instruction i) {
    return switch (i.opcode()) {
      case "ret", "exit" -> lane -> lane.done = true;
      case "bra" -> {
        int target = kernel.labels().get(((Symbol) i.operands().get(0)).name());
        yield lane -> lane.pc = target;
      }
      case "trap" -> lane -> {
        throw new IllegalStateException("trap");
      };
      case "ld" -> load(i);
      case "st" -> store(i);
      case "atom" -> atomic(i, i.operands().get(0), 1);
      case "red" -> atomic(i, null, 0);
      case "cp" -> copyAsync(i);
      case "mov" -> move(i);
      case "membar", "fence" -> _ -> { };
      default -> compute(i);
    };
  }

  // Operands.

  ToLongFunction<Lane> value(Operand o) {
    return switch (o) {
      case Register r -> lane -> lane.registers[r.index()];
      case Immediate c -> _ -> c.bits();
      case Symbol s -> symbol(s.name());
      case Memory m -> address(m);
      case Vector _ -> throw new IllegalStateException("a vector is no value");
    };
  }

  private ToLongFunction<Lane> symbol(String name) {
    return switch (name) {
      case "%tid.x" -> lane -> lane.thread;
      case "%ctaid.x" -> lane -> lane.block.number;
      case "%nctaid.x" -> lane -> lane.block.count;
      case "%ntid.x" -> lane -> lane.block.threads;
      case "%laneid" -> lane -> lane.thread % PtxMachine.LANES;
      case "%tid.y", "%tid.z", "%ctaid.y", "%ctaid.z" -> _ -> 0;
      default -> {
        if (parameters.containsKey(name)) {
          long offset = parameters.get(name);
          yield _ -> offset;
        }
        if (name.startsWith("%")) {
          throw new IllegalStateException("unknown register " + name);
        }
        // The one shared array starts at address 0 of its space.
        long address = addresses.getOrDefault(name, 0L);
        yield _ -> address;
      }
    };
  }

  ToLongFunction<Lane> address(Operand o) {
    Memory m = (Memory) o;
    ToLongFunction<Lane> base = value(m.base());
    return lane -> base.applyAsLong(lane) + m.offset();
  }

  static List<Operand> parts(Operand o) {
    return o instanceof Vector v ? v.parts() : List.of(o);
  }

  static int[] registers(Operand o) {
    return parts(o).stream().mapToInt(p -> p instanceof Register r ? r.index() : -1).toArray();
  }

  List<ToLongFunction<Lane>> values(Operand o) {
    List<ToLongFunction<Lane>> all = new ArrayList<>();
    parts(o).forEach(p -> all.add(value(p)));
    return all;
  }

  private Single compute(Instruction i) {
    PtxArithmetic.Function f = PtxArithmetic.function(i);
    int to = registers(i.operands().get(0))[0];
    List<ToLongFunction<Lane>> in = new ArrayList<>();
    i.operands().subList(1, i.operands().size()).forEach(o -> in.add(value(o)));
    ToLongFunction<Lane> a = in.get(0);
    ToLongFunction<Lane> b = in.size() > 1 ? in.get(1) : _ -> 0;
    ToLongFunction<Lane> c = in.size() > 2 ? in.get(2) : _ -> 0;
    return lane -> lane.registers[to] = f.of(a.applyAsLong(lane), b.applyAsLong(lane), c.applyAsLong(lane));
  }

  private Single move(Instruction i) {
    int[] to = registers(i.operands().get(0));
    List<ToLongFunction<Lane>> from = values(i.operands().get(1));
    int width = i.type().equals("pred") ? 1 : PtxArithmetic.bits(i.type());
    if (to.length == 1 && from.size() == 1) {
      long mask = PtxArithmetic.mask(width);
      return lane -> lane.registers[to[0]] = from.get(0).applyAsLong(lane) & mask;
    }
    int part = width / Math.max(to.length, from.size());
    return lane -> {
      long whole = 0;
      for (int k = 0; k < from.size(); k++) {
        long piece = from.get(k).applyAsLong(lane);
        whole |= from.size() == 1 ? piece : (piece & PtxArithmetic.mask(part)) << k * part;
      }
      for (int k = 0; k < to.length; k++) {
        if (to[k] >= 0) {
          lane.registers[to[k]] = to.length == 1 ? whole : whole >>> k * part & PtxArithmetic.mask(part);
        }
      }
    };
  }

  // Memory.

  private Single load(Instruction i) {
    ToLongFunction<Lane> address = address(i.operands().get(1));
    int[] to = registers(i.operands().get(0));
    int bytes = PtxArithmetic.bits(i.type()) / 8;
    boolean signed = i.type().startsWith("s");
    return lane -> {
      long at = address.applyAsLong(lane);
      for (int k = 0; k < to.length; k++) {
        if (k == 0 && at % ((long) bytes * to.length) != 0) {
          throw new IllegalStateException("misaligned vector at " + at);
        }
        long x = read(i, lane, at + (long) k * bytes, bytes);
        if (to[k] >= 0) {
          lane.registers[to[k]] = signed ? x << 64 - 8 * bytes >> 64 - 8 * bytes : x;
        }
      }
    };
  }

  private static long read(Instruction i, Lane lane, long address, int bytes) {
    return i.has("param") ? PtxMachine.read(lane.block.parameters, address, bytes)
        : i.has("shared") ? PtxMachine.read(lane.block.shared, address, bytes)
        : PtxMachine.readGlobal(address, bytes);
  }

  private Single store(Instruction i) {
    ToLongFunction<Lane> address = address(i.operands().get(0));
    List<ToLongFunction<Lane>> from = values(i.operands().get(1));
    int bytes = PtxArithmetic.bits(i.type()) / 8;
    return lane -> {
      long at = address.applyAsLong(lane);
      if (at % ((long) bytes * from.size()) != 0) {
        throw new IllegalStateException("misaligned vector at " + at);
      }
      for (int k = 0; k < from.size(); k++) {
        write(i, lane, at + (long) k * bytes, bytes, from.get(k).applyAsLong(lane));
      }
    };
  }

  private static void write(Instruction i, Lane lane, long address, int bytes, long value) {
    if (i.has("shared")) {
      PtxMachine.write(lane.block.shared, address, bytes, value);
    } else {
      PtxMachine.writeGlobal(address, bytes, value);
    }
  }

  private Single atomic(Instruction i, Operand result, int first) {
    ToLongFunction<Lane> address = address(i.operands().get(first));
    ToLongFunction<Lane> x = value(i.operands().get(first + 1));
    ToLongFunction<Lane> y = i.operands().size() > first + 2 ? value(i.operands().get(first + 2)) : _ -> 0;
    int to = result instanceof Register r ? r.index() : -1;
    int bytes = PtxArithmetic.bits(i.type()) / 8;
    PtxArithmetic.Function f = PtxArithmetic.atomic(i);
    return lane -> {
      long at = address.applyAsLong(lane);
      long old = read(i, lane, at, bytes);
      write(i, lane, at, bytes, f.of(old, x.applyAsLong(lane), y.applyAsLong(lane)));
      if (to >= 0) {
        lane.registers[to] = old;
      }
    };
  }

  private Single copyAsync(Instruction i) {
    if (i.has("commit_group")) {
      return Lane::commit;
    }
    if (i.has("wait_all")) {
      return lane -> {
        lane.commit();
        lane.await(0);
      };
    }
    if (i.has("wait_group")) {
      int pending = (int) ((Immediate) i.operands().get(0)).bits();
      return lane -> lane.await(pending);
    }
    ToLongFunction<Lane> to = address(i.operands().get(0));
    ToLongFunction<Lane> from = address(i.operands().get(1));
    int bytes = (int) ((Immediate) i.operands().get(2)).bits();
    ToLongFunction<Lane> valid = i.operands().size() > 3 ? value(i.operands().get(3)) : _ -> bytes;
    return lane -> {
      long target = to.applyAsLong(lane);
      long source = from.applyAsLong(lane);
      long real = valid.applyAsLong(lane);
      if (target % bytes != 0 || real > 0 && source % bytes != 0) {
        throw new IllegalStateException("misaligned copy");
      }
      lane.open.add(() -> {
        for (int k = 0; k < bytes; k++) {
          PtxMachine.write(lane.block.shared, target + k, 1, k < real ? PtxMachine.readGlobal(source + k, 1) : 0);
        }
      });
    };
  }

  // Across lanes.

  private PtxStep shuffle(Instruction i) {
    int to = registers(i.operands().get(0))[0];
    ToLongFunction<Lane> x = value(i.operands().get(1));
    ToLongFunction<Lane> by = value(i.operands().get(2));
    return (lanes, n) -> {
      requireWarp(n);
      long[] all = new long[n];
      long[] from = new long[n];
      for (int k = 0; k < n; k++) {
        all[k] = x.applyAsLong(lanes[k]);
        long d = by.applyAsLong(lanes[k]);
        from[k] = i.has("bfly") ? k ^ d : i.has("up") ? Math.max(k - d, k - d < 0 ? k : 0)
            : i.has("down") ? (k + d > 31 ? k : k + d) : d & 31;
      }
      for (int k = 0; k < n; k++) {
        lanes[k].registers[to] = all[(int) from[k]];
      }
    };
  }

  static void requireWarp(int lanes) {
    if (lanes != PtxMachine.LANES) {
      throw new IllegalStateException("only " + lanes + " lanes meet at an instruction of the whole warp");
    }
  }

  static double decode(Element e, long bits) {
    return FloatFormat.of(e).decode((int) bits);
  }
}
