package dev.tkc;

import dev.tkc.ScheduleChoice.Candidate;
import dev.tkc.ScheduleChoice.Chosen;
import dev.tkc.ScheduleChoice.Origin;
import dev.tkc.grammar.lower.Lowering;
import dev.tkc.grammar.lower.Schedules;
import dev.tkc.grammar.lower.Specialisation;
import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.launch.Binder;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassFailure;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.cost.BlockReads;
import dev.tkc.passes.cost.CostModel;
import dev.tkc.passes.cost.RepackingCost;
import dev.tkc.passes.target.Capability;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The one place that says what schedule a launch of a kernel has. In this order: the caller's values, the first
 * schedule of the file that holds, what {@code tkc tune} has measured for these sizes, an estimate, the kernel's own
 * values.
 *
 * <p>The estimate ranks sizes of tiles, for constants that are nothing else ({@link TileConstants}) and where all
 * products then run asynchronously; a candidate's IR is made once and asked again for other sizes. Thread-safe.
 */
final class Scheduler {
  /**
   * Sizes beside the best by estimate, for products whose tiles then fill the multiprocessors more evenly: taken where
   * that is quicker by more than what fewer slots and longer ways out cost them.
   */
  private static final List<Long> BETWEEN = List.of(192L, 320L);
  private static final double CLEARLY = 0.98;

  /** Sums are shared out where that is quicker by more than what estimates of it are wrong by. */
  private static final double SURELY = 0.9;

  /** The setting for sums that blocks share, and how many blocks are tried. */
  private static final String SHARES = "split_k";
  private static final List<Long> WAYS = List.of(2L, 3L, 4L, 6L, 8L);

  /** The setting for grids of products over two tiled dimensions. */
  private static final String BANDS = "grouped";

  /** The setting for grids whose blocks go on to further tiles. */
  private static final String STAYS = "persistent";

  /** The setting for rounds that are prefetched before the launch in front is over, and how many it gets. */
  private static final String AHEAD = "prefetch";
  private static final long PREFETCHED = 2;

  /** Why there is no estimate where no pass looked for asynchronous products. */
  private static final String NOT_CONSIDERED = "products run in the warps that use them";

  /** Settings that are turned off where they do not pay. */
  private static final Set<String> CHOSEN = Set.of("repack", "materialise");

  /** The size of a dimension of which nothing is said. */
  private static final long NOMINAL = 4096;

  private final Kernel kernel;
  private final Item.Kernel item;
  private final List<String> tiles;
  private TunedSchedules tuned;
  private volatile Optional<TunedSchedules.Entry> trial = Optional.empty();
  private final Map<Request, ScheduleChoice> choices = new ConcurrentHashMap<>();
  private final Map<Made, Result> made = new ConcurrentHashMap<>();

  /** What a choice depends on. */
  private record Request(Target target, Map<String, Object> given, Map<String, Object> facts,
      Map<String, Integer> divisibility) {}

  private record Made(Target target, Specialisation specialisation) {}

  /** The marked IR of a candidate, or why it is none; {@code hopeless} if other sizes would not help. */
  private record Result(Optional<Module> module, Optional<String> obstacle, boolean hopeless) {}

  Scheduler(Kernel kernel) {
    this.kernel = kernel;
    this.item = kernel.syntax();
    this.tiles = TileConstants.of(item);
  }

  /**
   * @param given the caller's values for constants
   * @param facts sizes and constants as far as they are known
   * @param divisibility as in {@link Specialisation}
   * @throws DiagnosticException if the file's schedule is in error
   */
  ScheduleChoice choose(Target target, Map<String, Object> given, Map<String, Object> facts,
      Map<String, Integer> divisibility) {
    Request request = new Request(target, Map.copyOf(given), Map.copyOf(facts), Map.copyOf(divisibility));
    return trial.isPresent() ? choose(request) : choices.computeIfAbsent(request, this::choose);
  }

  /** Until it is taken back by empty, the schedule that is being measured, in place of any other. */
  void tryOut(Optional<TunedSchedules.Entry> entry) {
    trial = entry;
  }

  /** What was written since is read when it is next asked for. */
  synchronized void forget() {
    tuned = null;
    choices.clear();
  }

  /**
   * Tile sizes to measure, the most promising first: by estimate if there is one, else the kernel's own and those
   * around them.
   */
  List<Map<String, Object>> promising(
      Target target, Map<String, Object> given, Map<String, Object> facts, Map<String, Integer> divisibility) {
    Request r = new Request(target, Map.copyOf(given), Map.copyOf(facts), Map.copyOf(divisibility));
    Specialisation.Schedule written = Schedules.choose(kernel.module().library(), item, target.name(), facts);
    List<String> free = free(r, written);
    if (whyNot(r, written, free).isEmpty()) {
      List<Map<String, Object>> legal = rank(r, written, free).stream().filter(c -> c.obstacle().isEmpty())
          .map(Candidate::constants).toList();
      if (!legal.isEmpty()) {
        return legal;
      }
    }
    List<Map<String, Object>> near =
        new ArrayList<>(new TileCandidates(item, free).around());
    near.sort(Comparator.comparingLong(this::distance));
    return near;
  }

  /** How far tile sizes are from the kernel's own, in powers of two. */
  private long distance(Map<String, Object> values) {
    return item.constants().stream().filter(c -> values.containsKey(c.name().text())).mapToLong(c -> Math.abs(
        Long.numberOfTrailingZeros((Long) values.get(c.name().text()))
            - Long.numberOfTrailingZeros(TileConstants.own(c).orElseThrow()))).sum();
  }

  private List<String> free(Request r, Specialisation.Schedule written) {
    return tiles.stream().filter(n -> !r.given.containsKey(n) && !written.constants().containsKey(n)).toList();
  }

  private synchronized TunedSchedules tuned() {
    if (tuned == null) {
      tuned = TunedSchedules.beside(item.span().source());
    }
    return tuned;
  }

  /** What measurements of a launch with these facts are kept under: all but the sizes of tiles. */
  TunedSchedules.Subject subject(Target target, Map<String, Object> facts) {
    Map<String, Object> rest = new HashMap<>(facts);
    rest.keySet().removeAll(tiles);
    return new TunedSchedules.Subject(kernel.name(), target.name(), rest);
  }

  private ScheduleChoice choose(Request r) {
    Specialisation.Schedule written = Schedules.choose(kernel.module().library(), item, r.target.name(), r.facts);
    ScheduleChoice choice = choose(r, written);
    if (isMaterialised(r, choice.schedule())) {
      Specialisation.Schedule in = without("materialise", written);
      ScheduleChoice there = choose(r, in);
      if (cycles(r, there.schedule()) < cycles(r, choice.schedule())) {
        written = in;
        choice = there;
      }
    }
    return once(r, repackingPays(r, choice.schedule()) ? choice : choose(r, without("repack", written)));
  }

  /** No block waits for a further tile where there is none, and what is short has its first tiles prefetched. */
  private ScheduleChoice once(Request r, ScheduleChoice choice) {
    Specialisation.Schedule schedule = choice.schedule();
    if (r.target.info().rates().isEmpty() || schedule.function().containsKey(STAYS)
        || schedule.phases().values().stream().anyMatch(p -> p.containsKey(STAYS))
        || make(r, schedule, Map.of()).module
            .filter(m -> CostModel.hasTileForEachBlock(m, sizes(r), r.target.info())).isEmpty()) {
      return choice;
    }
    Specialisation.Schedule leaving = without(STAYS, schedule);
    return new ScheduleChoice(choice.constants(), isShort(r, schedule) ? with(AHEAD, PREFETCHED, leaving) : leaving,
        choice.settings(), choice.settingsFrom(), choice.candidates(), choice.reason());
  }

  /** Whether the start is most of a launch, and nobody said how much of it should be prefetched. */
  private boolean isShort(Request r, Specialisation.Schedule schedule) {
    return r.target.info().has(Capability.DEPENDENT_LAUNCH) && !schedule.function().containsKey(AHEAD)
        && schedule.phases().values().stream().noneMatch(p -> p.containsKey(AHEAD))
        && make(r, schedule, Map.of()).module.filter(m -> BlockReads.areFew(m, sizes(r), r.target.info())).isPresent();
  }

  private static Specialisation.Schedule without(String setting, Specialisation.Schedule s) {
    return with(setting, false, s);
  }

  private static Specialisation.Schedule with(String setting, Object value, Specialisation.Schedule s) {
    Map<String, Object> settings = new HashMap<>(s.function());
    settings.put(setting, value);
    return new Specialisation.Schedule(s.constants(), settings, s.phases());
  }

  /** Whether operands are computed in a phase before, and nobody said whether they should be. */
  private boolean isMaterialised(Request r, Specialisation.Schedule schedule) {
    return r.target.info().rates().isPresent() && !schedule.function().containsKey("materialise")
        && make(r, schedule, Map.of()).module.filter(m -> m.funcs().stream()
            .anyMatch(f -> f.annotations().containsKey("materialised"))).isPresent();
  }

  /** By estimate; those of a kernel whose products are not all asynchronous are without end. */
  private double cycles(Request r, Specialisation.Schedule schedule) {
    return make(r, schedule, Map.of()).module.map(m -> CostModel.cycles(m, sizes(r), r.target.info()))
        .orElse(Double.POSITIVE_INFINITY);
  }

  /**
   * Whether copying operands into rows that copy engines can address is worth its time for these sizes, where it is
   * done.
   */
  private boolean repackingPays(Request r, Specialisation.Schedule schedule) {
    if (r.target.info().rates().isEmpty() || schedule.function().containsKey("repack")) {
      return true;
    }
    return make(r, schedule, Map.of()).module.map(m -> RepackingCost.pays(m, sizes(r), r.target.info())).orElse(true);
  }

  private Map<String, Long> sizes(Request r) {
    Map<String, Long> sizes = new HashMap<>();
    r.facts.forEach((n, v) -> {
      if (v instanceof Long l) {
        sizes.put(n, l);
      }
    });
    kernel.parameters().forEach(p -> p.dims().forEach(d -> sizes.putIfAbsent(d, NOMINAL)));
    return sizes;
  }

  private ScheduleChoice choose(Request r, Specialisation.Schedule written) {
    Map<String, Object> fixed = new LinkedHashMap<>(written.constants());
    Map<String, Origin> origins = new HashMap<>();
    written.constants().keySet().forEach(n -> origins.put(n, Origin.SCHEDULE));
    r.facts.keySet().forEach(n -> origins.putIfAbsent(n, Origin.ARGUMENTS));
    item.constants().stream().filter(c -> c.value().isPresent() && !written.constants().containsKey(c.name().text()))
        .forEach(c -> origins.put(c.name().text(), Origin.KERNEL));
    r.given.keySet().forEach(n -> origins.put(n, Origin.CALLER));

    Specialisation.Schedule schedule = written;
    boolean silent = CHOSEN.containsAll(written.function().keySet()) && written.phases().isEmpty();
    Origin writer = silent ? Origin.KERNEL : Origin.SCHEDULE;
    List<Candidate> candidates = List.of();
    Optional<String> reason = Optional.empty();
    List<String> free = free(r, written);
    Origin settingsFrom = writer;
    Optional<TunedSchedules.Entry> measured = trial.or(() -> writer == Origin.KERNEL
        ? tuned().find(subject(r.target, r.facts), free) : Optional.empty());
    if (measured.isPresent()) {
      measured.get().constants().forEach((n, v) -> origins.put(n, Origin.TUNED));
      fixed.putAll(measured.get().constants());
      Map<String, Object> settings = new HashMap<>(written.function());
      settings.putAll(measured.get().settings());
      schedule = new Specialisation.Schedule(fixed, settings, Map.of());
    } else {
      reason = whyNot(r, written, free);
      if (reason.isEmpty()) {
        candidates = rank(r, written, free);
        Candidate best = candidates.getFirst();
        if (best.obstacle().isEmpty()) {
          best.constants().forEach((n, v) -> origins.put(n, Origin.ESTIMATE));
          fixed.putAll(best.constants());
          Map<String, Object> settings = new HashMap<>(written.function());
          settings.putAll(best.settings());
          schedule = new Specialisation.Schedule(fixed, settings, written.phases());
          settingsFrom = best.settings().isEmpty() ? settingsFrom : Origin.ESTIMATE;
        } else {
          reason = Optional.of(own(candidates, free).obstacle().orElseThrow());
        }
      }
    }
    return new ScheduleChoice(chosen(r, fixed, origins), schedule, schedule.function(),
        measured.isPresent() ? Origin.TUNED : settingsFrom, candidates, reason);
  }

  private Optional<String> whyNot(Request r, Specialisation.Schedule written, List<String> free) {
    if (r.target.info().rates().isEmpty()) {
      return Optional.of("no rates are known of " + r.target.name());
    }
    if (free.isEmpty()) {
      return Optional.of(tiles.isEmpty() ? "no constant is only the size of a tile" : "all tile sizes are given");
    }
    if (item.constants().stream()
        .anyMatch(c -> free.contains(c.name().text()) && TileConstants.own(c).orElseThrow() == 1)) {
      return Optional.of("a tile of one element may be meant so");
    }
    return TileMeaning.dependence(
        Lowering.lower(kernel.module().library(), kernel.name(), specialisation(r, written, Map.of())));
  }

  private List<Chosen> chosen(Request r, Map<String, Object> fixed, Map<String, Origin> origins) {
    Map<String, Object> given = new HashMap<>(r.given);
    item.constants().stream().map(c -> c.name().text()).filter(r.facts::containsKey)
        .filter(n -> !fixed.containsKey(n)).forEach(n -> given.putIfAbsent(n, r.facts.get(n)));
    Map<String, Object> all = Binder.constants(item, kernel.module()::global, given, fixed);
    return all.entrySet().stream()
        .map(e -> new Chosen(e.getKey(), e.getValue(), origins.getOrDefault(e.getKey(), Origin.KERNEL))).toList();
  }

  // ------------------------------------------------------------------------------------------------ the estimate

  /** Every combination of sizes for the free constants, the quickest first; those that cannot be come last. */
  private List<Candidate> rank(Request r, Specialisation.Schedule written, List<String> free) {
    List<Candidate> all = new ArrayList<>();
    Map<String, Long> sizes = sizes(r);
    TileCandidates tried = new TileCandidates(item, free);
    Map<String, Long> most = TileConstants.covered(item, r.facts);
    boolean three = false;
    for (Map<String, Object> values : tried.upTo(most)) {
      Result result = make(r, written, values);
      all.add(candidate(r, values, result, sizes));
      if (result.hopeless) {
        break;
      }
      three |= result.module.filter(TileCandidates::mayHaveThreeGroups).isPresent();
    }
    if (three) {
      for (Map<String, Object> values : tried.forThreeGroups(most)) {
        Result result = make(r, written, values);
        if (result.module.filter(TileCandidates::isForThreeGroups).isPresent()) {
          all.add(candidate(r, values, result, sizes));
        }
      }
    }
    all.sort(Comparator.comparingDouble(Candidate::cycles));
    between(r, written, all.getFirst(), most).ifPresent(c -> all.add(0, c));
    sharedOut(r, written, all).ifPresent(c -> all.add(0, c));
    return all;
  }

  private static Candidate candidate(
      Request r, Map<String, Object> values, Result result, Map<String, Long> sizes) {
    double cycles = result.module.map(m -> CostModel.cycles(m, sizes, r.target.info()))
        .orElse(Double.POSITIVE_INFINITY);
    return new Candidate(values, Map.of(), cycles, result.obstacle);
  }

  /**
   * The best candidate with one size moved to where no power of two is, if that is clearly quicker. Only for products
   * over two tiled dimensions: other kernels' tiles are as wide as what their rows need. Larger sums leave no registers
   * for arithmetic between them and their stores.
   */
  private Optional<Candidate> between(
      Request r, Specialisation.Schedule written, Candidate best, Map<String, Long> most) {
    if (best.obstacle().isPresent() || make(r, written, best.constants()).module.stream()
        .flatMap(m -> m.funcs().stream()).noneMatch(f -> f.annotations().containsKey(BANDS))) {
      return Optional.empty();
    }
    List<Candidate> found = new ArrayList<>();
    long largest = make(r, written, best.constants()).module.filter(Scheduler::computesOnTheWayOut).isPresent() ? 1 : 2;
    best.constants().forEach((name, value) -> BETWEEN.stream()
        .filter(n -> n < largest * (long) value && 2 * n > (long) value
            && n <= most.getOrDefault(name, Long.MAX_VALUE))
        .forEach(n -> {
          Map<String, Object> values = new LinkedHashMap<>(best.constants());
          values.put(name, n);
          make(r, written, values).module.ifPresent(m -> found.add(new Candidate(
              values, Map.of(), CostModel.cycles(m, sizes(r), r.target.info()), Optional.empty())));
        }));
    return found.stream().min(Comparator.comparingDouble(Candidate::cycles))
        .filter(c -> c.cycles() < CLEARLY * best.cycles());
  }

  /** Whether a device function computes on tiles outside of its loops, other than to convert them. */
  private static boolean computesOnTheWayOut(Module module) {
    return module.funcs().stream().filter(f -> f.kind() == Func.Kind.DEVICE).flatMap(f -> f.body().insts().stream())
        .anyMatch(i -> i.op() instanceof ElementwiseOp && !(i.op() instanceof ElementwiseOp.Cast)
            && i.result().tile().rank() == 2 && i.result().tile().element().isFloat());
  }

  /**
   * The best of the candidates with its sums shared out among blocks, if that is quicker than the best of them as it
   * is.
   */
  private Optional<Candidate> sharedOut(Request r, Specialisation.Schedule written, List<Candidate> all) {
    if (written.function().containsKey(SHARES) || !written.phases().isEmpty()
        || all.getFirst().obstacle().isPresent()) {
      return Optional.empty();
    }
    Candidate best = all.getFirst();
    for (Candidate c : all) {
      for (long ways : WAYS) {
        double cycles = c.obstacle().isPresent() ? Double.POSITIVE_INFINITY
            : CostModel.cycles(make(r, written, c.constants()).module.orElseThrow(), sizes(r), r.target.info(), ways);
        if (cycles < best.cycles() && cycles < all.getFirst().cycles() * SURELY) {
          best = new Candidate(c.constants(), Map.of(SHARES, ways), cycles, Optional.empty());
        }
      }
    }
    if (best.settings().isEmpty()) {
      return Optional.empty();
    }
    Map<String, Object> settings = new HashMap<>(written.function());
    settings.putAll(best.settings());
    Result result = make(r, new Specialisation.Schedule(written.constants(), settings, written.phases()),
        best.constants());
    return result.module.isPresent() ? Optional.of(best) : Optional.empty();
  }

  /** The kernel's own sizes among the candidates. */
  private Candidate own(List<Candidate> candidates, List<String> free) {
    Map<String, Object> values = new HashMap<>();
    item.constants().stream().filter(c -> free.contains(c.name().text()))
        .forEach(c -> values.put(c.name().text(), TileConstants.own(c).orElseThrow()));
    return candidates.stream().filter(c -> c.constants().equals(values)).findFirst().orElse(candidates.getFirst());
  }

  private Result make(Request r, Specialisation.Schedule written, Map<String, Object> values) {
    return made.computeIfAbsent(new Made(r.target, specialisation(r, written, values)), this::make);
  }

  private Specialisation specialisation(Request r, Specialisation.Schedule written, Map<String, Object> values) {
    Map<String, Object> scheduled = new HashMap<>(written.constants());
    scheduled.putAll(values);
    Map<String, Object> given = new HashMap<>(r.given);
    item.constants().stream().map(c -> c.name().text()).filter(n -> r.facts.containsKey(n) && !scheduled.containsKey(n))
        .forEach(n -> given.putIfAbsent(n, r.facts.get(n)));
    Map<String, Object> constants = Binder.constants(item, kernel.module()::global, given, scheduled);
    return new Specialisation(constants, r.divisibility,
        new Specialisation.Schedule(scheduled, written.function(), written.phases()));
  }

  private Result make(Made m) {
    try {
      Module module = marked(kernel, m.target, m.specialisation);
      List<MatrixOp.Dot> products = new ArrayList<>();
      module.funcs().forEach(f -> f.body().walk(i -> {
        if (i.op() instanceof MatrixOp.Dot d) {
          products.add(d);
        }
      }));
      if (products.isEmpty()) {
        return new Result(Optional.empty(), Optional.of("it multiplies no matrices"), true);
      }
      Optional<String> obstacle = module.funcs().stream().filter(f -> f.kind() == Func.Kind.DEVICE)
          .map(Scheduler::obstacle).flatMap(Optional::stream).findFirst();
      boolean hopeless = obstacle.equals(Optional.of(NOT_CONSIDERED)) || products.stream().anyMatch(d -> m.target.info()
          .asyncFor(d.a().tile().element(), d.b().tile().element(), d.acc().tile().element(), d.precision()).isEmpty());
      return new Result(obstacle.isPresent() ? Optional.empty() : Optional.of(module), obstacle, hopeless);
    } catch (DiagnosticException e) {
      return new Result(Optional.empty(), Optional.of(e.diagnostics().getFirst().message()), false);
    } catch (PassFailure e) {
      return new Result(Optional.empty(), Optional.of(e.getMessage()), false);
    }
  }

  /** Tile IR in which it is decided what is asynchronous. */
  static Module marked(Kernel kernel, Target target, Specialisation specialisation) {
    Module module = Lowering.lower(kernel.module().library(), kernel.name(), specialisation);
    PassDriver.run(module, PassContext.of(target.info(), PassOptions.defaults().withStopAfter("choose-async")));
    return module;
  }

  /** Why a function's products are not asynchronous. */
  private static Optional<String> obstacle(Func func) {
    boolean multiplies = func.body().anyMatch(i -> i.op() instanceof MatrixOp.Dot);
    boolean beside = func.body().anyMatch(
        i -> i.op() instanceof MatrixOp.Dot && i.annotations().containsKey("instruction"));
    Object why = func.annotations().get("synchronous");
    return multiplies == beside ? Optional.empty() : Optional.of(why == null ? NOT_CONSIDERED : why.toString());
  }
}
