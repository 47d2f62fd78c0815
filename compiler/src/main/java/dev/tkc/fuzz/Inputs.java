package dev.tkc.fuzz;

import dev.tkc.Random;
import dev.tkc.Tensor;
import dev.tkc.ir.num.FloatFormat;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Pattern;

/**
 * The tensors that generated kernels may read. A kernel has those as parameters that its text names; their values are a
 * function of the program's seed, the tensor's name and its shape.
 */
final class Inputs {
  private Inputs() {}

  /** What the elements are drawn from. */
  enum Values {
    NORMAL,
    /** ±1000, half of them within ±8. */
    WHOLE,
    /** −3 to 8. */
    SMALL,
    /** Every value of a narrow integer. */
    ALL,
    /** Positions below N. */
    POSITION,
    /** Each position below N once. */
    PERMUTATION
  }

  /** A parameter: its name, element type, dimensions in terms of M, N and K, and what it holds. */
  record Input(String name, Element element, Values values, List<String> dims) {
    Input(String name, Element element, Values values, String... dims) {
      this(name, element, values, List.of(dims));
    }

    String declaration() {
      return name + ": " + element.text() + "[" + String.join(", ", dims) + "]";
    }

    boolean isNamedIn(String text) {
      return Pattern.compile("\\b" + name + "\\b").matcher(text).find();
    }
  }

  /** The operands of products: for each element type of the letters, two orders of either side. */
  private static final Map<Element, String> OPERANDS = operands();

  static final List<Input> ALL = all();

  /**
   * Infinities (which some formats saturate), NaN, both zeros; the least double stands for an element type's least
   * numbers.
   */
  private static final List<Double> SPECIALS = List.of(
      Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.0, -0.0, Double.MIN_VALUE, -Double.MIN_VALUE);

  private static final int RARITY = 16;

  private static Map<Element, String> operands() {
    Map<Element, String> letters = new LinkedHashMap<>();
    letters.put(Element.BF16, "b");
    letters.put(Element.F16, "h");
    letters.put(Element.E4M3, "q");
    letters.put(Element.E5M2, "r");
    letters.put(Element.I8, "c");
    return letters;
  }

  /**
   * The letter that names an element type's operands: {@code lb} is the left bf16 operand, {@code lbt} its transpose.
   */
  static String letter(Element element) {
    return OPERANDS.get(element);
  }

  private static List<Input> all() {
    List<Input> list = new ArrayList<>(List.of(
        new Input("fa", Element.F32, Values.NORMAL, "M", "N"),
        new Input("fb", Element.F32, Values.NORMAL, "M", "N"),
        new Input("ft", Element.F32, Values.NORMAL, "N", "M"),
        new Input("bf", Element.BF16, Values.NORMAL, "M", "N"),
        new Input("hf", Element.F16, Values.NORMAL, "M", "N"),
        new Input("ia", Element.I32, Values.WHOLE, "M", "N"),
        new Input("ib", Element.I8, Values.ALL, "M", "N"),
        new Input("fm", Element.F32, Values.NORMAL, "M"),
        new Input("fn1", Element.F32, Values.NORMAL, "N"),
        new Input("im", Element.I32, Values.SMALL, "M"),
        new Input("pick", Element.I32, Values.POSITION, "N"),
        new Input("perm", Element.I32, Values.PERMUTATION, "N"),
        new Input("front", Element.F32, Values.NORMAL, "3", "M", "N"),
        new Input("middle", Element.F32, Values.NORMAL, "M", "4", "N"),
        new Input("nibbles", Element.I4, Values.ALL, "M", "2 * N"),
        new Input("unibbles", Element.U4, Values.ALL, "M", "2 * N"),
        new Input("fourbit", Element.E2M1, Values.NORMAL, "M", "2 * N")));
    OPERANDS.forEach((element, letter) -> {
      Values values = element.isFloat() ? Values.NORMAL : Values.ALL;
      list.add(new Input("l" + letter, element, values, "M", "K"));
      list.add(new Input("l" + letter + "t", element, values, "K", "M"));
      list.add(new Input("r" + letter, element, values, "K", "N"));
      list.add(new Input("r" + letter + "t", element, values, "N", "K"));
    });
    return List.copyOf(list);
  }

  static List<Input> namedIn(String text) {
    return ALL.stream().filter(i -> i.isNamedIn(text)).toList();
  }

  static long[] shape(List<String> dims, Map<String, Integer> sizes) {
    return dims.stream().mapToLong(d -> dimension(d, sizes)).toArray();
  }

  private static long dimension(String text, Map<String, Integer> sizes) {
    long product = 1;
    for (String factor : text.split(" \\* ")) {
      product *= sizes.containsKey(factor) ? sizes.get(factor) : Long.parseLong(factor);
    }
    return product;
  }

  static Tensor tensor(Input input, Map<String, Integer> sizes, long programSeed) {
    long[] shape = shape(input.dims, sizes);
    long seed = programSeed * 1_000_003 + input.name.hashCode();
    return switch (input.values) {
      case NORMAL -> hasSpecials(programSeed)
          ? special(seed, Random.normal(seed, input.element, shape)) : Random.normal(seed, input.element, shape);
      case WHOLE -> whole(seed, input.element, shape);
      case SMALL -> Random.integers(seed, -3, 9, input.element, shape);
      case ALL -> Random.integers(seed, 0, 1L << input.element.bits(), input.element, shape);
      case POSITION -> Random.integers(seed, 0, sizes.get("N"), input.element, shape);
      case PERMUTATION -> permutation(seed, shape);
    };
  }

  /** Whether a program's floats hold values that are no ordinary numbers: one program of four. */
  static boolean hasSpecials(long programSeed) {
    return programSeed % 4 == 3;
  }

  /** Every sixteenth element or so becomes one of {@link #SPECIALS}. */
  private static Tensor special(long seed, Tensor t) {
    SplittableRandom random = new SplittableRandom(seed);
    double tiny = t.element() == Element.F32 ? Float.MIN_VALUE : FloatFormat.of(t.element()).decode(1);
    for (long i = 0; i < t.count(); i++) {
      if (random.nextInt(RARITY) == 0) {
        double value = SPECIALS.get(random.nextInt(SPECIALS.size()));
        t.setNumber(i, Math.abs(value) == Double.MIN_VALUE ? Math.signum(value) * tiny * (1 + random.nextInt(2))
            : value);
      }
    }
    return t;
  }

  private static Tensor whole(long seed, Element element, long[] shape) {
    Tensor large = Random.integers(seed, -1000, 1001, element, shape);
    for (long i = 0; i < large.count(); i += 2) {
      large.setInteger(i, large.integer(i) % 9);
    }
    return large;
  }

  private static Tensor permutation(long seed, long[] shape) {
    Tensor t = Tensor.zeros(Element.I32, shape);
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < shape[0]; i++) {
      int at = random.nextInt(i + 1);
      t.setInteger(i, t.integer(at));
      t.setInteger(at, i);
    }
    return t;
  }
}
