package dev.tkc.tests.emulator;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * The transaction barriers of a block, and the bulk copies that are on their way to shared memory. A copy lands only
 * when no warp can go on without it: as late as synchronisation allows.
 */
final class TransactionBarriers {
  private static final class Barrier {
    private final int arrivals;
    private int missing;
    private long bytes;
    private long phase;

    Barrier(int arrivals) {
      this.arrivals = arrivals;
      this.missing = arrivals;
    }
  }

  private record Flight(Runnable landing, long barrier, long bytes) {}

  private final SharedMemory shared;
  private final Map<Long, Barrier> barriers = new HashMap<>();
  private final Deque<Flight> flights = new ArrayDeque<>();

  TransactionBarriers(SharedMemory shared) {
    this.shared = shared;
  }

  void init(long address, int arrivals) {
    if (address % 8 != 0 || arrivals < 1) {
      throw new PtxFault("a transaction barrier at " + address + " of " + arrivals + " arrivals");
    }
    barriers.put(address, new Barrier(arrivals));
  }

  private Barrier at(long address) {
    Barrier found = barriers.get(address);
    if (found == null) {
      throw new PtxFault("no transaction barrier has been made at " + address);
    }
    return found;
  }

  void arrive(long address) {
    Barrier b = at(address);
    b.missing--;
    turn(b, address);
  }

  void expect(long address, long bytes) {
    Barrier b = at(address);
    b.bytes += bytes;
    b.missing--;
    turn(b, address);
  }

  private void turn(Barrier b, long address) {
    if (b.missing < 0) {
      throw new PtxFault("more arrivals at the transaction barrier at " + address + " than its " + b.arrivals);
    }
    if (b.missing == 0 && b.bytes == 0) {
      b.phase++;
      b.missing = b.arrivals;
      shared.nextEpoch();
    }
  }

  /** Whether the phase of this parity has completed. */
  boolean isOver(long address, long parity) {
    return (at(address).phase & 1) != parity;
  }

  /** A copy sets out whose bytes will arrive at the barrier. */
  void depart(Runnable landing, long barrier, long bytes) {
    at(barrier);
    flights.add(new Flight(landing, barrier, bytes));
  }

  /** Lets the oldest copy land; false if there is none. */
  boolean land() {
    Flight f = flights.poll();
    if (f == null) {
      return false;
    }
    f.landing.run();
    Barrier b = at(f.barrier);
    b.bytes -= f.bytes;
    turn(b, f.barrier);
    return true;
  }

  boolean isQuiet() {
    return flights.isEmpty();
  }
}
