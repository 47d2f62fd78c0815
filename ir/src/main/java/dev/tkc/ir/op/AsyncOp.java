package dev.tkc.ir.op;

import dev.tkc.ir.Value;
import dev.tkc.ir.op.MatrixOp.Precision;
import dev.tkc.ir.type.Element;
import java.util.List;
import java.util.Optional;

/**
 * What runs beside the warps that started it: bulk copies by a copy engine, matrix products that read shared memory,
 * and the barriers that say when they are done. Staged and placed levels only.
 *
 * <p>A <em>team</em> is all warps that run a region together: those of a {@code role}, or the whole block outside
 * roles. An op here is executed by the whole team together, unless it says otherwise.
 *
 * <p>A <em>transaction barrier</em> (PTX ISA 9.7.13.15, {@code mbarrier}) has phases 0, 1, …. A phase completes when as
 * many arrivals have happened in it as the barrier was made with, and all bytes expected in it have been copied; the
 * next one begins at once. A wait names the parity of a phase, so nobody may be more than one phase behind.
 *
 * <p>Shared memory has two <em>proxies</em>: ordinary accesses go through one, bulk copies and asynchronous dots
 * through the other. What was written through the ordinary one is visible to the other after a {@code proxy_fence} by
 * the threads that wrote, followed by a barrier.
 */
public sealed interface AsyncOp extends Op {
  /** How many groups of warps share a barrier's wait or arrival, each at a slot of its own. */
  String EACH = "each";

  /**
   * {@code slots} transaction barriers of so many arrivals each, in phase 0. Outside roles; a {@code barrier} must
   * follow.
   */
  record BarrierAlloc(int slots, int arrivals, String name) implements AsyncOp {}

  /**
   * One arrival, by one thread of the team; the phase completes only after {@code bytes} bytes more have been copied.
   */
  record BarrierExpect(Value barrier, Value slot, long bytes) implements AsyncOp {}

  /**
   * One arrival by each warp of the team, when all its threads are here; none where the bool scalar {@code condition}
   * is false. What the warp read or wrote before is done for whoever waits for the phase. With the annotation
   * {@code each} the team's warps are so many groups, and group n arrives at slot {@code slot + n}.
   */
  record BarrierArrive(Value barrier, Value slot, Optional<Value> condition) implements AsyncOp {}

  /**
   * Waits until the phase of this parity (i32 or i64, 0 or 1) has completed: returns at once if the current phase has
   * the other parity. A fresh barrier lets a wait for parity 1 through. With the annotation {@code each} the team's
   * warps are so many groups, and group n waits at slot {@code slot + n}.
   */
  record BarrierWait(Value barrier, Value slot, Value parity) implements AsyncOp {}

  /**
   * Starts copying the tile that the {@code load} of the same operands would read into slot {@code stage} of the
   * buffer; lanes outside the tensor give 0, and all lanes of the ranges count as valid. Its bytes (those of the whole
   * slot) arrive at the barrier. Started by one thread of the team. {@code map} describes the tensor to the copy
   * engine; until there is one, the tensor itself does.
   */
  record CopyBulk(
      Value tensor, List<Value> indices, Optional<Value> map, Value buffer, Value stage, Value barrier, Value slot)
      implements AsyncOp {
    public CopyBulk {
      indices = List.copyOf(indices);
    }
  }

  /**
   * Asks the cache to read what a {@code copy_bulk} of the same operands would, so that such a copy has it sooner. No
   * access: it may stand where memory is not to be touched yet, and changes nothing. Started by one thread of the team.
   * {@code buffer} says what a slot looks like and is left alone.
   */
  record PrefetchBulk(Value tensor, List<Value> indices, Optional<Value> map, Value buffer) implements AsyncOp {
    public PrefetchBulk {
      indices = List.copyOf(indices);
    }
  }

  /**
   * Starts writing a slot to where the {@code store} of the same operands would; lanes outside the tensor are dropped.
   * Started by one thread of the team. The slot may be written again after a {@code store_wait}, and a barrier for the
   * others.
   */
  record StoreBulk(Value tensor, List<Value> indices, Optional<Value> map, Value buffer, Value stage)
      implements AsyncOp {
    public StoreBulk {
      indices = List.copyOf(indices);
    }
  }

  /** Closes the group of the bulk stores that this team started since the last one. */
  record StoreCommit() implements AsyncOp {}

  /**
   * The thread that starts bulk stores waits until at most {@code pending} of the youngest groups are under way: still
   * reading shared memory if {@code read}, else still writing global memory.
   */
  record StoreWait(int pending, boolean read) implements AsyncOp {}

  /** What this thread wrote to shared memory before is visible to copies and dots that start after the next barrier. */
  record ProxyFence() implements AsyncOp {}

  /**
   * The number (i64) of the tile that this block goes on with: each of {@code block_count} … {@code tiles} − 1 is given
   * to one block of the launch, the smaller ones first; when there is none left a block is given {@code tiles} or more,
   * once, and must not draw again. {@code counter} is one of {@code counter}, for this launch alone. Done by one
   * thread, in a role that needs no other.
   */
  record NumberDraw(Value counter, Value tiles) implements AsyncOp {}

  /**
   * Writes a number (i64 below 2^31) to a slot, and arrives once at the barrier; where {@link NumberDraw} may stand.
   * Gives the number as others read it: this is the place to wait for a draw.
   */
  record NumberPost(Value number, Value buffer, Value stage, Value barrier, Value slot) implements AsyncOp {}

  /** The number (i64) in a slot, read by each thread of the team; the same for all. */
  record NumberRead(Value buffer, Value stage) implements AsyncOp {}

  /**
   * The block of {@code shape} at {@code offsets} of a slot, its dimensions in {@code order}, where it is: an operand
   * for {@code dot_async}. Reads nothing.
   */
  record SharedView(Value buffer, Value stage, List<Integer> offsets, List<Integer> shape, List<Integer> order)
      implements AsyncOp {
    public SharedView {
      offsets = List.copyOf(offsets);
      shape = List.copyOf(shape);
      order = List.copyOf(order);
    }
  }

  /** A tile that nobody may read: what an accumulator is before its first product. */
  record Undefined(Element element, List<Integer> shape) implements AsyncOp {
    public Undefined {
      shape = List.copyOf(shape);
    }
  }

  /**
   * The groups of four warps of the team take turns in a circle, the first group first: a group goes on from its nth
   * {@code turn_take} when the group before it has come to its nth {@code turn_pass}, the first group when the last one
   * has come to its turn before. Orders nothing but the groups' progress. Each take is followed by its pass in the same
   * region, and nothing between them is waited for by another group, or the circle stands still.
   */
  record TurnTake() implements AsyncOp {}

  /** The next group's turn. */
  record TurnPass() implements AsyncOp {}

  /** What was written to registers that the next {@code dot_async} reads or adds to is there for it. */
  record DotFence() implements AsyncOp {}

  /**
   * Starts {@code acc + a @ b}, or {@code a @ b} where the bool scalar {@code keep} is given and false. {@code b} is a
   * view of shared memory, {@code a} one or a tile in registers. The result may be used by further asynchronous dots as
   * their accumulator and carried by loops, and by all else only after a {@code dot_wait} that covers its group; until
   * then neither the views' memory nor a register operand may change.
   */
  record DotAsync(Value a, Value b, Value acc, Optional<Value> keep, Precision precision) implements AsyncOp {}

  /** Closes the group of the dots started since the last one. */
  record DotCommit() implements AsyncOp {}

  /** Waits until at most {@code pending} of the youngest groups are under way. Gives the values, now finished. */
  record DotWait(int pending, List<Value> values) implements AsyncOp {
    public DotWait {
      values = List.copyOf(values);
    }
  }
}
