package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.op.MemoryOp.Access;
import dev.tkc.ir.op.OpShape;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Watches every access to global memory of one run: reads of what was never written, races between the blocks of a
 * phase, padding that reaches memory or an index, outputs left unwritten. Blocks run one after another while it
 * watches.
 *
 * <p>A stamp is 24 bits of instruction number under the block's number + 1, so 0 is nobody. Shadow memory is kept for
 * elements that a phase touches, in pages, and only for tensors that something may write.
 */
final class Checker {
  private static final int INST_BITS = 24;

  private final Budget budget;
  private final Map<Inst, Integer> numbers = new IdentityHashMap<>();
  private final List<Inst> insts = new ArrayList<>();
  private final Map<Buffer, Races> races = new IdentityHashMap<>();
  private final Map<Buffer, TensorView> outputs = new LinkedHashMap<>();
  private final Map<Buffer, Inst> outputMakers = new HashMap<>();
  private List<String> positionNames = List.of();
  private final List<long[]> blocks = new ArrayList<>();
  /** What the block has come after: stretches of blocks, by their numbers, that arrived where it was the last. */
  private BitSet known = new BitSet();

  Checker(Budget budget) {
    this.budget = budget;
  }

  // ------------------------------------------------------------------------------------------------ phases and blocks

  /** A new phase sees all that the ones before wrote. */
  void beginPhase(List<String> names) {
    long freed = races.values().stream().mapToLong(Races::bytes).sum();
    budget.hold(-freed);
    races.clear();
    blocks.clear();
    known = new BitSet();
    positionNames = names;
  }

  /** The next block, by its positions in the phase's domain. */
  void beginBlock(long... positions) {
    blocks.add(positions);
    known = new BitSet();
  }

  /**
   * The block has arrived somewhere, after those that arrived there before it, if it is the last: what it does from now
   * on is another stretch, so that nobody takes it for what was done before. Gives what whoever comes after this
   * arrival comes after.
   */
  BitSet arrived(List<BitSet> others) {
    BitSet before = (BitSet) known.clone();
    before.set(Math.max(1, blocks.size()));
    blocks.add(blocks.isEmpty() ? new long[0] : blocks.getLast());
    known = (BitSet) before.clone();
    others.forEach(known::or);
    return before;
  }

  private long stamp(Inst inst) {
    return (long) Math.max(1, blocks.size()) << INST_BITS | number(inst);
  }

  /** A number for the instruction, from 1, by which states and stamps name it. */
  int number(Inst inst) {
    return numbers.computeIfAbsent(inst, i -> {
      insts.add(i);
      return insts.size();
    });
  }

  private Inst inst(long stamp) {
    return insts.get((int) (stamp & (1L << INST_BITS) - 1) - 1);
  }

  private String block(long stamp) {
    int number = (int) (stamp >>> INST_BITS) - 1;
    if (number >= blocks.size()) {
      return "the kernel";
    }
    long[] at = blocks.get(number);
    StringBuilder out = new StringBuilder("block ");
    for (int i = 0; i < at.length; i++) {
      out.append(i == 0 ? "(" : ", ").append(positionNames.get(i)).append(" = ").append(at[i]);
    }
    return out.append(')').toString();
  }

  // ------------------------------------------------------------------------------------------------ accesses

  /** A tensor comes into being; an output is undefined from the first time on. */
  void tensor(Inst inst, TensorView t) {
    if (t.access() == Access.OUT && !outputs.containsKey(t.buffer())) {
      poison(t);
      outputs.put(t.buffer(), t);
      outputMakers.put(t.buffer(), inst);
    }
  }

  private static void poison(TensorView t) {
    if (t.isContiguous() && t.count() == t.buffer().capacity()) {
      t.buffer().poisonAll();
      return;
    }
    forEachElement(t, offset -> t.buffer().poison(offset));
  }

  private interface Offsets {
    void accept(long offset);
  }

  private static void forEachElement(TensorView t, Offsets visit) {
    walk(t, 0, 0, visit);
  }

  private static void walk(TensorView t, int depth, long offset, Offsets visit) {
    if (depth == t.rank()) {
      visit.accept(offset);
      return;
    }
    for (long i = 0; i < t.sizes()[depth]; i++) {
      walk(t, depth + 1, offset + i * t.strides()[depth], visit);
    }
  }

  void read(Inst inst, Footprint f) {
    TensorView t = f.tensor();
    long stamp = stamp(inst);
    Races r = t.access() == Access.IN ? null : races(inst, t);
    boolean poisoned = t.buffer().hasPoison();
    if (r == null && !poisoned) {
      return;
    }
    f.forEachLane((offset, _) -> {
      if (poisoned && t.buffer().isPoisoned(offset)) {
        throw new DiagnosticException(Faults.error(Code.UNINITIALISED, inst,
            t.place(offset) + " is read before anything is written to it", "read by " + block(stamp))
            .note(t.described()
                + (t.access() == Access.IN ? " is an input whose memory was never filled" : " starts undefined")));
      }
      if (r != null) {
        race(inst, t, offset, "reads", stamp, r.read(offset, stamp));
      }
    });
  }

  void write(Inst inst, Footprint f, Tile value) {
    TensorView t = f.tensor();
    long stamp = stamp(inst);
    Races r = races(inst, t);
    f.forEachLane((offset, at) -> {
      stored(inst, t, offset, value, at);
      race(inst, t, offset, "writes", stamp, r.write(offset, stamp));
      t.buffer().written(offset);
    });
  }

  void atomic(Inst inst, Footprint f, Tile value) {
    TensorView t = f.tensor();
    long stamp = stamp(inst);
    Races r = races(inst, t);
    boolean poisoned = t.buffer().hasPoison();
    f.forEachLane((offset, at) -> {
      stored(inst, t, offset, value, at);
      if (poisoned && t.buffer().isPoisoned(offset)) {
        throw new DiagnosticException(Faults.error(Code.UNINITIALISED, inst,
            t.place(offset) + " is updated before anything is written to it", "updated by " + block(stamp))
            .note(t.described() + " starts undefined; write it in a phase before this one"));
      }
      race(inst, t, offset, "updates", stamp, r.atomic(offset, stamp));
    });
  }

  private Races races(Inst inst, TensorView t) {
    return races.computeIfAbsent(t.buffer(), _ -> new Races(budget, inst, this));
  }

  private void race(Inst inst, TensorView t, long offset, String does, long stamp, long other) {
    if (other == 0) {
      return;
    }
    Inst earlier = inst(other);
    String did = switch (OpShape.mnemonic(earlier.op())) {
      case "load", "copy_async", "copy_bulk" -> "reads";
      case "store", "store_bulk" -> "writes";
      default -> "updates";
    };
    Diagnostic d = Faults.error(Code.RACE, inst,
        "two blocks of a phase race for " + t.place(offset), block(stamp) + " " + does + " it here");
    d = Faults.place(d, earlier, block(other) + " " + did + " it here");
    throw new DiagnosticException(d.note("the blocks of a phase run in any order, or at once")
        .help("write each element from one block, use an atomic update (`+=`), or move one side to a phase of its "
            + "own"));
  }

  private void stored(Inst inst, TensorView t, long offset, Tile value, int at) {
    int state = value.origin(at);
    if (t.buffer().keepsPadding()) {
      t.buffer().setOrigin(offset, state);
    } else if (state != 0) {
      throw leak(inst, state, "reaches " + t.place(offset));
    }
  }

  /** An index tile must have no padding in it. */
  void index(Inst inst, Tile index) {
    if (index.origins() == null) {
      return;
    }
    for (int i = 0; i < index.count(); i++) {
      if (index.origin(i) != 0) {
        throw leak(inst, index.origin(i), "is used as an index");
      }
    }
  }

  private DiagnosticException leak(Inst inst, int state, String what) {
    Inst load = insts.get(Padding.load(state) - 1);
    Diagnostic d = Faults.error(Code.PADDING_LEAK, inst, "an element that a load made up outside its tensor " + what,
        "it ends here");
    d = Faults.place(d, load, "it was read outside by this load");
    return new DiagnosticException(d
        .note(Padding.isNeutral(state) ? "it is the fill value 0"
            : "the fill value 0 has been through something that does not keep it 0")
        .help("give the load a `pad` value that is harmless here, or choose with `where(valid(…), …, …)`"));
  }

  // ------------------------------------------------------------------------------------------------ the end

  /** Every element of every output must have been written. */
  void end() {
    for (TensorView t : outputs.values()) {
      if (!t.buffer().hasPoison()) {
        continue;
      }
      long[] found = {0, -1};
      forEachElement(t, offset -> {
        if (t.buffer().isPoisoned(offset)) {
          found[1] = found[0]++ == 0 ? offset : found[1];
        }
      });
      if (found[0] > 0) {
        throw new DiagnosticException(Faults.error(Code.OUT_UNWRITTEN, outputMakers.get(t.buffer()),
            found[0] + " of " + t.count() + " elements of out parameter " + t.name()
            + " were never written, the first is "
                + t.place(found[1])));
      }
    }
    beginPhase(List.of());
  }

  /** Who touched which element in this phase. Two different blocks are remembered for what several may do. */
  private static final class Races {
    private static final int PAGE_BITS = 12;
    private static final int WRITER = 0;
    private static final int READER = 1;
    private static final int UPDATER = 3;
    private static final int SLOTS = 5;

    private final Budget budget;
    private final Inst inst;
    private final Checker checker;
    private final Map<Long, long[]> pages = new HashMap<>();
    private long pageKey = -1;
    private long[] page;

    Races(Budget budget, Inst inst, Checker checker) {
      this.budget = budget;
      this.inst = inst;
      this.checker = checker;
    }

    long bytes() {
      return pages.size() * (8L * SLOTS << PAGE_BITS);
    }

    /** Each gives the stamp of an access that races with this one, or 0. */
    long read(long offset, long stamp) {
      int at = slot(offset);
      long other = first(other(at + WRITER, 1, stamp), other(at + UPDATER, 2, stamp));
      note(at + READER, 2, stamp);
      return other;
    }

    long write(long offset, long stamp) {
      int at = slot(offset);
      long other = other(at, SLOTS, stamp);
      note(at + WRITER, 1, stamp);
      return other;
    }

    long atomic(long offset, long stamp) {
      int at = slot(offset);
      long other = other(at, UPDATER, stamp);
      note(at + UPDATER, 2, stamp);
      return other;
    }

    private static long first(long a, long b) {
      return a != 0 ? a : b;
    }

    private long other(int from, int n, long stamp) {
      for (int i = from; i < from + n; i++) {
        if (page[i] != 0 && page[i] >>> INST_BITS != stamp >>> INST_BITS
            && !checker.known.get((int) (page[i] >>> INST_BITS))) {
          return page[i];
        }
      }
      return 0;
    }

    private void note(int from, int n, long stamp) {
      for (int i = from; i < from + n; i++) {
        if (page[i] >>> INST_BITS == stamp >>> INST_BITS && page[i] != 0) {
          return;
        }
        // Whoever comes after this access comes after what this one comes after.
        if (page[i] == 0 || checker.known.get((int) (page[i] >>> INST_BITS))) {
          page[i] = stamp;
          return;
        }
      }
    }

    private int slot(long offset) {
      long key = offset >>> PAGE_BITS;
      if (key != pageKey) {
        page = pages.computeIfAbsent(key, _ -> {
          int length = SLOTS << PAGE_BITS;
          budget.ask(inst, length, 8L * length);
          budget.hold(8L * length);
          return new long[length];
        });
        pageKey = key;
      }
      return (int) (offset & (1 << PAGE_BITS) - 1) * SLOTS;
    }
  }
}
