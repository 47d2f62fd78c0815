package dev.tkc.passes.stage;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.rules.Effects;
import dev.tkc.passes.analysis.ReadOnly;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The instructions of a loop's body that compute some values from the loop's position alone, so that they can be
 * computed for another position. Among them may be <em>lookups</em>: loads of single numbers, or a row of them, from
 * tensors that nothing writes, such as a table of pages that says where the rows of a round are.
 *
 * @param insts in the order of the body
 * @param lookups those of them that load
 */
record Ahead(ControlOp.For loop, List<Inst> insts, List<Inst> lookups, boolean movesWithPosition) {
  Ahead {
    insts = List.copyOf(insts);
    lookups = List.copyOf(lookups);
  }

  /** What computes the values; nothing where a carried value, other memory or a region takes part. */
  static Optional<Ahead> of(ControlOp.For loop, List<Value> values, ReadOnly readOnly) {
    Search search = new Search(loop, readOnly);
    if (!values.stream().allMatch(search::collect)) {
      return Optional.empty();
    }
    List<Inst> ordered = new ArrayList<>(loop.body().insts());
    ordered.removeIf(i -> !search.needed.contains(i));
    List<Inst> lookups = ordered.stream().filter(i -> i.op() instanceof MemoryOp.Load).toList();
    return Optional.of(new Ahead(loop, ordered, lookups, search.moves));
  }

  private static final class Search {
    private final ControlOp.For loop;
    private final ReadOnly readOnly;
    private final Set<Inst> inBody = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<Inst> needed = Collections.newSetFromMap(new IdentityHashMap<>());
    private boolean moves;

    Search(ControlOp.For loop, ReadOnly readOnly) {
      this.loop = loop;
      this.readOnly = readOnly;
      inBody.addAll(loop.body().insts());
    }

    private boolean collect(Value v) {
      if (v == loop.body().params().getFirst()) {
        moves = true;
        return true;
      }
      if (loop.body().params().contains(v)) {
        return false;
      }
      Inst inst = v.definition();
      if (inst == null || !inBody.contains(inst) || needed.contains(inst)) {
        return true;
      }
      if (!inst.regions().isEmpty() || !Effects.isPure(inst) && !isLookup(inst)) {
        return false;
      }
      needed.add(inst);
      return inst.operands().stream().allMatch(this::collect);
    }

    private boolean isLookup(Inst inst) {
      return inst.op() instanceof MemoryOp.Load load && inst.result().tile().rank() <= 1
          && readOnly.tensor(load.tensor());
    }
  }

  /** Computes the values once more, for {@code position}; gives the cloner that knows what each became. */
  Cloner at(Value position, Builder builder) {
    return clone(insts, position, Map.of(), builder);
  }

  /** The same where it is known what the lookups gave. */
  Cloner at(Value position, List<Value> found, Builder builder) {
    Map<Value, Value> known = new HashMap<>();
    for (int i = 0; i < found.size(); i++) {
      known.put(lookups.get(i).result(), found.get(i));
    }
    return clone(insts, position, known, builder);
  }

  /** What the lookups give for a position. */
  List<Value> look(Value position, Builder builder) {
    List<Inst> before = insts.subList(0, insts.indexOf(lookups.getLast()) + 1);
    Cloner cloner = clone(before, position, Map.of(), builder);
    return lookups.stream().map(l -> cloner.get(l.result())).toList();
  }

  private Cloner clone(List<Inst> wanted, Value position, Map<Value, Value> known, Builder builder) {
    Map<Value, Value> map = new HashMap<>(known);
    map.put(loop.body().params().getFirst(), position);
    Cloner cloner = new Cloner(map);
    for (Inst i : wanted) {
      if (i.results().stream().noneMatch(known::containsKey)) {
        builder.insert(cloner.clone(i));
      }
    }
    return cloner;
  }
}
