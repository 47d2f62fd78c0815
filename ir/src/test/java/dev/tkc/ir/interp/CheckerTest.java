package dev.tkc.ir.interp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.type.Element;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What checking finds about accesses, and that it names both sides; what is allowed must pass. */
class CheckerTest {
  /** Two phases of n blocks with position %i over y (n elements) and a temp t of n elements. */
  private static Module phases(String access, String first, String second) {
    return Runs.parse("""
        kernel @k(%y: ptr<i32>, %n: i64) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %one = constant {value = 1 : i32} : i32
          %ty = make_tensor %y, [%n], [%c1] {access = ACCESS, name = "y"} : tensor<i32, 1>
          %tt = temp [%n] {element = i32, name = "t"} : tensor<i32, 1>
          parallel %c0, %n {step = 1} (%i: i64) {
            FIRST
            yield []
          }
          parallel %c0, %n {step = 1} (%j: i64) {
            SECOND
            yield []
          }
          yield []
        }
        """.replace("ACCESS", access).replace("FIRST", first.replace("\n", "\n    "))
        .replace("SECOND", second.replace("\n", "\n    ")));
  }

  private static void passes(Module m, int... y) {
    Runs.checking().run(m, List.of(Runs.ints(y), Tile.integer(y.length)));
  }

  private static Diagnostic fails(Code code, Module m) {
    Diagnostic d = Runs.failure(m, Runs.ints(1, 2, 3, 4), Tile.integer(4));
    assertThat(d.code()).as(d.toString()).isEqualTo(code);
    return d;
  }

  @Test
  void phasesSeeTheWritesOfThoseBefore() {
    passes(phases("out", "store %tt, [%i], %one", """
        %k = sub %n, %c1 : i64
        %l = sub %k, %j : i64
        %v = load %tt, [%l], _ : i32
        store %ty, [%j], %v"""), 0, 0, 0);
  }

  @Test
  void twoBlocksWritingOneElement() {
    String store = "store %ty, [%c1], %one loc(\"f.tk\":7:3-7:9 <- \"f.tk\":9:1-9:5)";
    Diagnostic d = fails(Code.RACE, phases("inout", store, ""));
    assertThat(d.message()).contains("race for y[1]");
    assertThat(d.notes()).contains("block (i = 1) writes it here, at f.tk:7:3", "called from here, at f.tk:9:1",
        "block (i = 0) writes it here, at f.tk:7:3");
  }

  @Test
  void oneBlockReadingWhatAnotherWrites() {
    String write = "store %ty, [%i], %one\n%z = load %ty, [%c0], _ : i32";
    assertThat(fails(Code.RACE, phases("inout", write, "")).message()).contains("y[0]");
    String read = "%z = load %ty, [%c1], _ : i32\nstore %ty, [%i], %one";
    assertThat(fails(Code.RACE, phases("inout", read, "")).message()).contains("y[1]");
    passes(phases("inout", "%z = load %ty, [%i], _ : i32\nstore %ty, [%i], %z", "%q = load %ty, [%c0], _ : i32"),
        1, 2, 3);
  }

  @Test
  void atomicUpdatesDoNotRaceWithEachOther() {
    Module m = phases("inout", "atomic %ty, [%c0], %one {kind = add}", "%z = load %ty, [%c0], _ : i32");
    int[] y = {5, 0, 0};
    passes(m, y);
    assertThat(y[0]).isEqualTo(8);
    fails(Code.RACE, phases("inout", "atomic %ty, [%c0], %one {kind = add}\n%z = load %ty, [%c0], _ : i32", ""));
    fails(Code.RACE, phases("inout", "%z = load %ty, [%c0], _ : i32\natomic %ty, [%c0], %one {kind = add}", ""));
    fails(Code.RACE, phases("inout", "store %ty, [%i], %one\natomic %ty, [%c0], %one {kind = add}", ""));
  }

  @Test
  void readsOfWhatWasNeverWritten() {
    assertThat(fails(Code.UNINITIALISED, phases("inout", "%z = load %tt, [%i], _ : i32", "")).message())
        .contains("t[0]");
    assertThat(fails(Code.UNINITIALISED, phases("out", "%z = load %ty, [%i], _ : i32", "")).message()).contains("y[0]");
    assertThat(fails(Code.UNINITIALISED, phases("inout", "atomic %tt, [%c0], %one {kind = add}", "")).message())
        .contains("t[0]");
    passes(phases("inout", "%z = load %ty, [%i], _ : i32", ""), 1, 2);
  }

  @Test
  void outputsMustBeWrittenCompletely() {
    Module m = phases("out", """
        %r = range %i, %c1, %n {size = 1} : range<1>
        %s = splat %one {shape = [1]} : i32[1]
        %two = constant {value = 2 : i64} : i64
        %lim = sub %two, %i : i64
        %q = range %i, %c1, %lim {size = 1} : range<1>
        store %ty, [%q], %s""", "");
    assertThat(fails(Code.OUT_UNWRITTEN, m).message()).contains("2 of 4 elements of out parameter y", "first is y[2]");
    passes(m, 0, 0);
  }

  @Test
  void emptyMemoryStaysPoisonedFromLaunchToLaunch() {
    Buffer y = Buffer.of(Element.I32, MemorySegment.ofArray(new int[2])).poisonAll();
    Module reads = phases("inout", "%z = load %ty, [%i], _ : i32", "");
    Runs.fails(Code.UNINITIALISED, "y[0]", reads, y, Tile.integer(2));
    Runs.checking().run(phases("out", "store %ty, [%i], %one", ""), List.of(y, Tile.integer(2)));
    Runs.checking().run(reads, List.of(y, Tile.integer(2)));
  }

  @Test
  void shadowMemoryCountsAgainstTheBudget() {
    Module m = phases("inout", "store %ty, [%i], %one", "");
    Interpreter small = new Interpreter(Interpreter.Options.defaults().withCheck(true).withMaxBytes(10_000));
    assertThat(Runs.failure(small, m, Runs.ints(1, 2), Tile.integer(2)).code()).isEqualTo(Code.MEMORY_LIMIT);
  }
}
