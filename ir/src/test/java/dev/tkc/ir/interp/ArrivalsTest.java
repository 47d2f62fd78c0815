package dev.tkc.ir.interp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.text.IrPrinter;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Blocks that leave parts: the last one to arrive may read them all, and nobody else may. */
class ArrivalsTest {
  private static final String ARRIVE = "%last = last_arrival %counters, %tile, %parts : bool";

  /** Each of {@code n} tiles has three parts, whose sum the last block leaves in {@code y}, twice. */
  private static final String PROGRAM = """
      kernel @k(%y: ptr<i32>, %n: i64) {
        %c0 = constant {value = 0 : i64} : i64
        %c1 = constant {value = 1 : i64} : i64
        %c3 = constant {value = 3 : i64} : i64
        %part = temp [%c3, %n] {element = i32, name = "part"} : tensor<i32, 2>
        %counters = counter %n : ptr<i32>
        %grid = mul %n, %c3 : i64
        %p = address_of %part : ptr<i32>
        launch %grid, [%y, %p, %counters, %n] {callee = "f"}
        launch %grid, [%y, %p, %counters, %n] {callee = "f"}
        yield []
      }
      device @f(%y: ptr<i32>, %p: ptr<i32>, %counters: ptr<i32>, %n: i64) #{warps = 4} {
        %c0 = constant {value = 0 : i64} : i64
        %c1 = constant {value = 1 : i64} : i64
        %parts = constant {value = 3 : i64} : i64
        %zero = constant {value = 0 : i32} : i32
        %one = constant {value = 1 : i32} : i32
        %ty = make_tensor %y, [%n], [%c1] {access = inout, name = "y"} : tensor<i32, 1>
        %part = make_tensor %p, [%parts, %n], [%n, %c1] {access = temp, name = "part"} : tensor<i32, 2>
        %b = block_id : i64
        %share = div %b, %n : i64
        %tile = rem %b, %n : i64
        %id = cast %b {to = i32, kind = wrap} : i32
        %mine = add %id, %one : i32
        store %part, [%share, %tile], %mine
        ARRIVE
        if %last () {
          %sum = for %c0, %parts, [%zero] {step = 1} (%s: i64, %so: i32) {
            %x = load %part, [%s, %tile], _ : i32
            %more = add %so, %x : i32
            yield [%more]
          } : i32
          %old = load %ty, [%tile], _ : i32
          %new = add %old, %sum : i32
          store %ty, [%tile], %new
          yield []
        } () {
          yield []
        }
        yield []
      }
      """;

  private static Module program(String arrive) {
    return Runs.parse(PROGRAM.replace("ARRIVE", arrive));
  }

  private static Diagnostic fails(String arrive) {
    return Runs.failure(new Interpreter(Interpreter.Options.defaults().withCheck(true)), program(arrive),
        Runs.ints(new int[4]), Tile.integer(4));
  }

  @Test
  void theLastBlockOfEachTileAddsItsParts() {
    Module module = program(ARRIVE);
    String printed = IrPrinter.print(module);
    assertThat(IrPrinter.print(Runs.parse(printed))).isEqualTo(printed);
    for (boolean check : new boolean[] {false, true}) {
      int[] y = new int[5];
      new Interpreter(Interpreter.Options.defaults().withCheck(check))
          .run(module, List.of(Runs.ints(y), Tile.integer(5)));
      for (int t = 0; t < 5; t++) {
        assertThat(y[t]).isEqualTo(2 * (3 * t + 5 + 10 + 3));
      }
    }
  }

  @Test
  void whoHasNotSeenTheOthersArriveRacesWithThem() {
    assertThat(fails("%last = eq %share, %share : bool").code()).isIn(Code.RACE, Code.UNINITIALISED);
    Diagnostic d = fails("""
        %two = constant {value = 2 : i64} : i64
        %last = eq %share, %two : bool""");
    assertThat(d.code()).isEqualTo(Code.RACE);
  }

  @Test
  void whatIsWrittenAfterArrivingIsNotSeen() {
    Diagnostic d = fails(ARRIVE + "\n  store %part, [%share, %tile], %mine");
    assertThat(d.code()).isEqualTo(Code.RACE);
  }

  @Test
  void asManyArriveAsAreExpected() {
    assertThat(fails(ARRIVE.replace("%parts", "%n")).code()).isEqualTo(Code.ARRIVALS);
    assertThat(fails("""
        %two = constant {value = 2 : i64} : i64
        %last = last_arrival %counters, %tile, %two : bool""").code()).isIn(Code.ARRIVALS, Code.UNINITIALISED);
    assertThat(fails(ARRIVE.replace("%tile", "%b")).code()).isEqualTo(Code.ARRIVALS);
  }
}
