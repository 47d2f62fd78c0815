package dev.tkc.ir.interp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import org.junit.jupiter.api.Test;

/** An interpretation stops when it is told to, and refuses what it has no memory for. */
class LimitsTest {
  private static final Module ENDLESS = Runs.storing("i64", 1, """
      %lots = constant {value = 9000000000000000000 : i64} : i64
      %d = for %c0, %lots, [%c0] {step = 1} (%p: i64, %acc: i64) {
        %b = add %acc, %p : i64
        yield [%b]
      } : i64
      %r = splat %d {shape = [1]} : i64[1]""");

  private static Buffer output() {
    return Buffer.of(dev.tkc.ir.type.Element.I64, java.lang.foreign.MemorySegment.ofArray(new long[1]));
  }

  @Test
  void steps() {
    Interpreter bounded = new Interpreter(Interpreter.Options.defaults().withMaxSteps(10_000));
    assertThat(Runs.failure(bounded, ENDLESS, output()).code()).isEqualTo(Code.STEP_LIMIT);
  }

  @Test
  void interruption() {
    for (int threads = 1; threads < 4; threads++) {
      Thread caller = Thread.currentThread();
      Thread.ofPlatform().start(() -> {
        try {
          Thread.sleep(50);
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
        caller.interrupt();
      });
      Interpreter interpreter = new Interpreter(Interpreter.Options.defaults().withThreads(threads));
      assertThat(Runs.failure(interpreter, ENDLESS, output()).code()).isEqualTo(Code.INTERRUPTED);
      Thread.interrupted();
    }
  }

  @Test
  void tilesThatAreTooLarge() {
    String tile = """
        %z = constant {value = 0 : i64} : i64
        %big = splat %z {shape = [SIZE, SIZE]} : i64[SIZE, SIZE]
        %q = slice %big {offsets = [0, 0], shape = [1, 1]} : i64[1, 1]
        %r = reshape %q {shape = [1]} : i64[1]""";
    assertThat(Runs.failure(Runs.plain(), Runs.storing("i64", 1, tile.replace("SIZE", "100000")), output()).code())
        .isEqualTo(Code.MEMORY_LIMIT);
    Interpreter small = new Interpreter(Interpreter.Options.defaults().withMaxBytes(1 << 20));
    assertThat(Runs.failure(small, Runs.storing("i64", 1, tile.replace("SIZE", "400")), output()).code())
        .isEqualTo(Code.MEMORY_LIMIT);
    assertThat(Runs.storing("i64", 1, tile.replace("SIZE", "100"))).isNotNull();
  }

  @Test
  void temps() {
    Module m = Runs.parse("""
        kernel @k(%n: i64) {
          %t = temp [%n, %n] {element = f32, name = "t"} : tensor<f32, 2>
          yield []
        }
        """);
    assertThat(Runs.failure(Runs.plain(), m, Tile.integer(1 << 20)).code()).isEqualTo(Code.MEMORY_LIMIT);
    assertThat(Runs.failure(Runs.plain(), m, Tile.integer(1L << 40)).code()).isEqualTo(Code.TENSOR_MEMORY);
  }

  @Test
  void memoryIsGivenBack() {
    Module m = Runs.storing("i32", 4, """
        %x = iota {size = 4} : i32[4]
        %big = iota {size = 100000} : i32[100000]
        %r = neg %x : i32[4]""");
    Interpreter small = new Interpreter(Interpreter.Options.defaults().withMaxBytes(2_000_000));
    for (int i = 0; i < 20; i++) {
      small.run(m, java.util.List.of(Runs.ints(0, 0, 0, 0)));
    }
  }
}
