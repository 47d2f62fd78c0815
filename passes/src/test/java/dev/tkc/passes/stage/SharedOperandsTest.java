package dev.tkc.passes.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassDriver;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.Programs;
import dev.tkc.passes.TestTargets;
import dev.tkc.passes.target.AsyncMatrix;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Which operands of products are taken to lie in shared memory, and how that follows what loops carry and branches
 * give.
 */
class SharedOperandsTest {
  /** A device function that has no roles yet, and what is shared in it. */
  private static final class Asked {
    private final Func func;
    private final SharedOperands shared;

    Asked(String text, String last) {
      Module m = IrParser.parse(text);
      PassOptions options = PassOptions.checked().withDisabled(Set.of("rotate-loops")).withStopAfter(last);
      PassDriver.run(m, PassContext.of(TestTargets.BULK, options));
      func = m.funcs().getLast();
      shared = new SharedOperands(func.body(), Asked::instruction, RingPlan::isBulk);
    }

    private static Optional<AsyncMatrix> instruction(Inst dot) {
      return Optional.ofNullable((String) dot.annotations().get("instruction")).flatMap(TestTargets.BULK::asyncMatrix);
    }

    /** The only result or parameter of a loop by that name. */
    Value one(String name) {
      List<Value> found = new ArrayList<>();
      func.body().walk(i -> {
        if (i.op() instanceof ControlOp.For f) {
          found.addAll(f.body().params());
        }
        found.addAll(i.results());
      });
      List<Value> named = found.stream().filter(v -> name.equals(v.name())).toList();
      assertThat(named).hasSize(1);
      return named.getFirst();
    }

    List<Inst> loopsAndBranches() {
      List<Inst> found = new ArrayList<>();
      func.body().walk(i -> {
        if (i.op() instanceof ControlOp.For || i.op() instanceof ControlOp.If) {
          found.add(i);
        }
      });
      return found;
    }
  }

  private static Asked plain() {
    return new Asked(Programs.BACKWARD, "choose-instructions");
  }

  private static Asked changed(String from, String to) {
    assertThat(Programs.BACKWARD).contains(from);
    return new Asked(Programs.BACKWARD.replace(from, to), "choose-instructions");
  }

  @Test
  void whatIsCopiedIsReadWhereItIs() {
    Asked a = plain();
    assertThat(a.shared.contains(a.one("aj"))).isTrue();
    assertThat(a.shared.contains(a.one("xi"))).isTrue();
  }

  @Test
  void aRightOperandThatIsComputedIsHandedOver() {
    Asked a = plain();
    assertThat(a.shared.contains(a.one("d"))).isTrue();
    assertThat(a.shared.handed()).containsExactly(Set.of(a.one("d")));
    assertThat(a.shared.flows(a.one("d"))).isFalse();
  }

  @Test
  void aLeftOperandThatIsComputedStaysInRegisters() {
    Asked a = changed("dot %at, %d, %zeros", "dot %d, %aj, %zeros");
    assertThat(a.shared.contains(a.one("d"))).isFalse();
    assertThat(a.shared.handed()).isEmpty();
  }

  @Test
  void unlessItIsWantedTransposed() {
    Asked a = changed("%t = dot %at, %d, %zeros", "%dt = permute %d {order = [1, 0]} : bf16[64, 64]\n"
        + "%t = dot %dt, %aj, %zeros");
    assertThat(a.shared.handed()).containsExactly(Set.of(a.one("d")));
  }

  @Test
  void sumsAreNoOperands() {
    Asked a = plain();
    assertThat(List.of("s", "s2", "next", "t")).noneMatch(n -> a.shared.contains(a.one(n)));
  }

  @Test
  void aLoopThatCarriesSuchATileCarriesItsSlot() {
    Asked a = new Asked(Programs.BACKWARD, "stagger-loops");
    Inst rounds = a.loopsAndBranches().stream().filter(i -> i.op() instanceof ControlOp.For f
        && f.inits().size() > 1).findFirst().orElseThrow();
    ControlOp.For loop = (ControlOp.For) rounds.op();
    // Beside two sums: d of the round before.
    assertThat(a.shared.carried(rounds)).containsExactly(1);
    assertThat(a.shared.contains(loop.body().params().get(2))).isTrue();
    assertThat(a.shared.contains(rounds.results().get(1))).isTrue();
    assertThat(a.shared.contains(rounds.results().get(0))).isFalse();
    Value yielded = loop.body().terminator().operands().get(1);
    assertThat(a.shared.next(yielded)).containsExactly(loop.body().params().get(2));
    assertThat(a.shared.next(loop.body().params().get(2))).containsExactly(rounds.results().get(1));
  }

  @Test
  void tilesThatBecomeOneCarriedValueAreHandedOverInOneRing() {
    Asked a = new Asked(Programs.BACKWARD, "stagger-loops");
    Collection<Set<Value>> handed = a.shared.handed();
    assertThat(handed).hasSize(1);
    // The first round's, a steady round's, the last one's.
    assertThat(handed.iterator().next()).hasSize(3).allMatch(v -> v.tile().element() == Element.BF16);
  }

  @Test
  void aBranchGivesTheSlotOfWhatWasThereBefore() {
    Asked a = new Asked(Programs.BACKWARD, "stagger-loops");
    List<Inst> giving = a.loopsAndBranches().stream()
        .filter(i -> i.op() instanceof ControlOp.If && !a.shared.carried(i).isEmpty()).toList();
    // Whether there is a second round: d is the last round's, or the first one's that stands in front.
    assertThat(giving).hasSize(1);
    assertThat(a.shared.carried(giving.getFirst())).containsExactly(1);
    assertThat(giving.getFirst().results().get(1).tile().element()).isEqualTo(Element.BF16);
  }

  @Test
  void tilesThatProductsCouldNotReadDoNotFit() {
    assertThat(SharedOperands.fits(TileType.of(Element.BF16, 64, 64))).isTrue();
    assertThat(SharedOperands.fits(TileType.of(Element.BF16, 4, 64))).isFalse();
    assertThat(SharedOperands.fits(TileType.of(Element.BF16, 2, 64, 64))).isFalse();
    assertThat(SharedOperands.fits(TileType.of(Element.BF16, 64, 4))).isFalse();
  }

  @Test
  void whoReadsRowsOnlyTakesNoTransposedOperands() {
    AsyncMatrix row = TestTargets.BULK.asyncMatrixInstructions().getFirst();
    AsyncMatrix rows = new AsyncMatrix(row.name(), row.a(), row.b(), row.accumulator(), row.precision(),
        row.fragments(), row.groupWarps(), row.mostColumns(), row.columnStep(), false);
    Asked a = plain();
    assertThat(SharedOperands.mayHand(a.one("d"), row)).isTrue();
    assertThat(SharedOperands.mayHand(a.one("d"), rows)).isFalse();
  }
}
