package dev.tkc.fuzz;

import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * One generated kernel and the sizes to run it on: statements over the inputs in order, then one store or update for
 * each output. {@link #smaller} gives the programs one step simpler.
 *
 * @param sizes values of M, N and K
 * @param tile values of BM, BN and BK
 */
record RandomProgram(
    long seed, Map<String, Integer> sizes, Map<String, Integer> tile, List<Piece> pieces, List<Output> outputs) {

  /** Where the text of a piece stands. */
  enum Place {
    /** A function beside the kernel. */
    ITEM,
    /** In the kernel, before the phase that computes the outputs. */
    PHASE,
    /** In that phase. */
    BODY
  }

  /**
   * Text that defines names which later text may use, with {@code {0}}, {@code {1}} … where its expressions go.
   */
  record Piece(Place place, List<String> names, String template, List<Term> parts) {
    Piece {
      names = List.copyOf(names);
      parts = List.copyOf(parts);
    }

    String text() {
      return Term.fill(template, parts);
    }

    Piece withPart(int at, Term part) {
      List<Term> changed = new ArrayList<>(parts);
      changed.set(at, part);
      return new Piece(place, names, template, changed);
    }
  }

  /** Whether the kernel writes an output, or adds to what it holds. */
  enum Mode {
    OUT,
    INOUT
  }

  /**
   * An output tensor and the statement that writes it.
   *
   * @param template the statement, with {@code {0}} where the value goes
   * @param dims in terms of M and N
   * @param exact whether every device must leave the same bits
   */
  record Output(String name, Mode mode, Element element, List<String> dims, String template, Term term, boolean exact) {
    Output withTerm(Term t) {
      return new Output(name, mode, element, dims, template, t, exact);
    }

    String text() {
      return Term.fill(template, List.of(term));
    }

    String declaration() {
      String word = switch (mode) {
        case OUT -> "out ";
        case INOUT -> "inout ";
      };
      return word + name + ": " + element.text() + "[" + String.join(", ", dims) + "]";
    }
  }

  RandomProgram {
    sizes = Map.copyOf(sizes);
    tile = Map.copyOf(tile);
    pieces = List.copyOf(pieces);
    outputs = List.copyOf(outputs);
  }

  /** The program in the tile language. */
  String text() {
    StringBuilder items = new StringBuilder();
    StringBuilder phases = new StringBuilder();
    StringBuilder body = new StringBuilder();
    for (Piece p : pieces) {
      switch (p.place) {
        case ITEM -> items.append(p.text()).append('\n');
        case PHASE -> phases.append(p.text());
        case BODY -> body.append(p.text());
      }
    }
    outputs.forEach(o -> body.append("    ").append(o.text()).append('\n'));
    List<String> params = new ArrayList<>();
    Set<String> bound = new HashSet<>();
    Set<Inputs.Input> inputs = new LinkedHashSet<>(Inputs.namedIn(phases + "\n" + body));
    outputs.forEach(o -> bound.addAll(o.dims));
    inputs.forEach(i -> bound.addAll(i.dims()));
    // A size is known by a tensor that has it.
    Inputs.ALL.stream().filter(i -> !bound.containsAll(i.dims()) && List.of("im", "pick").contains(i.name()))
        .forEach(inputs::add);
    inputs.forEach(i -> params.add(i.declaration()));
    outputs.forEach(o -> params.add(o.declaration()));
    return items + "kernel random<BM = " + tile.get("BM") + ", BN = " + tile.get("BN") + ", BK = " + tile.get("BK")
        + ">(\n    "
        + String.join(",\n    ", params) + ") {\n" + phases + "  parallel i in M by BM, j in N by BN {\n" + body
        + "  }\n}\n";
  }

  /** Falls with every step of {@link #smaller}. */
  long weight() {
    long sum = 0;
    for (Piece p : pieces) {
      sum += 2 + p.parts.stream().mapToInt(Term::size).sum();
    }
    sum += outputs.stream().mapToInt(o -> 1 + o.term.size()).sum();
    return sum * 10_000 + sizes.values().stream().mapToInt(n -> n).sum()
        + tile.values().stream().mapToInt(n -> n).sum();
  }

  /** Programs one step simpler, those that drop most first. */
  List<RandomProgram> smaller() {
    List<RandomProgram> out = new ArrayList<>();
    for (int i = 0; i < outputs.size() && outputs.size() > 1; i++) {
      List<Output> fewer = new ArrayList<>(outputs);
      fewer.remove(i);
      out.add(with(pieces, fewer));
    }
    for (int i = pieces.size() - 1; i >= 0; i--) {
      if (!isUsed(i)) {
        List<Piece> fewer = new ArrayList<>(pieces);
        fewer.remove(i);
        out.add(with(fewer, outputs));
      }
    }
    for (int i = 0; i < outputs.size(); i++) {
      for (Term t : outputs.get(i).term.smaller()) {
        List<Output> changed = new ArrayList<>(outputs);
        changed.set(i, outputs.get(i).withTerm(t));
        out.add(with(pieces, changed));
      }
    }
    for (int i = 0; i < pieces.size(); i++) {
      for (int p = 0; p < pieces.get(i).parts.size(); p++) {
        for (Term t : pieces.get(i).parts.get(p).smaller()) {
          List<Piece> changed = new ArrayList<>(pieces);
          changed.set(i, pieces.get(i).withPart(p, t));
          out.add(with(changed, outputs));
        }
      }
    }
    smaller(sizes, List.of(1, 2, 3)).forEach(s -> out.add(new RandomProgram(seed, s, tile, pieces, outputs)));
    smaller(tile, List.of(1, 16)).forEach(t -> out.add(new RandomProgram(seed, sizes, t, pieces, outputs)));
    return out;
  }

  private RandomProgram with(List<Piece> newPieces, List<Output> newOutputs) {
    return new RandomProgram(seed, sizes, tile, newPieces, newOutputs);
  }

  /** The map with one number replaced by a smaller one. */
  private static List<Map<String, Integer>> smaller(Map<String, Integer> numbers, List<Integer> tries) {
    List<Map<String, Integer>> out = new ArrayList<>();
    new TreeMap<>(numbers).forEach((name, n) -> {
      Set<Integer> candidates = new LinkedHashSet<>(tries);
      candidates.addAll(List.of(n / 2, n - 1));
      candidates.stream().filter(c -> c > 0 && c < n).forEach(c -> {
        Map<String, Integer> changed = new HashMap<>(numbers);
        changed.put(name, c);
        out.add(changed);
      });
    });
    return out;
  }

  private boolean isUsed(int piece) {
    Set<String> texts = new HashSet<>();
    pieces.stream().skip(piece + 1L).forEach(p -> texts.add(p.text()));
    outputs.forEach(o -> texts.add(o.text()));
    Pattern word = Pattern.compile("\\b(" + String.join("|", pieces.get(piece).names) + ")\\b");
    return texts.stream().anyMatch(t -> word.matcher(t).find());
  }

  @Override
  public String toString() {
    return "// seed " + seed + ", sizes " + new TreeMap<>(sizes) + "\n" + text();
  }
}
