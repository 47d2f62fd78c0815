package dev.tkc.passes.place;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.text.IrPrinter;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which numbers of a round are loaded a round ahead, and what becomes of the loop. */
class LoadAheadTest {
  /** The staged product, each round's sum multiplied by what is loaded from a tensor of scales. */
  private static String scaled(String access, String load, String shape) {
    String tensor = "  %ts = make_tensor %s, [%M, %K], [%K, %c1] {access = ACCESS, name = \"s\"} : tensor<f32, 2>\n"
        .replace("ACCESS", access);
    return RolesTest.program("gemm")
        .replace("%c: ptr<bf16> div 16, %M", "%c: ptr<bf16> div 16, %s: ptr<f32> div 16, %M")
        .replace("  %tc = make_tensor", tensor + "  %tc = make_tensor")
        .replace("%pc = address_of %tc : ptr<bf16>", "%pc = address_of %tc : ptr<bf16>\n  %ps = address_of %ts : ptr<f32>")
        .replace("[%pa, %pb, %pc, %M", "[%pa, %pb, %pc, %ps, %M")
        .replace("      %c_next = add", """
                  %v = LOAD
                  %vc = reshape %v {shape = SHAPE} : f32SHAPE
                  %vb = broadcast %vc {shape = [128, 128]} : f32[128, 128]
                  %scaled = mul %w, %vb : f32[128, 128]
                  %c_next = add""".replace("LOAD", load).replace("SHAPE", shape))
        .replace("yield [%w, %c_slot1", "yield [%scaled, %c_slot1");
  }

  private static Inst loop(Module m) {
    return RolesTest.all(m, ControlOp.For.class).getLast();
  }

  private static List<Inst> loads(ControlOp.For loop) {
    return loop.body().insts().stream().filter(i -> i.op() instanceof MemoryOp.Load).toList();
  }

  @Test
  void aScaleForEachRowIsLoadedARoundAhead() {
    String text = scaled("in", "load %ts, [%ri, %c_k], _ : f32[128]", "[128, 1]");
    assertThat(((ControlOp.For) loop(RolesTest.run(text, "assign-layouts")).op()).inits()).hasSize(3);
    Module m = RolesTest.run(text, "assign-layouts", "load-ahead");
    ControlOp.For loop = (ControlOp.For) loop(m).op();
    assertThat(loop.inits()).hasSize(4);
    assertThat(loads(loop)).hasSize(1);
    // What is loaded is for the next round, or once more for the last one.
    assertThat(loop.body().terminator().operands().getLast()).isSameAs(loads(loop).getFirst().result());
    assertThat(loads(loop).getFirst().operands()).doesNotContain(loop.body().params().getFirst());
    assertThat(IrPrinter.print(m)).containsPattern("= select %\\d+, %\\d+, %c_k : i64");
  }

  @Test
  void theFirstRoundsNumbersAreLoadedOnlyIfThereIsOne() {
    Module m = RolesTest.run(scaled("in", "load %ts, [%ri, %c_k], _ : f32[128]", "[128, 1]"), "assign-layouts", "load-ahead");
    Inst branch = ((ControlOp.For) loop(m).op()).inits().getLast().definition();
    assertThat(branch.op()).isInstanceOf(ControlOp.If.class);
    assertThat(branch.result().type()).isEqualTo(loop(m).results().getLast().type());
  }

  @Test
  void whatIsTheSameForAllRoundsOrWrittenOrTakesManyRegistersStays() {
    // A row of 128 is in each thread 32 times over.
    for (String text : List.of(scaled("in", "load %ts, [%ri, %c0], _ : f32[128]", "[128, 1]"),
        scaled("in", "load %ts, [%c_k, %rj], _ : f32[128]", "[1, 128]"),
        scaled("inout", "load %ts, [%ri, %c_k], _ : f32[128]", "[128, 1]")
            .replace("    %half = cast", "    store %ts, [%ri, %rj], %acc\n    %half = cast"))) {
      Module m = RolesTest.run(text, "assign-layouts", "load-ahead");
      assertThat(((ControlOp.For) loop(m).op()).inits()).hasSize(3);
    }
  }
}
