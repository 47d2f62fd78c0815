package dev.tkc.ir.interp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import java.util.List;
import org.junit.jupiter.api.Test;

class SharedEvalTest {
  private static Module device(String body) {
    return Runs.parse("""
        kernel @k(%x: ptr<f32>, %y: ptr<f32>) {
          %c1 = constant {value = 1 : i64} : i64
          launch %c1, [%x, %y] {callee = "f"}
          yield []
        }
        device @f(%x: ptr<f32>, %y: ptr<f32>) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %c4 = constant {value = 4 : i64} : i64
          %tx = make_tensor %x, [%c4], [%c1] {access = in, name = "x"} : tensor<f32, 1>
          %ty = make_tensor %y, [%c4], [%c1] {access = inout, name = "y"} : tensor<f32, 1>
          %r = range %c0, %c1, %c4 {size = 4} : range<4>
          %b = shared_alloc {type = shared<f32[4], 2>, name = "b"} : shared<f32[4], 2>
          BODY
          yield []
        }
        """.replace("BODY", body.replace("\n", "\n  ")));
  }

  private static float[] run(String body) {
    float[] y = new float[4];
    Runs.checking().run(device(body), List.of(Runs.floats(1, 2, 3, 4), Runs.floats(y)));
    return y;
  }

  private static void fails(Code code, String part, String body) {
    Runs.fails(code, part, device(body), Runs.floats(1, 2, 3, 4), Runs.floats(0, 0, 0, 0));
  }

  private static final String COPY = "copy_async %tx, [%r], %b, %c0\ncopy_commit\n";
  private static final String READ =
      "\n%t = shared_load %b, %c0 {offsets = [0], shape = [4]} : f32[4]\nstore %ty, [%r], %t";

  @Test
  void copiesLandAtTheirWait() {
    assertThat(run(COPY + "copy_wait {pending = 0}\nbarrier" + READ)).containsExactly(1, 2, 3, 4);
    assertThat(run(COPY + "copy_async %tx, [%r], %b, %c1\ncopy_commit\ncopy_wait {pending = 1}\nbarrier" + READ))
        .containsExactly(1, 2, 3, 4);
  }

  @Test
  void aMissingOrTooWeakWaitIsFoundEveryTime() {
    fails(Code.SHARED_UNORDERED, "read while a copy", COPY + "barrier" + READ);
    fails(Code.SHARED_UNORDERED, "read while a copy", COPY + "copy_wait {pending = 1}\nbarrier" + READ);
    fails(Code.SHARED_UNORDERED, "written while a copy", COPY + COPY);
  }

  @Test
  void aMissingBarrierIsFound() {
    fails(Code.SHARED_UNORDERED, "no barrier", COPY + "copy_wait {pending = 0}" + READ);
    String store = "%v = load %tx, [%r], _ : f32[4]\nshared_store %b, %c0, %v\n";
    assertThat(run(store + "barrier" + READ)).containsExactly(1, 2, 3, 4);
    fails(Code.SHARED_UNORDERED, "is read", store + READ);
    fails(Code.SHARED_UNORDERED, "is written", store + "barrier" + READ + "\nshared_store %b, %c0, %v");
  }

  @Test
  void slotsStartUndefined() {
    fails(Code.UNINITIALISED, "slot 0", READ.strip());
  }

  @Test
  void partsOfASlot() {
    assertThat(run(COPY + "copy_wait {pending = 0}\nbarrier\n"
        + "%t = shared_load %b, %c0 {offsets = [1], shape = [2]} : f32[2]\n"
        + "%q = range %c0, %c1, %c4 {size = 2} : range<2>\nstore %ty, [%q], %t")).containsExactly(2, 3, 0, 0);
  }
}
