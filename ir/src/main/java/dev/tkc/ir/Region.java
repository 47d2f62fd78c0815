package dev.tkc.ir;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * A straight-line list of instructions with parameters, ending in a {@code yield}. Control flow is structured, so a
 * region needs no blocks; loops and branches are instructions that hold regions.
 */
public final class Region {
  private final List<Value> params;
  private final List<Inst> insts = new ArrayList<>();

  public Region(List<Value> params) {
    this.params = new ArrayList<>(params);
  }

  public Region() {
    this(List.of());
  }

  /** Mutable: a loop that gains a carried value gains a parameter. */
  public List<Value> params() {
    return params;
  }

  /** Mutable, in execution order; the last is the terminator. */
  public List<Inst> insts() {
    return insts;
  }

  public Inst terminator() {
    return insts.get(insts.size() - 1);
  }

  /** Visits every instruction in here and in nested regions, outer before inner, in order. */
  public void walk(Consumer<Inst> visit) {
    for (Inst inst : List.copyOf(insts)) {
      visit.accept(inst);
      for (Region r : inst.regions()) {
        r.walk(visit);
      }
    }
  }

  /** Whether any instruction in here or in nested regions is such a one. */
  public boolean anyMatch(Predicate<Inst> wanted) {
    for (Inst inst : insts) {
      if (wanted.test(inst) || inst.anyInside(wanted)) {
        return true;
      }
    }
    return false;
  }

  /** Replaces every use of the keys, here and in nested regions. */
  public void replaceUses(Map<Value, Value> map) {
    if (map.isEmpty()) {
      return;
    }
    walk(inst -> inst.mapOperands(map));
  }
}
