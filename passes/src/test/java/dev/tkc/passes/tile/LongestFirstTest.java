package dev.tkc.passes.tile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.Binary;
import dev.tkc.ir.op.ElementwiseOp.Compare;
import dev.tkc.ir.op.ElementwiseOp.Select;
import dev.tkc.ir.text.IrParser;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The order of tiles of a grid whose first tiles take longest: heads, and tiles of each. */
class LongestFirstTest {
  private final Map<Value, Long> known = new HashMap<>();

  private record Tile(long head, long rank) {}

  private static final String GRID = """
      kernel @f(%x: ptr<f32>, %H: i64, %S: i64) {
        %c0 = constant {value = 0 : i64} : i64
        %c1 = constant {value = 1 : i64} : i64
        %tx = make_tensor %x, [%H, %S, %c1], [%S, %c1, %c1] {access = in, name = "x"} : tensor<f32, 3>
        parallel %c0, %H {step = 1} (%h: i64) {
          parallel %c0, %S {step = 16} (%j: i64) {
            for %j, %S, [] {step = 16} (%i: i64) {
              %q = range %i, %c1, %S {size = 16} : range<16>
              %one = range %c0, %c1, %c1 {size = 1} : range<1>
              %u = load %tx, [%h, %q, %one], _ : f32[16, 1]
              yield []
            }
            yield []
          }
          yield []
        }
        yield []
      }
      """;

  /** What a grid of so many heads and tiles of each does, whose rounds go over {@code size} elements of four bytes. */
  private final class Grid {
    private final Builder b;
    private final List<Value> counts;
    private final LongestFirst longest;
    private final LongestFirst.Sections sections;

    Grid(long heads, long tiles, long size) {
      this(GRID, heads, tiles, size);
    }

    Grid(String grid, long heads, long tiles, long size) {
      Module m = IrParser.parse(grid);
      Region host = m.kernel().body();
      Inst outer = host.insts().stream().filter(i -> i.op() instanceof ControlOp.Parallel).findFirst().orElseThrow();
      known.put(m.kernel().params().get(2).value(), size);
      b = new Builder(host, 0);
      counts = List.of(b.constant(heads), b.constant(tiles));
      longest = LongestFirst.of(Nest.of(outer)).orElseThrow();
      sections = longest.sections(b, counts);
    }

    List<Tile> order() {
      List<Tile> order = new ArrayList<>();
      for (long n = 0; n < of(counts.get(0)) * of(counts.get(1)); n++) {
        Value[] index = longest.indices(b, b.constant(n), counts, sections);
        order.add(new Tile(of(index[0]), of(index[1])));
      }
      return order;
    }
  }

  private long of(Value v) {
    Long found = known.get(v);
    if (found == null) {
      found = switch (v.definition().op()) {
        case Binary o -> binary(o);
        case Select o -> of(((Compare) o.condition().definition().op()).lhs())
            < of(((Compare) o.condition().definition().op()).rhs()) ? of(o.then()) : of(o.otherwise());
        case dev.tkc.ir.op.Op _ -> Regions.integer(v).orElseThrow();
      };
      known.put(v, found);
    }
    return found;
  }

  private long binary(Binary o) {
    long x = of(o.lhs());
    long y = of(o.rhs());
    return switch (o.kind()) {
      case ADD -> x + y;
      case SUB -> x - y;
      case MUL -> x * y;
      case DIV -> x / y;
      case REM -> x % y;
      case MIN -> Math.min(x, y);
      case MAX -> Math.max(x, y);
      case AND, OR, XOR, SHL, SHR, POW -> throw new AssertionError(o);
    };
  }

  @Test
  void whatTheCacheHoldsIsOneSection() {
    List<Tile> order = new Grid(40, 8, 128).order();
    assertThat(order).doesNotHaveDuplicates().hasSize(320);
    assertThat(order.subList(0, 40)).allMatch(t -> t.rank == 0);
    assertThat(order.getLast()).isEqualTo(new Tile(39, 7));
  }

  /** A head has 2 MB, of which the cache holds eighteen, and more tiles than a last section wants. */
  @Test
  void sectionsAreAboutEven() {
    Grid grid = new Grid(40, 1 << 15, 1 << 19);
    assertThat(of(grid.sections.width())).isEqualTo(14);
    assertThat(of(grid.sections.before().orElseThrow())).as("14, and the rest").isEqualTo(1);
  }

  /** No two heads of 64 MB fit the cache; but a head has four tiles, and 66 heads have the 264 that the end wants. */
  @Test
  void shortSectionsAreFollowedByOneThatFillsTheDevice() {
    List<Tile> order = new Grid(100, 4, 16 << 20).order();
    assertThat(order).doesNotHaveDuplicates().hasSize(400);
    assertThat(order.subList(0, 4)).allMatch(t -> t.head == 0);
    assertThat(order.subList(33 * 4, 34 * 4)).allMatch(t -> t.head == 33);
    assertThat(order.subList(34 * 4, 34 * 4 + 66)).allMatch(t -> t.rank == 0 && t.head >= 34);
  }

  /** Where loops end at the position, the last tiles are the longest, and the last section is like the others. */
  @Test
  void loopsThatEndThereHaveEvenSections() {
    Grid grid = new Grid(GRID.replace("for %j, %S", "for %c0, %j"), 100, 4, 16 << 20);
    assertThat(grid.sections.before()).isEmpty();
    List<Tile> order = grid.order();
    assertThat(order).doesNotHaveDuplicates().hasSize(400);
    assertThat(order.subList(0, 4)).containsExactly(new Tile(0, 3), new Tile(0, 2), new Tile(0, 1), new Tile(0, 0));
    assertThat(order.getLast()).isEqualTo(new Tile(99, 0));
  }
}
