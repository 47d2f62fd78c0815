package dev.tkc.passes.analysis;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/** Where instructions and regions stand in a function: which region holds which, and whose parameter a value is. */
public final class Scopes {
  private final Map<Inst, Region> regionOf = new HashMap<>();
  private final Map<Region, Inst> ownerOf = new HashMap<>();
  private final Map<Value, Region> paramOf = new HashMap<>();

  public Scopes(Func func) {
    add(func.body());
  }

  private void add(Region region) {
    region.params().forEach(p -> paramOf.put(p, region));
    for (Inst inst : region.insts()) {
      regionOf.put(inst, region);
      for (Region r : inst.regions()) {
        ownerOf.put(r, inst);
        add(r);
      }
    }
  }

  /** The region an instruction stands in. */
  public Region regionOf(Inst inst) {
    return regionOf.get(inst);
  }

  /** The instruction that holds a region; absent for a function's body. */
  public Optional<Inst> ownerOf(Region region) {
    return Optional.ofNullable(ownerOf.get(region));
  }

  /** The instruction whose region has the value as a parameter. */
  public Optional<Inst> binderOf(Value value) {
    return Optional.ofNullable(paramOf.get(value)).map(ownerOf::get);
  }

  /** The region that defines a value, as a parameter or a result; absent for a function's parameter. */
  public Optional<Region> definedIn(Value value) {
    Region asParam = paramOf.get(value);
    return asParam != null ? Optional.of(asParam) : Optional.ofNullable(value.definition()).map(regionOf::get);
  }

  /** The instructions whose regions an instruction stands in, from the innermost. */
  public Stream<Inst> around(Inst inst) {
    return Stream.iterate(ownerOf.get(regionOf.get(inst)), Objects::nonNull, i -> ownerOf.get(regionOf.get(i)));
  }

  /** Whether {@code inner} is {@code outer} or nested in it. */
  public boolean inside(Region inner, Region outer) {
    for (Region r = inner; r != null; r = ownerOf.containsKey(r) ? regionOf.get(ownerOf.get(r)) : null) {
      if (r == outer) {
        return true;
      }
    }
    return false;
  }

  /** How many regions are around one. */
  public int depth(Region region) {
    int d = 0;
    for (Inst i = ownerOf.get(region); i != null; i = ownerOf.get(regionOf.get(i))) {
      d++;
    }
    return d;
  }
}
