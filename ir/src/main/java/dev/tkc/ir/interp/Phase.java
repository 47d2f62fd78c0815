package dev.tkc.ir.interp;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * One phase: every block of a {@code parallel} nest, or of a launch.
 *
 * <p>Blocks may be spread over threads, since nothing they compute depends on their order: unless accesses are checked,
 * or the phase has atomic updates (float sums depend on their order), draws numbers (who is given which follows from
 * the seed), asks who is last or writes 4-bit elements (two of which share a byte). Each thread walks the whole nest
 * and executes the blocks whose numbers it claims, so bounds are evaluated without coordination. If blocks fail, the
 * failure of the first one in order is reported, whatever the threads did.
 */
final class Phase {
  private final Machine machine;
  private final Inst inst;
  private final AtomicLong next = new AtomicLong();
  private final AtomicLong lastNeeded = new AtomicLong(Long.MAX_VALUE);
  private Throwable failure;

  Phase(Machine machine, Inst inst) {
    this.machine = machine;
    this.inst = inst;
  }

  void parallel(ControlOp.Parallel nest, Frame frame) {
    begin(names(nest));
    spread(canSpread(nest.body()), walk -> walk.nest(nest, frame.inner(), List.of()));
    machine.arrivals().ended();
  }

  void launch(Func callee, long grid, List<Datum> arguments) {
    begin(List.of("block_id"));
    Draws draws = new Draws(grid);
    spread(grid > 1 && canSpread(callee.body()), walk -> {
      for (long id = 0; id < grid && walk.goesOn(); id++) {
        if (walk.claims()) {
          try (Frame frame = Frame.ofBlock(machine.budget(), id, grid, new BlockState(machine, callee, id, draws))) {
            Machine.bind(callee, arguments, frame);
            walk.block(callee.body(), frame, List.of(id));
            frame.block().state().ended();
          }
        }
      }
    });
    draws.ended();
    machine.arrivals().ended();
  }

  private void begin(List<String> names) {
    if (machine.checker() != null) {
      machine.checker().beginPhase(names);
    }
  }

  private static List<String> names(ControlOp.Parallel nest) {
    List<String> out = new ArrayList<>();
    for (ControlOp.Parallel p = nest; p != null; p = inner(p.body())) {
      String name = p.body().params().get(0).name();
      out.add(name.isEmpty() ? "dimension " + out.size() : name);
    }
    return out;
  }

  /** The {@code parallel} that a region ends in, or null. */
  private static ControlOp.Parallel inner(Region body) {
    int n = body.insts().size();
    return n >= 2 && body.insts().get(n - 2).op() instanceof ControlOp.Parallel p ? p : null;
  }

  private boolean canSpread(Region body) {
    if (machine.checker() != null || machine.options().threads() < 2) {
      return false;
    }
    return !body.anyMatch(i -> i.op() instanceof MemoryOp.Store s && s.value().tile().element().bits() < 8
        || i.op() instanceof MemoryOp.Atomic || i.op() instanceof AsyncOp.NumberDraw
        || i.op() instanceof MemoryOp.LastArrival);
  }

  private void spread(boolean many, Consumer<Walk> work) {
    List<Thread> others = new ArrayList<>();
    for (int t = 1; many && t < machine.options().threads(); t++) {
      others.add(Thread.ofPlatform().name("tkc-block-" + t).daemon().start(() -> attempt(work, true)));
    }
    attempt(work, many);
    boolean interrupted = false;
    for (Thread other : others) {
      interrupted |= join(other);
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    switch (failure) {
      case null -> { }
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      default -> throw new IllegalStateException(failure);
    }
  }

  /** Waits for the end of a thread, which an interruption hastens; says whether there was one. */
  private boolean join(Thread other) {
    boolean interrupted = false;
    while (true) {
      try {
        other.join();
        return interrupted;
      } catch (InterruptedException e) {
        interrupted = true;
        machine.budget().cancel();
      }
    }
  }

  private void attempt(Consumer<Walk> work, boolean shared) {
    Walk walk = new Walk(shared);
    try {
      work.accept(walk);
    } catch (RuntimeException | Error e) {
      synchronized (this) {
        if (walk.number <= lastNeeded.get() || failure == null) {
          failure = e;
          lastNeeded.set(walk.number);
        }
      }
    }
  }

  /** One thread's way through all blocks of the phase. */
  private final class Walk {
    private final boolean shared;
    private long number = -1;
    private long claimed = -1;

    Walk(boolean shared) {
      this.shared = shared;
    }

    /** Moves on to the next block and says whether it is for this thread. */
    boolean claims() {
      number++;
      if (!shared) {
        return true;
      }
      while (claimed < number) {
        claimed = next.getAndIncrement();
      }
      return claimed == number && number <= lastNeeded.get();
    }

    boolean goesOn() {
      return number < lastNeeded.get();
    }

    void nest(ControlOp.Parallel nest, Frame frame, List<Long> outer) {
      long lo = frame.integer(nest.lo());
      long rounds = Loop.rounds(lo, frame.integer(nest.hi()), nest.step());
      Region body = nest.body();
      Value position = body.params().get(0);
      ControlOp.Parallel inner = inner(body);
      for (long i = 0; i < rounds && goesOn(); i++) {
        List<Long> at = new ArrayList<>(outer);
        at.add(lo + i * nest.step());
        if (inner == null && !claims()) {
          continue;
        }
        try (Frame here = frame.inner()) {
          here.put(position, Tile.integer(at.getLast()));
          if (inner == null) {
            block(body, here, at);
          } else {
            body.insts().subList(0, body.insts().size() - 2).forEach(x -> machine.evaluate(x, here));
            nest(inner, here, at);
          }
        }
      }
    }

    void block(Region body, Frame frame, List<Long> at) {
      machine.budget().step(inst);
      if (machine.checker() != null) {
        machine.checker().beginBlock(at.stream().mapToLong(Long::longValue).toArray());
      }
      machine.evaluate(body, frame);
    }
  }
}
