package dev.tkc.passes.stage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.text.IrPrinter;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.Computation;
import dev.tkc.passes.Programs;
import dev.tkc.passes.TestTargets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which blocks run as clusters, and that the numbers of blocks and what they leave follow from it. */
class ClusterPartsTest {
  private static String after(String pass, String program) {
    return IrPrinter.print(Programs.after(pass, program, TestTargets.CLUSTERS));
  }

  @Test
  void theLastBlockOfAClusterLeavesNoPart() {
    assertThat(after("cluster-parts", ArrangeSumsTest.PARTS))
        .contains("parallel %c0, %c2 {step = 1} #{cluster = 2} (%s: i64)")
        .containsPattern("%sends = lt %s, %\\w+ : bool\\s+if %sends \\(\\) \\{\\s+store %t, ");
  }

  @Test
  void blocksOfAClusterAreNeighbours() {
    assertThat(after("outline-phases", ArrangeSumsTest.PARTS)).contains("cluster = 2")
        .containsPattern("%\\w+ = block_id : i64\\s+%(\\w+) = rem %\\w+, %\\w+ #.small.");
  }

  @Test
  void partsHaveAPlaceInSharedMemoryAndBlocksHaveOneTile() {
    String text = after("insert-barriers", ArrangeSumsTest.PARTS);
    assertThat(text).containsPattern("access = temp, name = \"t\". #.near = \\d+.").doesNotContain("#{tiles}");
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void theSameBitsAfterEveryPass(int parts) {
    String program = ArrangeSumsTest.PARTS.replace("%c2 = constant {value = 2", "%c2 = constant {value = " + parts);
    Computation sums = new Computation(program,
        List.of(Computation.normal(Element.BF16, 1, parts * 128 * 64), new byte[4 * 128 * 64]), List.of(128));
    assertThat(sums.sameAfterEveryPass(Optional.of(TestTargets.CLUSTERS))).contains("cluster-parts", "insert-barriers");
  }

  private static void alone(String program) {
    assertThat(after("cluster-parts", program)).contains("last_arrival").doesNotContain("#{cluster");
  }

  @Test
  void otherNumbersOfPartsGoThroughGlobalMemory() {
    alone(ArrangeSumsTest.PARTS.replace("%c2 = constant {value = 2", "%c2 = constant {value = 3"));
    alone(ArrangeSumsTest.PARTS.replace("%c2 = constant {value = 2", "%c2 = constant {value = 16"));
  }

  @Test
  void partsOfTilesThatMayBePartialGoThroughGlobalMemory() {
    alone(ArrangeSumsTest.PARTS.replace("%M: i64 div 64", "%M: i64 div 32"));
  }

  @Test
  void targetsWithoutClustersHaveNone() {
    String text = IrPrinter.print(Programs.after("outline-phases", ArrangeSumsTest.PARTS, TestTargets.BULK));
    assertThat(text).contains("last_arrival").doesNotContain("cluster");
  }
}
