package dev.tkc.fuzz;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * An expression of a generated program.
 *
 * @param sort its element type and shape
 * @param exact whether every device computes the same bits: then it may be compared, rounded down and converted to an
 *     integer without magnifying a difference that is allowed
 * @param template the text, with {@code {0}}, {@code {1}} … where the parts go
 */
record Term(Sort sort, boolean exact, String template, List<Term> parts) {

  /** Element types that generated arithmetic is done in. */
  enum Scalar {
    F32,
    I32,
    BOOL
  }

  /** Which of the two tile dimensions an expression has; the others have size 1. */
  enum Extent {
    FULL,
    COLUMN,
    ROW
  }

  record Sort(Scalar scalar, Extent extent) {}

  Term {
    parts = List.copyOf(parts);
  }

  static Term leaf(Sort sort, boolean exact, String text) {
    return new Term(sort, exact, text, List.of());
  }

  String text() {
    return fill(template, parts);
  }

  static String fill(String template, List<Term> parts) {
    String out = template;
    for (int i = 0; i < parts.size(); i++) {
      out = out.replace("{" + i + "}", parts.get(i).text());
    }
    return out;
  }

  /** The number of nodes, where a leaf counts one more than the simplest leaf. */
  int size() {
    return parts.isEmpty() ? template.startsWith("fill(") ? 1 : 2 : 1 + parts.stream().mapToInt(Term::size).sum();
  }

  /** Smaller expressions of the same sort and at least the same exactness, the smallest first. */
  List<Term> smaller() {
    List<Term> out = new ArrayList<>();
    out.add(leaf(sort, true, switch (sort.scalar) {
      case F32 -> "fill(1.0, f32[" + shape() + "])";
      case I32 -> "fill(1, i32[" + shape() + "])";
      case BOOL -> "fill(true, bool[" + shape() + "])";
    }));
    collect(this, out);
    for (int i = 0; i < parts.size(); i++) {
      int at = i;
      for (Term t : parts.get(i).smaller()) {
        out.add(withPart(at, _ -> t));
      }
    }
    out.removeIf(t -> t.size() >= size());
    return out;
  }

  private void collect(Term from, List<Term> out) {
    for (Term p : from.parts) {
      if (p.sort.equals(sort) && (p.exact || !exact)) {
        out.add(p);
      }
      collect(p, out);
    }
  }

  private Term withPart(int at, UnaryOperator<Term> change) {
    List<Term> changed = new ArrayList<>(parts);
    changed.set(at, change.apply(parts.get(at)));
    return new Term(sort, exact, template, changed);
  }

  private String shape() {
    return switch (sort.extent) {
      case FULL -> "BM, BN";
      case COLUMN -> "BM, 1";
      case ROW -> "1, BN";
    };
  }
}
