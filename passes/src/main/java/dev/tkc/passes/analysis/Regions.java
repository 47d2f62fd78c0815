package dev.tkc.passes.analysis;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.Literal;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** Walks over regions that several passes need. */
public final class Regions {
  private Regions() {}

  /** The values that are used in the region and defined outside it, in the order of their first uses. */
  public static Set<Value> freeValues(Region region) {
    Set<Value> defined = defined(region);
    Set<Value> free = new LinkedHashSet<>();
    region.walk(inst -> inst.operands().stream().filter(v -> !defined.contains(v)).forEach(free::add));
    return free;
  }

  /** Every value that the region or one nested in it defines. */
  public static Set<Value> defined(Region region) {
    Set<Value> defined = Collections.newSetFromMap(new IdentityHashMap<>());
    addDefined(region, defined);
    return defined;
  }

  private static void addDefined(Region region, Set<Value> defined) {
    defined.addAll(region.params());
    for (Inst inst : region.insts()) {
      defined.addAll(inst.results());
      inst.regions().forEach(r -> addDefined(r, defined));
    }
  }

  /** The literal of a value that a constant defines. */
  public static Optional<Literal> literal(Value value) {
    return value.definition() != null && value.definition().op() instanceof ElementwiseOp.Constant c
        ? Optional.of(c.value()) : Optional.empty();
  }

  /** The value of an integer constant. */
  public static OptionalLong integer(Value value) {
    Optional<Literal> literal = literal(value);
    return literal.isPresent() && literal.get().element().isInteger()
        ? OptionalLong.of(literal.get().bits()) : OptionalLong.empty();
  }

  public static boolean isInteger(Value value, long wanted) {
    OptionalLong found = integer(value);
    return found.isPresent() && found.getAsLong() == wanted;
  }
}
