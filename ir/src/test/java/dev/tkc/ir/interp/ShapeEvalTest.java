package dev.tkc.ir.interp;

import static dev.tkc.ir.interp.Runs.result;
import static dev.tkc.ir.interp.Runs.values;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ShapeEvalTest {
  private static double[] of(int n, String body) {
    return values(result("i32", n, body));
  }

  @Test
  void permuteReordersDimensions() {
    assertThat(of(6, """
        %x = iota {size = 6} : i32[6]
        %m = reshape %x {shape = [2, 3]} : i32[2, 3]
        %p = permute %m {order = [1, 0]} : i32[3, 2]
        %r = reshape %p {shape = [6]} : i32[6]""")).containsExactly(0, 3, 1, 4, 2, 5);
    assertThat(of(8, """
        %x = iota {size = 8} : i32[8]
        %m = reshape %x {shape = [2, 2, 2]} : i32[2, 2, 2]
        %p = permute %m {order = [2, 0, 1]} : i32[2, 2, 2]
        %r = reshape %p {shape = [8]} : i32[8]""")).containsExactly(0, 2, 4, 6, 1, 3, 5, 7);
  }

  @Test
  void broadcastRepeatsSizeOne() {
    assertThat(of(6, """
        %x = iota {size = 3} : i32[3]
        %m = reshape %x {shape = [1, 3]} : i32[1, 3]
        %b = broadcast %m {shape = [2, 3]} : i32[2, 3]
        %r = reshape %b {shape = [6]} : i32[6]""")).containsExactly(0, 1, 2, 0, 1, 2);
    assertThat(of(6, """
        %x = iota {size = 3} : i32[3]
        %m = reshape %x {shape = [3, 1]} : i32[3, 1]
        %b = broadcast %m {shape = [3, 2]} : i32[3, 2]
        %r = reshape %b {shape = [6]} : i32[6]""")).containsExactly(0, 0, 1, 1, 2, 2);
  }

  @Test
  void concatAndSlice() {
    assertThat(of(8, """
        %x = iota {size = 6} : i32[6]
        %m = reshape %x {shape = [2, 3]} : i32[2, 3]
        %s = slice %m {offsets = [0, 1], shape = [2, 1]} : i32[2, 1]
        %c = concat [%s, %m] {axis = 1} : i32[2, 4]
        %r = reshape %c {shape = [8]} : i32[8]""")).containsExactly(1, 0, 1, 2, 4, 3, 4, 5);
    assertThat(of(4, """
        %x = iota {size = 2} : i32[2]
        %r = concat [%x, %x] {axis = 0} : i32[4]""")).containsExactly(0, 1, 0, 1);
  }

  @Test
  void rankZeroAndBack() {
    assertThat(of(2, """
        %x = iota {size = 2} : i32[2]
        %s = slice %x {offsets = [1], shape = [1]} : i32[1]
        %z = reshape %s {shape = []} : i32
        %r = splat %z {shape = [2]} : i32[2]""")).containsExactly(1, 1);
  }
}
