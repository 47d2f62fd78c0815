package dev.tkc.io;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * The dictionary at the head of a {@code .npy} file, a Python literal of exactly three keys:
 * {@code {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }}.
 */
record NpyHeader(String descr, boolean fortranOrder, long[] shape) {

  /** A header, or the reason why there is none. */
  sealed interface Outcome {
    record Read(NpyHeader header) implements Outcome {}

    record Unreadable(String reason) implements Outcome {}

    default <X extends RuntimeException> NpyHeader orElseThrow(Function<String, X> failure) {
      return switch (this) {
        case Read read -> read.header();
        case Unreadable unreadable -> throw failure.apply(unreadable.reason());
      };
    }
  }

  static Outcome parse(String text) {
    try {
      return new Outcome.Read(new Reader(text).header());
    } catch (Reader.Mistake mistake) {
      return new Outcome.Unreadable(mistake.getMessage());
    }
  }

  /** A recursive-descent reader of that one literal. */
  private static final class Reader {
    private final String text;
    private int at;

    private static final class Mistake extends Exception {
      private static final long serialVersionUID = 1L;

      Mistake(String reason) {
        super(reason);
      }
    }

    Reader(String text) {
      this.text = text;
    }

    NpyHeader header() throws Mistake {
      String descr = null;
      Boolean fortran = null;
      long[] shape = null;
      Set<String> seen = new HashSet<>();
      expect('{');
      while (!take('}')) {
        String key = string();
        if (!seen.add(key)) {
          throw new Mistake("the key '" + key + "' comes twice");
        }
        expect(':');
        switch (key) {
          case "descr" -> descr = descr();
          case "fortran_order" -> fortran = bool();
          case "shape" -> shape = shape();
          default -> throw new Mistake("unknown key '" + key + "'");
        }
        if (!take(',') && peek() != '}') {
          throw unexpected("',' or '}'");
        }
      }
      if (descr == null || fortran == null || shape == null) {
        throw new Mistake("it needs the keys descr, fortran_order and shape");
      }
      return new NpyHeader(descr, fortran, shape);
    }

    /** The element type: a string, or for structured types a list, which is returned as its text. */
    private String descr() throws Mistake {
      if (peek() != '[') {
        return string();
      }
      int start = at;
      int depth = 0;
      while (at < text.length()) {
        char c = text.charAt(at++);
        depth += c == '[' ? 1 : c == ']' ? -1 : 0;
        if (depth == 0) {
          return text.substring(start, at);
        }
      }
      throw unexpected("']'");
    }

    private String string() throws Mistake {
      char quote = peek();
      if (quote != '\'' && quote != '"') {
        throw unexpected("a string");
      }
      int end = text.indexOf(quote, at + 1);
      if (end < 0) {
        throw new Mistake("a string does not end");
      }
      String value = text.substring(at + 1, end);
      at = end + 1;
      return value;
    }

    private boolean bool() throws Mistake {
      peek();
      for (String word : List.of("True", "False")) {
        if (text.startsWith(word, at)) {
          at += word.length();
          return word.equals("True");
        }
      }
      throw unexpected("True or False");
    }

    private long[] shape() throws Mistake {
      List<Long> dims = new ArrayList<>();
      expect('(');
      while (!take(')')) {
        dims.add(integer());
        if (!take(',') && peek() != ')') {
          throw unexpected("',' or ')'");
        }
      }
      return dims.stream().mapToLong(Long::longValue).toArray();
    }

    private long integer() throws Mistake {
      peek();
      int start = at;
      while (at < text.length() && (Character.isDigit(text.charAt(at)) || at == start && text.charAt(at) == '-')) {
        at++;
      }
      String digits = text.substring(start, at);
      take('L');
      try {
        long value = Long.parseLong(digits);
        if (value < 0) {
          throw new Mistake("a dimension is negative: " + value);
        }
        return value;
      } catch (NumberFormatException e) {
        throw new Mistake("'" + digits + "' is no dimension");
      }
    }

    private char peek() {
      while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
        at++;
      }
      return at < text.length() ? text.charAt(at) : '\0';
    }

    private boolean take(char c) {
      if (peek() != c) {
        return false;
      }
      at++;
      return true;
    }

    private void expect(char c) throws Mistake {
      if (!take(c)) {
        throw unexpected("'" + c + "'");
      }
    }

    private Mistake unexpected(String wanted) {
      String found = at < text.length() ? "'" + text.charAt(at) + "'" : "the end";
      return new Mistake(wanted + " expected at column " + (at + 1) + ", found " + found);
    }
  }
}
