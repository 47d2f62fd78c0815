package dev.tkc.ir;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** What one specialisation of a kernel compiles to: the kernel and, once outlined, its device functions. */
public final class Module {
  private final List<Func> funcs = new ArrayList<>();
  private final SortedMap<String, Object> annotations = new TreeMap<>();

  public List<Func> funcs() {
    return funcs;
  }

  public Optional<Func> func(String name) {
    return funcs.stream().filter(f -> f.name().equals(name)).findFirst();
  }

  /** The module's only kernel function. */
  public Func kernel() {
    return funcs.stream().filter(f -> f.kind() == Func.Kind.KERNEL).findFirst()
        .orElseThrow(() -> new IllegalStateException("the module has no kernel"));
  }

  public SortedMap<String, Object> annotations() {
    return annotations;
  }
}
