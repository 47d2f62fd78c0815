package dev.tkc.passes.place;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.text.IrPrinter;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which tiles come in parts for groups of warps, and what waits for which part. */
class GroupCopiesTest {
  private static final String LAYOUTS = """
      #panels = #lay<[128, 64], offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 8], [2, 16], [4, 32], [8, 0], \
      [16, 0], [32, 0], [64, 0]]>
      #own = #lay<[128, 64], register = [[0, 1], [8, 0], [0, 8], [0, 16], [0, 32]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], \
      [4, 0]], warp = [[16, 0], [32, 0], [64, 0]]>
      #across = #lay<[128, 64], register = [[0, 1], [8, 0], [16, 0], [32, 0], [64, 0]], lane = [[0, 2], [0, 4], [1, 0], \
      [2, 0], [4, 0]], warp = [[0, 8], [0, 16], [0, 32]]>
      """;

  /** Two groups of warps read a tile of 128 rows, which a producer copies round by round, and store it. */
  private static String program(int slots, String use) {
    return LAYOUTS + """
        kernel @k(%px: ptr<bf16> div 16, %M: i64) {
          %0 = constant {value = 1 : i64} : i64
          launch %0, [%px, %M] {callee = "f"}
          yield []
        }

        device @f(%px: ptr<bf16> div 16, %M: i64) #{placed, warps = 12} {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %n = constant {value = 64 : i64} : i64
          %rows = constant {value = 128 : i64} : i64
          %x = make_tensor %px, [%M, %n], [%n, %c1] {access = in, name = "x"} : tensor<bf16, 2>
          %rj = range %c0, %c1, %n {size = 64} : range<64>
          %b = shared_alloc {name = "b", type = shared<bf16[128, 64], SLOTS, #panels>} : shared<bf16[128, 64], SLOTS, #panels>
          %full = barrier_alloc {slots = SLOTS, arrivals = 1, name = "full"} : barriers<SLOTS>
          %empty = barrier_alloc {slots = SLOTS, arrivals = 8, name = "empty"} : barriers<SLOTS>
          barrier
          role {name = "producer", warps = 4, registers = 40} () {
            %p0 = constant {value = 0 : i64} : i64
            %end = for %c0, %M, [%p0] {step = 128} (%i: i64, %parity: i64) {
              %ri = range %i, %c1, %rows {size = 128} : range<128>
              %free = sub %c1, %parity : i64
              barrier_wait %empty, %c0, %free
              barrier_expect %full, %c0 {bytes = 16384}
              copy_bulk %x, [%ri, %rj], _, %b, %c0, %full, %c0
              yield [%free]
            } : i64
            yield []
          }
          role {name = "consumer", warps = 8, registers = 232} () {
            %q0 = constant {value = 0 : i64} : i64
            %last = for %c0, %M, [%q0] {step = 128} (%m: i64, %phase: i64) {
              barrier_wait %full, %c0, %phase
              USE
              barrier_arrive %empty, %c0, _
              %flip = sub %c1, %phase : i64
              yield [%flip]
            } : i64
            yield []
          }
          yield []
        }
        """.replace("SLOTS", "" + slots).replace("USE", use);
  }

  private static final String READ =
      "%t = shared_load %b, %c0 {offsets = [0, 0], shape = [128, 64]} : bf16[128, 64; #LAYOUT]";

  /** Rows as an accumulator has them: 16 to a warp. */
  private static final String OWN = READ.replace("LAYOUT", "own");

  private static Module divided(String program) {
    return RolesTest.run(program, "group-copies");
  }

  private static long count(Module m, Class<? extends AsyncOp> op) {
    return RolesTest.all(m, op).size();
  }

  @Test
  void groupsThatReadTheirOwnRowsHaveSlotsOfTheirOwn() {
    Module m = divided(program(1, OWN));
    String text = IrPrinter.print(m);
    assertThat(text).contains("group_load %b, %c0 {groups = 2} : bf16[128, 64;", "shared<bf16[64, 64], 2,",
        "barrier_alloc {slots = 2, arrivals = 1, name = \"full\"}",
        "barrier_alloc {slots = 2, arrivals = 4, name = \"empty\"}", "{bytes = 8192}").doesNotContain("16384")
            .containsPattern("barrier_wait %full, %c0, %\\S+ #\\{each = 2\\}")
        .containsPattern("barrier_arrive %empty, %c0, _ #\\{each = 2\\}");
    assertThat(count(m, AsyncOp.CopyBulk.class)).isEqualTo(2);
    assertThat(count(m, AsyncOp.BarrierExpect.class)).isEqualTo(2);
    assertThat(count(m, AsyncOp.BarrierWait.class)).isEqualTo(3);
    assertThat(RolesTest.all(m, SharedOp.SharedLoad.class)).isEmpty();
    // A part is waited for, expected and copied before the next one is waited for.
    assertThat(text.lines().map(String::strip)
        .filter(l -> l.startsWith("barrier_wait %empty") || l.startsWith("copy_bulk"))
        .map(l -> l.split(" ")[0]).toList())
        .isEqualTo(List.of("barrier_wait", "copy_bulk", "barrier_wait", "copy_bulk"));
  }

  @Test
  void othersStayAsTheyAre() {
    // Rings of several slots are filled while others are read; here all groups read all rows; here products read the
    // slot too.
    String product = OWN + "\n%v = shared_view %b, %c0 {offsets = [0, 0], shape = [64, 64], order = [0, 1]} "
        + ": shared<bf16[64, 64], 1>";
    for (String program : List.of(program(2, OWN), program(1, READ.replace("LAYOUT", "across")), program(1, product))) {
      Module m = divided(program);
      assertThat(RolesTest.all(m, SharedOp.GroupLoad.class)).isEmpty();
      assertThat(count(m, AsyncOp.CopyBulk.class)).isEqualTo(1);
    }
  }

  @Test
  void aSlotThatIsNotWaitedForRightBeforeTheCopyStays() {
    String program = program(1, OWN);
    Module m =
        divided(program.replace("barrier_expect %full", "%unused = add %p0, %c1 : i64\n        barrier_expect %full"));
    assertThat(RolesTest.all(m, SharedOp.GroupLoad.class)).isEmpty();
  }
}
