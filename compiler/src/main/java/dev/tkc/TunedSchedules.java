package dev.tkc;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Source;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What {@code tkc tune} has measured: a file {@code name.tuned.json} beside {@code name.tk}, which can be committed.
 * One entry for each kernel, target and set of sizes and constants, with everything that was measured for it:
 *
 * <pre>{@code
 * {"format": 1, "entries": [
 *   {"kernel": "gemm", "target": "sm_90a", "facts": {"K": 4096, "M": 4096, "N": 4096},
 *    "measured": [{"constants": {"BK": 64, "BM": 128, "BN": 256}, "settings": {"grouped": 16}, "micros": 181.2}, …]}]}
 * }</pre>
 *
 * The quickest is used where the facts are the same. Immutable.
 */
final class TunedSchedules {
  private static final JsonFactory JSON = new JsonFactory();
  private static final long FORMAT = 1;

  /** One schedule and how long it took; settings as {@link dev.tkc.grammar.lower.Specialisation.Schedule} has them. */
  record Entry(Map<String, Object> constants, Map<String, Object> settings, double micros) {
    Entry {
      constants = Map.copyOf(constants);
      settings = Map.copyOf(settings);
    }
  }

  /** What a set of measurements is for. */
  record Subject(String kernel, String target, Map<String, Object> facts) {
    Subject {
      facts = Map.copyOf(facts);
    }
  }

  private final Map<Subject, List<Entry>> entries;

  /** Nothing measured. */
  static final TunedSchedules NONE = new TunedSchedules(Map.of());

  private TunedSchedules(Map<Subject, List<Entry>> entries) {
    this.entries = entries;
  }

  /** The file that belongs to a source; none for texts that are not files. */
  static Optional<Path> path(Source source) {
    if (!source.name().endsWith(".tk")) {
      return Optional.empty();
    }
    try {
      return Optional.of(Path.of(source.name().substring(0, source.name().length() - 3) + ".tuned.json"));
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }

  static TunedSchedules beside(Source source) {
    return path(source).filter(Files::isRegularFile).map(TunedSchedules::read).orElse(NONE);
  }

  /**
   * @throws DiagnosticException if it is not such a file
   */
  static TunedSchedules read(Path file) {
    try (JsonParser in = JSON.createParser(Sources.read(file).text())) {
      in.nextToken();
      return new TunedSchedules(entries((Map<?, ?>) tree(in)));
    } catch (IOException | ClassCastException | NullPointerException e) {
      throw new DiagnosticException(
          Diagnostic.error(Code.FILE_ACCESS, file + " is not what tkc tune writes: " + e.getMessage())
          .help("delete it, or tune again"));
    }
  }

  private static Map<Subject, List<Entry>> entries(Map<?, ?> root) throws IOException {
    if (!Long.valueOf(FORMAT).equals(root.get("format"))) {
      throw new IOException("its format is " + root.get("format") + ", not " + FORMAT);
    }
    Map<Subject, List<Entry>> all = new LinkedHashMap<>();
    for (Object o : (List<?>) root.get("entries")) {
      Map<?, ?> e = (Map<?, ?>) o;
      List<Entry> measured = new ArrayList<>();
      for (Object m : (List<?>) e.get("measured")) {
        Map<?, ?> entry = (Map<?, ?>) m;
        measured.add(new Entry(values(entry.get("constants")), values(entry.get("settings")),
            ((Number) entry.get("micros")).doubleValue()));
      }
      all.put(new Subject((String) e.get("kernel"), (String) e.get("target"), values(e.get("facts"))), measured);
    }
    return all;
  }

  private static Map<String, Object> values(Object map) {
    Map<String, Object> values = new LinkedHashMap<>();
    ((Map<?, ?>) map).forEach((k, v) -> values.put((String) k, v));
    return values;
  }

  private static Object tree(JsonParser in) throws IOException {
    return switch (in.currentToken()) {
      case START_OBJECT -> {
        Map<String, Object> map = new LinkedHashMap<>();
        while (in.nextToken() == JsonToken.FIELD_NAME) {
          String name = in.currentName();
          in.nextToken();
          map.put(name, tree(in));
        }
        yield map;
      }
      case START_ARRAY -> {
        List<Object> list = new ArrayList<>();
        while (in.nextToken() != JsonToken.END_ARRAY) {
          list.add(tree(in));
        }
        yield list;
      }
      case VALUE_STRING -> in.getText();
      case VALUE_NUMBER_INT -> in.getLongValue();
      case VALUE_NUMBER_FLOAT -> in.getDoubleValue();
      case VALUE_TRUE, VALUE_FALSE -> in.getBooleanValue();
      case VALUE_NULL, END_ARRAY, END_OBJECT, FIELD_NAME, NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT ->
          throw new IOException("a value is wanted at " + in.currentLocation().offsetDescription());
    };
  }

  /** All that was measured for a subject, the quickest first. */
  List<Entry> measured(Subject subject) {
    return entries.getOrDefault(subject, List.of()).stream().sorted(Comparator.comparingDouble(Entry::micros)).toList();
  }

  /** The quickest schedule for a subject that decides only what is free. */
  Optional<Entry> find(Subject subject, List<String> free) {
    return measured(subject).stream().filter(e -> free.containsAll(e.constants().keySet())).findFirst();
  }

  /** The same and one more measurement, which takes the place of an older one of the same schedule. */
  TunedSchedules with(Subject subject, Entry entry) {
    Map<Subject, List<Entry>> more = new LinkedHashMap<>(entries);
    List<Entry> measured = new ArrayList<>(more.getOrDefault(subject, List.of()));
    measured.removeIf(e -> e.constants().equals(entry.constants()) && e.settings().equals(entry.settings()));
    measured.add(entry);
    more.put(subject, measured);
    return new TunedSchedules(more);
  }

  void write(Path file) {
    StringWriter text = new StringWriter();
    try (JsonGenerator out = JSON.createGenerator(text)) {
      DefaultPrettyPrinter lines = new DefaultPrettyPrinter();
      out.setPrettyPrinter(lines);
      out.writeStartObject();
      out.writeNumberField("format", FORMAT);
      out.writeArrayFieldStart("entries");
      for (Subject s : entries.keySet()) {
        out.writeStartObject();
        out.writeStringField("kernel", s.kernel());
        out.writeStringField("target", s.target());
        write(out, "facts", s.facts());
        out.writeArrayFieldStart("measured");
        for (Entry e : measured(s)) {
          out.writeStartObject();
          write(out, "constants", e.constants());
          write(out, "settings", e.settings());
          out.writeNumberField("micros", e.micros());
          out.writeEndObject();
        }
        out.writeEndArray();
        out.writeEndObject();
      }
      out.writeEndArray();
      out.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Sources.write(file, (text + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private static void write(JsonGenerator out, String name, Map<String, Object> values) throws IOException {
    out.writeObjectFieldStart(name);
    for (Map.Entry<String, Object> e : new TreeMap<>(values).entrySet()) {
      out.writeFieldName(e.getKey());
      switch (e.getValue()) {
        case Long n -> out.writeNumber(n);
        case Boolean b -> out.writeBoolean(b);
        case Double d -> out.writeNumber(d);
        default -> throw new IllegalStateException(e.getKey() + " = " + e.getValue());
      }
    }
    out.writeEndObject();
  }
}
