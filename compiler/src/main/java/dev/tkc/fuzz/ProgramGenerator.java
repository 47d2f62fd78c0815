package dev.tkc.fuzz;

import dev.tkc.fuzz.RandomProgram.Mode;
import dev.tkc.fuzz.RandomProgram.Output;
import dev.tkc.fuzz.RandomProgram.Piece;
import dev.tkc.fuzz.RandomProgram.Place;
import dev.tkc.fuzz.Term.Extent;
import dev.tkc.fuzz.Term.Scalar;
import dev.tkc.fuzz.Term.Sort;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Makes random kernels: sizes and tiles, statements over {@link Expressions}, and outputs. The program is a function of
 * the seed alone.
 */
final class ProgramGenerator {
  private static final List<Integer> TILES = List.of(1, 2, 3, 4, 5, 8, 12, 16, 24, 32, 48, 64);
  private static final List<Integer> DOT_TILES = List.of(16, 16, 24, 32, 32, 48, 64);
  private static final Sort FULL = new Sort(Scalar.F32, Extent.FULL);
  private static final Sort WHOLE = new Sort(Scalar.I32, Extent.FULL);
  private static final Sort COLUMN = new Sort(Scalar.F32, Extent.COLUMN);
  private static final Sort WHOLE_COLUMN = new Sort(Scalar.I32, Extent.COLUMN);

  private final SplittableRandom random;
  private final long seed;
  private final Expressions terms;
  private final List<Piece> pieces = new ArrayList<>();
  private final List<Output> outputs = new ArrayList<>();

  private ProgramGenerator(long seed) {
    this.seed = seed;
    this.random = new SplittableRandom(seed);
    this.terms = new Expressions(random);
  }

  static RandomProgram generate(long seed) {
    return new ProgramGenerator(seed).program();
  }

  private RandomProgram program() {
    boolean dot = random.nextInt(3) == 0;
    Map<String, Integer> tile = Map.of(
        "BM", terms.pick(dot ? DOT_TILES : TILES), "BN", terms.pick(dot ? DOT_TILES : TILES), "BK",
        terms.pick(DOT_TILES));
    Map<String, Integer> sizes = Map.of("M", size(tile.get("BM")), "N", size(tile.get("BN")), "K", size(16));
    if (random.nextInt(5) == 0) {
      phase();
    }
    if (dot) {
      product(0);
      if (random.nextInt(4) == 0) {
        product(1);
      }
    }
    int count = random.nextInt(6);
    for (int i = 0; i < count; i++) {
      statement(i);
    }
    int outs = 1 + random.nextInt(3);
    for (int i = 0; i < outs; i++) {
      output("o" + i);
    }
    return new RandomProgram(seed, sizes, tile, pieces, outputs);
  }

  /** Small, round or any, but not so many tiles that the interpreter takes long. */
  private int size(int tile) {
    int n = switch (random.nextInt(4)) {
      case 0 -> 1 + random.nextInt(3);
      case 1 -> 8 * (1 + random.nextInt(12));
      default -> 1 + random.nextInt(130);
    };
    return Math.min(n, tile * 8);
  }

  private void statement(int i) {
    switch (random.nextInt(10)) {
      case 0 -> choose(i);
      case 1 -> count(i);
      case 2 -> walk(i);
      case 3 -> pair(i);
      case 4 -> fold(i);
      default -> {
        Sort sort = new Sort(terms.scalar(), terms.extent());
        Term term = terms.term(sort, random.nextBoolean(), 2 + random.nextInt(2));
        body(List.of("v" + i), "    let v" + i + " = {0}\n", List.of(term));
        terms.know("v" + i, sort, term.exact());
      }
    }
  }

  private void body(List<String> names, String template, List<Term> parts) {
    pieces.add(new Piece(Place.BODY, names, template, parts));
  }

  // ------------------------------------------------------------------------------------------------ statements

  /** A tensor that an earlier phase writes. */
  private void phase() {
    Term value = terms.term(FULL, random.nextBoolean(), 2);
    pieces.add(new Piece(Place.PHASE, List.of("scratch"),
        "  temp scratch: f32[M, N]\n  parallel i in M by BM, j in N by BN {\n    scratch[i, j] = {0}\n  }\n",
        List.of(value)));
    terms.know("scratch[i, j]", FULL, value.exact());
    terms.know("scratch[i, pick[j]]", FULL, value.exact());
  }

  /** A product accumulated over K. */
  private void product(int i) {
    Element element = terms.pick(List.of(
        Element.BF16, Element.BF16, Element.F16, Element.F16, Element.E4M3, Element.E5M2, Element.I8));
    boolean whole = element == Element.I8;
    String letter = Inputs.letter(element);
    String left = terms.pick(List.of("l" + letter + "[i, k]", "l" + letter + "t[k, i].T"));
    String right = terms.pick(List.of("r" + letter + "[k, j]", "r" + letter + "t[j, k].T"));
    switch (random.nextInt(6)) {
      case 0 -> left = "where(rows(i) >= cols(k), " + left + ", 0)";
      case 1 -> left = "where(valid(k), " + left + ", 0)";
      case 2 -> right = "where(rows(k) >= cols(j), " + right + ", 0)";
      case 3 -> left = whole ? left : "((" + left + " as f32) * 0.5) as " + element.text();
      default -> { }
    }
    String domain = terms.pick(List.of("K by BK", "K by BK", "K by BK reversed", "8..K by BK", "min(K, i.end) by BK"));
    String acc = "acc" + i;
    String type = whole ? "i32" : "f32";
    String scale = whole || random.nextInt(4) > 0 ? "" : "      " + acc + " = " + acc + " * 0.5\n";
    body(List.of(acc), "    var " + acc + " = zeros(" + type + "[BM, BN])\n    for k in " + domain + " {\n" + scale
        + "      " + acc + " += (" + left + ") @ (" + right + ")\n    }\n", List.of());
    if (whole) {
      terms.know(acc, WHOLE, true);
    } else {
      terms.know("(" + acc + " * 0.05)", FULL, false);
    }
  }

  private String condition() {
    return terms.pick(
        List.of("i.start > 16", "j.index % 2 == 1", "i.index == j.index", "M > 20", "N % 3 == 0", "im[i.start] > 2",
        "j.count == BN", "max(ia[i, j]) > 500", "not any(fa[i, j] > 2.5) and M != N"));
  }

  /** Variables that an {@code if} changes. */
  private void choose(int i) {
    Sort a = new Sort(terms.scalar(), terms.extent());
    Sort b = new Sort(terms.scalar(), terms.extent());
    boolean exact = random.nextBoolean();
    List<Term> parts = List.of(
        terms.term(a, exact, 2), terms.term(b, exact, 2), terms.term(a, exact, 2), terms.term(b, exact, 2),
        terms.term(a, exact, 1));
    String v = "v" + i;
    String w = "w" + i;
    String other = random.nextBoolean()
        ? " else if " + condition() + " {\n      " + v + " = {4}\n    }\n"
        : " else {\n      " + w + " = {1}\n      " + v + " = {4}\n    }\n";
    body(List.of(v, w), "    var " + v + " = {0}\n    var " + w + " = {1}\n    if " + condition() + " {\n      " + v
        + " = {2}\n      " + w + " = {3}\n    }" + other, parts);
    terms.know(v, a, parts.get(0).exact() && parts.get(2).exact() && parts.get(4).exact());
    terms.know(w, b, parts.get(1).exact() && parts.get(3).exact());
  }

  /** A loop over whole numbers that carries two variables, of which one moves into the other. */
  private void count(int i) {
    Extent extent = terms.extent();
    String v = "v" + i;
    String w = "w" + i;
    String domain =
        terms.pick(List.of("3", "M % 5", "min(i.index + 1, 4)", "1..j.index % 3 + 2", "abs(im[i.start]) % 4", "2..1"));
    String open = "    var " + v + " = {0}\n    var " + w + " = {1}\n    for r in " + domain
        + " {\n      let t = {2}\n";
    if (random.nextBoolean()) {
      Sort sort = new Sort(Scalar.I32, extent);
      int mark = terms.mark();
      List<Term> start = List.of(terms.term(sort, true, 1), terms.term(sort, true, 1));
      terms.know(v, sort, true);
      terms.know("(" + w + " + r)", sort, true);
      List<Term> parts = new ArrayList<>(start);
      parts.add(terms.term(sort, true, 2));
      terms.forget(mark);
      body(List.of(v, w), open + "      " + v + " = " + w + " ^ t\n      " + w + " = t * 3 + r\n    }\n", parts);
      terms.know(v, sort, true);
      terms.know(w, sort, true);
    } else {
      Sort sort = new Sort(Scalar.F32, extent);
      List<Term> parts = List.of(terms.term(sort, false, 1), terms.term(sort, false, 1), terms.term(sort, false, 2));
      body(List.of(v, w),
          open + "      " + v + " = " + w + " * 0.5 - t\n      " + w + " = max(" + w + ", t)\n    }\n", parts);
      terms.know(v, sort, false);
      terms.know(w, sort, parts.stream().skip(1).allMatch(Term::exact));
    }
  }

  /** A loop over tiles of a row, with a sum and a maximum. */
  private void walk(int i) {
    String v = "v" + i;
    String w = "w" + i;
    String domain =
        terms.pick(List.of("N by BN", "N by BN reversed", "3..N by BN", "min(N, j.end + 7) by BN", "i.end by BN",
        "j.start..N by BN", "M..N by BN", "5..min(N, 60) by BN reversed"));
    boolean whole = random.nextInt(3) == 0;
    Term summed = terms.term(whole ? WHOLE : FULL, whole, 2);
    Term greatest = terms.term(whole ? WHOLE : FULL, random.nextBoolean(), 2);
    String sum = whole ? v + " += sum(where(valid(j), {0}, 0), axis = 1)"
        : v + " = " + v + " * 0.5 + rowsum(clamp(where(valid(j), {0}, 0), -4, 4)) * 0.25";
    String type = whole ? "i32" : "f32";
    body(List.of(v, w), "    var " + v + " = zeros(" + type + "[BM, 1])\n    var " + w + " = fill(-8, " + type
        + "[BM, 1])\n    for j in "
        + domain + " {\n      " + sum + "\n      " + w + " = max(" + w + ", rowmax(where(valid(j), {1}, -8)))\n    }\n",
        List.of(summed, greatest));
    terms.know(v, whole ? WHOLE_COLUMN : COLUMN, whole);
    terms.know(w, whole ? WHOLE_COLUMN : COLUMN, greatest.exact());
  }

  /** A function of two results. */
  private void pair(int i) {
    String f = "pair" + i;
    String v = "v" + i;
    String w = "w" + i;
    boolean exact = random.nextBoolean();
    List<Term> parts = List.of(terms.term(FULL, exact, 2), terms.term(FULL, exact, 2));
    String results = exact ? "max(x, y), where(x < y, x, -y)" : "x * 0.5 + y, min(x, y)";
    pieces.add(new Piece(Place.ITEM, List.of(f),
        "fn " + f + "(x: f32[R, C], y: f32[R, C]) -> f32[R, C], f32[R, C] {\n  return " + results + "\n}\n",
        List.of()));
    body(List.of(v, w), "    let " + v + ", " + w + " = " + f + "({0}, {1})\n", parts);
    terms.know(v, FULL, exact && parts.stream().allMatch(Term::exact));
    terms.know(w, FULL, parts.stream().allMatch(Term::exact));
  }

  /** A reduction or scan with a function of the program. */
  private void fold(int i) {
    String f = "fold" + i;
    String v = "v" + i;
    String w = "w" + i;
    String axis = ", axis = 1, fn = " + f + ")\n";
    boolean scan = random.nextBoolean();
    String call = "    let " + v + ", " + w + " = " + (scan ? "scan" : "reduce");
    if (random.nextBoolean()) {
      pieces.add(new Piece(Place.ITEM, List.of(f), "fn " + f + "(v1: f32, n1: i32, v2: f32, n2: i32) {\n"
          + "  if v1 > v2 or (v1 == v2 and n1 < n2) {\n    return v1, n1\n  }\n  return v2, n2\n}\n", List.of()));
      // With a NaN among them the order would tell.
      body(List.of(v, w), call + "(where({0} == {0}, {0}, 0.0), {1}" + axis,
          List.of(terms.term(FULL, true, 2), terms.term(WHOLE, true, 2)));
      terms.know(v, scan ? FULL : COLUMN, true);
      terms.know(w, scan ? WHOLE : WHOLE_COLUMN, true);
    } else {
      pieces.add(new Piece(Place.ITEM, List.of(f),
          "fn " + f + "(a1: f32, b1: f32, a2: f32, b2: f32) {\n  return a1 * a2, b1 * a2 + b2\n}\n", List.of()));
      body(List.of(v, w), call + "(clamp({0}, -0.75, 0.75), clamp({1}, -4, 4)" + axis,
          List.of(terms.term(FULL, false, 2), terms.term(FULL, false, 2)));
      terms.know(v, scan ? FULL : COLUMN, false);
      terms.know(w, scan ? FULL : COLUMN, false);
    }
  }

  // ------------------------------------------------------------------------------------------------ outputs

  private void output(String name) {
    switch (random.nextInt(8)) {
      case 0 -> update(name);
      case 1 -> {
        Term t = terms.term(FULL, random.nextBoolean(), 3);
        outputs.add(new Output(name, Mode.OUT, Element.F32, List.of("M", "N"), name + "[i, perm[j] pad -1] = {0}", t,
            t.exact()));
      }
      default -> {
        Scalar s = terms.scalar();
        Element element = switch (s) {
          case F32 -> terms.pick(List.of(Element.F32, Element.F32, Element.BF16, Element.F16));
          case I32 -> terms.pick(List.of(Element.I32, Element.I32, Element.I8, Element.I64, Element.U16));
          case BOOL -> Element.BOOL;
        };
        Term t = terms.term(new Sort(s, Extent.FULL), false, 4);
        outputs.add(new Output(name, Mode.OUT, element, List.of("M", "N"), name + "[i, j] = ({0}) as " + element.text(),
            t, t.exact()));
      }
    }
  }

  /** Atomic updates of a tensor that holds something already. */
  private void update(String name) {
    String operator = terms.pick(List.of("+=", "-=", "min=", "max="));
    switch (random.nextInt(3)) {
      case 0 -> {
        Term t = terms.term(WHOLE, true, 3);
        String value = "where(i.valid[:, _] and valid(j), ia[i, j], 0)";
        outputs.add(new Output(name, Mode.INOUT, Element.I32, List.of("16"),
            name + "[{0} & 15] " + operator + " " + value, t, true));
      }
      case 1 -> {
        Term t = terms.term(WHOLE, true, 3);
        outputs.add(new Output(
            name, Mode.INOUT, Element.I32, List.of("N"), name + "[_, j] " + operator + " sum({0}, axis = 0)", t, true));
      }
      default -> {
        Term t = terms.term(FULL, false, 3);
        outputs.add(new Output(name, Mode.INOUT, Element.F32, List.of("M"),
            name + "[i, _] += sum(clamp({0}, -4, 4), axis = 1) * 0.25", t, false));
      }
    }
  }
}
