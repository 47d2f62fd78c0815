package dev.tkc.ir.interp;

import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What the teams of one block share: its buffers in shared memory, the copies under way, and the parts of its clocks.
 * All its choices follow from the seed and the block's number.
 *
 * <p>A bulk copy lands when somebody waits for it and nobody else can go on, or, with most seeds, now and then before.
 */
final class BlockState {
  final Team team;
  final Hazards hazards = new Hazards(this);
  final SplittableRandom random;
  /** Bulk copies under way. */
  final List<BulkCopy> landing = new ArrayList<>();
  /** What the blocks of the launch draw from. */
  final Draws draws;
  private final Machine machine;
  private final List<SharedSlots> buffers = new ArrayList<>();
  private final List<Long> offsets = new ArrayList<>();
  private final int eagerness;
  private boolean roles;
  private int parts;
  private long tiles;

  BlockState(Machine machine, Func func, long id, Draws draws) {
    this.machine = machine;
    this.draws = draws;
    long seed = machine.options().seed();
    this.random = new SplittableRandom(seed * 0x9e3779b97f4a7c15L + id);
    this.eagerness = seed == 0 ? 0 : random.nextInt(3);
    this.team = new Team("the block", (int) func.annotation("warps", 1), this, new Clock());
  }

  Module module() {
    return machine.module();
  }

  /** A new part of this block's clocks. */
  int part() {
    return parts++;
  }

  /** Counts the tiles that are written to registers. */
  long nextTile() {
    return ++tiles;
  }

  long tiles() {
    return tiles;
  }

  Fault fault(Code code, String message) {
    return Fault.of(module(), code, message);
  }

  /** A new buffer; at {@code offset} bytes if that is not negative, where other buffers may lie too. */
  void allocated(SharedSlots buffer, long offset, long pitch) {
    for (int i = 0; i < buffers.size() && offset >= 0; i++) {
      overlap(buffer, offset, pitch, buffers.get(i), offsets.get(2 * i), offsets.get(2 * i + 1));
    }
    buffers.add(buffer);
    offsets.add(offset);
    offsets.add(pitch);
  }

  private static void overlap(SharedSlots a, long atA, long pitchA, SharedSlots b, long atB, long pitchB) {
    if (atB < 0) {
      return;
    }
    for (int i = 0; i < a.slots.length; i++) {
      for (int j = 0; j < b.slots.length; j++) {
        long x = atA + i * pitchA;
        long y = atB + j * pitchB;
        if (x < y + pitchB && y < x + pitchA) {
          a.slots[i].overlapping.add(b.slots[j]);
          b.slots[j].overlapping.add(a.slots[i]);
        }
      }
    }
  }

  // ------------------------------------------------------------------------------------------------ copies landing

  void land(BulkCopy copy) {
    landing.remove(copy);
    copy.buffer().slots[copy.stage()].tile = machine.memory().read(copy.inst(), copy.footprint(), null);
    copy.barrier().landed(copy);
  }

  /** Perhaps lands a copy that nobody waits for. */
  void landEarly() {
    if (eagerness > 0 && !landing.isEmpty() && random.nextInt(eagerness == 1 ? 16 : 3) == 0) {
      land(landing.get(random.nextInt(landing.size())));
    }
  }

  /** Lands one of the copies that arrive at a barrier that is waited for; false if there is none. */
  boolean landFor(List<Wait> waits) {
    List<BulkCopy> useful = landing.stream()
        .filter(c -> waits.stream().anyMatch(w -> w.slot() == c.barrier())).toList();
    if (useful.isEmpty()) {
      return false;
    }
    land(useful.get(random.nextInt(useful.size())));
    return true;
  }

  // ------------------------------------------------------------------------------------------------ ends

  /** From here on roles do what is to be done. */
  void split() {
    roles = true;
  }

  boolean isSplit() {
    return roles;
  }

  /** Nothing that the team started may be left. */
  void ended(Team t) {
    for (Product p : t.products.rest()) {
      throw fault(Code.LEFT_UNDER_WAY, t.name + " ends with a product in flight").at(p.inst, "started here")
          .help("a `dot_commit` and a `dot_wait` must come before the end").exception();
    }
    for (Team.Storing s : t.storing.rest()) {
      if (s.read == null) {
        throw fault(Code.LEFT_UNDER_WAY, t.name + " ends while a bulk store reads shared memory")
            .at(s.inst, "started here")
            .help("a `store_commit` and a `store_wait {pending = 0, read}` must come before the end").exception();
      }
    }
    machine.async().write(t.storing.rest());
    machine.async().write(t.writing);
    t.writing.clear();
  }

  /** The block ends. */
  void ended() {
    ended(team);
    for (BulkCopy c : landing) {
      throw fault(Code.LEFT_UNDER_WAY, "the block ends while a copy into shared memory is under way")
          .at(c.inst(), "started here")
          .help("somebody must wait for its barrier before the end").exception();
    }
  }
}
