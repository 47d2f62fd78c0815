package dev.tkc.passes.place;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.layout.SharedLayouts;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.op.SharedOp;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.ir.type.SharedType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.TestTargets;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The placed passes on functions with roles. */
class RolesTest {
  static String program(String name) {
    try (InputStream in = RolesTest.class.getResourceAsStream("/dev/tkc/passes/roles/" + name + ".tir")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Module run(String text, String... rows) {
    Module m = IrParser.parse(text);
    assertThat(Verifier.verify(m)).isEmpty();
    PassDriver.run(m, PassContext.of(TestTargets.BULK, PassOptions.checked().withOnly(rows)));
    String printed = IrPrinter.print(m);
    assertThat(IrPrinter.print(IrParser.parse(printed))).isEqualTo(printed);
    return m;
  }

  static <T extends Op> List<Inst> all(Module m, Class<T> op) {
    List<Inst> found = new ArrayList<>();
    m.funcs().stream().filter(f -> f.kind() == Func.Kind.DEVICE).forEach(f -> f.body().walk(i -> {
      if (op.isInstance(i.op())) {
        found.add(i);
      }
    }));
    return found;
  }

  @Test
  void accumulatorsLieOverTheWarpsOfTheirRole() {
    Module m = run(program("gemm"), "assign-layouts");
    Inst dot = all(m, AsyncOp.DotAsync.class).getFirst();
    // Warp w holds rows 16 w and on; lanes and registers are those of the fragment.
    assertThat(dot.result().tile().layout().toString())
        .isEqualTo("#lay<[128, 128], register = [[0, 1], [8, 0], [0, 8], "
        + "[0, 16], [0, 32], [0, 64]], lane = [[0, 2], [0, 4], [1, 0], [2, 0], [4, 0]], warp = [[16, 0], [32, 0], "
        + "[64, 0]]>");
    Inst wait = all(m, AsyncOp.DotWait.class).getFirst();
    assertThat(wait.result().tile().layout()).isEqualTo(dot.result().tile().layout());
  }

  @Test
  void nothingIsConvertedOnTheWayToABulkStore() {
    Module m = run(program("gemm"), "assign-layouts");
    assertThat(all(m, ShapeOp.ConvertLayout.class)).isEmpty();
    for (Inst store : all(m, SharedOp.SharedStore.class)) {
      SharedOp.SharedStore s = (SharedOp.SharedStore) store.op();
      assertThat(SharedLayouts.offsets(((SharedType) s.buffer().type()).layout(), s.tile().tile().layout())
          .isInjective()).isTrue();
    }
  }

  @Test
  void aLeftOperandInRegistersLiesAsTheAccumulator() {
    // The product's own sum, converted: what an attention kernel multiplies next.
    Module m = run(program("gemm").replace("    %half = cast", """
            %p = cast %acc {kind = saturate, to = bf16} : bf16[128, 128]
            %vb = shared_view %y, %c0 {offsets = [0, 0], order = [0, 1], shape = [128, 64]} : shared<bf16[128, 64], 1>
            %fresh = undefined {element = f32, shape = [128, 64]} : f32[128, 64]
            %dd = dot_async %p, %vb, %fresh, _ {precision = default} #{instruction = "wgmma.bf16"} : f32[128, 64]
            dot_commit
            %ww = dot_wait [%dd] {pending = 0} : f32[128, 64]
            %half = cast"""), "assign-layouts");
    assertThat(all(m, ShapeOp.ConvertLayout.class)).isEmpty();
    Inst second = all(m, AsyncOp.DotAsync.class).getLast();
    assertThat(second.operands().getFirst().tile().layout()).isEqualTo(
        all(m, AsyncOp.DotAsync.class).getFirst().result().tile().layout());
  }

  @Test
  void buffersOfEnginesLieInPanels() {
    Module m = run(program("gemm"), "assign-layouts");
    for (Inst alloc : all(m, SharedOp.SharedAlloc.class)) {
      SharedType t = (SharedType) alloc.result().type();
      assertThat(t.layout()).isEqualTo(SharedLayouts.panels(t.shape(), 16));
    }
  }

  @Test
  void tilesStayWithTheirTeam() {
    String text = program("gemm").replace("  barrier\n  role {name = \"producer\"", """
          %one = constant {value = 1.0 : f32} : f32
          %ones = splat %one {shape = [128, 128]} : f32[128, 128]
          barrier
          role {name = "producer\"""").replace("dot_async %vx, %vy, %sum", "dot_async %vx, %vy, %ones");
    assertThatThrownBy(() -> run(text, "assign-layouts")).hasMessageContaining("from outside");
  }

  @Test
  void slotsStartWhereTheirRowsRepeat() {
    Module m = run(program("gemm"), "assign-layouts", "allocate-shared");
    List<Inst> buffers = all(m, SharedOp.SharedAlloc.class);
    assertThat(buffers).extracting(i -> i.annotation("offset", -1)).containsExactly(0L, 65536L, 131072L);
    assertThat(all(m, AsyncOp.BarrierAlloc.class)).extracting(i -> i.annotation("offset", -1))
        .containsExactly(163840L, 163872L);
    assertThat(m.func("gemm_0").orElseThrow().annotation("shared_bytes", 0)).isEqualTo(163904);
  }

  @Test
  void rolesShareNoScratch() {
    String sums = """
        %wNAME = splat %one {shape = [512, 128]} : f32[512, 128]
        %gNAME = mul %wNAME, %wNAME : f32[512, 128]
        %rNAME = reduce %gNAME {axes = [0], kind = sum} : f32[1, 128]
        store %t, [%r0, %columns], %rNAME
        """;
    Module m = run("""
        device @f(%p: ptr<f32> div 16) #{lanes = 32, warps = 8} {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %c128 = constant {value = 128 : i64} : i64
          %one = constant {value = 1.0 : f32} : f32
          %t = make_tensor %p, [%c1, %c128], [%c128, %c1] {access = out, name = "t"} : tensor<f32, 2>
          %r0 = range %c0, %c1, %c1 {size = 1} : range<1>
          %columns = range %c0, %c1, %c128 {size = 128} : range<128>
          role {name = "one", registers = 0, warps = 4} () {
        """ + sums.replace("NAME", "a") + sums.replace("NAME", "b") + """
            yield []
          }
          role {name = "two", registers = 0, warps = 4} () {
        """ + sums.replace("NAME", "c") + """
            yield []
          }
          yield []
        }
        """, "assign-layouts", "allocate-shared", "insert-barriers");
    List<Inst> reduces = all(m, ReductionOp.Reduce.class);
    // The first two follow each other in one role; the third runs beside them.
    assertThat(reduces).extracting(i -> i.annotation("scratch", -1)).containsExactly(0L, 0L, 2048L);
    assertThat(all(m, SharedOp.Barrier.class)).hasSize(1);
  }

  @Test
  void nothingIsInsertedForWhatEnginesDo() {
    Module m = run(program("gemm"), "assign-layouts", "allocate-shared", "insert-barriers");
    assertThat(all(m, SharedOp.Barrier.class)).hasSize(3);
  }

  @Test
  void theHostDescribesTensors() {
    Module m = run(program("gemm"), "assign-layouts", "make-tensor-maps");
    String text = IrPrinter.print(m);
    assertThat(text).contains(
        "%a_map = make_tensor_map %0 {box = [128, 64], swizzle = 128} : tensor_map",
        "%b_map = make_tensor_map",
        "%c_map = make_tensor_map",
        "launch %grid, [%pa, %pb, %pc, %M, %N, %K, %a_map, %b_map, %c_map] {callee = \"gemm_0\"}",
        "%a_map: tensor_map, %b_map: tensor_map, %c_map: tensor_map)",
        "copy_bulk %ta, [%ri, %rk], %a_map, %x, %slot, %full, %slot");
    // Two stores of one kind of box share a map.
    assertThat(all(m, AsyncOp.StoreBulk.class)).extracting(i -> ((AsyncOp.StoreBulk) i.op()).map()).containsOnly(
        java.util.Optional.of(m.func("gemm_0").orElseThrow().params().getLast().value()));
  }

  @Test
  void allPlacedPassesTogether() {
    Module m = run(program("gemm"), "clean-staged", "assign-layouts", "clean-placed", "annotate-accesses",
        "make-tensor-maps", "allocate-shared", "insert-barriers");
    assertThat(all(m, SharedOp.Barrier.class)).hasSize(3);
    assertThat(all(m, ShapeOp.ConvertLayout.class)).isEmpty();
  }
}
