package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.num.Integers;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ReductionOp.ArgKind;
import dev.tkc.ir.op.ReductionOp.ReduceKind;
import dev.tkc.ir.op.ReductionOp.ScanKind;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.Shapes;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Reductions and scans.
 *
 * <p>A reduction is a balanced tree by index: neighbours are combined in pairs, then the results in pairs, and so on;
 * an odd last one goes up as it is. Over several axes the index is row-major. A scan goes from one element to the next.
 */
final class ReductionEval {
  private final Machine machine;
  private final CombineEval combine;

  ReductionEval(Machine machine) {
    this.machine = machine;
    this.combine = new CombineEval(machine);
  }

  List<Tile> evaluate(Inst inst, ReductionOp op, Frame frame) {
    return switch (op) {
      case ReductionOp.Reduce o -> List.of(reduce(inst, o.kind(), frame.tile(o.x()), o.axes()));
      case ReductionOp.ArgReduce o -> List.of(argReduce(inst, o.kind(), frame.tile(o.x()), o.axis()));
      case ReductionOp.Scan o -> List.of(scan(inst, o, frame.tile(o.x())));
      case ReductionOp.ReduceWith o -> combine.reduce(inst, o, frame);
      case ReductionOp.ScanWith o -> combine.scan(inst, o, frame);
    };
  }

  /**
   * The elements of a tile as groups along some axes: element r of group g is at {@code first[g] + step[r]}, and groups
   * are in the row-major order of the result.
   */
  record Groups(List<Integer> shape, int[] first, int[] step) {
    static Groups of(List<Integer> shape, List<Integer> axes) {
      long[] strides = Shapes.strides(shape);
      List<Integer> kept = Shapes.reduced(shape, axes);
      List<Integer> along = IntStream.range(0, shape.size())
          .mapToObj(d -> axes.contains(d) ? shape.get(d) : 1).toList();
      return new Groups(kept, ShapeEval.positions(kept, 0, strides), ShapeEval.positions(along, 0, strides));
    }
  }

  // ------------------------------------------------------------------------------------------------ reduce

  private Tile reduce(Inst inst, ReduceKind kind, Tile x, List<Integer> axes) {
    Groups g = Groups.of(x.shape(), axes);
    machine.budget().work(inst, x.count());
    Object out = machine.allocate(inst, x.element(), g.first.length);
    Object scratch = machine.allocate(inst, x.element(), Math.max(1, g.step.length));
    for (int i = 0; i < g.first.length; i++) {
      switch (x.data()) {
        case float[] d -> ((float[]) out)[i] = tree(kind, d, g.first[i], g.step, (float[]) scratch);
        case double[] d -> ((double[]) out)[i] = tree(kind, d, g.first[i], g.step, (double[]) scratch);
        case long[] d -> ((long[]) out)[i] = fold(kind, x.element(), d, g.first[i], g.step);
        case boolean[] d -> ((boolean[]) out)[i] = fold(kind, d, g.first[i], g.step);
        default -> throw new IllegalStateException();
      }
    }
    return new Tile(x.element(), g.shape, out, states(inst, kind, x, g), false);
  }

  /** A mean that has skipped neutral elements has counted them. */
  private static int[] states(Inst inst, ReduceKind kind, Tile x, Groups g) {
    int[] states = reduced(kind == ReduceKind.SUM, x, g);
    if (x.origins() == null || !inst.flag(ReductionOp.MEAN)) {
      return states;
    }
    int[] out = states == null ? new int[g.first.length] : states.clone();
    for (int i = 0; i < out.length; i++) {
      for (int r = 0; out[i] == 0 && r < g.step.length; r++) {
        out[i] = Padding.any(x.origin(g.first[i] + g.step[r]), 0);
      }
    }
    return Padding.simplified(out);
  }

  /** Sums skip neutral elements; anything else makes them foreign. */
  private static int[] reduced(boolean sum, Tile x, Groups g) {
    if (x.origins() == null) {
      return null;
    }
    int[] out = new int[g.first.length];
    for (int i = 0; i < out.length; i++) {
      int state = g.step.length == 0 ? 0 : x.origin(g.first[i] + g.step[0]);
      state = sum ? state : Padding.any(state, 0);
      for (int r = 1; r < g.step.length; r++) {
        int next = x.origin(g.first[i] + g.step[r]);
        state = sum ? Padding.sum(state, next) : Padding.any(state, next);
      }
      out[i] = state;
    }
    return Padding.simplified(out);
  }

  private static float tree(ReduceKind kind, float[] data, int first, int[] step, float[] s) {
    if (step.length == 0) {
      return (float) empty(kind);
    }
    for (int r = 0; r < step.length; r++) {
      s[r] = data[first + step[r]];
    }
    for (int n = step.length; n > 1; n = n + 1 >> 1) {
      int pairs = n >> 1;
      switch (kind) {
        case SUM -> {
          for (int i = 0; i < pairs; i++) {
            s[i] = s[2 * i] + s[2 * i + 1];
          }
        }
        case PROD -> {
          for (int i = 0; i < pairs; i++) {
            s[i] = s[2 * i] * s[2 * i + 1];
          }
        }
        case MIN -> {
          for (int i = 0; i < pairs; i++) {
            s[i] = Math.min(s[2 * i], s[2 * i + 1]);
          }
        }
        case MAX -> {
          for (int i = 0; i < pairs; i++) {
            s[i] = Math.max(s[2 * i], s[2 * i + 1]);
          }
        }
        case ANY, ALL -> throw new IllegalStateException(kind.toString());
      }
      if ((n & 1) != 0) {
        s[pairs] = s[n - 1];
      }
    }
    return s[0];
  }

  private static double tree(ReduceKind kind, double[] data, int first, int[] step, double[] s) {
    if (step.length == 0) {
      return empty(kind);
    }
    for (int r = 0; r < step.length; r++) {
      s[r] = data[first + step[r]];
    }
    for (int n = step.length; n > 1; n = n + 1 >> 1) {
      int pairs = n >> 1;
      for (int i = 0; i < pairs; i++) {
        double a = s[2 * i];
        double b = s[2 * i + 1];
        s[i] = switch (kind) {
          case SUM -> a + b;
          case PROD -> a * b;
          case MIN -> Math.min(a, b);
          case MAX -> Math.max(a, b);
          case ANY, ALL -> throw new IllegalStateException(kind.toString());
        };
      }
      if ((n & 1) != 0) {
        s[pairs] = s[n - 1];
      }
    }
    return s[0];
  }

  private static double empty(ReduceKind kind) {
    return switch (kind) {
      case SUM -> 0;
      case PROD -> 1;
      case MIN -> Double.POSITIVE_INFINITY;
      case MAX -> Double.NEGATIVE_INFINITY;
      case ANY, ALL -> throw new IllegalStateException(kind.toString());
    };
  }

  /** Integers wrap, so their order says nothing. */
  private static long fold(ReduceKind kind, Element e, long[] data, int first, int[] step) {
    long total = switch (kind) {
      case SUM -> 0;
      case PROD -> 1;
      case MIN -> Integers.highest(e);
      case MAX -> Integers.lowest(e);
      case ANY, ALL -> throw new IllegalStateException(kind.toString());
    };
    for (int s : step) {
      long x = data[first + s];
      total = switch (kind) {
        case SUM -> total + x;
        case PROD -> total * x;
        case MIN -> Integers.min(e, total, x);
        case MAX -> Integers.max(e, total, x);
        case ANY, ALL -> throw new IllegalStateException(kind.toString());
      };
    }
    return Integers.wrap(e, total);
  }

  private static boolean fold(ReduceKind kind, boolean[] data, int first, int[] step) {
    boolean looked = switch (kind) {
      case ANY -> true;
      case ALL -> false;
      case SUM, PROD, MIN, MAX -> throw new IllegalStateException(kind.toString());
    };
    for (int s : step) {
      if (data[first + s] == looked) {
        return looked;
      }
    }
    return !looked;
  }

  // ------------------------------------------------------------------------------------------------ arg_reduce

  private Tile argReduce(Inst inst, ArgKind kind, Tile x, int axis) {
    Groups g = Groups.of(x.shape(), List.of(axis));
    machine.budget().work(inst, x.count());
    long[] out = (long[]) machine.allocate(inst, Element.I32, g.first.length);
    for (int i = 0; i < out.length; i++) {
      int best = 0;
      for (int r = 1; r < g.step.length; r++) {
        if (beats(kind, x, g.first[i] + g.step[r], g.first[i] + g.step[best])) {
          best = r;
        }
      }
      out[i] = best;
    }
    return new Tile(Element.I32, g.shape, out, reduced(false, x, g), false);
  }

  /** Whether element {@code a} displaces element {@code b}, which comes before it. */
  private static boolean beats(ArgKind kind, Tile x, int a, int b) {
    if (x.data() instanceof long[] l) {
      int order = Integers.compare(x.element(), l[a], l[b]);
      return kind == ArgKind.ARGMAX ? order > 0 : order < 0;
    }
    double p = x.asDouble(a);
    double q = x.asDouble(b);
    if (Double.isNaN(p) || Double.isNaN(q)) {
      return !Double.isNaN(q);
    }
    return kind == ArgKind.ARGMAX ? p > q : p < q;
  }

  // ------------------------------------------------------------------------------------------------ scan

  private Tile scan(Inst inst, ReductionOp.Scan op, Tile x) {
    Groups g = Groups.of(x.shape(), List.of(op.axis()));
    int[] order = op.reverse() ? reversed(g.step) : g.step;
    Object out = machine.allocate(inst, x.element(), x.count());
    int[] states = x.origins() == null ? null : new int[x.count()];
    for (int first : g.first) {
      switch (x.data()) {
        case float[] d -> run(op.kind(), d, (float[]) out, first, order, op.exclusive());
        case double[] d -> run(op.kind(), d, (double[]) out, first, order, op.exclusive());
        case long[] d -> run(op.kind(), x.element(), d, (long[]) out, first, order, op.exclusive());
        default -> throw new IllegalStateException();
      }
      if (states != null) {
        scanStates(op, x.origins(), states, first, order);
      }
    }
    return new Tile(x.element(), x.shape(), out, Padding.simplified(states), false);
  }

  static int[] reversed(int[] step) {
    return IntStream.range(0, step.length).map(i -> step[step.length - 1 - i]).toArray();
  }

  /**
   * A running sum skips neutral elements and is inside; others are foreign from the first element that is not inside.
   */
  private static void scanStates(ReductionOp.Scan op, int[] in, int[] out, int first, int[] order) {
    int state = 0;
    for (int s : order) {
      int next = in[first + s];
      int before = state;
      if (op.kind() != ScanKind.SUM || Padding.isForeign(next)) {
        state = Padding.any(state, next);
      }
      out[first + s] = op.exclusive() ? before : state;
    }
  }

  private static void run(ScanKind kind, float[] in, float[] out, int first, int[] order, boolean exclusive) {
    boolean begun = false;
    float total = (float) start(kind);
    for (int s : order) {
      float x = in[first + s];
      float before = total;
      // A sum or product of two f32 in f64, rounded once, is that of f32.
      total = begun ? (float) next(kind, total, x) : x;
      begun = true;
      out[first + s] = exclusive ? before : total;
    }
  }

  private static void run(ScanKind kind, double[] in, double[] out, int first, int[] order, boolean exclusive) {
    boolean begun = false;
    double total = start(kind);
    for (int s : order) {
      double x = in[first + s];
      double before = total;
      total = begun ? next(kind, total, x) : x;
      begun = true;
      out[first + s] = exclusive ? before : total;
    }
  }

  private static double start(ScanKind kind) {
    return switch (kind) {
      case SUM -> 0;
      case PROD -> 1;
      case MAX -> Double.NEGATIVE_INFINITY;
    };
  }

  private static double next(ScanKind kind, double total, double x) {
    return switch (kind) {
      case SUM -> total + x;
      case PROD -> total * x;
      case MAX -> Math.max(total, x);
    };
  }

  private static void run(ScanKind kind, Element e, long[] in, long[] out, int first, int[] order, boolean exclusive) {
    long total = switch (kind) {
      case SUM -> 0;
      case PROD -> 1;
      case MAX -> Integers.lowest(e);
    };
    for (int s : order) {
      long x = in[first + s];
      long before = total;
      total = switch (kind) {
        case SUM -> Integers.wrap(e, total + x);
        case PROD -> Integers.wrap(e, total * x);
        case MAX -> Integers.max(e, total, x);
      };
      out[first + s] = exclusive ? before : total;
    }
  }
}
