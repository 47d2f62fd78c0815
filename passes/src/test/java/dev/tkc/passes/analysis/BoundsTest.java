package dev.tkc.passes.analysis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Facts are asked at the yield of the innermost region of small device functions. */
class BoundsTest {
  private final Map<String, Value> values = new HashMap<>();
  private Func func;
  private Inst place;

  private Bounds at(String body) {
    var module = IrParser.parse("""
        device @f(%N: i64 div 16, %M: i64 div 32, %x: ptr<f32> div 16, %n: i64) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %c8 = constant {value = 8 : i64} : i64
          %c32 = constant {value = 32 : i64} : i64
          %t = make_tensor %x, [%N, %M], [%M, %c1] {access = in, name = "x"} : tensor<f32, 2>
        """ + body + "  yield []\n}\n");
    assertThat(Verifier.verify(module)).isEmpty();
    func = module.funcs().get(0);
    func.params().forEach(p -> values.put(p.value().name(), p.value()));
    int[] deepest = {-1};
    Scopes scopes = new Scopes(func);
    func.body().walk(i -> {
      i.results().forEach(r -> values.put(r.name(), r));
      i.regions().forEach(r -> r.params().forEach(p -> values.put(p.name(), p)));
      int depth = scopes.depth(scopes.regionOf(i));
      if (i.op() instanceof ControlOp.Yield && depth > deepest[0]) {
        deepest[0] = depth;
        place = i;
      }
    });
    return new Bounds(func);
  }

  private boolean atMost(Bounds b, String x, String y, long slack) {
    return b.atMost(place, values.get(x), values.get(y), slack);
  }

  @Test
  void aPositionStaysAWholeStepBelowAnEndThatTheStepDivides() {
    Bounds b = at("""
          %q = div %N, %c8 : i64
          %m = mul %q, %c8 : i64
          for %c0, %m, [] {step = 8} (%k: i64) {
            yield []
          }
        """);
    assertThat(atMost(b, "k", "N", -8)).isTrue();
    assertThat(atMost(b, "k", "N", -9)).isFalse();
    assertThat(b.atLeast(place, values.get("k"), 0)).isTrue();
    assertThat(b.atLeast(place, values.get("k"), 1)).isFalse();
  }

  @Test
  void promisesOfDivisibilityCount() {
    Bounds b = at("""
          for %c0, %M, [] {step = 32} (%k: i64) {
            yield []
          }
        """);
    assertThat(atMost(b, "k", "M", -32)).isTrue();
    Bounds c = at("""
          for %c0, %N, [] {step = 32} (%k: i64) {
            yield []
          }
        """);
    assertThat(atMost(c, "k", "N", -16)).isTrue();
    assertThat(atMost(c, "k", "N", -32)).isFalse();
  }

  @Test
  void conditionsOfBranchesCountOnTheirSide() {
    Bounds b = at("""
          %end = add %n, %c8 : i64
          %fits = le %end, %N : bool
          if %fits () {
            yield []
          } () {
            yield []
          }
        """);
    assertThat(atMost(b, "n", "N", -8)).isTrue();
    assertThat(atMost(b, "n", "N", -9)).isFalse();
    Bounds c = at("""
          for %c0, %M, [] {step = 32} (%k: i64) {
            %next = add %k, %c32 : i64
            %more = lt %next, %M : bool
            if %more () {
              yield []
            } () {
              yield []
            }
            yield []
          }
        """);
    assertThat(atMost(c, "next", "M", -32)).as("a step more, since all are multiples of 32").isTrue();
  }

  @Test
  void minimaRemaindersAndSizes() {
    Bounds b = at("""
          %least = min %n, %N : i64
          %most = max %n, %N : i64
          %r = rem %n, %c8 : i64
        """);
    assertThat(atMost(b, "least", "n", 0)).isTrue();
    assertThat(atMost(b, "n", "most", 0)).isTrue();
    assertThat(atMost(b, "n", "least", 0)).isFalse();
    assertThat(atMost(b, "r", "c8", -1)).isTrue();
    assertThat(b.atLeast(place, values.get("r"), 0)).isTrue();
    assertThat(b.atLeast(place, values.get("N"), 0)).as("a tensor's size").isTrue();
    assertThat(b.atLeast(place, values.get("n"), 0)).isFalse();
  }
}
