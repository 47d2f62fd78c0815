package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The shared memory of one block: its buffers, and its asynchronous copies, those not yet in a group and the groups under way,
 * oldest first.
 */
final class Copies {
  /** A copy that has read its tile and not yet written it. */
  record Pending(Inst inst, SharedSlots buffer, int stage, Tile tile) {
    void land() {
      buffer.slots[stage] = tile;
      buffer.inFlight[stage]--;
      buffer.writtenSinceBarrier[stage] = true;
    }
  }

  private final List<SharedSlots> buffers = new ArrayList<>();
  private List<Pending> open = new ArrayList<>();
  private final Deque<List<Pending>> groups = new ArrayDeque<>();

  void allocated(SharedSlots buffer) {
    buffers.add(buffer);
  }

  /** Every thread has done the accesses so far. A copy under way is no access yet. */
  void barrier() {
    SharedEval.ordered(buffers);
  }

  void start(Pending copy) {
    copy.buffer.inFlight[copy.stage]++;
    open.add(copy);
  }

  void commit() {
    groups.addLast(open);
    open = new ArrayList<>();
  }

  /** Lands the oldest groups until at most {@code pending} are under way. */
  void await(int pending) {
    while (groups.size() > pending) {
      groups.removeFirst().forEach(Pending::land);
    }
  }
}
