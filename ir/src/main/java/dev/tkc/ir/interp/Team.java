package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The warps that run a region together: those of a role, or a block's. They are executed as one, but what one of them
 * did is known to the others only after a {@code barrier}: {@link #all} is what each of them knows, {@link #elected}
 * what the thread knows that starts copies. A barrier marked {@code own} is met by those alone that work on the same
 * rows, so that each knows more of its {@link #own} rows than of the others'.
 *
 * <p>Four parts of the clocks are the team's own. {@link #work} counts its ordinary accesses to shared memory,
 * {@link #fenced} says up to which of them its proxy fences reach, {@link #dots} and {@link #stores} count its groups
 * of products, and of bulk stores that have read their slots.
 */
final class Team {
  /** A bulk store under way: its slot is read as late as a wait allows, and memory is written later still. */
  static final class Storing {
    final Inst inst;
    final Footprint footprint;
    final SharedSlots buffer;
    final int stage;
    Tile read;

    Storing(Inst inst, Footprint footprint, SharedSlots buffer, int stage) {
      this.inst = inst;
      this.footprint = footprint;
      this.buffer = buffer;
      this.stage = stage;
    }
  }

  final String name;
  final int warps;
  final int work;
  final int fenced;
  final int dots;
  final int stores;
  final Clock all;
  final Clock elected;
  private final Clock own;
  /** Bulk copies and stores, products and what waits for them: groups that are closed, and what the open one holds. */
  final Groups<Storing> storing = new Groups<>();
  final Groups<Product> products = new Groups<>();
  final Groups<ThreadCopy> copies = new Groups<>();
  /** Bulk stores that have read their slot and not yet written. */
  final List<Storing> writing = new ArrayList<>();
  /** When the last {@code dot_fence} was, by the block's count of tiles; −1 without one. */
  long dotFence = -1;
  /** The last number that the team drew. */
  long drawn = -1;
  private long now;
  private long fencedNow;
  private long dotsNow;

  Team(String name, int warps, BlockState block, Clock known) {
    this.name = name;
    this.warps = warps;
    this.work = block.part();
    this.fenced = block.part();
    this.dots = block.part();
    this.stores = block.part();
    this.all = new Clock(known);
    this.elected = new Clock(known);
    this.own = new Clock(known);
  }

  /** An access by the threads, which the team's other threads know after a barrier. */
  Access ordinary(Inst inst) {
    return new Access(Access.Kind.ORDINARY, this, inst, work, ++now);
  }

  /** An access by the one thread that there is, which knows what it did. */
  Access alone(Inst inst) {
    Access access = ordinary(inst);
    elected.raise(work, now);
    return access;
  }

  void proxyFence() {
    fencedNow = now;
  }

  /** So many groups of products are done, as far as each thread is concerned. */
  void dotsDone(long groups) {
    dotsNow = groups;
  }

  void barrier() {
    raiseOwn(elected);
    all.join(elected);
  }

  /** A barrier of those that work on the same rows. */
  void ownBarrier() {
    raiseOwn(own);
  }

  /** What each of the warps knows of rows of its own. */
  Clock own() {
    own.join(all);
    return own;
  }

  /** What others know from the arrival of all warps. */
  Clock arrival() {
    Clock c = new Clock(elected);
    raiseOwn(c);
    return c;
  }

  private void raiseOwn(Clock c) {
    c.raise(work, now);
    c.raise(fenced, fencedNow);
    c.raise(dots, dotsNow);
  }

  /** All threads see what a barrier's phase published. */
  void learn(Clock published) {
    all.join(published);
    elected.join(published);
  }

  /** Work in groups, which waits cover from the oldest on. */
  static final class Groups<T> {
    private List<T> open = new ArrayList<>();
    private final Deque<List<T>> closed = new ArrayDeque<>();
    private long done;

    /** The number of the group that is open; the first is 1. */
    long add(T item) {
      open.add(item);
      return done + closed.size() + 1;
    }

    void commit() {
      closed.addLast(open);
      open = new ArrayList<>();
    }

    /** Takes out what the groups hold beyond the youngest {@code pending}, oldest first. */
    List<T> await(int pending) {
      List<T> out = new ArrayList<>();
      while (closed.size() > pending) {
        out.addAll(closed.removeFirst());
        done++;
      }
      return out;
    }

    /** How many groups are done. */
    long done() {
      return done;
    }

    /** What no wait has covered. */
    List<T> rest() {
      List<T> out = new ArrayList<>();
      closed.forEach(out::addAll);
      out.addAll(open);
      return out;
    }
  }
}
