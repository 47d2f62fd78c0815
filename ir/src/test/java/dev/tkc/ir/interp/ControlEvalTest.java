package dev.tkc.ir.interp;

import static dev.tkc.ir.interp.Runs.result;
import static dev.tkc.ir.interp.Runs.storing;
import static dev.tkc.ir.interp.Runs.values;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.type.Element;
import java.util.List;
import org.junit.jupiter.api.Test;

class ControlEvalTest {
  /** Positions visited, as digits of a number. */
  private static double loop(String bounds, String attributes) {
    return values(result("i64", 1, """
        %lo = constant {value = LO : i64} : i64
        %hi = constant {value = HI : i64} : i64
        %ten = constant {value = 10 : i64} : i64
        %d = for %lo, %hi, [%c0] {ATTR} (%p: i64, %acc: i64) {
          %a = mul %acc, %ten : i64
          %b = add %a, %p : i64
          yield [%b]
        } : i64
        %r = splat %d {shape = [1]} : i64[1]""".replace("LO", bounds.split(" ")[0]).replace("HI", bounds.split(" ")[1])
        .replace("ATTR", attributes)))[0];
  }

  @Test
  void loops() {
    assertThat(loop("1 8", "step = 3")).isEqualTo(147);
    assertThat(loop("1 8", "step = 3, reversed")).isEqualTo(741);
    assertThat(loop("1 7", "step = 3")).isEqualTo(14);
    assertThat(loop("5 5", "step = 1")).isZero();
    assertThat(loop("7 2", "step = 1")).isZero();
  }

  @Test
  void roundsOfExtremeBounds() {
    assertThat(Loop.rounds(Long.MIN_VALUE, Long.MAX_VALUE, 1L << 40)).isEqualTo(1 << 24);
    assertThat(Loop.rounds(0, 1, Long.MAX_VALUE)).isEqualTo(1);
  }

  @Test
  void branches() {
    String body = """
        %k = constant {value = KKK : bool} : bool
        %a = if %k () {
          %one = constant {value = 1 : i64} : i64
          yield [%one]
        } () {
          %two = constant {value = 2 : i64} : i64
          yield [%two]
        } : i64
        %r = splat %a {shape = [1]} : i64[1]""";
    assertThat(values(result("i64", 1, body.replace("KKK", "true")))[0]).isEqualTo(1);
    assertThat(values(result("i64", 1, body.replace("KKK", "false")))[0]).isEqualTo(2);
  }

  @Test
  void assertions() {
    Module m = storing("i32", 1, """
        %k = constant {value = false : bool} : bool
        assert %k {message = "sizes differ"}
        %r = iota {size = 1} : i32[1]""");
    Runs.fails(Code.ASSERTION, "sizes differ", m, Runs.ints(0));
  }

  private static final String LAUNCH = """
      kernel @k(%y: ptr<i32>, %n: i64) {
        launch %n, [%y, %n] {callee = "f"}
        launch %n, [%y, %n] {callee = "f"}
        yield []
      }
      device @f(%y: ptr<i32>, %n: i64) {
        %c1 = constant {value = 1 : i64} : i64
        %ty = make_tensor %y, [%n], [%c1] {access = ACCESS, name = "y"} : tensor<i32, 1>
        %b = block_id : i64
        %g = block_count : i64
        %r = range %b, %c1, %c1 {size = 1} : range<1>
        %v = mul %b, %g : i64
        %s = cast %v {to = i32, kind = fit} : i32
        %t = splat %s {shape = [1]} : i32[1]
        store %ty, [%r], %t
        yield []
      }
      """;

  @Test
  void launches() {
    Module m = Runs.parse(LAUNCH.replace("ACCESS", "out"));
    for (Interpreter interpreter : List.of(Runs.checking(), Runs.plain())) {
      int[] y = new int[5];
      interpreter.run(m, List.of(Runs.ints(y), Tile.integer(5)));
      assertThat(y).containsExactly(0, 5, 10, 15, 20);
    }
  }

  @Test
  void anotherDeviceGetsTheLaunches() {
    Module m = Runs.parse(LAUNCH.replace("ACCESS", "out"));
    StringBuilder seen = new StringBuilder();
    Runs.plain().run(m, List.of(Runs.ints(0), Tile.integer(7)), new Interpreter.Device() {
      @Override
      public Buffer temp(Inst inst, Element element, long count) {
        throw new IllegalStateException();
      }

      @Override
      public Buffer counter(Inst inst, long count) {
        throw new AssertionError(inst);
      }

      @Override
      public void launch(Inst inst, Func callee, long grid, List<Datum> arguments) {
        seen.append(callee.name()).append(grid).append(' ').append(arguments.size()).append(' ');
      }
    });
    assertThat(seen.toString()).isEqualTo("f7 2 f7 2 ");
  }

  /** Ragged work: the inner bound is the outer position. */
  private static final String RAGGED = """
      kernel @k(%y: ptr<i32>, %n: i64) {
        %c0 = constant {value = 0 : i64} : i64
        %c1 = constant {value = 1 : i64} : i64
        %ty = make_tensor %y, [%n, %n], [%n, %c1] {access = inout, name = "y"} : tensor<i32, 2>
        parallel %c0, %n {step = 1} (%i: i64) {
          parallel %c0, %i {step = 1} (%j: i64) {
            %one = constant {value = FILL : i32} : i32
            store %ty, [%i, %j], %one
            yield []
          }
          yield []
        }
        yield []
      }
      """;

  @Test
  void raggedNestsOnAnyNumberOfThreads() {
    Module m = Runs.parse(RAGGED.replace("FILL", "1"));
    for (int threads = 1; threads < 5; threads++) {
      int[] y = new int[49 * 49];
      new Interpreter(Interpreter.Options.defaults().withThreads(threads))
          .run(m, List.of(Runs.ints(y), Tile.integer(49)));
      for (int i = 0; i < y.length; i++) {
        assertThat(y[i]).isEqualTo(i % 49 < i / 49 ? 1 : 0);
      }
    }
  }

  @Test
  void theFirstFailingBlockIsReportedWhateverTheThreads() {
    Module m = Runs.parse("""
        kernel @k(%y: ptr<i32>, %n: i64) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %c5 = constant {value = 5 : i64} : i64
          %ty = make_tensor %y, [%c5], [%c1] {access = inout, name = "y"} : tensor<i32, 1>
          parallel %c0, %n {step = 1} (%i: i64) {
            %one = constant {value = 1 : i32} : i32
            store %ty, [%i], %one
            yield []
          }
          yield []
        }
        """);
    for (int round = 0; round < 20; round++) {
      Interpreter many = new Interpreter(Interpreter.Options.defaults().withThreads(4));
      assertThat(Runs.failure(many, m, Runs.ints(0, 0, 0, 0, 0), Tile.integer(1000)).message())
          .contains("index 5 in dimension 0");
    }
  }
}
