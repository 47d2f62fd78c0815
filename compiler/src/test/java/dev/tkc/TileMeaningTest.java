package dev.tkc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.grammar.lower.Lowering;
import dev.tkc.grammar.lower.Specialisation;
import dev.tkc.ir.diag.Source;
import dev.tkc.launch.Binder;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which kernels are seen to compute the same for all sizes of their tiles. */
class TileMeaningTest {
  private static final String ATTENTION = """
      kernel attention<BQ = 64, BK = 64>(
          q: bf16[N, 64], k: bf16[S, 64], v: bf16[S, 64], w: f32, seen: i32[S], out o: bf16[N, 64]) {
        parallel i in N by BQ {
          let qi = q[i, :]
          var m = fill(-inf, f32[BQ, 1])
          var l = zeros(f32[BQ, 1])
          var acc = zeros(f32[BQ, 64])
          for j in S by BK {
            let s = where(valid(j), qi @ k[j, :].T, -inf)
            let m2 = max(m, rowmax(s))
            let safe = where(m2 == -inf, 0, m2 * w)
            let p = exp2(s * w - safe)
            let c = exp2(m * w - safe)
            l = l * c + rowsum(p)
            acc = acc * c + (p as bf16) @ v[j, :]
            m = m2
          }
          o[i, :] = where(l == 0, 0, acc / l) as bf16
        }
      }
      """;

  private static final String SUMS = """
      kernel sums<BM = 64, BK = 64>(x: f32[M, K], y: f32[M, 16], out s: f32[M]) {
        parallel i in M by BM {
          var acc = zeros(f32[BM, 1])
          for k in K by BK {
            acc += rowsum(x[i, k])
          }
          s[i, _] = acc
        }
      }
      """;

  private static Optional<String> dependence(String text) {
    Kernel kernel = Tkc.create(Device.interpreter()).load(new Source("<text>", text)).kernel();
    Map<String, Object> constants = Binder.constants(kernel.syntax(), kernel.module()::global, Map.of(), Map.of());
    Specialisation plain = new Specialisation(constants, Map.of(), Specialisation.Schedule.NONE);
    return TileMeaning.dependence(Lowering.lower(kernel.module().library(), kernel.name(), plain));
  }

  private static String changed(String text, String from, String to) {
    assertThat(text).contains(from);
    return text.replace(from, to);
  }

  @Test
  void softmaxRoundByRoundIsTheSameForAllRounds() {
    assertThat(dependence(ATTENTION)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "scores of positions | qi @ k[j, :].T | qi @ k[j, :].T + ((rows(i) - cols(j)) as f32) * 0.5",
    "a mask from a tensor | valid(j) | valid(j) and seen[j][_, :] != 0",
    "a unit that is the maximum itself | * w | * 1.0",
    "something of its own in each term | (p as bf16) @ | ((p * where(valid(j), 2.0, 0)) as bf16) @",
    "rows that are summed as a whole | q[i, :] | (q[i, :] / sum(q[i, :], axis = 1)) as bf16",
  })
  void andSoIs(String what, String from, String to) {
    assertThat(dependence(changed(ATTENTION, from, to))).as(what).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "rounds without a key leave NaN | where(m2 == -inf, 0, m2 * w) | m2 * w",
    "another unit | exp2(m * w - safe) | exp2(m * 2.0 - safe)",
    "a maximum of something else | rowmax(s) | rowmax(s * 2.0)",
    "the maximum of a round alone | max(m, rowmax(s)) | rowmax(s)",
    "lanes that hold nothing weigh | where(valid(j), qi @ k[j, :].T, -inf) | where(valid(j), qi @ k[j, :].T, 5.0)",
    "a sum that is halved each round | l * c + rowsum(p) | l * c * 0.5 + rowsum(p)",
    "what is carried is looked at | (p as bf16) @ | ((p * l) as bf16) @",
    "a round's own softmax | rowsum(p) | rowsum(p / rowsum(p))",
    "a product over the grid's rows | qi @ k[j, :].T | qi @ k[j, :].T + colsum(qi as f32)[:, 0:1] * 0.0",
    "where a round is | qi @ k[j, :].T | qi @ k[j, :].T * (j.start as f32)",
  })
  void butNot(String what, String from, String to) {
    assertThat(dependence(changed(ATTENTION, from, to))).as(what).isPresent();
  }

  @Test
  void aLoopMayEndWithItsRowsWhereNoneLooksBehindItself() {
    String causal = ATTENTION.replace("for j in S by BK", "for j in 0..min(S, i.end) by BK");
    assertThat(dependence(causal)).isPresent();
    assertThat(dependence(causal.replace("where(valid(j),", "where(valid(j) and rows(i) >= cols(j),"))).isEmpty();
    assertThat(dependence(causal.replace("where(valid(j),", "where(valid(j) and rows(i) <= cols(j),"))).isPresent();
    assertThat(dependence(causal.replace("where(valid(j),", "where(valid(j) and rows(i) >= cols(j),")
        .replace("i.end", "i.end + 1")))
        .isPresent();
  }

  @Test
  void sumsOverTheGridMayBeAddedUpInMemory() {
    String sums = """
        kernel sums<BM = 64, BN = 64>(x: f32[M, N], inout s: f32[N], inout t: f32[N]) {
          parallel i in M by BM, j in N by BN {
            s[j] += colsum(x[i, j])[0, :]
          }
        }
        """;
    assertThat(dependence(sums)).isEmpty();
    assertThat(dependence(sums.replace("+=", "max="))).isPresent();
    String ofProducts = """
        kernel sums<BM = 64, BN = 64, BK = 64>(x: bf16[M, K], y: bf16[K, N], inout s: f32[N]) {
          parallel i in M by BM, j in N by BN {
            var acc = zeros(f32[BM, BN])
            for k in K by BK {
              acc += x[i, k] @ y[k, j]
            }
            s[j] += colsum(acc * acc)[0, :]
          }
        }
        """;
    assertThat(dependence(ofProducts)).isEmpty();
    assertThat(dependence(ofProducts.replace("zeros(f32[BM, BN])", "fill(1.0, f32[BM, BN])"))).isPresent();
    assertThat(dependence(sums.replace("colsum(x[i, j])", "(colsum(x[i, j]) * colsum(x[i, j]))"))).isPresent();
    assertThat(dependence(sums.replace("x[i, j]", "x[i, j] pad 1.0"))).isPresent();
  }

  @Test
  void sumsOfWhatIsLoadedAreTheSame() {
    assertThat(dependence(SUMS)).isEmpty();
    assertThat(dependence(SUMS.replace("acc += rowsum(x[i, k])", "acc += rowsum(x[i, k] * x[i, k] + x[i, k])")))
        .isEmpty();
    assertThat(dependence(SUMS.replace("s[i, _] = acc", "s[i, _] = acc / rowsum(y[i, :])"))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "a tile's lanes are counted | rowsum(x[i, k]) | rowsum(where(cols(k) >= 0, 1.0, 0) + 0 * fill(0.0, f32[BM, 1]))",
    "ones | rowsum(x[i, k]) | rowsum(fill(1.0, f32[BM, BK]))",
    "padding that weighs | x[i, k] | x[i, k] pad 1.0",
    "products of a round | acc += rowsum(x[i, k]) | acc = acc * rowsum(x[i, k])",
    "a running total in a round | x[i, k] | cumsum(x[i, k], axis = 1)",
    "a sum along the grid | s[i, _] = acc | s[i, _] = acc + colsum(acc)",
  })
  void butNotWhatIsATiles(String what, String from, String to) {
    assertThat(dependence(changed(SUMS, from, to))).as(what).isPresent();
  }
}
