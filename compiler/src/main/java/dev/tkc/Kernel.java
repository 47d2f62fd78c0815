package dev.tkc;

import dev.tkc.grammar.lower.Lowering;
import dev.tkc.grammar.lower.Specialisation;
import dev.tkc.grammar.syntax.Constant;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Param;
import dev.tkc.grammar.syntax.TypeExpr;
import dev.tkc.host.GivenValues;
import dev.tkc.ir.Module;
import dev.tkc.ir.type.Element;
import dev.tkc.launch.Argument;
import dev.tkc.launch.Binder;
import dev.tkc.launch.Binding;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** A kernel of a loaded program. Thread-safe; what was compiled for a specialisation is kept. */
public final class Kernel {
  private final KernelModule module;
  private final Item.Kernel item;
  private final List<Parameter> parameters;
  private final Map<Specialisation, Module> lowered = new ConcurrentHashMap<>();
  private final Scheduler scheduler;
  private final Map<Compilation, CompiledKernel> compiled = new ConcurrentHashMap<>();

  private record Compilation(Target target, Specialisation specialisation, CompileOptions options) {}

  /** A launch with everything that its specialisation depends on. */
  record Bound(Binding binding, Specialisation specialisation) {}

  Kernel(KernelModule module, Item.Kernel item) {
    this.module = module;
    this.item = item;
    this.parameters = item.params().stream().map(Kernel::parameter).toList();
    this.scheduler = new Scheduler(this);
  }

  private static Parameter parameter(Param p) {
    Parameter.Mode mode = Parameter.Mode.valueOf(p.mode().name());
    String type = p.type().element().text();
    Element element = type.equals("int") ? Element.I64 : Element.byText(type).orElseThrow();
    List<String> dims = p.type() instanceof TypeExpr.Shaped s ? s.dims().stream().map(d -> d.span().text()).toList()
        : List.of();
    return new Parameter(mode, p.name().text(), element, p.type() instanceof TypeExpr.Shaped, dims);
  }

  public String name() {
    return item.name().text();
  }

  /** The text of its {@code ///} comment. */
  public String doc() {
    return item.doc();
  }

  public KernelModule module() {
    return module;
  }

  public List<Parameter> parameters() {
    return parameters;
  }

  /** The names of its constants. */
  public List<String> constants() {
    return item.constants().stream().map(Constant::name).map(Object::toString).toList();
  }

  /** The names of the sizes that the shapes of its parameters bind, and that are no constants. */
  List<String> sizes() {
    return parameters.stream().flatMap(p -> p.dims().stream())
        .filter(d -> d.matches("[A-Za-z]\\w*") && !constants().contains(d) && module.global(d).isEmpty()).distinct()
            .toList();
  }

  /** The kernel as it was written. */
  public Item.Kernel syntax() {
    return item;
  }

  /** Runs with every constant as the kernel or its schedule has it; see {@link #launch(Constants, Object...)}. */
  public Timing launch(Object... arguments) {
    return launch(Constants.none(), arguments);
  }

  /**
   * Runs on the session's device and waits. Arguments are tensors, numbers and booleans in the order of the parameters.
   *
   * @throws dev.tkc.ir.diag.DiagnosticException when the arguments do not fit the kernel's head, or the run finds a
   *     mistake
   */
  public Timing launch(Constants constants, Object... arguments) {
    return module.session().engine().launch(this, constants, Arrays.stream(arguments).map(Argument::of).toList());
  }

  /**
   * Makes a launch ready to be queued many times. Its tensors lie on the session's device: {@link Tkc#upload},
   * {@link Tkc#empty}.
   *
   * @throws dev.tkc.ir.diag.DiagnosticException as {@link #launch(Constants, Object...)}
   */
  public PreparedLaunch prepare(Constants constants, Object... arguments) {
    return module.session().engine()
        .prepareLaunch(this, constants, Arrays.stream(arguments).map(Argument::of).toList());
  }

  /** Binds a launch for the interpreter, which no schedule concerns. */
  Bound bind(Constants constants, List<Argument> arguments) {
    Binding binding = Binder.bind(item, module::global, arguments, constants.values(), Map.of());
    return new Bound(binding, Specialisation.of(binding.constants()));
  }

  /**
   * Binds a launch for a target: with its schedule's constants, and with what the arguments' sizes and addresses
   * promise.
   */
  Bound bind(Constants constants, List<Argument> arguments, Target target) {
    Binding plain = Binder.bind(item, module::global, arguments, constants.values(), Map.of());
    Specialisation.Schedule schedule = schedule(target, constants, plain).schedule();
    Binding binding = schedule.constants().isEmpty()
        ? plain
        : Binder.bind(item, module::global, arguments, constants.values(), schedule.constants());
    Map<String, Integer> divisibility = Divisors.of(binding, parameters);
    return new Bound(binding, new Specialisation(binding.constants(), divisibility, schedule));
  }

  private ScheduleChoice schedule(Target target, Constants constants, Binding plain) {
    return scheduler.choose(target, constants.values(), facts(plain), Divisors.of(plain, parameters));
  }

  private static Map<String, Object> facts(Binding plain) {
    Map<String, Object> facts = new HashMap<>(plain.sizes());
    facts.putAll(plain.constants());
    return facts;
  }

  /**
   * What measurements of a launch are kept under, and the tile sizes that are worth measuring, the most promising
   * first.
   */
  record Scheduled(TunedSchedules.Subject subject, List<Map<String, Object>> tiles) {}

  Scheduled scheduled(Target target, Constants constants, List<Argument> arguments) {
    Binding plain = Binder.bind(item, module::global, arguments, constants.values(), Map.of());
    return new Scheduled(scheduler.subject(target, facts(plain)),
        scheduler.promising(target, constants.values(), facts(plain), Divisors.of(plain, parameters)));
  }

  Scheduler scheduler() {
    return scheduler;
  }

  /**
   * The schedule of a compilation ahead of any launch, and why it is that; {@code values} as in {@link #compile}.
   *
   * @throws dev.tkc.ir.diag.DiagnosticException if a constant has no value, or the file's schedule is in error
   */
  public ScheduleChoice schedule(Target target, Constants values) {
    GivenValues.check(this, values.values());
    return scheduler.choose(target, own(values), values.values(), divisibility(values));
  }

  Specialisation specialisation(Target target, Constants values) {
    Specialisation.Schedule schedule = schedule(target, values).schedule();
    Map<String, Object> all = Binder.constants(item, module::global, own(values), schedule.constants());
    return new Specialisation(all, divisibility(values), schedule);
  }

  private Map<String, Object> own(Constants values) {
    Map<String, Object> given = new HashMap<>(values.values());
    given.keySet().retainAll(constants());
    return given;
  }

  private Map<String, Integer> divisibility(Constants values) {
    Map<String, Object> sizes = new HashMap<>(values.values());
    sizes.keySet().removeAll(constants());
    return Divisors.ofSizes(sizes, parameters);
  }

  /**
   * Compiles ahead of any launch. Names among {@code values} that are no constants are sizes: only what divides them
   * matters.
   *
   * @throws dev.tkc.ir.diag.DiagnosticException if a constant has no value, or the target cannot do what the kernel
   *     needs
   */
  public CompiledKernel compile(Target target, Constants values) {
    return compile(target, values, CompileOptions.defaults());
  }

  public CompiledKernel compile(Target target, Constants values, CompileOptions options) {
    return compile(target, values, options, _ -> { });
  }

  /** The same; {@code log} receives what the passes print. */
  public CompiledKernel compile(Target target, Constants values, CompileOptions options, Consumer<String> log) {
    return compile(target, specialisation(target, values), options, log);
  }

  CompiledKernel compile(Target target, Specialisation specialisation, CompileOptions options, Consumer<String> log) {
    return compiled.computeIfAbsent(
        new Compilation(target, specialisation, options),
        c -> CompiledKernel.compile(this, c.target(), c.specialisation(), c.options(), log));
  }

  /** The IR of a specialisation, as the front end makes it. Nobody may change it. */
  Module lower(Specialisation specialisation) {
    return lowered.computeIfAbsent(specialisation, s -> Lowering.lower(module.library(), name(), s));
  }

  /**
   * The IR as the front end makes it, by values for all constants that have none of their own; sizes change nothing in
   * it.
   */
  public Module tir(Constants values) {
    GivenValues.check(this, values.values());
    return lower(Specialisation.of(Binder.constants(item, module::global, own(values), Map.of())));
  }

  /** The value of a {@code const} of its program. */
  public Optional<Object> global(String name) {
    return module.global(name);
  }

  @Override
  public String toString() {
    return "kernel " + name() + " of " + module;
  }
}
