package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;

/**
 * The numbers that the blocks of one launch draw from a counter. Blocks are run one after the other, so which numbers a
 * block would have been given, had the others run beside it, is drawn by lot: any ascending choice of those that are
 * left, and the last block is given the rest. The counter in memory goes up with each draw as a device's does.
 */
final class Draws {
  private final long blocks;
  private final TreeSet<Long> left = new TreeSet<>();
  private final Set<Long> ended = new HashSet<>();
  private Inst drawn;
  private Module module;
  private Buffer counter;
  private long tiles;

  Draws(long blocks) {
    this.blocks = blocks;
  }

  /** The next number for block {@code id}, whose last number was {@code last} (−1 before the first). */
  long draw(Inst inst, BlockState block, long id, long last, Buffer from, long limit) {
    if (drawn == null) {
      begin(inst, block.module(), from, limit);
    }
    if (ended.contains(id) || limit != tiles || from.memory().address() != counter.memory().address()) {
      throw block.fault(Code.NUMBERS_DRAWN,
          ended.contains(id) ? "block " + id + " draws a number after it was given none"
          : "the blocks of a launch draw from different counters").at(inst, "drawn here").exception();
    }
    count();
    long others = blocks - ended.size() - 1;
    SplittableRandom random = block.random;
    for (Iterator<Long> numbers = left.tailSet(last, false).iterator(); numbers.hasNext();) {
      long n = numbers.next();
      if (others == 0 || random.nextLong(others + 1) == 0) {
        numbers.remove();
        return n;
      }
    }
    ended.add(id);
    return tiles + ended.size() - 1;
  }

  private void begin(Inst inst, Module of, Buffer from, long limit) {
    drawn = inst;
    module = of;
    counter = from;
    tiles = limit;
    for (long n = blocks; n < limit; n++) {
      left.add(n);
    }
  }

  private void count() {
    int n = value();
    counter.memory().set(ValueLayout.JAVA_INT, 0, n >= tiles - 1 ? 0 : n + 1);
  }

  private int value() {
    return counter.memory().get(ValueLayout.JAVA_INT, 0);
  }

  /**
   * The launch has ended: every block must have drawn until it was given none, or the next launch finds another counter
   * than 0.
   */
  void ended() {
    if (drawn != null && (value() != 0 || ended.size() < blocks)) {
      throw Fault.of(module, Code.NUMBERS_DRAWN, "a launch leaves its counter at " + value() + ", after "
          + ended.size() + " of " + blocks + " blocks were given no number").at(drawn, "drawn here").exception();
    }
  }
}
