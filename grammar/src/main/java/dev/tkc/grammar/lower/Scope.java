package dev.tkc.grammar.lower;

import dev.tkc.ir.diag.Span;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** The names of a block, and of the blocks around it up to the function. A {@code let} may shadow, in one block too. */
final class Scope {

  /** What a name stands for. A {@code var}'s value changes as statements are lowered; its type never does. */
  static final class Entry {
    private final String name;
    private final Span declared;
    private final boolean variable;
    private Val val;

    Entry(String name, Val val, boolean variable, Span declared) {
      this.name = name;
      this.val = val;
      this.variable = variable;
      this.declared = declared;
    }

    String name() {
      return name;
    }

    Val val() {
      return val;
    }

    void set(Val v) {
      this.val = v;
    }

    boolean isVariable() {
      return variable;
    }

    /** Where it was declared; null for what the program did not name. */
    Span declared() {
      return declared;
    }
  }

  private final Scope outer;
  private final Map<String, Entry> entries = new LinkedHashMap<>();

  Scope(Scope outer) {
    this.outer = outer;
  }

  Entry find(String name) {
    for (Scope s = this; s != null; s = s.outer) {
      Entry e = s.entries.get(name);
      if (e != null) {
        return e;
      }
    }
    return null;
  }

  void let(String name, Val val, Span declared) {
    entries.put(name, new Entry(name, val, false, declared));
  }

  void var(String name, Val val, Span declared) {
    entries.put(name, new Entry(name, val, true, declared));
  }

  boolean hasHere(String name) {
    return entries.containsKey(name);
  }

  /** Every name that can be seen from here, for suggestions. */
  Collection<String> names() {
    Set<String> all = new LinkedHashSet<>();
    for (Scope s = this; s != null; s = s.outer) {
      all.addAll(s.entries.keySet());
    }
    return all;
  }
}
