package dev.tkc.backend.llvm.lower;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Func;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.text.IrParser;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What goes round a few numbers is found; what grows with a loop, or comes from elsewhere, is not. */
class SmallNumbersTest {
  private static final Func RING = IrParser.parse("""
      kernel @f(%n: i64) {
        %c0 = constant {value = 0 : i64} : i64
        %c1 = constant {value = 1 : i64} : i64
        %c3 = constant {value = 3 : i64} : i64
        %slot, %parity, %sum, %given = for %c0, %n, [%c0, %c0, %c0, %n] {step = 1} (%i: i64, %s: i64, %p: i64,
            %t: i64, %g: i64) {
          %other = sub %c1, %p : i64
          %up = add %s, %c1 : i64
          %wraps = eq %up, %c3 : bool
          %s2 = select %wraps, %c0, %up : i64
          %p2 = select %wraps, %other, %p : i64
          %t2 = add %t, %up : i64
          yield [%s2, %p2, %t2, %g]
        } : i64, i64, i64, i64
        yield []
      }
      """).funcs().getFirst();

  @Test
  void slotsAndParitiesAreSmallAndSumsAreNot() {
    SmallNumbers small = new SmallNumbers(RING);
    List<String> found = new ArrayList<>();
    RING.body().walk(i -> {
      if (i.op() instanceof ControlOp.For loop) {
        loop.body().params().stream().filter(small::contains).map(Value::name).forEach(found::add);
        i.results().stream().filter(small::contains).map(Value::name).forEach(found::add);
      }
    });
    assertThat(found).containsExactly("s", "p", "slot", "parity");
  }
}
