package dev.tkc.ir.interp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.text.IrPrinter;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Tiles that blocks draw: each is done once, by whichever block the seed gives it to, and every mistake is found. */
class DrawsTest {
  private static final String WAIT = "barrier_wait %drawn, %c0, %q\n";
  private static final String RELEASE = "barrier_arrive %taken, %c0, _\n";
  private static final String FREE = "barrier_wait %taken, %c0, %emptied\n";

  /**
   * Three blocks, whose consumers count in {@code y} how often each of {@code n} tiles is done, and note the block in
   * {@code who}.
   */
  private static String program() {
    return """
        #l = #lay<[1], offset = []>
        kernel @k(%y: ptr<i32>, %who: ptr<i32>, %n: i64) {
          %c3 = constant {value = 3 : i64} : i64
          %grid = min %c3, %n : i64
          %c1 = constant {value = 1 : i64} : i64
          %counter = counter %c1 : ptr<i32>
          launch %grid, [%y, %who, %n, %counter] {callee = "f"}
          launch %grid, [%y, %who, %n, %counter] {callee = "f"}
          yield []
        }
        device @f(%y: ptr<i32>, %who: ptr<i32>, %n: i64, %counter: ptr<i32>) #{warps = 5, placed} {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %c8 = constant {value = 8 : i64} : i64
          %b = block_id : i64
          %one = constant {value = 1 : i32} : i32
          %ty = make_tensor %y, [%n], [%c1] {access = inout, name = "y"} : tensor<i32, 1>
          %tw = make_tensor %who, [%n], [%c1] {access = out, name = "who"} : tensor<i32, 1>
          %numbers = shared_alloc {type = shared<i32[1], 1, #l>, name = "numbers"} : shared<i32[1], 1, #l>
          %drawn = barrier_alloc {slots = 1, arrivals = 1, name = "drawn"} : barriers<1>
          %taken = barrier_alloc {slots = 1, arrivals = 4, name = "taken"} : barriers<1>
          barrier
          role {name = "producer", warps = 1, registers = 40} () {
            %r = while %b, %n, [%c0] (%tile: i64, %p: i64) {
              %m = number_draw %counter, %n : i64
              %emptied = sub %c1, %p : i64
              FREE
              %next = number_post %m, %numbers, %c0, %drawn, %c0 : i64
              yield [%next, %emptied]
            } : i64
            yield []
          }
          role {name = "consumer", warps = 4, registers = 200} () {
            %s = while %b, %n, [%c0] (%t: i64, %q: i64) {
              %old = load %ty, [%t], _ : i32
              %new = add %old, %one : i32
              store %ty, [%t], %new
              %id = cast %b {to = i32, kind = wrap} : i32
              store %tw, [%t], %id
              WAIT
              %go = number_read %numbers, %c0 : i64
              RELEASE
              %flip = sub %c1, %q : i64
              yield [%go, %flip]
            } : i64
            yield []
          }
          yield []
        }
        """.replace("FREE\n", FREE).replace("WAIT\n", WAIT).replace("RELEASE\n", RELEASE);
  }

  private static int[] run(Module module, long seed, int tiles, int[] who) {
    int[] y = new int[tiles];
    new Interpreter(Interpreter.Options.defaults().withSeed(seed))
        .run(module, List.of(Runs.ints(y), Runs.ints(who), Tile.integer(tiles)));
    return y;
  }

  @Test
  void everyTileIsDoneOnceInEachLaunch() {
    Module module = Runs.parse(program());
    String printed = IrPrinter.print(module);
    assertThat(IrPrinter.print(Runs.parse(printed))).isEqualTo(printed);
    for (int tiles : new int[] {1, 2, 3, 4, 7, 20}) {
      Set<List<Integer>> orders = new HashSet<>();
      for (int seed = 0; seed < 20; seed++) {
        int[] who = new int[tiles];
        assertThat(run(module, seed, tiles, who)).containsOnly(2);
        for (int b = 0; b < Math.min(3, tiles); b++) {
          assertThat(who[b]).isEqualTo(b);
        }
        orders.add(java.util.Arrays.stream(who).boxed().toList());
      }
      assertThat(orders.size()).as("%d tiles", tiles).isGreaterThanOrEqualTo(tiles > 6 ? 10 : 1);
    }
  }

  private static Diagnostic fails(Set<Code> codes, String before, String after) {
    assertThat(program()).contains(before);
    Module module = Runs.parse(program().replace(before, after));
    Diagnostic d = null;
    for (int seed = 0; seed < 8; seed++) {
      Interpreter interpreter = new Interpreter(Interpreter.Options.defaults().withSeed(seed).withMaxSteps(100_000));
      d = Runs.failure(interpreter, module, Runs.ints(new int[9]), Runs.ints(new int[9]), Tile.integer(9));
      assertThat(d.code()).as(d + " with seed " + seed).isIn(codes);
    }
    return d;
  }

  @Test
  void whatOrdersTheNumbersIsNeeded() {
    fails(Set.of(Code.UNINITIALISED, Code.SHARED_UNORDERED), WAIT, "");
    fails(Set.of(Code.DEADLOCK), RELEASE, "");
    fails(Set.of(Code.OVERWRITTEN, Code.BARRIER_PHASE), FREE, "");
  }

  @Test
  void everyBlockDrawsUntilItIsGivenNone() {
    Diagnostic d = fails(Set.of(Code.NUMBERS_DRAWN), "%m = number_draw %counter, %n : i64",
        "%m = number_draw %counter, %n : i64\n      %more = number_draw %counter, %n : i64");
    assertThat(d.notes().getFirst()).contains("number_draw");
    // A block that is given the last tile takes it for none.
    fails(Set.of(Code.NUMBERS_DRAWN), "while %b, %n,", "while %b, %c8,");
  }
}
