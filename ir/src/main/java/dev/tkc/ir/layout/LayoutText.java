package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The text of a layout: {@code #lay<[16, 8], register = [[0, 1], [8, 0]], lane = [], warp = []>}, the sizes of the
 * cover first, then each input dimension the layout has in the order of {@link InDim}, its vectors low bit first.
 * Printing is canonical and {@code parse(print(x))} equals {@code x}; the parser takes any white space.
 */
public final class LayoutText {
  private final String text;
  private int at;

  private LayoutText(String text) {
    this.text = text;
  }

  /** Where a text is no layout; {@code at} is the offset of what is wrong. */
  public static final class Malformed extends Exception {
    private static final long serialVersionUID = 1L;
    private final int at;

    Malformed(String message, int at) {
      super(message);
      this.at = at;
    }

    public int at() {
      return at;
    }
  }

  public static String print(LinearLayout layout) {
    StringBuilder out = new StringBuilder("#lay<").append(list(layout.sizes()));
    for (InDim dim : layout.inDims()) {
      String vectors = layout.basis(dim).stream().map(LayoutText::list).collect(Collectors.joining(", ", "[", "]"));
      out.append(", ").append(dim.text()).append(" = ").append(vectors);
    }
    return out.append('>').toString();
  }

  private static String list(List<Integer> numbers) {
    return numbers.stream().map(String::valueOf).collect(Collectors.joining(", ", "[", "]"));
  }

  public static LinearLayout parse(String text) throws Malformed {
    LayoutText parser = new LayoutText(text);
    LinearLayout layout = parser.layout();
    parser.space();
    if (parser.at != text.length()) {
      throw new Malformed("text after the layout", parser.at);
    }
    return layout;
  }

  private LinearLayout layout() throws Malformed {
    expect("#lay");
    expect("<");
    int start = at;
    List<Integer> sizes = numbers();
    for (int size : sizes) {
      if (Integer.bitCount(size) != 1 || size < 1) {
        throw new Malformed("the size " + size + " is not a power of two", start);
      }
    }
    EnumMap<InDim, List<List<Integer>>> bases = new EnumMap<>(InDim.class);
    while (accept(",")) {
      space();
      int nameAt = at;
      String name = name();
      InDim dim = InDim.byText(name).orElseThrow(() -> new Malformed("no input dimension '" + name + "'", nameAt));
      if (bases.containsKey(dim)) {
        throw new Malformed(name + " is given twice", nameAt);
      }
      expect("=");
      bases.put(dim, vectors(sizes));
    }
    expect(">");
    return LinearLayout.of(sizes, bases);
  }

  private List<List<Integer>> vectors(List<Integer> sizes) throws Malformed {
    List<List<Integer>> vectors = new ArrayList<>();
    expect("[");
    while (!accept("]")) {
      if (!vectors.isEmpty()) {
        expect(",");
      }
      space();
      int start = at;
      List<Integer> vector = numbers();
      boolean fits = vector.size() == sizes.size();
      for (int i = 0; fits && i < vector.size(); i++) {
        fits = vector.get(i) < sizes.get(i);
      }
      if (!fits) {
        throw new Malformed("the vector " + vector + " lies outside " + sizes, start);
      }
      vectors.add(vector);
    }
    return vectors;
  }

  private List<Integer> numbers() throws Malformed {
    List<Integer> numbers = new ArrayList<>();
    expect("[");
    while (!accept("]")) {
      if (!numbers.isEmpty()) {
        expect(",");
      }
      numbers.add(number());
    }
    return numbers;
  }

  private int number() throws Malformed {
    space();
    int start = at;
    while (at < text.length() && Character.isDigit(text.charAt(at))) {
      at++;
    }
    try {
      return Integer.parseInt(text.substring(start, at));
    } catch (NumberFormatException e) {
      throw new Malformed("a number below 2^31 is expected", start);
    }
  }

  private String name() {
    int start = at;
    while (at < text.length() && Character.isLetter(text.charAt(at))) {
      at++;
    }
    return text.substring(start, at);
  }

  private void space() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }

  private boolean accept(String token) {
    space();
    if (text.startsWith(token, at)) {
      at += token.length();
      return true;
    }
    return false;
  }

  private void expect(String token) throws Malformed {
    if (!accept(token)) {
      throw new Malformed("'" + token + "' is expected", at);
    }
  }
}
