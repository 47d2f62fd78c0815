package dev.tkc.ir.interp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The rules of LANGUAGE.md §5 one by one: from a load of x (3 elements) as a tile of 4, whose last lane is outside,
 * through some operations, to a store of all 4 lanes.
 */
class PaddingTest {
  private static final String LOAD = """
      %in = range %c0, %c1, %c3 {size = 4} : range<4>
      %all = range %c0, %c1, %c4 {size = 4} : range<4>
      %x0 = load %tx, [%in], _ : f32[4]
      %f = load %tx, [%in], %pad : f32[4]
      %two = constant {value = 2.0 : f32} : f32
      %s = splat %two {shape = [4]} : f32[4]
      """;

  private static String kernel(String body) {
    return """
        %pad = constant {value = 5.0 : f32} : f32
        """ + LOAD + body;
  }

  private static void passes(String body) {
    float[] y = new float[4];
    Runs.checking()
        .run(MemoryEvalTest.block("f32", "3", "4", kernel(body)), List.of(Runs.floats(1, 2, 3), Runs.floats(y)));
  }

  private static Diagnostic leaks(String body) {
    Diagnostic d = Runs.failure(MemoryEvalTest.block("f32", "3", "4", kernel(body)), Runs.floats(1, 2, 3),
        Runs.floats(0, 0, 0, 0));
    assertThat(d.code()).as(d.toString()).isEqualTo(Code.PADDING_LEAK);
    return d;
  }

  private static final String STORE = "\nstore %ty, [%all], %r";
  private static final String STORE_ONE = "\n%one = range %c0, %c1, %c1 {size = 1} : range<1>\nstore %ty, [%one], %r";

  @Test
  void aNeutralElementMayNotBeStored() {
    assertThat(leaks("store %ty, [%all], %x0").toString()).contains("reaches y[3]");
    assertThat(leaks("store %ty, [%all], %x0").notes().toString())
        .contains("it ends here, by a `store`", "it was read outside by this load, by a `load`",
            "it is the fill value 0");
    passes("store %ty, [%in], %x0");
    passes("store %ty, [%all], %f");
  }

  @Test
  void productsAndQuotientsStayNeutral() {
    leaks("%r = mul %x0, %s : f32[4]" + STORE);
    leaks("%r = div %x0, %s : f32[4]" + STORE);
    passes("%m = mul %x0, %s : f32[4]\n%q = neg %m : f32[4]\n%r = reduce %q {kind = sum, axes = [0]} : f32[1]"
        + STORE_ONE);
    passes("%m = div %x0, %s : f32[4]\n%r = reduce %m {kind = sum, axes = [0]} : f32[1]" + STORE_ONE);
    leaks("%m = div %s, %x0 : f32[4]\n%r = reduce %m {kind = sum, axes = [0]} : f32[1]" + STORE_ONE);
  }

  @Test
  void sumsWithFullSizeOperandsAreInside() {
    passes("%r = add %x0, %f : f32[4]" + STORE);
    passes("%r = sub %f, %x0 : f32[4]" + STORE);
    leaks("%r = add %x0, %x0 : f32[4]" + STORE);
    leaks("%r = add %x0, %s : f32[4]" + STORE);
  }

  @Test
  void aSumWithAScalarIsForeign() {
    leaks("%a = add %x0, %s : f32[4]\n%r = reduce %a {kind = sum, axes = [0]} : f32[1]" + STORE_ONE);
    leaks("""
        %a = reduce %x0 {kind = max, axes = [0]} : f32[1]
        %b = reduce %f {kind = max, axes = [0]} : f32[1]
        %c = broadcast %b {shape = [4]} : f32[4]
        %d = sub %x0, %c : f32[4]
        %r = reduce %d {kind = sum, axes = [0]} : f32[1]""" + STORE_ONE);
    passes("%a = add %x0, %s : f32[4]\n%b = mul %a, %x0 : f32[4]\n%r = reduce %b {kind = sum, axes = [0]} : f32[1]"
        + STORE_ONE);
  }

  @Test
  void variablesAreOfFullSize() {
    passes("""
        %z = constant {value = 2.0 : f32} : f32
        %zs = splat %z {shape = [4]} : f32[4]
        %r = for %c0, %c2, [%zs] {step = 1} (%k: i64, %acc: f32[4]) {
          %n = add %acc, %x0 : f32[4]
          yield [%n]
        } : f32[4]""" + STORE);
    passes("%z = constant {value = 0.0 : f32} : f32\n%zs = splat %z {shape = [4]} : f32[4]\n%r = add %zs, %x0 : f32[4]"
        + STORE);
  }

  @Test
  void anythingElseIsForeign() {
    for (String op : List.of("exp %x0", "floor %x0", "max %x0, %s", "pow %x0, %s")) {
      leaks("%a = " + op + " : f32[4]\n%r = reduce %a {kind = sum, axes = [0]} : f32[1]" + STORE_ONE);
    }
    leaks("%r = reduce %x0 {kind = max, axes = [0]} : f32[1]" + STORE_ONE);
    passes("%r = reduce %x0 {kind = sum, axes = [0]} : f32[1]" + STORE_ONE);
    passes("%r = scan %x0 {kind = sum, axis = 0} : f32[4]" + STORE);
    leaks("%r = scan %x0 {kind = max, axis = 0} : f32[4]" + STORE);
  }

  @Test
  void whereTakesTheChosenSide() {
    passes("%v = valid %in : bool[4]\n%e = exp %x0 : f32[4]\n%r = select %v, %e, %s : f32[4]" + STORE);
    leaks("%v = valid %in : bool[4]\n%e = exp %x0 : f32[4]\n%r = select %v, %s, %e : f32[4]" + STORE);
    String condition = "%h = cast %x0 {to = bool, kind = saturate} : bool[4]\n%z = sub %f, %f : f32[4]\n";
    passes(condition + "%q = select %h, %s, %z : f32[4]\n%r = reduce %q {kind = sum, axes = [0]} : f32[1]" + STORE_ONE);
    leaks(condition + "%q = select %h, %z, %s : f32[4]\n%r = reduce %q {kind = sum, axes = [0]} : f32[1]" + STORE_ONE);
  }

  @Test
  void productsOfMatricesSkipNeutralTerms() {
    String operands = """
        %a = reshape %x0 {shape = [1, 4]} : f32[1, 4]
        %b = reshape %f {shape = [4, 1]} : f32[4, 1]
        %bx = reshape %x0 {shape = [4, 1]} : f32[4, 1]
        %z = constant {value = 0.0 : f32} : f32
        """;
    String inner = operands + "%acc = splat %z {shape = [1, 1]} : f32[1, 1]\n"
        + "%d = dot AAA, BBB, %acc {precision = ieee} : f32[1, 1]\n%r = reshape %d {shape = [1]} : f32[1]" + STORE_ONE;
    passes(inner.replace("AAA", "%a").replace("BBB", "%b"));
    leaks("%e = exp %x0 : f32[4]\n" + inner.replace("AAA", "%ea").replace("BBB", "%b")
        .replace("%bx = ", "%ea = reshape %e {shape = [1, 4]} : f32[1, 4]\n%bx = "));
    passes("%e = exp %x0 : f32[4]\n" + inner.replace("AAA", "%ea").replace("BBB", "%bx")
        .replace("%bx = ", "%ea = reshape %e {shape = [1, 4]} : f32[1, 4]\n%bx = "));
    String outer = operands
        + "%acc = splat %z {shape = [4, 4]} : f32[4, 4]\n%d = dot %bx, %fa, %acc {precision = ieee} : f32[4, 4]\n"
        + "%row = slice %d {offsets = [ROW, 0], shape = [1, 4]} : f32[1, 4]\n%r = reshape %row {shape = [4]} : f32[4]"
        + STORE;
    outer = outer.replace("%bx = ", "%fa = reshape %f {shape = [1, 4]} : f32[1, 4]\n%bx = ");
    passes(outer.replace("ROW", "2"));
    leaks(outer.replace("ROW", "3"));
  }

  @Test
  void anIndexMayNotBePadding() {
    assertThat(leaks("%ix = cast %x0 {to = i32, kind = saturate} : i32[4]\n%g = load %tx, [%ix], _ : f32[4]").message())
        .contains("used as an index");
    passes("%ix = cast %f {to = i32, kind = saturate} : i32[4]\n%g = load %tx, [%ix], _ : f32[4]");
  }

  /** A pass may keep whole tiles in a {@code temp}: what is padding there is padding when it is loaded. */
  @Test
  void paddingIsFollowedThroughTempsOfPasses() {
    Module m = Runs.parse("""
        kernel @k(%x: ptr<f32>, %y: ptr<f32>, %n: i64) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %c3 = constant {value = 3 : i64} : i64
          %c4 = constant {value = 4 : i64} : i64
          %tx = make_tensor %x, [%c3], [%c1] {access = in, name = "x"} : tensor<f32, 1>
          %ty = make_tensor %y, [%n], [%c1] {access = out, name = "y"} : tensor<f32, 1>
          %t = temp [%c4] {element = f32, name = "t"} #{padded} : tensor<f32, 1>
          parallel %c0, %c1 {step = 1} (%i: i64) {
            %r = range %c0, %c1, %c4 {size = 4} : range<4>
            %v = load %tx, [%r], _ : f32[4]
            store %t, [%r], %v
            yield []
          }
          parallel %c0, %c1 {step = 1} (%j: i64) {
            %r_1 = range %c0, %c1, %c4 {size = 4} : range<4>
            %w = load %t, [%r_1], _ : f32[4]
            %s = range %c0, %c1, %n {size = 4} : range<4>
            store %ty, [%s], %w
            yield []
          }
          yield []
        }
        """);
    float[] y = new float[3];
    Runs.checking().run(m, List.of(Runs.floats(1, 2, 3), Runs.floats(y), Tile.integer(3)));
    assertThat(Runs.failure(Runs.checking(), m, Runs.floats(1, 2, 3), Runs.floats(0, 0, 0, 0), Tile.integer(4)).code())
        .isEqualTo(Code.PADDING_LEAK);
  }
}
