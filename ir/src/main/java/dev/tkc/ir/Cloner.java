package dev.tkc.ir;

import dev.tkc.ir.op.OpShape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Copies instructions and regions, with fresh values for everything they define. */
public final class Cloner {
  private final Map<Value, Value> map;

  /** {@code map} gives replacements for values defined outside what is copied, and collects those made. */
  public Cloner(Map<Value, Value> map) {
    this.map = map;
  }

  public Cloner() {
    this(new HashMap<>());
  }

  /** What a value of the original became; itself if it was not copied. */
  public Value get(Value v) {
    return map.getOrDefault(v, v);
  }

  /** From here on copies use {@code replacement} for {@code original}. */
  public void define(Value original, Value replacement) {
    map.put(original, replacement);
  }

  public Inst clone(Inst inst) {
    List<Value> results = new ArrayList<>();
    inst.results().forEach(r -> results.add(fresh(r)));
    Inst copy = new Inst(OpShape.rebuild(inst.op(), this::get, this::clone), results, inst.loc());
    for (int i = 0; i < results.size(); i++) {
      map.put(inst.results().get(i), results.get(i));
    }
    copy.annotations().putAll(inst.annotations());
    return copy;
  }

  public Region clone(Region region) {
    List<Value> params = new ArrayList<>();
    for (Value p : region.params()) {
      Value q = fresh(p);
      map.put(p, q);
      params.add(q);
    }
    Region copy = new Region(params);
    region.insts().forEach(i -> copy.insts().add(clone(i)));
    return copy;
  }

  public Func clone(Func f) {
    List<Param> params = new ArrayList<>();
    for (Param p : f.params()) {
      Value q = fresh(p.value());
      map.put(p.value(), q);
      params.add(new Param(q, p.divisibility()));
    }
    Func copy = new Func(f.kind(), f.name(), params, clone(f.body()), f.deterministic(), f.loc());
    copy.annotations().putAll(f.annotations());
    return copy;
  }

  public static Module clone(Module module) {
    Module copy = new Module();
    module.funcs().forEach(f -> copy.funcs().add(new Cloner().clone(f)));
    copy.annotations().putAll(module.annotations());
    return copy;
  }

  private static Value fresh(Value v) {
    return new Value(v.type(), v.name());
  }
}
