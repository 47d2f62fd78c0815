package dev.tkc.ir.interp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Copies, barriers, products and roles, and each mistake that is found in them. */
class StagedEvalTest {
  /**
   * A block of 5 warps that copies rows of {@code x} (3 × 4, so that the fourth row is outside) and writes {@code y}.
   */
  private static Module device(String body) {
    return Runs.parse("""
        kernel @k(%x: ptr<f32>, %y: ptr<f32>) {
          %c1 = constant {value = 1 : i64} : i64
          launch %c1, [%x, %y] {callee = "f"}
          yield []
        }
        device @f(%x: ptr<f32>, %y: ptr<f32>) #{warps = 5} {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %c2 = constant {value = 2 : i64} : i64
          %c3 = constant {value = 3 : i64} : i64
          %c4 = constant {value = 4 : i64} : i64
          %yes = eq %c0, %c0 : bool
          %no = eq %c0, %c1 : bool
          %one = constant {value = 1.0 : f32} : f32
          %tx = make_tensor %x, [%c3, %c4], [%c4, %c1] {access = in, name = "x"} : tensor<f32, 2>
          %ty = make_tensor %y, [%c4, %c4], [%c4, %c1] {access = inout, name = "y"} : tensor<f32, 2>
          %r = range %c0, %c1, %c4 {size = 4} : range<4>
          %b = shared_alloc {type = shared<f32[4, 4], 2>, name = "b"} : shared<f32[4, 4], 2>
          %full = barrier_alloc {slots = 2, arrivals = 1, name = "full"} : barriers<2>
          %empty = barrier_alloc {slots = 2, arrivals = 4, name = "empty"} : barriers<2>
          BODY
          yield []
        }
        """.replace("BODY", body.strip().replace("\n", "\n  ")));
  }

  private static final float[] X = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};

  /** What {@code y} holds, the same with every seed. */
  private static float[] run(String body) {
    Module module = device(body);
    float[] y = new float[16];
    for (int seed = 0; seed < 20; seed++) {
      java.util.Arrays.fill(y, -1);
      new Interpreter(Interpreter.Options.defaults().withSeed(seed))
          .run(module, List.of(Runs.floats(X), Runs.floats(y)));
    }
    return y;
  }

  /** The error is found with every seed. */
  private static Diagnostic fails(Code code, String part, String body) {
    Module module = device(body);
    Diagnostic d = null;
    for (int seed = 0; seed < 10; seed++) {
      Interpreter interpreter = new Interpreter(Interpreter.Options.defaults().withSeed(seed));
      d = Runs.failure(interpreter, module, Runs.floats(X), Runs.floats(new float[16]));
      assertThat(d.code()).as(d + " with seed " + seed).isEqualTo(code);
      assertThat(d.message()).contains(part);
    }
    return d;
  }

  private static final String COPY = """
      barrier_expect %full, %c0 {bytes = 64}
      copy_bulk %tx, [%r, %r], _, %b, %c0, %full, %c0
      """;
  private static final String WAIT = "barrier_wait %full, %c0, %c0\n";
  private static final String READ = """
      %t = shared_load %b, %c0 {offsets = [0, 0], shape = [4, 4]} : f32[4, 4]
      store %ty, [%r, %r], %t
      """;

  private static String producer(String body) {
    return "role {name = \"producer\", warps = 1, registers = 40} () {\n" + body + "yield []\n}\n";
  }

  private static String consumer(String body) {
    return "role {name = \"consumer\", warps = 4, registers = 200} () {\n" + body + "yield []\n}\n";
  }

  // ------------------------------------------------------------------------------------------------ copies

  @Test
  void copiesArriveAtTheirBarrierAndLanesOutsideAreZero() {
    assertThat(run("barrier\n" + COPY + WAIT + READ))
        .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0, 0, 0, 0);
    assertThat(run("barrier\n" + producer(COPY) + consumer(WAIT + READ))).contains(12, 0);
    Runs.fails(Code.PADDING_LEAK, "reaches y[3, 0]", device("barrier\n" + COPY + WAIT + READ), Runs.floats(X),
        Runs.floats(new float[16]));
  }

  @Test
  void aReadBeforeArrivalIsFound() {
    Diagnostic d = fails(Code.READ_BEFORE_ARRIVAL, "slot 0 of shared buffer `b`", "barrier\n" + COPY + READ);
    assertThat(d.notes()).hasSize(2);
    assertThat(d.notes().get(0)).startsWith("read here, by the block: line 25 of the IR, `%t = shared_load %b");
    assertThat(d.notes().get(1)).startsWith("copied here, by the block: line 24 of the IR, `copy_bulk %tx");
    fails(Code.SHARED_UNORDERED, "barriers are used", COPY + WAIT + READ);
  }

  /** Groups of warps with slots of their own: each of them is waited for, read and released. */
  @Test
  void groupsHaveSlotsOfTheirOwn() {
    String copies = "%rr = range %c0, %c1, %c2 {size = 2} : range<2>\n%rs = range %c1, %c1, %c2 {size = 2} : range<2>\n"
        + "%g = shared_alloc {type = shared<f32[2, 4], 2>, name = \"g\"} : shared<f32[2, 4], 2>\nbarrier\n";
    String first = "barrier_expect %full, %c0 {bytes = 32}\ncopy_bulk %tx, [%rr, %r], _, %g, %c0, %full, %c0\n";
    String second = "barrier_expect %full, %c1 {bytes = 32}\ncopy_bulk %tx, [%rs, %r], _, %g, %c1, %full, %c1\n";
    String wait = "barrier_wait %full, %c0, %c0 #{each = 2}\n";
    String read = "%t = group_load %g, %c0 {groups = 2} : f32[4, 4]\nstore %ty, [%r, %r], %t\n";
    String release = "barrier_arrive %gone, %c0, _ #{each = 2}\n";
    String gone = copies.replace("barrier\n",
        "%gone = barrier_alloc {slots = 2, arrivals = 2, name = \"gone\"} : barriers<2>\nbarrier\n");
    String emptied = "barrier_wait %gone, %c1, %c0\n";
    assertThat(run(gone + producer(first + second) + consumer(wait + read + release)))
        .containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8, 9, 10, 11, 12);
    assertThat(run(gone + producer(first + second + emptied + second + "barrier_wait %full, %c1, %c1\n")
        + consumer(wait + read + release))).contains(12);
    fails(Code.READ_BEFORE_ARRIVAL, "slot 1 of shared buffer `g`",
        gone + producer(first + second) + consumer(WAIT + read + release));
    fails(Code.OVERWRITTEN, "while a copy into it may be under way",
        gone + producer(first + second + second) + consumer(wait + read + release));
    fails(Code.DEADLOCK, "wait", gone + producer(first) + consumer(wait + read + release));
  }

  @Test
  void anOverwriteBeforeReleaseIsFound() {
    String reader = consumer(WAIT + READ + "barrier_arrive %empty, %c0, _\n");
    String again = COPY + "barrier_wait %full, %c0, %c1\n";
    assertThat(run("barrier\n" + producer(COPY + "barrier_wait %empty, %c0, %c0\n" + again) + reader)).contains(12);
    fails(Code.OVERWRITTEN, "while a copy into it may be under way", "barrier\n" + producer(COPY + again) + reader);
  }

  @Test
  void wrongNumbersOfBytesAreFound() {
    for (String bytes : List.of("32", "63", "65", "128")) {
      fails(Code.TRANSACTION_BYTES, "bytes", "barrier\n" + COPY.replace("64", bytes) + WAIT + READ);
    }
    String other = "copy_bulk %tx, [%r, %r], _, %b, %c1, %full, %c0\n";
    fails(Code.TRANSACTION_BYTES, "a phase of barrier `full` slot 0", "barrier\n" + COPY + other + WAIT + READ);
  }

  @Test
  void aCopyThatNobodyWaitsForIsFound() {
    fails(Code.LEFT_UNDER_WAY, "a copy into shared memory", "barrier\n" + COPY);
  }

  // ------------------------------------------------------------------------------------------------ barriers

  @Test
  void waitsThatNeverEndAreFound() {
    Diagnostic d = fails(Code.DEADLOCK, "wait for each other",
        "barrier\n" + producer("barrier_wait %empty, %c0, %c0\n") + consumer(WAIT + "barrier_arrive %empty, %c0, _\n"));
    assertThat(d.notes()).hasSize(2);
    assertThat(d.notes().get(0)).contains("role producer waits here for phase 0 of barrier `empty` slot 0")
        .contains("4 of 4 arrivals").contains("barrier_wait %empty");
    assertThat(d.notes().get(1)).contains("role consumer waits here for phase 0 of barrier `full` slot 0")
        .contains("1 of 1 arrivals");
    fails(Code.DEADLOCK, "the block waits for ever", "barrier\n" + WAIT);
  }

  @Test
  void arrivalsMayBeConditional() {
    String some = "barrier_arrive %empty, %c0, %no\nbarrier_arrive %empty, %c0, %yes\n";
    assertThat(
        run("barrier\n" + producer("barrier_wait %empty, %c0, %c0\n" + COPY + WAIT) + consumer(some + WAIT + READ)))
        .contains(12);
  }

  @Test
  void aRoleThatFallsTwoPhasesBehindIsFound() {
    String arrive = "barrier_expect %full, %c0 {bytes = 0}\n";
    // The producer may run far ahead, so this depends on the order; some seed shows it.
    Module module = device("barrier\n" + producer(arrive + arrive + arrive)
        + consumer(WAIT + "barrier_wait %full, %c0, %c1\n" + WAIT));
    List<Code> seen = new java.util.ArrayList<>();
    for (int seed = 1; seed < 30; seed++) {
      try {
        new Interpreter(Interpreter.Options.defaults().withSeed(seed))
            .run(module, List.of(Runs.floats(X), Runs.floats(new float[16])));
      } catch (dev.tkc.ir.diag.DiagnosticException e) {
        seen.add(e.diagnostics().getFirst().code());
      }
    }
    assertThat(seen).contains(Code.BARRIER_PHASE).containsOnly(Code.BARRIER_PHASE);
  }

  // ------------------------------------------------------------------------------------------------ stores

  private static final String FILL = "%ones = splat %one {shape = [4, 4]} : f32[4, 4]\nshared_store %b, %c0, %ones\n";
  private static final String STORE = "store_bulk %ty, [%r, %r], _, %b, %c0\nstore_commit\n";
  private static final String DONE = "store_wait {pending = 0, read}\n";

  @Test
  void bulkStoresReadLateAndNeedTheirFence() {
    assertThat(run(FILL + "proxy_fence\nbarrier\n" + STORE + DONE)).containsOnly(1);
    fails(Code.PROXY_FENCE, "no proxy fence", FILL + "barrier\n" + STORE + DONE);
    fails(Code.PROXY_FENCE, "no proxy fence", FILL + "barrier\nproxy_fence\n" + STORE + DONE);
    fails(Code.SHARED_UNORDERED, "no barrier", FILL + "proxy_fence\n" + STORE + DONE);
    fails(Code.LEFT_UNDER_WAY, "bulk store", FILL + "proxy_fence\nbarrier\n" + STORE);
    fails(Code.LEFT_UNDER_WAY, "bulk store",
        FILL + "proxy_fence\nbarrier\n" + STORE + "store_wait {pending = 1, read}\n");
  }

  @Test
  void aSlotIsNotWrittenWhileABulkStoreReadsIt() {
    String again = "%zero = constant {value = 0.0 : f32} : f32\n%zeros = splat %zero {shape = [4, 4]} : f32[4, 4]\n"
        + "shared_store %b, %c0, %zeros\n";
    String begin = FILL + "proxy_fence\nbarrier\n" + STORE;
    assertThat(run(begin + DONE + "barrier\n" + again)).containsOnly(1);
    fails(Code.OVERWRITTEN, "while a bulk store may still read it", begin + "barrier\n" + again + DONE);
    // Only the thread that waited knows.
    fails(Code.OVERWRITTEN, "while a bulk store may still read it", begin + DONE + again);
  }

  // ------------------------------------------------------------------------------------------------ products

  private static final String VIEW =
      "%v = shared_view %b, %c0 {offsets = [0, 0], shape = [4, 4], order = [0, 1]} : shared<f32[4, 4], 1>\n";
  private static final String UNDEFINED = "%u = undefined {element = f32, shape = [4, 4]} : f32[4, 4]\n";
  private static final String START = UNDEFINED + "barrier\n" + COPY + WAIT + VIEW;
  private static final String DOT = "%p = dot_async %v, %v, %u, %no {precision = ieee} : f32[4, 4]\n";
  private static final String USE = "store %ty, [%r, %r], %q\n";

  @Test
  void productsAreThereAfterTheirWait() {
    String wait = "dot_commit\n%q = dot_wait [%p] {pending = 0} : f32[4, 4]\n";
    assertThat(run(START + "dot_fence\n" + DOT + wait + USE)).startsWith(1 + 10 + 27, 2 + 12 + 30);
    fails(Code.DOT_FENCE, "no `dot_fence`", START + DOT + wait + USE);
    fails(Code.IN_FLIGHT, "does not cover",
        START + "dot_fence\n" + DOT + wait.replace("pending = 0", "pending = 1") + USE);
    fails(Code.IN_FLIGHT, "does not cover", START + "dot_fence\n" + DOT + wait.replace("dot_commit\n", "") + USE);
    fails(Code.IN_FLIGHT, "while it is in flight", START + "dot_fence\n" + DOT + wait + USE.replace("%q", "%p"));
    fails(Code.LEFT_UNDER_WAY, "a product in flight", START + "dot_fence\n" + DOT + "dot_commit\n");
    fails(Code.READ_BEFORE_ARRIVAL, "is read before", START.replace(WAIT, "") + "dot_fence\n" + DOT + wait + USE);
    fails(Code.UNINITIALISED, "undefined accumulator", START + "dot_fence\n" + DOT.replace("%no", "_") + wait + USE);
  }

  @Test
  void registersAreFencedAfterTheyAreWritten() {
    String ones = "%ones = splat %one {shape = [4, 4]} : f32[4, 4]\n";
    String dot = "%p = dot_async %ones, %v, %u, %no {precision = ieee} : f32[4, 4]\n";
    String wait = "dot_commit\n%q = dot_wait [%p] {pending = 0} : f32[4, 4]\n";
    assertThat(run(START + ones + "dot_fence\n" + dot + wait + USE)).startsWith(15, 18, 21, 24, 15);
    fails(Code.DOT_FENCE, "after they were written", START + "dot_fence\n" + ones + dot + wait + USE);
  }

  /** It makes known to each warp what was written of rows of its own. */
  @Test
  void aBarrierOfOwnRowsServesLeftOperandsThatAreNotTransposed() {
    String start = UNDEFINED + FILL + "shared_store %b, %c1, %ones\nproxy_fence\nbarrier\n"
        + "shared_store %b, %c0, %ones\nproxy_fence\nbarrier #{own}\n" + VIEW
        + VIEW.replace("%v", "%w").replace("%c0", "%c1") + "dot_fence\n";
    String left = DOT.replace("%v, %v", "%v, %w");
    String wait = "dot_commit\n%q = dot_wait [%p] {pending = 0} : f32[4, 4]\n";
    assertThat(run(start + left + wait + USE)).containsOnly(4);
    fails(Code.SHARED_UNORDERED, "no barrier", start + DOT.replace("%v, %v", "%w, %v") + wait + USE);
    fails(Code.SHARED_UNORDERED, "no barrier", start.replace("order = [0, 1]", "order = [1, 0]") + left + wait + USE);
    fails(Code.SHARED_UNORDERED, "no barrier", start.replace("barrier #{own}\n", "") + left + wait + USE);
    // Nobody knows that the others' products are done.
    fails(Code.OVERWRITTEN, "while a product may still read it",
        start + left + wait + "barrier #{own}\nshared_store %b, %c0, %ones\n" + USE);
  }

  @Test
  void anAccumulatorIsContinuedOnce() {
    String more = "%p2 = dot_async %v, %v, %p, _ {precision = ieee} : f32[4, 4]\n";
    String wait = "dot_commit\n%q = dot_wait [%p2] {pending = 0} : f32[4, 4]\n";
    assertThat(run(START + "dot_fence\n" + DOT + more + wait + USE)).startsWith(2 * 38, 2 * 44);
    fails(Code.IN_FLIGHT, "two products", START + "dot_fence\n" + DOT + more + more.replace("%p2", "%p3") + wait + USE);
    fails(Code.IN_FLIGHT, "another product adds to",
        START + "dot_fence\n" + DOT + more + wait.replace("%p2", "%p") + USE);
  }

  @Test
  void aSlotIsNotFilledWhileAProductReadsIt() {
    String again = COPY + "barrier_wait %full, %c0, %c1\n";
    String wait = "dot_commit\n%q = dot_wait [%p] {pending = 0} : f32[4, 4]\n";
    assertThat(run(START + "dot_fence\n" + DOT + wait + "barrier\n" + again + USE)).startsWith(38, 44);
    fails(Code.OVERWRITTEN, "while a product may still read it",
        START + "dot_fence\n" + DOT + "barrier\n" + again + wait + USE);
    // Only each thread's own part is known to be done.
    fails(Code.OVERWRITTEN, "while a product may still read it", START + "dot_fence\n" + DOT + wait + again + USE);
  }

  @Test
  void buffersInTheSameBytesShareTheirHazards() {
    String other =
        "%o = shared_alloc {type = shared<f32[4, 4], 1>, name = \"o\"} #{offset = OFFSET} : shared<f32[4, 4], 1>\n"
        + "%l = shared_alloc {type = shared<f32[4, 4], 1>, name = \"l\"} #{offset = 0} : shared<f32[4, 4], 1>\n"
        + "%ones = splat %one {shape = [4, 4]} : f32[4, 4]\nshared_store %l, %c0, %ones\nbarrier\nshared_store %o, "
        + "%c0, %ones\nbarrier\n"
        + "%t = shared_load %l, %c0 {offsets = [0, 0], shape = [4, 4]} : f32[4, 4]\nstore %ty, [%r, %r], %t\n";
    assertThat(run(other.replace("OFFSET", "64"))).containsOnly(1);
    fails(Code.UNINITIALISED, "`l` is read", other.replace("OFFSET", "60"));
    fails(Code.SHARED_UNORDERED, "what lies where slot 0 of shared buffer `o` does",
        other.replace("OFFSET", "0").replaceFirst("barrier\n", ""));
  }
}
