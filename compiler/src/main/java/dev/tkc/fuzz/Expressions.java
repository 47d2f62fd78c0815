package dev.tkc.fuzz;

import dev.tkc.fuzz.Term.Extent;
import dev.tkc.fuzz.Term.Scalar;
import dev.tkc.fuzz.Term.Sort;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Makes random expressions that type-check and on whose values two correct devices agree within the stated bounds.
 *
 * <p>A device may fuse products into sums, order sums as it likes and round functions a little differently, so an
 * expression is either exact (the same bits everywhere) or not. Only exact ones are compared, rounded to a grid or
 * converted to integers; the others pass only through functions of moderate slope, with arguments clamped where that
 * needs it.
 */
final class Expressions {
  private static final List<String> FLOAT_TYPES = List.of("f16", "bf16", "f64", "e4m3", "e5m2");
  private static final List<String> INTEGER_TYPES = List.of("i8", "i16", "i64", "u8", "u16", "u32", "u64");

  /** A name in scope. */
  record Known(String text, Sort sort, boolean exact) {}

  private final SplittableRandom random;
  private final List<Known> known = new ArrayList<>();

  Expressions(SplittableRandom random) {
    this.random = random;
  }

  void know(String text, Sort sort, boolean exact) {
    known.add(new Known(text, sort, exact));
  }

  /** The number of names in scope, to forget later ones with {@link #forget}. */
  int mark() {
    return known.size();
  }

  void forget(int mark) {
    known.subList(mark, known.size()).clear();
  }

  <T> T pick(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  Scalar scalar() {
    int r = random.nextInt(10);
    return r < 6 ? Scalar.F32 : r < 9 ? Scalar.I32 : Scalar.BOOL;
  }

  Extent extent() {
    int r = random.nextInt(6);
    return r < 4 ? Extent.FULL : r == 4 ? Extent.COLUMN : Extent.ROW;
  }

  Term term(Sort sort, boolean exact, int depth) {
    if (depth <= 0 || random.nextInt(8) == 0) {
      return leaf(sort, exact);
    }
    return switch (sort.scalar()) {
      case F32 -> floats(sort, exact, depth - 1);
      case I32 -> integers(sort, depth - 1);
      case BOOL -> bools(sort, depth - 1);
    };
  }

  // ------------------------------------------------------------------------------------------------ leaves

  private Term leaf(Sort sort, boolean exact) {
    List<Known> usable = known.stream().filter(k -> k.sort.equals(sort) && (k.exact || !exact)).toList();
    if (!usable.isEmpty() && random.nextInt(5) < 2) {
      Known k = pick(usable);
      return Term.leaf(sort, k.exact, k.text);
    }
    return Term.leaf(sort, true, switch (sort.scalar()) {
      case F32 -> pick(switch (sort.extent()) {
        case FULL -> List.of("fa[i, j]", "fb[i, j]", "ft[j, i].T", "(bf[i, j] as f32)", "(hf[i, j] as f32)",
            "(fa[i, j] pad -1)", "fb[i, pick[j]]", "fa[i, 2 * j + 1]", "ft[3 * j, i].T", "fb[i, span(3, BN)]",
            "fa[i, span(1, BN, N)]", "front[1, i, j]", "middle[i, 2, j]", "max(front[0:3, i, j], axis = 0)[0, :, :]",
            "(nibbles[i, 2 * j] as f32)", "(fourbit[i, 2 * j + 1] as f32)", "fa[i, pick[j] pad 0]");
        case COLUMN -> List.of("fm[i, _]", "fill(0.75, f32[BM, 1])", "(fm[i, _] pad 2)", "fm[2 * i, _]");
        case ROW -> List.of("fn1[_, j]", "fill(-1.5, f32[1, BN])", "fn1[_, 2 * j + 1]");
      });
      case I32 -> pick(switch (sort.extent()) {
        case FULL -> List.of("ia[i, j]", "(ib[i, j] as i32)", "ia[i, pick[j]]", "(rows(i) + cols(j))", "ia[i, 3 * j]",
            "(nibbles[i, 2 * j + 1] as i32)", "(unibbles[i, 2 * j] as i32)");
        case COLUMN -> List.of("im[i, _]", "rows(i)");
        case ROW -> List.of("pick[_, j]", "cols(j)", "perm[_, j]");
      });
      case BOOL -> pick(switch (sort.extent()) {
        case FULL -> List.of("(fa[i, j] < fb[i, j])", "(rows(i) >= cols(j))", "(ia[i, j] > 0)");
        case COLUMN -> List.of("(im[i, _] > 2)", "i.valid[:, _]");
        case ROW -> List.of("valid(j)", "(fn1[_, j] > 0)");
      });
    });
  }

  // ------------------------------------------------------------------------------------------------ floats

  private Term floats(Sort sort, boolean exact, int depth) {
    int choice = random.nextInt(exact ? 5 : 16);
    return switch (choice) {
      case 0 -> of(sort, pick(List.of("max({0}, {1})", "min({0}, {1})")),
          term(sort, exact, depth), term(sort, exact, depth));
      case 1 -> of(sort, pick(List.of("abs({0})", "(-{0})")), term(sort, exact, depth));
      case 2 -> of(sort, "where({0}, {1}, {2})", term(new Sort(Scalar.BOOL, sort.extent()), true, depth),
          term(sort, exact, depth), term(sort, exact, depth));
      case 3 -> exactFloat(sort, depth);
      case 4 -> sort.extent() == Extent.FULL ? moved(sort, exact, depth) : reducedExact(sort, depth);
      case 5, 6 ->
          inexact(sort, pick(List.of("({0} + {1})", "({0} - {1})")), term(sort, false, depth), part(sort, depth));
      case 7 -> inexact(sort, "(clamp({0}, -8, 8) * clamp({1}, -8, 8))", term(sort, false, depth), part(sort, depth));
      case 8 -> inexact(sort, "({0} / (abs({1}) + 1))", term(sort, false, depth), part(sort, depth));
      case 9 -> inexact(sort, pick(List.of("tanh({0})", "sigmoid({0})", "erf({0})", "sin(clamp({0}, -6, 6))",
          "cos(clamp({0}, -6, 6))")), term(sort, false, depth));
      case 10 -> inexact(sort, pick(List.of("exp(clamp({0}, -3, 3))", "exp2(clamp({0}, -3, 3))", "log(abs({0}) + 1)",
          "log2(abs({0}) + 1)", "sqrt(abs({0}) + 0.25)", "rsqrt(abs({0}) + 0.5)", "rcp(abs({0}) + 0.5)")),
              term(sort, false, depth));
      case 11 -> inexact(sort, "fma(clamp({0}, -8, 8), clamp({1}, -8, 8), {2})", term(sort, false, depth),
          term(sort, false, depth), term(sort, false, depth));
      case 12 -> sort.extent() == Extent.FULL
          ? inexact(sort, "(cumsum(clamp({0}, -4, 4), axis = " + random.nextInt(2)
              + pick(List.of("", ", reverse = true", ", exclusive = true")) + ") * 0.125)", term(sort, false, depth))
          : reduced(sort, depth);
      case 13 -> sort.extent() == Extent.FULL
          ? inexact(sort, "({0} + {1})", term(sort, false, depth),
              reduced(new Sort(Scalar.F32, pick(List.of(Extent.COLUMN, Extent.ROW))), depth))
          : reduced(sort, depth);
      case 14 -> inexact(sort, "clamp({0} as f32, -100, 100)", term(new Sort(Scalar.I32, sort.extent()), true, depth));
      default -> of(sort, "exact({0} * 0.5 + {1})", term(sort, exact, depth), term(sort, exact, depth));
    };
  }

  /** An operand of the sort's shape or of one that broadcasts to it. */
  private Term part(Sort sort, int depth) {
    Extent e = sort.extent() == Extent.FULL ? extent() : sort.extent();
    return term(new Sort(sort.scalar(), e), false, depth);
  }

  private Term exactFloat(Sort sort, int depth) {
    return switch (random.nextInt(4)) {
      case 0 -> of(sort, pick(List.of("floor({0})", "ceil({0})", "round({0})")), term(sort, true, depth));
      case 1 -> of(sort, "(({0} as " + pick(FLOAT_TYPES) + ") as f32)", term(sort, true, depth));
      case 2 -> of(sort, "(({0} as " + pick(INTEGER_TYPES) + ") as f32)",
          term(new Sort(random.nextBoolean() ? Scalar.I32 : Scalar.F32, sort.extent()), true, depth));
      default -> of(sort, "((({0} as " + pick(FLOAT_TYPES) + ") as " + pick(FLOAT_TYPES) + ") as f32)",
          term(sort, true, depth));
    };
  }

  /** Elements moved about: shapes change and come back. */
  private Term moved(Sort sort, boolean exact, int depth) {
    return switch (random.nextInt(4)) {
      case 0 -> of(sort, "reshape(reshape({0}, [BM * BN]), [BM, BN])", term(sort, exact, depth));
      case 1 -> of(sort, "({0}).T.T", term(sort, exact, depth));
      case 2 -> of(sort, "concat({0}, {1}, axis = 0)[" + pick(List.of("0:BM", "BM:2 * BM")) + ", :]",
          term(sort, exact, depth), term(sort, exact, depth));
      default -> of(sort, "concat({0}, {1}, axis = 1)[:, " + pick(List.of("0:BN", "BN:2 * BN")) + "]",
          term(sort, exact, depth), term(sort, exact, depth));
    };
  }

  private Term reducedExact(Sort sort, int depth) {
    int axis = sort.extent() == Extent.COLUMN ? 1 : 0;
    return of(sort, pick(List.of("max", "min")) + "({0}, axis = " + axis + ")",
        term(new Sort(sort.scalar(), Extent.FULL), true, depth));
  }

  private Term reduced(Sort sort, int depth) {
    int axis = sort.extent() == Extent.COLUMN ? 1 : 0;
    return inexact(sort, "(" + pick(List.of("sum", "mean")) + "(clamp({0}, -4, 4), axis = " + axis + ") * 0.25)",
        term(new Sort(Scalar.F32, Extent.FULL), false, depth));
  }

  // ------------------------------------------------------------------------------------------------ integers, bools

  private Term integers(Sort sort, int depth) {
    Sort s = sort;
    return switch (random.nextInt(11)) {
      case 0, 1 ->
          of(s, pick(List.of("({0} + {1})", "({0} - {1})", "({0} * {1})")), term(s, true, depth), term(s, true, depth));
      case 2 ->
          of(s, pick(List.of("({0} & {1})", "({0} | {1})", "({0} ^ {1})")), term(s, true, depth), term(s, true, depth));
      case 3 ->
          of(s, pick(List.of("({0} / ({1} | 1))", "({0} % ({1} | 1))")), term(s, true, depth), term(s, true, depth));
      case 4 ->
          of(s, pick(List.of("({0} << ({1} & 7))", "({0} >> ({1} & 31))")), term(s, true, depth), term(s, true, depth));
      case 5 -> of(s, pick(List.of("max({0}, {1})", "min({0}, {1})")), term(s, true, depth), term(s, true, depth));
      case 6 -> of(s, "where({0}, {1}, {2})", term(new Sort(Scalar.BOOL, s.extent()), true, depth),
          term(s, true, depth), term(s, true, depth));
      case 7 -> of(s, "({0} as i32)",
          term(new Sort(random.nextBoolean() ? Scalar.F32 : Scalar.BOOL, s.extent()), true, depth));
      case 8 -> s.extent() == Extent.FULL
          ? of(s, "cumsum({0}, axis = " + random.nextInt(2) + ")", term(s, true, depth))
          : of(s, "sum({0}, axis = " + (s.extent() == Extent.COLUMN ? 1 : 0) + ")",
              term(new Sort(Scalar.I32, Extent.FULL), true, depth));
      case 9 -> s.extent() == Extent.FULL
          ? moved(s, true, depth)
          : of(s, pick(List.of("argmax", "argmin")) + "({0}, axis = " + (s.extent() == Extent.COLUMN ? 1 : 0) + ")",
              term(new Sort(Scalar.F32, Extent.FULL), true, depth));
      default -> of(s, pick(List.of("(~{0})", "abs({0})", "(-{0})", "(({0} as " + pick(INTEGER_TYPES) + ") as i32)")),
          term(s, true, depth));
    };
  }

  private Term bools(Sort sort, int depth) {
    return switch (random.nextInt(6)) {
      case 0, 1 -> {
        Scalar s = random.nextBoolean() ? Scalar.F32 : Scalar.I32;
        Sort of = new Sort(s, sort.extent());
        yield of(sort, "({0} " + pick(List.of("<", "<=", ">", ">=", "==", "!=")) + " {1})", term(of, true, depth),
            term(of, true, depth));
      }
      case 2 -> of(sort, pick(List.of("({0} and {1})", "({0} or {1})", "({0} != {1})")), term(sort, true, depth),
          term(sort, true, depth));
      case 3 -> of(sort, "(not {0})", term(sort, true, depth));
      case 4 -> sort.extent() == Extent.FULL
          ? moved(sort, true, depth)
          : of(sort, pick(List.of("any", "all")) + "({0}, axis = " + (sort.extent() == Extent.COLUMN ? 1 : 0) + ")",
              term(new Sort(Scalar.BOOL, Extent.FULL), true, depth));
      default -> leaf(sort, true);
    };
  }

  /** As exact as its parts. */
  static Term of(Sort sort, String template, Term... parts) {
    List<Term> list = List.of(parts);
    return new Term(sort, list.stream().allMatch(Term::exact), template, list);
  }

  private static Term inexact(Sort sort, String template, Term... parts) {
    return new Term(sort, false, template, List.of(parts));
  }
}
