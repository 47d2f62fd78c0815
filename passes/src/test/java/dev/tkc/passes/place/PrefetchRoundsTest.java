package dev.tkc.passes.place;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which copies are asked for before the launch in front is over, and with what places. */
class PrefetchRoundsTest {

  /** A producer copies a tile in front of its loop, and one in each round of it, from where {@code PLACE} says. */
  private static String program(String annotations, String place) {
    return """
        #panels = #lay<[64, 64], offset = [[0, 1], [0, 2], [0, 4], [0, 8], [0, 16], [0, 32], [1, 8], [2, 16], [4, 32], \
        [8, 0], [16, 0], [32, 0]]>

        kernel @k(%px: ptr<bf16> div 16, %pn: ptr<i64>, %M: i64) {
          %0 = constant {value = 1 : i64} : i64
          launch %0, [%px, %pn, %M] {callee = "f"}
          yield []
        }

        device @f(%px: ptr<bf16> div 16, %pn: ptr<i64>, %M: i64) #{ANNOTATIONSplaced, warps = 8} {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %n = constant {value = 64 : i64} : i64
          %x = make_tensor %px, [%M, %n], [%n, %c1] {access = in, name = "x"} : tensor<bf16, 2>
          %ns = make_tensor %pn, [%M], [%c1] {access = in, name = "n"} : tensor<i64, 1>
          %rj = range %c0, %c1, %n {size = 64} : range<64>
          %q = shared_alloc {name = "q", type = shared<bf16[64, 64], 1, #panels>} : shared<bf16[64, 64], 1, #panels>
          %b = shared_alloc {name = "b", type = shared<bf16[64, 64], 2, #panels>} : shared<bf16[64, 64], 2, #panels>
          %once = barrier_alloc {slots = 1, arrivals = 1, name = "once"} : barriers<1>
          %full = barrier_alloc {slots = 2, arrivals = 1, name = "full"} : barriers<2>
          barrier
          role {name = "producer", warps = 4, registers = 0} () {
            %ri0 = range %c0, %c1, %n {size = 64} : range<64>
            barrier_expect %once, %c0 {bytes = 8192}
            copy_bulk %x, [%ri0, %rj], _, %q, %c0, %once, %c0
            %first = mul %n, %c1 : i64
            %end = for %first, %M, [%c0] {step = 64} (%i: i64, %slot: i64) {
              %rows = sub %M, %i : i64
              PLACE
              %ri = range %at, %c1, %rows {size = 64} : range<64>
              barrier_expect %full, %slot {bytes = 8192}
              copy_bulk %x, [%ri, %rj], _, %b, %slot, %full, %slot
              %next = sub %c1, %slot : i64
              yield [%next]
            } : i64
            yield []
          }
          role {name = "consumer", warps = 4, registers = 0} () {
            yield []
          }
          yield []
        }
        """.replace("ANNOTATIONS", annotations).replace("PLACE", place);
  }

  private static final String HERE = "%at = add %i, %c0 : i64";

  private static Func after(String program) {
    Module m = RolesTest.run(program, "make-tensor-maps", "prefetch-rounds");
    return m.funcs().getLast();
  }

  private static List<AsyncOp.PrefetchBulk> prefetches(Func f) {
    return f.body().insts().stream().map(Inst::op).filter(o -> o instanceof AsyncOp.PrefetchBulk)
        .map(o -> (AsyncOp.PrefetchBulk) o).toList();
  }

  @Test
  void whatTheFirstRoundsCopyIsAskedForInFrontOfTheRoles() {
    Func f = after(program("prefetch = 2, ", HERE));
    assertThat(prefetches(f)).extracting(p -> p.buffer().name()).containsExactly("q", "b", "b");
    assertThat(prefetches(f)).allMatch(p -> p.map().isPresent());
    List<Inst> insts = f.body().insts();
    int last = insts.indexOf(insts.stream().filter(i -> i.op() instanceof AsyncOp.PrefetchBulk).toList().getLast());
    assertThat(insts.get(last + 1).op()).isInstanceOf(ControlOp.Role.class);
    assertThat(f.annotations()).doesNotContainKey(PrefetchRounds.PREFETCH);
  }

  @Test
  void withoutTheSettingNothingIsAskedFor() {
    assertThat(prefetches(after(program("", HERE)))).isEmpty();
  }

  @Test
  void placesThatDependOnMemoryAreNotAskedFor() {
    Func f = after(program("prefetch = 2, ", "%at = load %ns, [%i], _ : i64"));
    assertThat(prefetches(f)).extracting(p -> p.buffer().name()).containsExactly("q");
  }

  @Test
  void whatALoopCarriesIsKnownInNoRound() {
    Func f = after(program("prefetch = 2, ", "%at = mul %slot, %n : i64"));
    assertThat(prefetches(f)).extracting(p -> p.buffer().name()).containsExactly("q");
  }
}
