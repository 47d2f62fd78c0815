package dev.tkc.ir;

import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.OpShape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * One instruction: an op with identity, results and a place in the source.
 *
 * <p>The op is a plain comparable record; two equal stores are still two instructions. Annotations are decisions that
 * passes leave for later passes ({@code stage = 1}); dropping them never changes the meaning. Their values are
 * {@code Long}, {@code Boolean}, {@code String} or {@code List<Long>}.
 */
public final class Inst {
  private Op op;
  private final List<Value> results;
  private final Loc loc;
  private final SortedMap<String, Object> annotations = new TreeMap<>();

  public Inst(Op op, List<Value> results, Loc loc) {
    this.op = Objects.requireNonNull(op);
    this.results = new ArrayList<>(results);
    this.loc = Objects.requireNonNull(loc);
    for (Value r : results) {
      r.setDefinition(this);
    }
  }

  public Op op() {
    return op;
  }

  /** Replaces the op in place; the results keep their identity and types. */
  public void setOp(Op op) {
    this.op = Objects.requireNonNull(op);
  }

  public List<Value> results() {
    return Collections.unmodifiableList(results);
  }

  /** The only result of an instruction that has one. */
  public Value result() {
    if (results.size() != 1) {
      throw new IllegalStateException(OpShape.mnemonic(op) + " has " + results.size() + " results");
    }
    return results.get(0);
  }

  /** Appends a result (a loop that gains a carried value). */
  public void addResult(Value value) {
    results.add(value);
    value.setDefinition(this);
  }

  /** Drops the results at which {@code keep} is false. */
  public void retainResults(List<Boolean> keep) {
    List<Value> old = new ArrayList<>(results);
    results.clear();
    for (int i = 0; i < old.size(); i++) {
      if (keep.get(i)) {
        results.add(old.get(i));
      }
    }
  }

  public Loc loc() {
    return loc;
  }

  public List<Value> operands() {
    return OpShape.operands(op);
  }

  public List<Region> regions() {
    return OpShape.regions(op);
  }

  /** Whether any instruction in its regions, at any depth, is such a one. */
  public boolean anyInside(Predicate<Inst> wanted) {
    return regions().stream().anyMatch(r -> r.anyMatch(wanted));
  }

  /** Replaces operands (not those inside regions) by {@code map}; a value without an entry stays. */
  public void mapOperands(Map<Value, Value> map) {
    op = OpShape.withOperands(op, v -> map.getOrDefault(v, v));
  }

  public SortedMap<String, Object> annotations() {
    return annotations;
  }

  public Inst annotate(String key, Object value) {
    annotations.put(key, value);
    return this;
  }

  /** An integer annotation, or {@code otherwise}. */
  public long annotation(String key, long otherwise) {
    return annotations.get(key) instanceof Long l ? l : otherwise;
  }

  public boolean flag(String key) {
    return Boolean.TRUE.equals(annotations.get(key));
  }

  @Override
  public String toString() {
    return OpShape.mnemonic(op) + " at " + loc;
  }
}
