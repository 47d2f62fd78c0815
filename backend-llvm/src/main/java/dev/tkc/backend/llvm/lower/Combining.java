package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.layout.CombinePlan;
import dev.tkc.ir.layout.Gf2;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.WarpTeam;
import dev.tkc.ir.rules.ScratchBytes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Carries out a {@link CombinePlan}. A holder's partial result is a tuple; after the last step every thread has the
 * total of what its registers stand for, bit for bit the same in all of them. A scan keeps, beside the totals of
 * growing runs, each register's running result within its run.
 */
final class Combining {
  /** Joins the results of two runs, of which the left precedes the right. */
  interface Function {
    List<LlvmValue> join(List<LlvmValue> left, List<LlvmValue> right);
  }

  private final FunctionLowering f;
  private final LlvmBuilder b;
  private final LayoutView view;
  private final CombinePlan plan;
  private final LlvmValue scratch;
  private final List<Integer> widths;
  private int exchanges;

  Combining(FunctionLowering f, LayoutView view, CombinePlan plan, LlvmValue scratch, List<Integer> widths) {
    this.f = f;
    this.b = f.b();
    this.view = view;
    this.plan = plan;
    this.scratch = scratch;
    this.widths = widths;
  }

  /** The total of every register, from each register's own tuple. */
  List<List<LlvmValue>> reduce(List<List<LlvmValue>> start, Function function, boolean ordered) {
    List<List<LlvmValue>> totals = firsts(start);
    int joined = 0;
    for (CombinePlan.Step step : plan.steps()) {
      switch (step) {
        case CombinePlan.Registers s -> {
          joined |= 1 << s.bit();
          joinRegisters(totals, s.bit(), function);
        }
        case CombinePlan.Lanes s -> {
          LlvmValue isRight = ordered ? f.thread().laneBit(s.bit()) : LlvmValue.i1(false);
          update(totals, mine -> {
            List<LlvmValue> other = shuffle(mine, 1 << s.bit());
            return function.join(select(isRight, other, mine), select(isRight, mine, other));
          });
        }
        case CombinePlan.Warps s -> {
          List<List<List<LlvmValue>>> all = exchange(totals, s);
          for (int r = 0; r < totals.size(); r++) {
            totals.set(r, totals.get(r) == null ? null : tree(all.get(r), function));
          }
        }
      }
    }
    return spread(totals, joined);
  }

  /**
   * Each register's running result. {@code first}: what a register starts from, its own tuple or (exclusive) a neutral.
   */
  List<List<LlvmValue>> scan(
      List<List<LlvmValue>> start, List<List<LlvmValue>> first, Function function, boolean reverse) {
    Function join = reverse ? (l, r) -> function.join(r, l) : function;
    List<List<LlvmValue>> totals = firsts(start);
    List<List<LlvmValue>> running = firsts(first);
    int joined = 0;
    for (CombinePlan.Step step : plan.steps()) {
      switch (step) {
        case CombinePlan.Registers s -> {
          scanRegisters(totals, running, joined, 1 << s.bit(), join, reverse);
          joined |= 1 << s.bit();
        }
        case CombinePlan.Lanes s -> {
          LlvmValue bit = f.thread().laneBit(s.bit());
          scanLanes(totals, running, joined, 1 << s.bit(), join, reverse ? b.not(bit) : bit);
        }
        case CombinePlan.Warps s -> scanWarps(totals, running, joined, s, join, reverse);
      }
    }
    return spread(running, 0);
  }

  // State: one tuple for each register that is no duplicate and, in totals, has no joined bit.

  private List<List<LlvmValue>> firsts(List<List<LlvmValue>> start) {
    List<List<LlvmValue>> state = new ArrayList<>();
    for (int r = 0; r < start.size(); r++) {
      state.add(view.isFirst(r) ? start.get(r) : null);
    }
    return state;
  }

  private List<List<LlvmValue>> spread(List<List<LlvmValue>> state, int joined) {
    List<List<LlvmValue>> all = new ArrayList<>();
    for (int r = 0; r < state.size(); r++) {
      all.add(state.get(view.twin(r) & ~joined));
    }
    return all;
  }

  private interface Change {
    List<LlvmValue> of(List<LlvmValue> tuple);
  }

  private static void update(List<List<LlvmValue>> state, Change change) {
    state.replaceAll(t -> t == null ? null : change.of(t));
  }

  private void joinRegisters(List<List<LlvmValue>> totals, int bit, Function function) {
    for (int r = 0; r < totals.size(); r++) {
      if (totals.get(r) != null && (r >> bit & 1) == 0) {
        totals.set(r, function.join(totals.get(r), totals.get(r | 1 << bit)));
        totals.set(r | 1 << bit, null);
      }
    }
  }

  private void scanRegisters(List<List<LlvmValue>> totals, List<List<LlvmValue>> running, int joined, int bit,
      Function join, boolean reverse) {
    int late = reverse ? 0 : bit;
    for (int r = 0; r < running.size(); r++) {
      if (running.get(r) != null && (r & bit) == late) {
        List<LlvmValue> before = totals.get(r & ~joined & ~bit | bit ^ late);
        running.set(r, join.join(before, running.get(r)));
      }
    }
    for (int r = 0; r < totals.size(); r++) {
      if (totals.get(r) != null && (r & bit) == 0) {
        totals.set(r, join.join(totals.get(r | bit ^ late), totals.get(r | late)));
        totals.set(r | bit, null);
      }
    }
  }

  private void scanLanes(List<List<LlvmValue>> totals, List<List<LlvmValue>> running, int joined, int mask,
      Function join, LlvmValue isLate) {
    List<List<LlvmValue>> others = new ArrayList<>();
    for (List<LlvmValue> total : totals) {
      others.add(total == null ? null : shuffle(total, mask));
    }
    for (int r = 0; r < running.size(); r++) {
      if (running.get(r) != null) {
        List<LlvmValue> longer = join.join(others.get(r & ~joined), running.get(r));
        running.set(r, select(isLate, longer, running.get(r)));
      }
    }
    for (int r = 0; r < totals.size(); r++) {
      if (totals.get(r) != null) {
        List<LlvmValue> mine = totals.get(r);
        List<LlvmValue> other = others.get(r);
        totals.set(r, join.join(select(isLate, other, mine), select(isLate, mine, other)));
      }
    }
  }

  private void scanWarps(List<List<LlvmValue>> totals, List<List<LlvmValue>> running, int joined,
      CombinePlan.Warps step, Function join, boolean reverse) {
    int count = present(step);
    LlvmValue own = groupNumber(step);
    List<List<List<LlvmValue>>> all = exchange(totals, step);
    List<List<LlvmValue>> before = new ArrayList<>();
    for (int r = 0; r < totals.size(); r++) {
      if (totals.get(r) == null) {
        before.add(null);
        continue;
      }
      List<LlvmValue> sum = all.get(r).get(reverse ? count - 1 : 0);
      List<LlvmValue> mine = sum;
      for (int k = 1; k < count; k++) {
        int at = reverse ? count - 1 - k : k;
        mine = select(b.icmp(Compare.EQ, own, LlvmValue.i32(at)), sum, mine);
        sum = join.join(sum, all.get(r).get(at));
      }
      before.add(mine);
      totals.set(r, sum);
    }
    LlvmValue hasBefore = b.icmp(Compare.NE, own, LlvmValue.i32(reverse ? count - 1 : 0));
    for (int r = 0; r < running.size(); r++) {
      if (running.get(r) != null) {
        List<LlvmValue> longer = join.join(before.get(r & ~joined), running.get(r));
        running.set(r, select(hasBefore, longer, running.get(r)));
      }
    }
  }

  /**
   * How many of the warps that meet there are. Those that a layout has beyond the team come last: which group of warps
   * it is chooses the highest part of a coordinate, or nothing.
   */
  private int present(CombinePlan.Warps step) {
    WarpTeam team = new WarpTeam(f.team().warps());
    int groupBits = team.bits() - Integer.numberOfTrailingZeros(team.inner());
    boolean acrossGroups = groupBits > 0 && step.bits().getLast() == team.bits() - 1;
    return acrossGroups ? team.groups() << step.bits().size() - groupBits : 1 << step.bits().size();
  }

  /** Which of the warps that meet this thread's is (i32). */
  private LlvmValue groupNumber(CombinePlan.Warps step) {
    Long[] columns = new Long[view.layout().bits(InDim.WARP)];
    Arrays.fill(columns, 0L);
    for (int i = 0; i < step.bits().size(); i++) {
      columns[step.bits().get(i)] = 1L << i;
    }
    return f.thread().linear(List.of(), List.of(columns));
  }

  private List<LlvmValue> tree(List<List<LlvmValue>> all, Function function) {
    List<List<LlvmValue>> level = all;
    while (level.size() > 1) {
      List<List<LlvmValue>> next = new ArrayList<>();
      for (int i = 0; i < level.size(); i += 2) {
        next.add(i + 1 < level.size() ? function.join(level.get(i), level.get(i + 1)) : level.get(i));
      }
      level = next;
    }
    return level.get(0);
  }

  // Between threads.

  private List<LlvmValue> select(LlvmValue condition, List<LlvmValue> yes, List<LlvmValue> no) {
    List<LlvmValue> chosen = new ArrayList<>();
    for (int i = 0; i < yes.size(); i++) {
      chosen.add(b.select(condition, yes.get(i), no.get(i)));
    }
    return chosen;
  }

  private List<LlvmValue> shuffle(List<LlvmValue> tuple, int mask) {
    List<LlvmValue> other = new ArrayList<>();
    for (LlvmValue x : tuple) {
      List<LlvmValue> words = new ArrayList<>();
      for (LlvmValue word : Packing.words(b, x)) {
        words.add(f.target().shuffleXor(b, word, mask));
      }
      other.add(Packing.fromWords(b, words, x.type()));
    }
    return other;
  }

  /** For each register of the state the partial results of all warps that meet, in order. */
  private List<List<List<LlvmValue>>> exchange(List<List<LlvmValue>> totals, CombinePlan.Warps step) {
    if (exchanges++ > 0) {
      f.barrier(0);
    }
    for (int r = 0; r < totals.size(); r++) {
      if (totals.get(r) != null) {
        for (int c = 0; c < totals.get(r).size(); c++) {
          LlvmValue x = totals.get(r).get(c);
          LlvmValue stored = x.type().equals(LlvmType.I1) ? b.zext(x, LlvmType.I8) : x;
          b.store(stored, place(step, r, c, stored.type(), -1), stored.type().bits() / 8);
        }
      }
    }
    f.barrier(0);
    List<List<List<LlvmValue>>> all = new ArrayList<>();
    for (List<LlvmValue> total : totals) {
      int r = all.size();
      all.add(total == null ? null : read(step, r, total));
    }
    return all;
  }

  private List<List<LlvmValue>> read(CombinePlan.Warps step, int register, List<LlvmValue> like) {
    List<List<LlvmValue>> all = new ArrayList<>();
    for (int k = 0; k < present(step); k++) {
      List<LlvmValue> tuple = new ArrayList<>();
      for (int c = 0; c < like.size(); c++) {
        LlvmType type = like.get(c).type();
        LlvmType stored = type.equals(LlvmType.I1) ? LlvmType.I8 : type;
        LlvmValue x = b.load(stored, place(step, register, c, stored, k), stored.bits() / 8);
        tuple.add(type.equals(LlvmType.I1) ? b.trunc(x, LlvmType.I1) : x);
      }
      all.add(tuple);
    }
    return all;
  }

  /** The address of a component of a register's place; of warp {@code number} of the group, or (−1) of this warp. */
  private LlvmValue place(CombinePlan.Warps step, int register, int component, LlvmType type, int number) {
    Gf2 map = step.place();
    int registers = view.layout().bits(InDim.REGISTER);
    int lanes = view.layout().bits(InDim.LANE);
    long groupMask = (long) ((1 << step.bits().size()) - 1) << (map.rows() - step.bits().size());
    long keep = number < 0 ? -1 : ~groupMask;
    List<Long> laneColumns = kept(map, registers, registers + lanes, keep);
    List<Long> warpColumns = kept(map, registers + lanes, map.columnCount(), keep);
    long constant = map.apply(register) & keep;
    if (number >= 0) {
      constant |= (long) number << (map.rows() - step.bits().size());
    }
    long moved = BitLinear.reach(laneColumns) | BitLinear.reach(warpColumns);
    LlvmValue thread = b.xor(f.thread().linear(laneColumns, warpColumns), LlvmValue.i32(constant & moved));
    long offset = ScratchBytes.offset(step.elements(), widths, component);
    LlvmValue area = b.gep(LlvmType.I8, scratch, LlvmValue.i32(offset));
    return b.gep(type, b.gep(type, area, thread), LlvmValue.i32(constant & ~moved));
  }

  private static List<Long> kept(Gf2 map, int from, int to, long keep) {
    return SharedPlaces.columns(map, from, to).stream().map(c -> c & keep).toList();
  }
}
