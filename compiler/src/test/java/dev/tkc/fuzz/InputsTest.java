package dev.tkc.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.Tensor;
import dev.tkc.ir.type.Element;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class InputsTest {
  private static List<Double> values(Element element, long seed) {
    Inputs.Input input = new Inputs.Input("x", element, Inputs.Values.NORMAL, "M", "N");
    Tensor t = Inputs.tensor(input, Map.of("M", 64, "N", 64), seed);
    return LongStream.range(0, t.count()).mapToObj(t::number).toList();
  }

  @Test
  void oneProgramOfFourMeetsNumbersThatAreNone() {
    assertThat(values(Element.F32, 4)).allMatch(Double::isFinite);
    for (Element element : new Element[] {Element.F32, Element.F16, Element.BF16}) {
      assertThat(values(element, 3))
          .anyMatch(x -> x.isNaN())
          .contains(Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.0, -0.0)
          .anyMatch(x -> x > 0 && x < 1e-7)
          .anyMatch(x -> x < 0 && x > -1e-7);
    }
    assertThat(values(Element.E4M3, 3)).anyMatch(x -> x.isNaN()).contains(448.0, -448.0);
  }
}
