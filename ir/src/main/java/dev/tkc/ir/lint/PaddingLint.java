package dev.tkc.ir.lint;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Loc;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.lint.Origin.Lane;
import dev.tkc.ir.lint.Origin.Leak;
import dev.tkc.ir.lint.Origin.State;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ReductionOp.ReduceKind;
import dev.tkc.ir.op.ReductionOp.ScanKind;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.RangeType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Warns where the padding of a last tile reaches a result: a reduction or product takes in lanes past the end of a
 * range whose value is no longer a harmless 0, and what comes of it is stored; or such lanes are used as indices. The
 * rules are those of the interpreter (docs/language.md, padding), over lanes instead of elements.
 *
 * <pre>
 *   for j in N by 64 { l += rowsum(exp(x[i, j])) }     // exp(0) is 1 in the lanes past N
 *   y[id[i]] += x[i]                                   // id[i] is 0 in the lanes past N, so they meet y[0]
 * </pre>
 *
 * What is in doubt is taken to be right: lanes outside a tensor but not past the end of a range, functions of the
 * program given to {@code reduce} and {@code scan}, masks that are comparisons of a range's indices, and whatever
 * happens under an {@code if} known at run time only. So a warning is a mistake for some size, and a program without
 * one need not be free of them.
 */
public final class PaddingLint {
  /** Rounds over a loop after which what it carries is taken as it is. */
  private static final int ROUNDS = 4;

  private final RangeFacts ranges;
  private final Map<Value, Origin> origins = new IdentityHashMap<>();
  private final Map<Inst, Diagnostic> found = new LinkedHashMap<>();
  private int branches;

  private PaddingLint(RangeFacts ranges) {
    this.ranges = ranges;
  }

  /**
   * The warnings for a function as the front end makes it; {@code divisors} are numbers that divide its parameters, by
   * name.
   */
  public static List<Diagnostic> check(Func func, Map<String, Long> divisors) {
    PaddingLint lint = new PaddingLint(new RangeFacts(func, divisors));
    lint.walk(func.body());
    return new ArrayList<>(lint.found.values());
  }

  private Origin of(Value v) {
    return origins.getOrDefault(v, Origin.INSIDE);
  }

  private void walk(Region region) {
    for (Inst inst : region.insts()) {
      switch (inst.op()) {
        case ControlOp op -> control(inst, op);
        case MemoryOp op -> memory(inst, op);
        case ElementwiseOp op -> origins.put(inst.result(), elementwise(op));
        case ShapeOp op -> origins.put(inst.result(), shape(inst, op));
        case ReductionOp op -> reduction(inst, op);
        case MatrixOp op -> origins.put(inst.result(), matrix(inst, op));
        case SharedOp _, AsyncOp _ -> { }
      }
    }
  }

  // ------------------------------------------------------------------------------------------------ control

  private void control(Inst inst, ControlOp op) {
    switch (op) {
      case ControlOp.For f -> loop(inst, f);
      case ControlOp.While _ -> throw new IllegalStateException(inst + " in a program as written");
      case ControlOp.If f -> choose(inst, f);
      case ControlOp.Parallel p -> walk(p.body());
      case ControlOp.Role r -> walk(r.body());
      case ControlOp.Yield _, ControlOp.Assert _, ControlOp.Launch _, ControlOp.BlockId _, ControlOp.BlockCount _ -> { }
    }
  }

  private void loop(Inst inst, ControlOp.For f) {
    List<Origin> carried = f.inits().stream().map(v -> of(v).withSpread(false)).toList();
    for (int round = 0; round < ROUNDS; round++) {
      bind(f.body().params().subList(1, f.body().params().size()), carried);
      walk(f.body());
      List<Origin> next = new ArrayList<>();
      List<Value> yielded = yielded(f.body());
      for (int i = 0; i < carried.size(); i++) {
        next.add(Origin.join(carried.get(i), of(yielded.get(i))).withSpread(false));
      }
      if (next.equals(carried)) {
        break;
      }
      carried = next;
    }
    bind(inst.results(), carried);
  }

  private void choose(Inst inst, ControlOp.If f) {
    branches++;
    walk(f.then());
    walk(f.otherwise());
    branches--;
    List<Value> yes = yielded(f.then());
    List<Value> no = yielded(f.otherwise());
    for (int i = 0; i < inst.results().size(); i++) {
      origins.put(inst.results().get(i), Origin.join(of(yes.get(i)), of(no.get(i))));
    }
  }

  private static List<Value> yielded(Region region) {
    return ((ControlOp.Yield) region.terminator().op()).values();
  }

  private void bind(List<Value> values, List<Origin> to) {
    for (int i = 0; i < values.size(); i++) {
      origins.put(values.get(i), to.get(i));
    }
  }

  // ------------------------------------------------------------------------------------------------ memory

  private void memory(Inst inst, MemoryOp op) {
    switch (op) {
      case MemoryOp.Lanes o -> ranges.partial(o.range()).ifPresent(count ->
          origins.put(inst.result(),
              new Origin(Map.of(), Optional.empty(), Set.of(), Set.of(new Lane(count, 0)), false)));
      case MemoryOp.Valid o -> ranges.partial(o.range()).ifPresent(count ->
          origins.put(inst.result(),
              new Origin(Map.of(), Optional.empty(), Set.of(new Lane(count, 0)), Set.of(), false)));
      case MemoryOp.Load o -> {
        indexed(inst, o.indices());
        origins.put(inst.result(), load(inst, o));
      }
      case MemoryOp.Store o -> {
        indexed(inst, o.indices());
        stored(inst, o.value());
      }
      case MemoryOp.Atomic o -> {
        indexed(inst, o.indices());
        stored(inst, o.value());
      }
      case MemoryOp.MakeTensor _, MemoryOp.Temp _, MemoryOp.Counter _, MemoryOp.View _, MemoryOp.AddressOf _,
          MemoryOp.MakeTensorMap _, MemoryOp.Range _, MemoryOp.LastArrival _ -> { }
    }
  }

  private Origin load(Inst inst, MemoryOp.Load op) {
    boolean pointwise = op.indices().stream().anyMatch(v -> !(v.type() instanceof RangeType) && v.tile().rank() > 1);
    if (op.pad().isPresent() || pointwise) {
      return Origin.INSIDE;
    }
    Map<Lane, State> lanes = new LinkedHashMap<>();
    int axis = 0;
    for (Value index : op.indices()) {
      if (index.type() instanceof RangeType) {
        int at = axis++;
        ranges.partial(index).ifPresent(count -> lanes.put(new Lane(count, at), new State(false, inst)));
      } else if (index.tile().rank() == 1) {
        axis++;
      }
    }
    return Origin.of(lanes, Optional.empty());
  }

  /** Padding as an index is an element like any other: the fill value 0 is the first one. */
  private void indexed(Inst inst, List<Value> indices) {
    for (Value index : indices) {
      if (branches == 0 && !(index.type() instanceof RangeType)) {
        of(index).lanes().values().stream().findFirst()
            .ifPresent(state -> found.computeIfAbsent(inst, _ -> indexWarning(inst, state.load())));
      }
    }
  }

  private static Diagnostic indexWarning(Inst access, Inst load) {
    Diagnostic d = new Diagnostic(
        Diagnostic.Severity.WARNING, Code.PADDING_LEAK, "the padding of a last tile is used as an index", List.of(),
        List.of(), List.of());
    d = place(d, load.loc(), "the lanes past the end of a range are made up by this load, as 0");
    d = called(place(d, access.loc(), "there they stand for an element as well"), access);
    return d.help("give the load a `pad` value that lies outside, `pad -1`: what has no element is not touched");
  }

  private static Diagnostic called(Diagnostic d, Inst inst) {
    Diagnostic out = d;
    for (Optional<Loc> c = inst.loc().caller(); c.isPresent(); c = c.get().caller()) {
      out = place(out, c.get(), "called from here");
    }
    return out;
  }

  private void stored(Inst inst, Value value) {
    of(value).leak().ifPresent(leak -> found.computeIfAbsent(leak.at(), _ -> warning(leak, inst)));
  }

  private static Diagnostic warning(Leak leak, Inst store) {
    Inst load = leak.state().load();
    Diagnostic d = new Diagnostic(
        Diagnostic.Severity.WARNING, Code.PADDING_LEAK, "the padding of a last tile reaches a result", List.of(),
        List.of(), List.of());
    d = called(place(d, leak.at().loc(), "this takes in the lanes past the end of a range"), leak.at());
    d = place(d, load.loc(), "they are made up by this load, as 0");
    d = place(d, store.loc(), "what comes of it is kept here");
    return d.note(leak.state().foreign()
            ? "the fill value 0 has been through something that does not keep it 0"
            : "the fill value 0 is harmless in a sum or a product of tiles only")
        .help(leak.at().flag(ReductionOp.MEAN) ? "divide the `sum` by the number of elements that there are"
            : "give the load a `pad` value that is harmless here, or choose with `where(valid(…), …, …)`");
  }

  private static Diagnostic place(Diagnostic d, Loc loc, String text) {
    return loc.span().map(s -> d.label(s, text)).orElse(d);
  }

  // ------------------------------------------------------------------------------------------------ elements

  private Origin elementwise(ElementwiseOp op) {
    return switch (op) {
      case ElementwiseOp.Constant _ -> Origin.SCALAR;
      case ElementwiseOp.Unary o -> switch (o.kind()) {
        case NEG, ABS -> of(o.x());
        case FLOOR, CEIL, ROUND, SQRT, RSQRT, RCP, EXP, EXP2, LOG, LOG2, SIN, COS, TANH, ERF, SIGMOID, NOT ->
            of(o.x()).foreign();
      };
      case ElementwiseOp.Binary o -> ElementOrigins.binary(o, of(o.lhs()), of(o.rhs()));
      case ElementwiseOp.Compare o -> ElementOrigins.compare(of(o.lhs()), of(o.rhs()));
      case ElementwiseOp.Select o ->
          ElementOrigins.select(of(o.condition()), of(o.then()), of(o.otherwise()),
              ElementOrigins.isZero(o.otherwise()));
      case ElementwiseOp.Fma o -> ElementOrigins.sum(ElementOrigins.product(of(o.a()), of(o.b())), false, of(o.c()),
          ElementOrigins.isZero(o.c()));
      case ElementwiseOp.Cast o -> of(o.x());
      case ElementwiseOp.Bitcast o -> of(o.x());
      case ElementwiseOp.Philox o -> of(o.offset()).foreign();
    };
  }

  private Origin shape(Inst inst, ShapeOp op) {
    return switch (op) {
      case ShapeOp.Splat o -> Origin.of(Map.of(), of(o.scalar()).leak()).withSpread(true);
      case ShapeOp.Broadcast o -> of(o.x()).withSpread(true);
      case ShapeOp.Reshape o -> of(o.x()).moved(reshaped(o.x().tile().shape(), o.shape()));
      case ShapeOp.Permute o -> {
        int[] axes = new int[o.order().size()];
        for (int d = 0; d < axes.length; d++) {
          axes[o.order().get(d)] = d;
        }
        yield of(o.x()).moved(axes);
      }
      case ShapeOp.Concat o -> o.parts().stream().map(p -> of(p).moved(kept(inst, p))).reduce(Origin::join)
          .orElse(Origin.INSIDE);
      case ShapeOp.Slice o -> of(o.x()).moved(kept(inst, o.x()));
      case ShapeOp.Iota _ -> Origin.INSIDE;
      case ShapeOp.ConvertLayout o -> of(o.x());
    };
  }

  /** Dimensions stay where their size does. */
  private static int[] kept(Inst inst, Value from) {
    int[] axes = new int[from.tile().rank()];
    for (int d = 0; d < axes.length; d++) {
      axes[d] = from.tile().shape().get(d).equals(inst.result().tile().shape().get(d)) ? d : -1;
    }
    return axes;
  }

  /** Where dimensions go if only ones come or go; else nowhere. */
  private static int[] reshaped(List<Integer> from, List<Integer> to) {
    int[] axes = new int[from.size()];
    Arrays.fill(axes, -1);
    boolean same = from.stream().filter(n -> n != 1).toList().equals(to.stream().filter(n -> n != 1).toList());
    for (int d = 0, e = 0; same && d < axes.length; d++) {
      if (from.get(d) != 1) {
        while (to.get(e) == 1) {
          e++;
        }
        axes[d] = e++;
      }
    }
    return axes;
  }

  // ------------------------------------------------------------------------------------------------ reductions

  private void reduction(Inst inst, ReductionOp op) {
    switch (op) {
      case ReductionOp.Reduce o ->
          origins.put(inst.result(), reduced(inst, of(o.x()), o.axes(), o.kind() == ReduceKind.SUM));
      case ReductionOp.ArgReduce o -> origins.put(inst.result(), reduced(inst, of(o.x()), List.of(o.axis()), false));
      case ReductionOp.Scan o -> origins.put(inst.result(), scanned(inst, o, of(o.x())));
      case ReductionOp.ReduceWith o -> userFunction(inst, o.xs(), o.axis());
      case ReductionOp.ScanWith o -> userFunction(inst, o.xs(), o.axis());
    }
  }

  private Origin reduced(Inst inst, Origin x, List<Integer> axes, boolean sum) {
    Map<Lane, State> rest = new LinkedHashMap<>();
    Optional<Leak> leak = x.leak();
    for (Map.Entry<Lane, State> e : x.lanes().entrySet()) {
      if (!axes.contains(e.getKey().axis())) {
        rest.put(e.getKey(), sum ? e.getValue() : e.getValue().asForeign());
      } else if (!sum || e.getValue().foreign() || inst.flag(ReductionOp.MEAN)) {
        leak = leak.or(() -> leak(inst, e.getValue()));
      }
    }
    return Origin.of(rest, leak);
  }

  private Optional<Leak> leak(Inst inst, State state) {
    return branches > 0 ? Optional.empty() : Optional.of(new Leak(inst, state));
  }

  /** Padding lies behind everything else, so only a scan from the end takes it in. */
  private Origin scanned(Inst inst, ReductionOp.Scan op, Origin x) {
    Origin taken = reduced(inst, x, List.of(op.axis()), op.kind() == ScanKind.SUM);
    return op.reverse() ? taken : Origin.of(taken.lanes(), x.leak());
  }

  private void userFunction(Inst inst, List<Value> xs, int axis) {
    for (int i = 0; i < xs.size(); i++) {
      Origin x = of(xs.get(i)).foreign();
      Map<Lane, State> lanes = new LinkedHashMap<>(x.lanes());
      lanes.keySet().removeIf(l -> l.axis() == axis);
      origins.put(inst.results().get(i), Origin.of(lanes, x.leak()));
    }
  }

  private Origin matrix(Inst inst, MatrixOp op) {
    return switch (op) {
      case MatrixOp.Dot d -> dot(inst, d);
    };
  }

  private Origin dot(Inst inst, MatrixOp.Dot d) {
    Origin a = of(d.a());
    Origin b = of(d.b());
    int k = d.a().tile().rank() - 1;
    Map<Lane, State> lanes = new LinkedHashMap<>();
    Map<Lane, State> left = new LinkedHashMap<>();
    Map<Lane, State> right = new LinkedHashMap<>();
    a.lanes().forEach((l, s) -> (l.axis() == k ? left : lanes).put(l, s));
    b.lanes().forEach((l, s) -> {
      if (l.axis() == k - 1) {
        right.put(new Lane(l.count(), k), s);
      } else {
        lanes.merge(l, s, Origin::product);
      }
    });
    Optional<Leak> leak = a.leak().or(b::leak);
    boolean covered = left.values().stream().anyMatch(s -> !s.foreign())
        || right.values().stream().anyMatch(s -> !s.foreign());
    if (!covered) {
      leak = leak.or(() -> Stream.concat(left.values().stream(), right.values().stream()).findFirst()
          .flatMap(s -> leak(inst, s)));
    }
    return ElementOrigins.sum(Origin.of(lanes, leak), false, of(d.acc()), ElementOrigins.isZero(d.acc()));
  }
}
