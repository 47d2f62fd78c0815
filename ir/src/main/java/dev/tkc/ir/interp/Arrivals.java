package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.diag.Code;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Who has arrived at which counter of the phase that runs. Blocks are run one after the other where any of them arrives
 * somewhere, so the last one in that order is the last to arrive. The counters in memory go up as a device's do, and
 * back to 0 with the last arrival.
 */
final class Arrivals {
  private final Machine machine;
  private final Map<Place, Group> groups = new LinkedHashMap<>();

  Arrivals(Machine machine) {
    this.machine = machine;
  }

  private record Place(long address, long number) {}

  /** Those that have arrived at one counter since it was 0. */
  private static final class Group {
    final Inst inst;
    final Buffer counters;
    final long expected;
    final List<BitSet> known = new ArrayList<>();
    long arrived;

    Group(Inst inst, Buffer counters, long expected) {
      this.inst = inst;
      this.counters = counters;
      this.expected = expected;
    }
  }

  /** The block that runs arrives; whether it is the last one. */
  boolean arrive(Inst inst, Buffer counters, long number, long expected) {
    if (number < 0 || number >= counters.capacity() || expected < 1) {
      throw Faults.fault(Code.ARRIVALS, inst, "a block arrives at counter " + number + " of " + counters.capacity()
          + ", where " + expected + " are expected");
    }
    Place place = new Place(counters.memory().address(), number);
    Group group = groups.computeIfAbsent(place, _ -> new Group(inst, counters, expected));
    if (group.expected != expected) {
      throw Faults.fault(Code.ARRIVALS, inst, "one block expects " + expected + " arrivals where another expects "
          + group.expected);
    }
    group.arrived++;
    boolean last = group.arrived == expected;
    counters.memory().setAtIndex(ValueLayout.JAVA_INT, number, last ? 0 : (int) group.arrived);
    if (machine.checker() != null) {
      group.known.add(machine.checker().arrived(last ? group.known : List.of()));
    }
    if (last) {
      groups.remove(place);
    }
    return last;
  }

  /** The phase has ended: nobody may be waited for. */
  void ended() {
    for (Map.Entry<Place, Group> e : groups.entrySet()) {
      Group group = e.getValue();
      throw Faults.fault(Code.ARRIVALS, group.inst, "a phase ends when " + group.arrived + " of " + group.expected
          + " blocks have arrived at counter " + e.getKey().number());
    }
  }
}
