package dev.tkc.ir;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A function. A {@link Kind#KERNEL} is what a launch runs on the host: scalar arithmetic, tensors, temps, and phases
 * in order, each a {@code parallel} nest or, once outlined, a {@code launch}. A {@link Kind#DEVICE} function is one
 * phase, run once for each block.
 *
 * <p>Annotations hold the schedule's decisions for the whole function ({@code warps = 8}), as {@link Inst}'s do.
 */
public final class Func {
  public enum Kind {
    KERNEL,
    DEVICE
  }

  private final Kind kind;
  private final String name;
  private final List<Param> params;
  private final Region body;
  private final boolean deterministic;
  private final Loc loc;
  private final SortedMap<String, Object> annotations = new TreeMap<>();

  public Func(Kind kind, String name, List<Param> params, Region body, boolean deterministic, Loc loc) {
    this.kind = Objects.requireNonNull(kind);
    this.name = Objects.requireNonNull(name);
    this.params = new ArrayList<>(params);
    this.body = Objects.requireNonNull(body);
    this.deterministic = deterministic;
    this.loc = Objects.requireNonNull(loc);
  }

  public Kind kind() {
    return kind;
  }

  public String name() {
    return name;
  }

  /** Mutable; the body region itself has no parameters. */
  public List<Param> params() {
    return params;
  }

  public Region body() {
    return body;
  }

  /** Whether every reduction order is fixed ({@code deterministic kernel}). */
  public boolean deterministic() {
    return deterministic;
  }

  public Loc loc() {
    return loc;
  }

  public SortedMap<String, Object> annotations() {
    return annotations;
  }

  public long annotation(String key, long otherwise) {
    return annotations.get(key) instanceof Long l ? l : otherwise;
  }
}
