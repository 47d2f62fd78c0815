package dev.tkc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tkc.ir.type.Element;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Tensors that stay on the device, and launches that are queued many times. */
class PreparedLaunchTest {
  private static final String PROGRAM =
      """
      kernel twice<B = 64>(x: f32[N], out y: f32[N]) {
        parallel i in N by B { y[i] = x[i] * 2 }
      }
      kernel increment<B = 64>(inout y: f32[N]) {
        parallel i in N by B { y[i] = y[i] + 1 }
      }
      """;

  @Test
  void launchesAreQueuedInTheInterpreter() {
    queued(Device.interpreter());
  }

  @Test
  @Tag("gpu")
  void launchesAreQueuedOnADevice() {
    queued(Device.cuda(0));
  }

  private static void queued(Device device) {
    try (Tkc tkc = Tkc.create(device);
        Tensor x = tkc.upload(Tensor.of(new float[] {1, 2, 3}, 3));
        Tensor y = tkc.empty(Element.F32, 3);
        Stream stream = tkc.newStream();
        PreparedLaunch twice = tkc.load(PROGRAM).kernel("twice").prepare(Constants.none(), x, y);
        PreparedLaunch increment = tkc.load(PROGRAM).kernel("increment").prepare(Constants.of("B", 32), y)) {
      twice.enqueue(stream);
      for (int i = 0; i < 10; i++) {
        increment.enqueue(stream);
      }
      stream.synchronize();
      Tensor result = y.toHost();
      assertThat(result.isOnDevice()).isFalse();
      assertThat(new double[] {result.number(0), result.number(1), result.number(2)}).containsExactly(12, 14, 16);
    }
  }

  @Test
  @Tag("gpu")
  void tensorsOfTheHostAndOfTheDeviceMeetInOneLaunch() {
    try (Tkc tkc = Tkc.create(Device.cuda(0))) {
      Tensor x = Tensor.of(new float[] {1, 2, 3}, 3);
      Tensor y = tkc.empty(Element.F32, 3);
      tkc.load(PROGRAM).kernel("twice").launch(x, y);
      assertThat(y.toHost().number(2)).isEqualTo(6);
      assertThatThrownBy(y::data).isInstanceOf(IllegalStateException.class).hasMessageContaining("toHost");
      assertThatThrownBy(() -> tkc.load(PROGRAM).kernel("twice").prepare(Constants.none(), x, y))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }
}
