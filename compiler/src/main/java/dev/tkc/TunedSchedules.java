package dev.tkc;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import dev.tkc.grammar.lower.Schedules;
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
      if (in.nextToken() == null) {
        throw new IOException("it is empty");
      }
      return new TunedSchedules(entries(object(tree(in), "the file")));
    } catch (JsonProcessingException e) {
      throw damaged(file, "line " + e.getLocation().getLineNr() + ", column " + e.getLocation().getColumnNr()
          + " is no JSON");
    } catch (IOException e) {
      throw damaged(file, e.getMessage());
    }
  }

  private static DiagnosticException damaged(Path file, String why) {
    return new DiagnosticException(Diagnostic.error(Code.FILE_ACCESS, file + " is not what tkc tune writes: " + why)
        .help("delete it, or tune again"));
  }

  private static Map<?, ?> object(Object value, String what) throws IOException {
    if (value instanceof Map<?, ?> map) {
      return map;
    }
    throw new IOException(what + missingOrNot(value, "an object"));
  }

  private static List<?> array(Map<?, ?> parent, String name) throws IOException {
    if (parent.get(name) instanceof List<?> list) {
      return list;
    }
    throw new IOException("`" + name + "`" + missingOrNot(parent.get(name), "an array"));
  }

  private static String text(Map<?, ?> parent, String name) throws IOException {
    if (parent.get(name) instanceof String text) {
      return text;
    }
    throw new IOException("`" + name + "`" + missingOrNot(parent.get(name), "a text"));
  }

  private static String missingOrNot(Object value, String wanted) {
    return " is " + (value == null ? "missing" : "not " + wanted);
  }

  private static Map<Subject, List<Entry>> entries(Map<?, ?> root) throws IOException {
    if (!Long.valueOf(FORMAT).equals(root.get("format"))) {
      throw new IOException("its format is " + root.get("format") + ", not " + FORMAT);
    }
    Map<Subject, List<Entry>> all = new LinkedHashMap<>();
    for (Object o : array(root, "entries")) {
      Map<?, ?> e = object(o, "an entry");
      List<Entry> measured = new ArrayList<>();
      for (Object m : array(e, "measured")) {
        measured.add(entry(object(m, "a measurement")));
      }
      all.put(new Subject(text(e, "kernel"), text(e, "target"), values(e, "facts")), measured);
    }
    return all;
  }

  /** A measurement; a schedule that no file could have written is none. */
  private static Entry entry(Map<?, ?> m) throws IOException {
    if (!(m.get("micros") instanceof Number micros)) {
      throw new IOException("`micros`" + missingOrNot(m.get("micros"), "a number"));
    }
    Entry entry = new Entry(values(m, "constants"), values(m, "settings"), micros.doubleValue());
    for (Map.Entry<String, Object> c : entry.constants().entrySet()) {
      if (!(c.getValue() instanceof Long n && n >= 1)) {
        throw new IOException("the constant `" + c.getKey() + "` is " + c.getValue() + ", which is no size");
      }
    }
    for (Map.Entry<String, Object> s : entry.settings().entrySet()) {
      Optional<String> mistake = Schedules.mistake(s.getKey(), s.getValue());
      if (mistake.isPresent()) {
        throw new IOException("`" + s.getKey() + "` " + mistake.get());
      }
    }
    return entry;
  }

  private static Map<String, Object> values(Map<?, ?> parent, String name) throws IOException {
    Map<String, Object> values = new LinkedHashMap<>();
    object(parent.get(name), "`" + name + "`").forEach((k, v) -> values.put((String) k, v));
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
    Sources.replace(file, (text + "\n").getBytes(StandardCharsets.UTF_8));
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
