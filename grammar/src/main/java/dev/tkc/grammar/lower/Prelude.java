package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Parsed;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.diag.Span;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The standard library: functions written in the language, read once, behind every file's own names. */
public final class Prelude {
  /** The resources that make up the library. */
  public static final List<String> FILES = List.of("activation", "attention", "norm", "complex", "quantise");

  private static final Map<String, Item.Fn> FUNCTIONS = read();

  private Prelude() {}

  private static Map<String, Item.Fn> read() {
    Map<String, Item.Fn> all = new LinkedHashMap<>();
    for (String file : FILES) {
      Parsed parsed = SyntaxReader.read(new Source("std/" + file + ".tk", text(file)));
      if (!parsed.ok()) {
        throw new IllegalStateException("standard library: " + parsed.diagnostics());
      }
      for (Item item : parsed.program().items()) {
        if (item instanceof Item.Fn f && all.put(f.name().text(), f) != null) {
          throw new IllegalStateException("standard library: " + f.name() + " twice");
        }
      }
    }
    return all;
  }

  /** The text of one file of the library. */
  public static String text(String file) {
    try (InputStream in = Prelude.class.getResourceAsStream("/dev/tkc/std/" + file + ".tk")) {
      if (in == null) {
        throw new IllegalStateException("standard library: no file " + file);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether a text is the library's: what is wrong there is wrong with a call of it. */
  static boolean owns(Span span) {
    return FUNCTIONS.values().stream().anyMatch(f -> f.span().source() == span.source());
  }

  static Optional<Item.Fn> function(String name) {
    return Optional.ofNullable(FUNCTIONS.get(name));
  }

  /** The names it defines, in order. */
  public static List<String> names() {
    return List.copyOf(FUNCTIONS.keySet());
  }
}
