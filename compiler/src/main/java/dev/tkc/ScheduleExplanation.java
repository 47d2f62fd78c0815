package dev.tkc;

import dev.tkc.grammar.lower.Specialisation;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Loc;
import dev.tkc.ir.Module;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.type.SharedType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.Step;
import dev.tkc.passes.analysis.BulkAccess;
import dev.tkc.passes.analysis.Tensors;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What the compiler made of a kernel and why: {@code tkc explain-schedule}. Read off the IR, so it says what is, not
 * what was meant.
 *
 * @param choice where tile sizes and settings come from
 * @param phases one for each device function
 */
public record ScheduleExplanation(String kernel, Target target, ScheduleChoice choice, List<Phase> phases) {
  /**
   * One phase.
   *
   * @param warps of a block
   * @param persistent whether a block goes on to further tiles
   * @param settings annotations that a schedule gave
   * @param obstacle why its products do not run beside the warps, where they could on this target
   */
  public record Phase(
      String name, long warps, boolean persistent, Map<String, Object> settings, Optional<String> obstacle,
      List<Product> products, List<Access> accesses, List<Role> roles, List<Buffer> buffers, long sharedBytes) {}

  /** A product, its instruction ({@code multiply-add} where there is none) and how many stand in the code. */
  public record Product(String operands, String instruction, int count) {}

  /**
   * How a tensor is read or written.
   *
   * @param way {@code bulk copy}, which may be of a copy that {@code repack-operands} made, {@code asynchronous copy},
   *     {@code by the threads}
   * @param obstacle why no copy engine does it, where the target has one
   */
  public record Access(String tensor, boolean write, String tile, String way, Optional<String> obstacle, Loc loc) {}

  public record Role(String name, int warps, int registers) {}

  /** A buffer in shared memory, {@code slots} times {@code bytes}. */
  public record Buffer(String name, String type, int slots, long bytes, Optional<Long> offset) {}

  public ScheduleExplanation {
    phases = List.copyOf(phases);
  }

  /**
   * Explains what {@link Kernel#compile} would do.
   *
   * @throws dev.tkc.ir.diag.DiagnosticException as that does
   */
  public static ScheduleExplanation of(Kernel kernel, Target target, Constants values, CompileOptions options) {
    ScheduleChoice choice = kernel.schedule(target, values);
    Specialisation specialisation = kernel.specialisation(target, values);
    Module module = Cloner.clone(kernel.lower(specialisation));
    Reader reader = new Reader(target);
    PassDriver.run(module, new PassContext(Optional.of(target.info()), options.passes(), _ -> { }, reader));
    return new ScheduleExplanation(kernel.name(), target, choice, reader.phases(module));
  }

  /** Looks at the module when everything is marked and nothing has moved, and again at the end. */
  private static final class Reader implements PassContext.Observer {
    private final Target target;
    private final Map<String, Map<String, Object>> annotations = new LinkedHashMap<>();
    private final Map<String, List<Access>> accesses = new LinkedHashMap<>();

    Reader(Target target) {
      this.target = target;
    }

    @Override
    public void before(Module module) {}

    @Override
    public void after(Step step, Module module) {
      if (step.name().equals("clean-device") || step.name().equals("choose-async")) {
        for (Func f : module.funcs()) {
          if (f.kind() == Func.Kind.DEVICE) {
            annotations.put(f.name(), new TreeMap<>(f.annotations()));
            accesses.put(f.name(), accesses(f));
          }
        }
      }
    }

    private List<Access> accesses(Func f) {
      BulkAccess engine = new BulkAccess(f);
      boolean has = target.info().has(dev.tkc.passes.target.Capability.BULK_COPY);
      List<Access> found = new ArrayList<>();
      f.body().walk(i -> {
        Value tensor = i.op() instanceof MemoryOp.Load l ? l.tensor()
            : i.op() instanceof MemoryOp.Store s ? s.tensor() : null;
        if (tensor != null) {
          boolean write = i.op() instanceof MemoryOp.Store;
          Value tile = write ? i.operands().getLast() : i.result();
          Optional<String> why = i.flag("bulk") || !has || tile.tile().rank() < 2 ? Optional.empty()
              : engine.obstacle(i);
          found.add(new Access(Tensors.name(tensor), write, tile.type().toString(), i.flag("bulk") ? bulk(f, tensor)
              : "", why, i.loc()));
        }
      });
      return found;
    }

    private static String bulk(Func f, Value tensor) {
      return isAmong(f, "repacked", tensor) ? "bulk copy of rows repacked before"
          : isAmong(f, "materialised", tensor) ? "bulk copy of what is computed before" : "bulk copy";
    }

    private static boolean isAmong(Func f, String annotation, Value tensor) {
      return f.annotations().get(annotation) instanceof String names
          && List.of(names.split(", ")).contains(Tensors.name(tensor));
    }

    List<Phase> phases(Module placed) {
      return placed.funcs().stream().filter(f -> f.kind() == Func.Kind.DEVICE).map(this::phase).toList();
    }

    private Phase phase(Func f) {
      Map<String, Object> early = annotations.getOrDefault(f.name(), Map.of());
      Map<String, Object> settings = new TreeMap<>(early);
      settings.keySet().retainAll(List.of("stages", "grouped", "split_k", "store_buffers", "repack", "materialise"));
      List<Role> roles = new ArrayList<>();
      List<Buffer> buffers = new ArrayList<>();
      List<String> copied = new ArrayList<>();
      Map<List<String>, Integer> products = new LinkedHashMap<>();
      f.body().walk(i -> {
        switch (i.op()) {
          case ControlOp.Role r -> roles.add(new Role(r.name(), r.warps(), r.registers()));
          case SharedOp.SharedAlloc a -> buffers.add(buffer(i, a));
          case SharedOp.CopyAsync c -> copied.add(Tensors.name(c.tensor()));
          case MatrixOp.Dot d -> products.merge(product(i, d.a(), d.b(), d.acc()), 1, Integer::sum);
          case AsyncOp.DotAsync d -> products.merge(product(i, d.a(), d.b(), d.acc()), 1, Integer::sum);
          default -> { }
        }
      });
      return new Phase(f.name(), f.annotation("warps", 1), Boolean.TRUE.equals(early.get("persistent")), settings,
          Optional.ofNullable(early.get("synchronous")).map(Object::toString),
          products.entrySet().stream()
              .map(e -> new Product(e.getKey().get(0), e.getKey().get(1), e.getValue())).toList(),
          accesses.getOrDefault(f.name(), List.of()).stream()
              .map(a -> a.way.isEmpty() ? new Access(a.tensor, a.write, a.tile,
              !a.write && copied.contains(a.tensor) ? "asynchronous copy" : "by the threads", a.obstacle, a.loc) : a)
                  .distinct().toList(),
          roles, buffers, f.annotation("shared_bytes", 0));
    }

    private static List<String> product(Inst i, Value a, Value b, Value acc) {
      return List.of(shape(a) + " @ " + shape(b) + " → " + shape(acc),
          String.valueOf(i.annotations().getOrDefault("instruction", "multiply-add")));
    }

    private static String shape(Value v) {
      return v.type() instanceof SharedType s ? s.element().text() + s.shape() + " in shared memory"
          : v.tile().element().text() + v.tile().shape();
    }

    private static Buffer buffer(Inst i, SharedOp.SharedAlloc a) {
      SharedType t = a.type();
      long bytes = t.element().bytes(t.tile().count());
      return new Buffer(a.name(), t.element().text() + t.shape(), t.stages(), bytes,
          i.annotations().get("offset") instanceof Long l ? Optional.of(l) : Optional.empty());
    }
  }

  /** All of it as text for people. */
  public String text() {
    StringBuilder out = new StringBuilder();
    out.append(kernel).append(" for ").append(target.name()).append('\n');
    for (ScheduleChoice.Chosen c : choice.constants()) {
      out.append("  %-24s %s%n".formatted(c.name() + " = " + c.value(), c.origin().text()));
    }
    new TreeMap<>(choice.settings()).forEach((n, v) ->
        out.append("  %-24s %s%n".formatted(n + " = " + v, choice.settingsFrom().text())));
    choice.reason().ifPresent(r -> out.append("  no estimate was made: ").append(r).append('\n'));
    candidates(out);
    phases.forEach(p -> phase(out, p));
    return out.toString();
  }

  private void candidates(StringBuilder out) {
    if (choice.candidates().isEmpty()) {
      return;
    }
    double best = choice.candidates().getFirst().cycles();
    int count = choice.candidates().size();
    out.append("  estimates, of ").append(count).append(count == 1 ? " candidate:\n" : " candidates:\n");
    choice.candidates().stream().filter(c -> c.obstacle().isEmpty()).limit(5).forEach(c -> out.append(
        String.format(Locale.ROOT, "    %-32s %12.0f cycles  %.2f%n", shown(c), c.cycles(), c.cycles() / best)));
    // The same reason with other numbers is the same reason.
    Map<String, List<String>> obstacles = new LinkedHashMap<>();
    choice.candidates().forEach(c -> c.obstacle().ifPresent(
        o -> obstacles.computeIfAbsent(o.replaceAll("\\d+", "n"), _ -> new ArrayList<>()).add(o)));
    obstacles.values().forEach(all -> out.append("    ").append(all.size())
        .append(all.size() == 1 ? " cannot be: " : " cannot be, for instance: ").append(all.getFirst()).append('\n'));
  }

  private static Map<String, Object> shown(ScheduleChoice.Candidate c) {
    Map<String, Object> all = new TreeMap<>(c.constants());
    all.putAll(c.settings());
    return all;
  }

  private static void phase(StringBuilder out, Phase p) {
    out.append('\n').append(p.name).append(": ").append(p.warps).append(p.warps == 1 ? " warp" : " warps")
        .append(p.persistent ? ", persistent" : "")
        .append(p.settings.isEmpty() ? "" : ", " + p.settings).append('\n');
    p.obstacle.ifPresent(o -> out.append("  products wait for their results: ").append(o).append('\n'));
    for (Role r : p.roles) {
      out.append("  role %-12s %d warps, %d registers a thread%n".formatted(r.name, r.warps, r.registers));
    }
    for (Product x : p.products) {
      out.append(
          "  product %s by %s%s%n".formatted(x.operands, x.instruction, x.count > 1 ? ", " + x.count + " times" : ""));
    }
    for (Access a : p.accesses) {
      out.append("  %-5s %-10s %-18s %s%s%s%n".formatted(a.write ? "store" : "load", a.tensor, a.tile, a.way,
          a.obstacle.map(o -> ", since " + o).orElse(""), a.loc == Loc.UNKNOWN ? "" : "  (" + a.loc + ")"));
    }
    for (Buffer b : p.buffers) {
      out.append("  shared %-10s %-18s %d × %d bytes%s%n".formatted(b.name, b.type, b.slots, b.bytes,
          b.offset.map(o -> " at " + o).orElse("")));
    }
    out.append("  shared memory: ").append(p.sharedBytes).append(" bytes\n");
  }
}
