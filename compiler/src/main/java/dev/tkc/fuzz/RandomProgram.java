package dev.tkc.fuzz;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One generated kernel and the sizes to run it on: named expressions over the inputs in order, then one store for each
 * output. {@link #smaller} gives the programs one step simpler.
 *
 * @param sizes values of M, N and K
 * @param tile values of BM, BN and BK
 * @param loop a product accumulated over K, as the first named expression
 */
record RandomProgram(
    long seed, Map<String, Integer> sizes, Map<String, Integer> tile, boolean loop, boolean phases, List<Let> lets,
    List<Output> outputs) {

  /** {@code let name = term}. */
  record Let(String name, Term term) {}

  /** An output tensor and what is stored in it, converted to {@code element}. */
  record Output(String name, String element, Term term) {}

  RandomProgram {
    sizes = Map.copyOf(sizes);
    tile = Map.copyOf(tile);
    lets = List.copyOf(lets);
    outputs = List.copyOf(outputs);
  }

  /** The program in the tile language. */
  String text() {
    StringBuilder out = new StringBuilder();
    out.append("kernel random<BM = ").append(tile.get("BM")).append(", BN = ").append(tile.get("BN"))
        .append(", BK = ").append(tile.get("BK")).append(">(\n    ").append(Inputs.parameters()).append(",\n    ");
    List<String> params = outputs.stream().map(o -> "out " + o.name + ": " + o.element + "[M, N]").toList();
    out.append(String.join(", ", params)).append(") {\n");
    if (phases) {
      out.append("  temp scratch: f32[M, N]\n");
      out.append("  parallel i in M by BM, j in N by BN {\n    scratch[i, j] = fa[i, j] * 0.5 + fb[i, j]\n  }\n");
    }
    out.append("  parallel i in M by BM, j in N by BN {\n");
    if (loop) {
      out.append("    var acc = zeros(f32[BM, BN])\n    for k in K by BK {\n")
          .append("      acc += ha[i, k] @ hb[k, j]\n    }\n");
    }
    lets.forEach(l -> out.append("    let ").append(l.name).append(" = ").append(l.term.text()).append('\n'));
    for (Output o : outputs) {
      out.append("    ").append(o.name).append("[i, j] = (").append(o.term.text()).append(") as ").append(o.element).append('\n');
    }
    return out.append("  }\n}\n").toString();
  }

  int weight() {
    return lets.stream().mapToInt(l -> l.term.size()).sum() + outputs.stream().mapToInt(o -> o.term.size()).sum()
        + lets.size() + outputs.size() + (loop ? 1 : 0) + (phases ? 1 : 0);
  }

  List<RandomProgram> smaller() {
    List<RandomProgram> out = new ArrayList<>();
    for (int i = 0; i < outputs.size() && outputs.size() > 1; i++) {
      List<Output> fewer = new ArrayList<>(outputs);
      fewer.remove(i);
      out.add(new RandomProgram(seed, sizes, tile, loop, phases, lets, fewer));
    }
    for (int i = 0; i < lets.size(); i++) {
      if (!isUsed(lets.get(i).name, i)) {
        List<Let> fewer = new ArrayList<>(lets);
        fewer.remove(i);
        out.add(new RandomProgram(seed, sizes, tile, loop, phases, fewer, outputs));
      }
    }
    for (int i = 0; i < outputs.size(); i++) {
      for (Term t : outputs.get(i).term.smaller()) {
        List<Output> changed = new ArrayList<>(outputs);
        changed.set(i, new Output(outputs.get(i).name, outputs.get(i).element, t));
        out.add(new RandomProgram(seed, sizes, tile, loop, phases, lets, changed));
      }
    }
    for (int i = 0; i < lets.size(); i++) {
      for (Term t : lets.get(i).term.smaller()) {
        List<Let> changed = new ArrayList<>(lets);
        changed.set(i, new Let(lets.get(i).name, t));
        out.add(new RandomProgram(seed, sizes, tile, loop, phases, changed, outputs));
      }
    }
    String all = text();
    if (loop && all.split("\\bacc\\b", -1).length == 3) {
      out.add(new RandomProgram(seed, sizes, tile, false, phases, lets, outputs));
    }
    if (phases && all.split("\\bscratch\\b", -1).length == 3) {
      out.add(new RandomProgram(seed, sizes, tile, loop, false, lets, outputs));
    }
    return out;
  }

  private boolean isUsed(String name, int from) {
    String word = ".*\\b" + name + "\\b.*";
    return lets.stream().skip(from + 1L).anyMatch(l -> l.term.text().matches(word))
        || outputs.stream().anyMatch(o -> o.term.text().matches(word));
  }

  @Override
  public String toString() {
    return "// seed " + seed + ", sizes " + new java.util.TreeMap<>(sizes) + "\n" + text();
  }
}
