package dev.tkc.tests.staged;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.Constants;
import dev.tkc.Device;
import dev.tkc.Kernel;
import dev.tkc.StagedLaunch;
import dev.tkc.Target;
import dev.tkc.Tensor;
import dev.tkc.Tkc;
import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.ir.type.Element;
import dev.tkc.tests.Project;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Staged programs run right with every seed, and whatever wait, arrival, expectation, fence or barrier is removed or
 * weakened, the interpreter finds it. What is not found is listed with the reason why it changes nothing.
 */
class StagedMutationTest {
  private static final int SEEDS = 4;
  private static final Target FEW = StagedLaunch.withProcessors(Target.SM_90A, 2);

  private static final Target ONE = StagedLaunch.withProcessors(Target.SM_90A, 1);

  /**
   * Changes that are not found, because they do no harm: {@code pattern} is found in their descriptions, {@code most}
   * times.
   */
  private record Harmless(String pattern, int most, String why) {}

  private static final List<Harmless> PRODUCT = List.of(
      new Harmless("^removed .*dot_fence$", 1, "the product reads no registers but those of products before it"),
      new Harmless("loop of one round: (dot_wait \\[\\]|barrier_arrive .*%\\w+, %\\w+, %\\w+)", 4,
          "what is for the product of the round before does nothing in the first"));

  private static final List<Harmless> ATTENTION = List.of(
      new Harmless("^removed .*dot_fence$", 6, "the product starts afresh and reads no registers"),
      new Harmless("^before the waits .*barrier_arrive %(k|v)_empty", 8,
          "the producer waits for a later release of the other ring before it fills this slot again"),
      new Harmless("^removed .*barrier_wait %(k|v)_empty", 2,
          "the last tile's Q is released after its K and V, and a tile without an interior fills each slot once"),
      new Harmless("^(removed .*barrier_wait %q_empty|fewer arrivals .* %q_empty)", 3,
          "before the producer fills a Q's slot again, it waits for slots of the tile in between, released after "
              + "that Q"),
      new Harmless("^removed .*barrier_arrive %v_empty", 1, "nobody fills the slot of a block's last V again"));

  private static final List<Harmless> BACKWARD = List.of(
      new Harmless("^removed .*dot_fence$", 12,
          "the product starts afresh, or goes on with a sum that only products touched since the fence before"),
      new Harmless("%go_norm_delta_empty", 4,
          "Q is copied a round ahead of it, and Q's slot is released behind this one"),
      new Harmless("%v_empty", 3, "K is waited for first, and released behind the same products"),
      new Harmless("^removed .* dot_wait \\[.*bf16\\[128, 64\\]$", 2,
          "the sum is used behind a later wait; how long the operand's registers are held is for machine code to say"),
      new Harmless("^before the waits .*barrier_arrive %handed_full", 2,
          "the wait in front of it stands behind what it hands over"),
      new Harmless("^before the waits .*barrier_arrive %handed_empty", 2,
          "behind the rounds, the barriers of the results come before the next tile's first operand"),
      new Harmless("^before the waits .*barrier_arrive %q_empty", 1,
          "the next tile's Q is copied behind its K, whose slot is released later"));

  @Test
  void aProductWrittenByHand() throws IOException {
    Path file = Project.ROOT.resolve("tests/src/test/resources/dev/tkc/tests/staged/gemm.tir");
    Module module = IrParser.parse(new Source("gemm.tir", Files.readString(file)));
    assertThat(Verifier.verify(module)).isEmpty();
    StagedProgram program = new StagedProgram(module, List.of(
        StagedProgram.wholeNumbers(16 * 40, 1), StagedProgram.wholeNumbers(40 * 24, 2),
        StagedProgram.wholeNumbers(16 * 24, 3), Tile.integer(16), Tile.integer(24), Tile.integer(40)));
    List<byte[]> expected = program.run(module, 0);
    sameWithSeeds(program, expected, 40);
    everyMutationIsFound(program, expected, List.of());
  }

  /** Every order of operands runs right; what makes copies and products wait is the same in all, and one is mutated. */
  @ParameterizedTest
  @CsvSource({"gemm, false, false, true", "gemm_nt, false, true, false", "gemm_tn, true, false, false",
    "gemm_tt, true, true, false"})
  void theLibrarysProduct(String name, boolean transposedA, boolean transposedB, boolean mutate) throws IOException {
    Kernel kernel = kernel("gemm", name, "BM = 128  BN = 64  BK = 32  stages = 3");
    StagedLaunch launch = StagedLaunch.of(kernel, FEW, Constants.none(),
        transposedA ? tensor(1, 168, 192) : tensor(1, 192, 168),
        transposedB ? tensor(2, 192, 168) : tensor(2, 168, 192), tensor(3, 192, 192));
    check(launch, mutate, PRODUCT);
  }

  /** A block with one tile, whose result leaves through the slots of the left operand. */
  @Test
  void aProductWhoseBlocksHaveOneTile() throws IOException {
    Kernel kernel = kernel("gemm", "gemm", "BM = 128  BN = 128  BK = 64  stages = 2  persistent = false");
    StagedLaunch launch = StagedLaunch.of(
        kernel, FEW, Constants.none(), tensor(1, 192, 264), tensor(2, 264, 192), tensor(3, 192, 192));
    assertThat(IrPrinter.print(launch.stages().get("clean-staged"))).containsPattern("store_bulk .*, %a(_\\d+)?, ");
    StagedProgram staged = new StagedProgram(launch.stages().get("clean-staged"), launch.arguments());
    List<byte[]> expected = new StagedProgram(launch.stages().get("accumulate-dots"), launch.arguments())
        .run(launch.stages().get("accumulate-dots"), 0);
    check(launch, false, List.of());
    List<Mutations.Mutation> mutations =
        Mutations.of(staged.module(), m -> staged.caught(m, 1, expected).isEmpty(), _ -> true);
    assertThat(mutations).hasSizeGreaterThan(25);
    List<Harmless> harmless = new ArrayList<>(PRODUCT);
    harmless.add(new Harmless("barrier_arrive %a_b_empty, %\\w+, _$", 2, "nobody fills the last round's slot again"));
    harmless.add(new Harmless("^removed .*store_commit$", 1, "the next slice's closes the group"));
    everyIsFound(staged, mutations, expected, harmless);
  }

  @Test
  void theLibrarysAttention() throws IOException {
    for (boolean causal : new boolean[] {false, true}) {
      Kernel kernel = kernel("attention", "attention", "BQ = 128  BK = 64  stages = 2");
      // Three tiles of one block: the third one's queries lie where the first one's were.
      StagedLaunch launch = StagedLaunch.of(kernel, ONE, Constants.of("causal", causal), tensor(1, 1, 1, 384, 64),
          tensor(2, 1, 1, 264, 64), tensor(3, 1, 1, 264, 64), 0.125, tensor(4, 1, 1, 384, 64),
          Tensor.zeros(Element.F32, 1, 1, 384));
      check(launch, true, ATTENTION);
    }
  }

  /** Products that run a round late or ahead, and operands that warps hand over through slots they fill themselves. */
  @Test
  void theLibrarysAttentionBackward() throws IOException {
    Kernel kernel = kernel("attention_backward", "attention_backward", "BQ = 64  BK = 128");
    // Two tiles of keys of one block, four rounds of queries each.
    StagedLaunch launch = StagedLaunch.of(kernel, ONE, Constants.none(), halves(1, 1, 1, 256, 128),
        halves(2, 1, 1, 256, 128), halves(3, 1, 1, 256, 128), halves(4, 1, 1, 256, 128),
        Tensor.zeros(Element.F32, 1, 1, 256), halves(5, 1, 1, 256, 128), 0.125, halves(6, 1, 1, 256, 128),
        halves(7, 1, 1, 256, 128), halves(8, 1, 1, 256, 128));
    assertThat(IrPrinter.print(launch.stages().get("stagger-loops"))).contains("staggered");
    check(launch, true, BACKWARD);
  }

  /** The numbers of tiles that are drawn: given to blocks in many orders, and what hands them on is all needed. */
  @Test
  void drawnTiles() throws IOException {
    Kernel kernel = kernel("attention", "attention", "BQ = 64  BK = 64  stages = 2");
    StagedLaunch launch = StagedLaunch.of(kernel, FEW, Constants.of("causal", true), tensor(1, 1, 2, 250, 64),
        tensor(2, 1, 1, 264, 64), tensor(3, 1, 1, 264, 64), 0.125, tensor(4, 1, 2, 250, 64),
        Tensor.zeros(Element.F32, 1, 2, 250));
    StagedProgram original = new StagedProgram(launch.stages().get("accumulate-dots"), launch.arguments());
    List<byte[]> expected = original.run(original.module(), 0);
    StagedProgram drawn = new StagedProgram(launch.stages().get("draw-tiles"), launch.arguments());
    sameWithSeeds(drawn, expected, 20);
    Pattern numbers = Pattern.compile("%(drawn|taken)");
    List<Mutations.Mutation> mutations =
        Mutations.of(drawn.module(), m -> drawn.caught(m, 1, expected).isEmpty(), line -> numbers.matcher(line).find());
    assertThat(mutations).hasSizeGreaterThan(8);
    everyIsFound(drawn, mutations, expected, List.of());
  }

  private static Kernel kernel(String file, String name, String schedule) throws IOException {
    String text = Files.readString(Project.ROOT.resolve("kernels/" + file + ".tk")).replaceAll("(?m)^schedule .*$", "");
    Source source = new Source(file + ".tk", text + "\nschedule " + name + " for sm_90a { " + schedule + " }\n");
    return Tkc.create(Device.interpreter()).load(source).kernel(name);
  }

  private static Tensor tensor(int seed, long... shape) {
    return tensor(new Random(seed), 4, 1, shape);
  }

  /** Between −1 and 1, so that scores may be raised to powers. */
  private static Tensor halves(int seed, long... shape) {
    return tensor(new Random(seed), 2, 0.5, shape);
  }

  private static Tensor tensor(Random random, int most, double unit, long... shape) {
    Tensor t = Tensor.zeros(Element.BF16, shape);
    for (long i = 0; i < t.count(); i++) {
      t.setNumber(i, (random.nextInt(2 * most + 1) - most) * unit);
    }
    return t;
  }

  // ------------------------------------------------------------------------------------------------ what is checked

  /** Every stage computes what the kernel does once its rounding is settled; the staged one finds every mutation. */
  private static void check(StagedLaunch launch, boolean mutate, List<Harmless> harmless) {
    StagedProgram original = new StagedProgram(launch.stages().get("accumulate-dots"), launch.arguments());
    List<byte[]> expected = original.run(original.module(), 0);
    StagedProgram staged = new StagedProgram(launch.stages().get("clean-staged"), launch.arguments());
    assertThat(staged.module().funcs().stream().filter(f -> f.kind() == Func.Kind.DEVICE)
        .flatMap(f -> f.body().insts().stream()).filter(i -> i.op() instanceof ControlOp.Role).count()).as("roles")
            .isEqualTo(2);
    sameWithSeeds(staged, expected, 12);
    launch.stages().forEach((pass, module) -> {
      if (launch.stages().keySet().stream().toList().indexOf(pass) > 2) {
        sameWithSeeds(new StagedProgram(module, launch.arguments()), expected, 1);
      }
    });
    if (mutate) {
      everyMutationIsFound(staged, expected, harmless);
    }
  }

  private static void sameWithSeeds(StagedProgram program, List<byte[]> expected, int seeds) {
    for (int seed = 0; seed < seeds; seed++) {
      assertThat(StagedProgram.same(program.run(program.module(), seed), expected)).as("seed " + seed).isTrue();
    }
  }

  private static void everyMutationIsFound(StagedProgram program, List<byte[]> expected, List<Harmless> harmless) {
    List<Mutations.Mutation> mutations =
        Mutations.of(program.module(), m -> program.caught(m, 1, expected).isEmpty(), _ -> true);
    assertThat(mutations).hasSizeGreaterThan(30);
    everyIsFound(program, mutations, expected, harmless);
  }

  private static void everyIsFound(
      StagedProgram program, List<Mutations.Mutation> mutations, List<byte[]> expected, List<Harmless> harmless) {
    List<String> missed = new ArrayList<>();
    for (Mutations.Mutation m : mutations) {
      Optional<String> found = program.caught(m.module(), SEEDS, expected);
      if (found.isEmpty()) {
        missed.add(m.what());
      }
      assertThat(found).as(m.what()).isNotEqualTo(Optional.of("wrong results"));
    }
    for (Harmless h : harmless) {
      List<String> such = missed.stream().filter(m -> Pattern.compile(h.pattern).matcher(m).find()).toList();
      assertThat(such).as(h.why).hasSizeLessThanOrEqualTo(h.most);
      missed.removeAll(such);
    }
    assertThat(missed).isEmpty();
  }
}
