package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.rules.ScratchBytes;
import dev.tkc.ir.rules.SlotBytes;
import dev.tkc.ir.type.TensorType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.SharedShortage;
import dev.tkc.passes.analysis.Regions;
import dev.tkc.passes.target.TargetInfo;
import dev.tkc.passes.tile.OutlinePhases;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Gives shared buffers and scratch their places in the block's shared memory; what is never in use together shares
 * bytes.
 *
 * <pre>
 *   %b = shared_alloc {…} : shared&lt;bf16[128, 32], 3, #l2&gt;  →  … #{offset = 0}
 *   %c = convert_layout %x : …                           →  … #{scratch = 24576}
 *   %p = make_tensor %part, …                            →  … #{near = 163840}      parts of a cluster's blocks
 * </pre>
 *
 * A buffer is in use from its first use to its last, and through the whole of any loop that uses it and stands behind
 * its allocation; scratch is in use during its instruction, or, if it is little, all the time. Barriers, what copy
 * engines or asynchronous dots use, and all buffers of a function with roles are in use all the time, since others than
 * the threads in program order use them; scratch of different roles is never shared. Places are found largest first, at
 * multiples of {@link #ALIGNMENT} bytes, of {@link #ENGINE_ALIGNMENT} for engines, of 8 for barriers. The function's
 * {@code shared_bytes} is the sum of it all; more than the target has is a shortage, with a table in which it went.
 */
public final class AllocateShared {
  static final long ALIGNMENT = 128;

  /** What rows of 128 bytes repeat their exchange of pieces at: their layout holds from such an address. */
  static final long ENGINE_ALIGNMENT = 1024;

  /** A transaction barrier. */
  public static final int BARRIER_BYTES = 8;

  /** On a tensor of parts: the last block of a cluster has them in its shared memory from there on. */
  public static final String NEAR = "near";

  private static final long SMALL = 1024;
  private static final int MOST_SMALL = 16;

  private static final class Live {
    private final Inst inst;
    private final long bytes;
    private final long alignment;
    /** Which team uses it: 0 for the function's body, then the roles in order. */
    private final int team;
    private int from = Integer.MAX_VALUE;
    private int to = -1;
    private long offset;

    Live(Inst inst, long bytes, long alignment, int team) {
      this.inst = inst;
      this.bytes = bytes;
      this.alignment = alignment;
      this.team = team;
    }

    void during(int start, int end) {
      from = Math.min(from, start);
      to = Math.max(to, end);
    }

    boolean meets(Live other) {
      return team != other.team || from <= other.to && other.from <= to;
    }
  }

  private record Span(Inst loop, int from, int to) {}

  private final TargetInfo target;
  private final Map<Value, Live> buffers = new IdentityHashMap<>();
  private final Map<Value, Integer> allocatedAt = new IdentityHashMap<>();
  private final List<Live> all = new ArrayList<>();
  private final Map<Inst, Span> spans = new IdentityHashMap<>();
  private final List<Live> small = new ArrayList<>();
  private final Set<Value> engines;
  /** So many blocks run as a cluster. */
  private final long cluster;
  /** The tensors of what those blocks leave for the last of them. */
  private final Set<Value> parts = new HashSet<>();
  private final boolean hasRoles;
  private int clock;
  private int clockEnd;

  private AllocateShared(Func func, TargetInfo target) {
    this.target = target;
    this.engines = SharedBuffers.ofEngines(func);
    this.hasRoles = Team.of(func).size() > 1;
    this.cluster = func.annotation(OutlinePhases.CLUSTER, 1);
    func.body().walk(i -> {
      if (cluster > 1 && i.op() instanceof MemoryOp.Store s && s.tensor().definition() != null
          && s.tensor().definition().op() instanceof MemoryOp.MakeTensor t && t.access() == MemoryOp.Access.TEMP) {
        parts.add(s.tensor());
      }
    });
  }

  public static void run(Func func, PassContext context) {
    new AllocateShared(func, context.target()).run(func);
  }

  private void run(Func func) {
    time(func.body());
    clockEnd = clock;
    List<Team> teams = Team.of(func);
    for (int i = 0; i < teams.size(); i++) {
      collect(teams.get(i).region(), i, new ArrayDeque<>());
    }
    long total = place();
    func.annotations().put("shared_bytes", total);
    if (total > target.shared().perBlock()) {
      throw new SharedShortage(func.name(), total - target.shared().perBlock(), tooLarge(func, total));
    }
  }

  private void time(Region region) {
    for (Inst inst : region.insts()) {
      int start = clock++;
      inst.regions().forEach(this::time);
      spans.put(inst, new Span(inst, start, clock++));
    }
  }

  private void collect(Region region, int team, Deque<Span> loops) {
    for (Inst inst : region.insts()) {
      Span span = spans.get(inst);
      allocation(inst, span);
      long scratch = ScratchBytes.of(inst);
      if (scratch > 0) {
        Live live = new Live(inst, scratch, ALIGNMENT, team);
        live.during(span.from, span.to);
        all.add(live);
        if (scratch <= SMALL) {
          small.add(live);
        }
      }
      for (Value v : inst.operands()) {
        if (buffers.containsKey(v)) {
          Live live = buffers.get(v);
          live.during(span.from, span.to);
          loops.stream().filter(l -> l.from > allocatedAt.get(v)).forEach(l -> live.during(l.from, l.to));
        }
      }
      if (inst.op() instanceof ControlOp.Role) {
        continue;
      }
      boolean repeats = inst.op() instanceof ControlOp.For || inst.op() instanceof ControlOp.While;
      if (repeats) {
        loops.push(span);
      }
      inst.regions().forEach(r -> collect(r, team, loops));
      if (repeats) {
        loops.pop();
      }
    }
  }

  /** A buffer or barriers; what is used by others than the threads in program order is in use all the time. */
  private void allocation(Inst inst, Span span) {
    if (inst.op() instanceof MemoryOp.MakeTensor t && parts.contains(inst.result())) {
      // Other blocks of the cluster write there at any time.
      long elements = Regions.integer(t.sizes().getLast()).orElseThrow();
      long part = ((TensorType) inst.result().type()).element().bytes(elements);
      Live live = new Live(inst, (cluster - 1) * part, ALIGNMENT, 0);
      live.during(0, clockEnd);
      all.add(live);
    } else if (inst.op() instanceof AsyncOp.BarrierAlloc) {
      Live live = new Live(inst, bytes(inst), BARRIER_BYTES, 0);
      live.during(0, clockEnd);
      all.add(live);
    } else if (inst.op() instanceof SharedOp.SharedAlloc) {
      boolean engine = engines.contains(inst.result());
      Live live = new Live(inst, bytes(inst), engine ? ENGINE_ALIGNMENT : ALIGNMENT, 0);
      if (engine || hasRoles) {
        live.during(0, clockEnd);
      }
      buffers.put(inst.result(), live);
      allocatedAt.put(inst.result(), span.from);
      all.add(live);
    }
  }

  /**
   * The bytes that a {@code shared_alloc} or {@code barrier_alloc} takes, all slots together; 0 for other instructions.
   */
  public static long bytes(Inst inst) {
    return switch (inst.op()) {
      case SharedOp.SharedAlloc a -> SlotBytes.of(inst) * a.type().stages();
      case AsyncOp.BarrierAlloc a -> (long) BARRIER_BYTES * a.slots();
      default -> 0;
    };
  }

  private long place() {
    // Little scratch is not worth a barrier: each gets bytes of its own, unless there is very much of it.
    if (small.size() <= MOST_SMALL) {
      small.forEach(l -> l.during(0, clockEnd));
    }
    List<Live> placed = new ArrayList<>();
    List<Live> order = new ArrayList<>(all);
    order.sort(Comparator.comparingLong((Live l) -> -l.bytes));
    long total = 0;
    for (Live live : order) {
      List<Live> rivals = placed.stream().filter(live::meets).sorted(Comparator.comparingLong(l -> l.offset)).toList();
      for (Live rival : rivals) {
        if (live.offset < rival.offset + rival.bytes && rival.offset < live.offset + live.bytes) {
          live.offset = Math.ceilDiv(rival.offset + rival.bytes, live.alignment) * live.alignment;
        }
      }
      placed.add(live);
      total = Math.max(total, live.offset + live.bytes);
      String place = live.inst.op() instanceof MemoryOp.MakeTensor ? NEAR
          : bytes(live.inst) > 0 ? "offset" : "scratch";
      live.inst.annotate(place, live.offset);
    }
    return total;
  }

  private Diagnostic tooLarge(Func func, long total) {
    Diagnostic d = Diagnostic.error(Code.SHARED_BUDGET, "phase @" + func.name() + " needs " + total
        + " bytes of shared memory, and a block of " + target.name() + " has " + target.shared().perBlock());
    List<Live> fullest = fullest();
    for (Live live : fullest) {
      d = d.note(String.format(Locale.ROOT, "%8d bytes: %s, %s", live.bytes, name(live.inst), live.inst.loc()));
    }
    if (fullest.size() < all.size()) {
      d = d.note("these are in use at one time; what is in use at other times shares their bytes");
    }
    boolean staged = all.stream().anyMatch(l -> l.inst.op() instanceof SharedOp.SharedAlloc a && a.type().stages() > 1);
    return d.help("take smaller tiles" + (staged ? ", or fewer stages" : "")
        + ": constants by `-D NAME=VALUE` or in a schedule"
        + (staged ? ", stages by `stages = 2` in a schedule" : ""));
  }

  /** What is in use at the moment at which most is, the largest first. */
  private List<Live> fullest() {
    List<Live> most = List.of();
    long bytes = -1;
    for (Live one : all) {
      List<Live> together = all.stream()
          .filter(l -> l.team != one.team || l.from <= one.from && one.from <= l.to).toList();
      long sum = together.stream().mapToLong(l -> l.bytes).sum();
      if (sum > bytes) {
        bytes = sum;
        most = together;
      }
    }
    return most.stream().sorted(Comparator.comparingLong((Live l) -> -l.bytes)).toList();
  }

  private static String name(Inst inst) {
    return switch (inst.op()) {
      case SharedOp.SharedAlloc a -> a.name() + ", " + a.type().element().text() + a.type().shape()
          + (a.type().stages() > 1 ? " × " + a.type().stages() + " stages" : "");
      case AsyncOp.BarrierAlloc a -> a.name() + ", " + a.slots() + " barriers";
      default -> "scratch of " + OpShape.mnemonic(inst.op());
    };
  }
}
