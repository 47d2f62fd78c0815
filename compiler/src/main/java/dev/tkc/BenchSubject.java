package dev.tkc;

import dev.tkc.backend.ptx.CudaDevice;
import dev.tkc.backend.ptx.CudaEvent;
import dev.tkc.backend.ptx.CudaGraph;
import dev.tkc.backend.ptx.CudaStream;
import dev.tkc.host.KernelRun;
import dev.tkc.launch.Argument;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A kernel made ready to be measured: compiled, and on a GPU with its arguments there, as many times as it takes that
 * launches in turn find nothing in the caches. {@link Bench} states the protocols. Not thread-safe.
 */
public final class BenchSubject implements AutoCloseable {
  private static final double BURST_MICROS = 200;
  private static final double GRAPH_MICROS = 1_000;
  private static final int MOST_IN_GRAPH = 2_000;
  private static final long REST_MILLIS = 200;
  private static final int MOST_COPIES = 64;

  /** How launches are queued and what lies between the rounds. */
  public enum Protocol {
    /** A rest before each round, launches one by one. */
    BURST,
    /** No rests, launches one by one. */
    BACK_TO_BACK,
    /** No rests, launches by a graph, so that the host's share of a short launch is not measured. */
    GRAPH,
    /** A rest before each round, launches by a graph. */
    GRAPH_BURST,
    /** The interpreter's launches, by the clock. */
    WALL;

    private boolean byGraph() {
      return switch (this) {
        case GRAPH, GRAPH_BURST -> true;
        case BURST, BACK_TO_BACK, WALL -> false;
      };
    }

    private boolean rests() {
      return switch (this) {
        case BURST, GRAPH_BURST -> true;
        case GRAPH, BACK_TO_BACK, WALL -> false;
      };
    }

    /** As it is written: {@code back-to-back}. */
    @Override
    public String toString() {
      return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
  }

  /** How often and how long is measured: the median of {@code rounds} of about {@code roundMicros} each. */
  public record Effort(int rounds, double roundMicros) {
    public static final Effort DEFAULT = new Effort(5, 20_000);

    public Effort {
      if (rounds < 1 || roundMicros <= 0) {
        throw new IllegalArgumentException(rounds + " rounds of " + roundMicros + " us");
      }
    }

    private int runs(double estimate) {
      return Math.clamp(Math.round(roundMicros / estimate), 1, 5000);
    }
  }

  /** Microseconds for one launch in each round, ascending. */
  public record Times(List<Double> micros, int runs, Protocol protocol) {
    public Times {
      micros = micros.stream().sorted().toList();
    }

    public double median() {
      return micros.get(micros.size() / 2);
    }
  }

  private final Kernel kernel;
  private final Constants constants;
  private final List<KernelRun.Used> used;
  private final List<CudaLaunch> launches = new ArrayList<>();

  private BenchSubject(Kernel kernel, Constants constants, List<KernelRun.Used> used) {
    this.kernel = kernel;
    this.constants = constants;
    this.used = used;
  }

  /**
   * Makes a kernel ready.
   *
   * @param copies of the arguments; empty for as many as exceed twice the L2 cache
   */
  public static BenchSubject of(Kernel kernel, KernelRun.Request request, Optional<Integer> copies) {
    Map<String, Object> given = new HashMap<>(request.values());
    given.keySet().retainAll(kernel.constants());
    return of(kernel, new Constants(given), KernelRun.arguments(kernel, request), copies);
  }

  static BenchSubject of(Kernel kernel, Constants constants, List<KernelRun.Used> used, Optional<Integer> copies) {
    BenchSubject subject = new BenchSubject(kernel, constants, used);
    if (kernel.module().session().engine() instanceof CudaEngine cuda) {
      try {
        subject.place(cuda, copies);
      } catch (RuntimeException e) {
        subject.close();
        throw e;
      }
    }
    return subject;
  }

  private void place(CudaEngine cuda, Optional<Integer> wanted) {
    long each = Math.max(bytes(), 1);
    long fill = Math.max(1, Math.ceilDiv(2L * cuda.device().properties().l2Bytes(), each) + 1);
    long room = Math.max(1, cuda.device().freeMemory() / 2 / each);
    int copies = (int) Math.min(Math.min(MOST_COPIES, room), wanted.map(Integer::longValue).orElse(fill));
    for (int i = 0; i < copies; i++) {
      CudaLaunch launch = cuda.prepare(kernel, constants, arguments());
      launches.add(launch);
      launch.upload(cuda.stream());
    }
    cuda.stream().synchronize();
  }

  private List<Argument> arguments() {
    return used.stream().map(u -> Argument.of(u.value())).toList();
  }

  public Kernel kernel() {
    return kernel;
  }

  /** How many sets of arguments launches take in turn. */
  public int copies() {
    return Math.max(1, launches.size());
  }

  /** The shapes of the tensors. */
  public Map<String, long[]> shapes() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    for (KernelRun.Used u : used) {
      if (u.value() instanceof Tensor t) {
        shapes.put(u.parameter().name(), t.shape());
      }
    }
    return shapes;
  }

  /** The bytes of all tensors, each read or written once. */
  public long bytes() {
    long bytes = 0;
    for (KernelRun.Used u : used) {
      bytes += u.value() instanceof Tensor t ? t.bytes() * (u.parameter().mode() == Parameter.Mode.INOUT ? 2 : 1) : 0;
    }
    return bytes;
  }

  /** What the kernel takes of the hardware, where it was compiled. */
  public Optional<Report> report() {
    return launches.stream().findFirst().map(l -> l.compiled().report(l.sizes()));
  }

  /** What tells this code from other code, where it was compiled. */
  Optional<String> code() {
    return launches.stream().findFirst().map(l -> BenchServer.code(l.compiled()));
  }

  /** Runs once and gives the arguments as they are afterwards. */
  public List<KernelRun.Used> run() {
    if (kernel.module().session().engine() instanceof CudaEngine cuda) {
      CudaLaunch launch = launches.getFirst();
      launch.upload(cuda.stream());
      launch.enqueue(cuda.stream());
      launch.download(cuda.stream());
      cuda.stream().synchronize();
      launch.finish();
    } else {
      kernel.module().session().engine().launch(kernel, constants, arguments());
    }
    return used;
  }

  /** Measures by the protocol given, or else by what suits the kernel: bursts, by a graph if shorter than 0.2 ms. */
  public Times time(Optional<Protocol> wanted) {
    return time(wanted, Effort.DEFAULT);
  }

  /** The same, for longer or shorter. */
  public Times time(Optional<Protocol> wanted, Effort effort) {
    if (!(kernel.module().session().engine() instanceof CudaEngine cuda)) {
      return byClock(effort);
    }
    double estimate = estimate(cuda);
    Protocol protocol = wanted.orElse(estimate >= BURST_MICROS ? Protocol.BURST : Protocol.GRAPH_BURST);
    if (protocol.byGraph()) {
      return graph(cuda, estimate, effort, protocol);
    }
    int runs = effort.runs(estimate);
    List<Double> micros = new ArrayList<>();
    for (int i = 0; i < effort.rounds(); i++) {
      rest(protocol);
      one(cuda, 2);
      micros.add(one(cuda, runs));
    }
    return new Times(micros, runs * effort.rounds(), protocol);
  }

  /**
   * Microseconds for one launch, averaged over launches without a rest for so long: what is left when the chip is hot.
   */
  public double sustained(long millis) {
    if (!(kernel.module().session().engine() instanceof CudaEngine cuda)) {
      return byClock(Effort.DEFAULT).median();
    }
    int runs = Math.clamp(Math.round(millis * 1e3 / estimate(cuda)), 1, 1_000_000);
    return one(cuda, runs);
  }

  private double estimate(CudaEngine cuda) {
    one(cuda, 3);
    return Math.max(0.5, one(cuda, 5));
  }

  private Times graph(CudaEngine cuda, double estimate, Effort effort, Protocol protocol) {
    int turns = Math.clamp(Math.round(GRAPH_MICROS / estimate / launches.size()), 1,
        MOST_IN_GRAPH / launches.size() + 1);
    int nodes = turns * launches.size();
    int replays = effort.runs(estimate * nodes);
    CudaStream stream = cuda.stream();
    try (CudaGraph graph = CudaGraph.record(stream, () -> queue(stream, nodes))) {
      List<Double> micros = new ArrayList<>();
      for (int i = 0; i < effort.rounds(); i++) {
        rest(protocol);
        between(cuda.device(), stream, 1, () -> replay(graph, stream, 2));
        micros.add(between(cuda.device(), stream, nodes * replays, () -> replay(graph, stream, replays)));
      }
      return new Times(micros, nodes * replays * effort.rounds(), protocol);
    }
  }

  private static void replay(CudaGraph graph, CudaStream stream, int times) {
    for (int i = 0; i < times; i++) {
      graph.launch(stream);
    }
  }

  private double one(CudaEngine cuda, int runs) {
    return between(cuda.device(), cuda.stream(), runs, () -> queue(cuda.stream(), runs));
  }

  private void queue(CudaStream stream, int runs) {
    for (int i = 0; i < runs; i++) {
      launches.get(i % launches.size()).enqueue(stream);
    }
  }

  /** Microseconds between two events around the work, for each of {@code runs}. */
  private static double between(CudaDevice device, CudaStream stream, int runs, Runnable work) {
    try (CudaEvent before = device.newEvent();
        CudaEvent after = device.newEvent()) {
      before.record(stream);
      work.run();
      after.record(stream);
      stream.synchronize();
      return after.millisecondsSince(before) * 1e3 / runs;
    }
  }

  private Times byClock(Effort effort) {
    List<Double> micros = new ArrayList<>();
    for (int i = 0; i < effort.rounds(); i++) {
      micros.add(kernel.module().session().engine().launch(kernel, constants, arguments()).kernelNanos() / 1e3);
    }
    return new Times(micros, effort.rounds(), Protocol.WALL);
  }

  /** A chip that was at work is hot and its clocks are lower: who follows would look slower than who rested. */
  private static void rest(Protocol protocol) {
    if (!protocol.rests()) {
      return;
    }
    try {
      Thread.sleep(REST_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    launches.forEach(CudaLaunch::close);
    launches.clear();
  }
}
