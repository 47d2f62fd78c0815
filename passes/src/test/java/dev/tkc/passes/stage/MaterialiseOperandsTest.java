package dev.tkc.passes.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.text.IrPrinter;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.Computation;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.Programs;
import dev.tkc.passes.TestTargets;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which computed operands of products are computed once in a phase of their own, and that the results are the same. */
class MaterialiseOperandsTest {
  /**
   * One product of batch %g, whose operands are what OPERANDS says: %x of [64, 32] at rows %ri and columns %rk, %y of
   * [32, 64].
   */
  private static final String PRODUCT = """
      kernel @product(%a: ptr<bf16> div 16, %b: ptr<bf16> div 16, %s: ptr<bf16> div 16, %p: ptr<i32> div 16,
          %c: ptr<bf16> div 16, %G: i64, %M: i64, %K: i64, %N: i64) {
        %c1 = constant {value = 1 : i64} : i64
        %c0 = constant {value = 0 : i64} : i64
        %ab = mul %M, %K : i64
        %bb = mul %N, %K : i64
        %cb = mul %M, %N : i64
        %ta = make_tensor %a, [%G, %M, %K], [%ab, %K, %c1] {access = in, name = "a"} : tensor<bf16, 3>
        %tb = make_tensor %b, [%G, %K, %N], [%bb, %N, %c1] {access = in, name = "b"} : tensor<bf16, 3>
        %tn = make_tensor %b, [%G, %N, %K], [%bb, %K, %c1] {access = in, name = "n"} : tensor<bf16, 3>
        %ts = make_tensor %s, [%M], [%c1] {access = in, name = "s"} : tensor<bf16, 1>
        %tp = make_tensor %p, [%M], [%c1] {access = in, name = "p"} : tensor<i32, 1>
        %tc = make_tensor %c, [%G, %M, %N], [%cb, %N, %c1] {access = out, name = "c"} : tensor<bf16, 3>
        parallel %c0, %G {step = 1} (%g: i64) {
          parallel %c0, %M {step = 64} (%i: i64) {
            parallel %c0, %N {step = 64} (%j: i64) {
              %zero = constant {value = 0.0 : f32} : f32
              %zeros = splat %zero {shape = [64, 64]} : f32[64, 64]
              %li = sub %M, %i : i64
              %ri = range %i, %c1, %li {size = 64} : range<64>
              %lj = sub %N, %j : i64
              %rj = range %j, %c1, %lj {size = 64} : range<64>
              %acc = for %c0, %K, [%zeros] {step = 32} (%k: i64, %t: f32[64, 64]) {
                %lk = sub %K, %k : i64
                %rk = range %k, %c1, %lk {size = 32} : range<32>
                OPERANDS
                %d = dot %x, %y, %t {precision = default} : f32[64, 64]
                yield [%d]
              } : f32[64, 64]
              %r = cast %acc {to = bf16, kind = saturate} : bf16[64, 64]
              store %tc, [%g, %ri, %rj], %r
              yield []
            }
            yield []
          }
          yield []
        }
        yield []
      }
      """;

  private static final String PLAIN_LEFT = "%x = load %ta, [%g, %ri, %rk], _ : bf16[64, 32]\n";

  private static final String PLAIN_RIGHT = "%y = load %tb, [%g, %rk, %rj], _ : bf16[32, 64]\n";

  /** A left operand that is a function of one tile. */
  private static final String SQUARED = """
      %x0 = load %ta, [%g, %ri, %rk], _ : bf16[64, 32]
      %x1 = cast %x0 {to = f32, kind = saturate} : f32[64, 32]
      %x2 = mul %x1, %x1 : f32[64, 32]
      %x = cast %x2 {to = bf16, kind = saturate} : bf16[64, 32]
      """ + PLAIN_RIGHT;

  /** A left operand whose rows are scaled each by its own number. */
  private static final String SCALED = """
      %x0 = load %ta, [%g, %ri, %rk], _ : bf16[64, 32]
      %x1 = cast %x0 {to = f32, kind = saturate} : f32[64, 32]
      %s0 = load %ts, [%ri], _ : bf16[64]
      %s1 = reshape %s0 {shape = [64, 1]} : bf16[64, 1]
      %s2 = cast %s1 {to = f32, kind = saturate} : f32[64, 1]
      %s3 = broadcast %s2 {shape = [64, 32]} : f32[64, 32]
      %x2 = mul %x1, %s3 : f32[64, 32]
      %x = cast %x2 {to = bf16, kind = saturate} : bf16[64, 32]
      """ + PLAIN_RIGHT;

  /** A left operand whose rows are picked by number. */
  private static final String GATHERED = """
      %none = constant {value = -1 : i32} : i32
      %p0 = load %tp, [%ri], %none : i32[64]
      %x0 = load %ta, [%g, %p0, %rk], _ : bf16[64, 32]
      %x = neg %x0 : bf16[64, 32]
      """ + PLAIN_RIGHT;

  /** A right operand that lies transposed. */
  private static final String TRANSPOSED = PLAIN_LEFT + """
      %y0 = load %tn, [%g, %rj, %rk], _ : bf16[64, 32]
      %y1 = neg %y0 : bf16[64, 32]
      %y = permute %y1 {order = [1, 0]} : bf16[32, 64]
      """;

  /** Two computed operands. */
  private static final String BOTH = """
      %x0 = load %ta, [%g, %ri, %rk], _ : bf16[64, 32]
      %x = neg %x0 : bf16[64, 32]
      %y0 = load %tb, [%g, %rk, %rj], _ : bf16[32, 64]
      %y = neg %y0 : bf16[32, 64]
      """;

  private static String program(String operands) {
    return PRODUCT.replace("OPERANDS", operands);
  }

  private static Module after(String text, String last) {
    return Programs.after(last, text, TestTargets.BULK);
  }

  private static String materialised(String text) {
    return IrPrinter.print(after(text, "materialise-operands"));
  }

  @Test
  void anOperandIsComputedInAPhaseOfItsOwn() {
    String text = materialised(program(SQUARED));
    assertThat(text).contains("temp [%G, %M, ").contains("#{materialised}").contains("label = \"materialise_a\"")
        .contains("#{materialised = \"a\"}").contains("f32[16, 256]").doesNotContain("f32[64, 32]");
  }

  @ParameterizedTest
  @ValueSource(strings = {SQUARED, SCALED, GATHERED, TRANSPOSED, BOTH})
  void theProductIsOneOfBulkCopies(String operands) {
    Module m = after(program(operands).replace("%K: i64", "%K: i64 div 8").replace("%N: i64", "%N: i64 div 8"),
        "choose-async");
    Func product = m.funcs().getLast();
    String text = IrPrinter.print(m);
    text = text.substring(text.indexOf("device @" + product.name()));
    assertThat(text).doesNotContain("synchronous = ").contains("instruction = ");
    assertThat(text.lines().filter(l -> l.contains("= load "))).hasSize(2).allMatch(l -> l.contains("#{bulk}"));
  }

  @ParameterizedTest
  @ValueSource(strings = {
    PLAIN_LEFT + PLAIN_RIGHT,
    // A mask knows where the tile ends.
    """
    %x0 = load %ta, [%g, %ri, %rk], _ : bf16[64, 32]
    %v0 = valid %rk : bool[32]
    %v1 = reshape %v0 {shape = [1, 32]} : bool[1, 32]
    %v = broadcast %v1 {shape = [64, 32]} : bool[64, 32]
    %one = constant {value = 1.0 : bf16} : bf16
    %ones = splat %one {shape = [64, 32]} : bf16[64, 32]
    %x = select %v, %x0, %ones : bf16[64, 32]
    """ + PLAIN_RIGHT,
    // Padding that is no zero means something beyond the ends.
    """
    %one = constant {value = 1.0 : bf16} : bf16
    %x0 = load %ta, [%g, %ri, %rk], %one : bf16[64, 32]
    %x = neg %x0 : bf16[64, 32]
    """ + PLAIN_RIGHT,
    // A position that is more than an index.
    """
    %x0 = load %ta, [%g, %ri, %rk], _ : bf16[64, 32]
    %g0 = cast %g {to = f32, kind = saturate} : f32
    %g1 = splat %g0 {shape = [64, 32]} : f32[64, 32]
    %x1 = cast %x0 {to = f32, kind = saturate} : f32[64, 32]
    %x2 = mul %x1, %g1 : f32[64, 32]
    %x = cast %x2 {to = bf16, kind = saturate} : bf16[64, 32]
    """ + PLAIN_RIGHT,
    // Two ranges for one dimension.
    """
    %x0 = load %ta, [%g, %ri, %rk], _ : bf16[64, 32]
    %k1 = add %k, %c1 : i64
    %l1 = sub %lk, %c1 : i64
    %r1 = range %k1, %c1, %l1 {size = 32} : range<32>
    %x1 = load %ta, [%g, %ri, %r1], _ : bf16[64, 32]
    %x = max %x0, %x1 : bf16[64, 32]
    """ + PLAIN_RIGHT
  })
  void otherOperandsStay(String operands) {
    String text = program(operands);
    assertThat(materialised(text)).isEqualTo(IrPrinter.print(after(text, "replace-products")));
  }

  @Test
  void whatThePhaseWritesIsNotComputedBefore() {
    String text = program(SQUARED).replace("access = in, name = \"a\"", "access = inout, name = \"a\"");
    assertThat(materialised(text)).isEqualTo(IrPrinter.print(after(text, "replace-products")));
  }

  @Test
  void aScheduleTurnsItOff() {
    Module m = IrParser.parse(program(SQUARED));
    m.kernel().annotations().put("materialise", false);
    PassDriver.run(m, PassContext.of(TestTargets.BULK, PassOptions.checked().withStopAfter("materialise-operands")));
    assertThat(IrPrinter.print(m)).doesNotContain("temp [").doesNotContain("materialised");
  }

  @ParameterizedTest
  @ValueSource(strings = {SQUARED, SCALED, GATHERED, TRANSPOSED, BOTH})
  void theSameBitsAfterEveryPass(String operands) {
    everyPass(operands, 2, 65, 33, 71);
  }

  @ParameterizedTest
  @CsvSource({"1, 1, 1, 1", "1, 64, 40, 128", "2, 130, 0, 9", "1, 0, 5, 3", "0, 4, 7, 6", "1, 30, 300, 8"})
  void forAllSizes(int g, int m, int k, int n) {
    everyPass(SCALED, g, m, k, n);
  }

  private static void everyPass(String operands, int g, int m, int k, int n) {
    int seed = 4 * (g + m + k + n);
    Random random = new Random(seed);
    byte[] picked = new byte[4 * m];
    for (int i = 0; i < m; i++) {
      // Some are outside.
      picked[4 * i] = (byte) (random.nextInt(m + 3) % 128);
    }
    Computation product = new Computation(program(operands), List.of(
        Computation.normal(Element.BF16, seed, g * m * k), Computation.normal(Element.BF16, seed + 1, g * k * n),
        Computation.normal(Element.BF16, seed + 2, m), picked, new byte[2 * g * m * n]), List.of(g, m, k, n));
    assertThat(product.sameAfterEveryPass(Optional.of(TestTargets.BULK)))
        .contains("materialise-operands", "partition-roles", "insert-barriers");
  }
}
