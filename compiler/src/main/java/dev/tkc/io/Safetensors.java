package dev.tkc.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import dev.tkc.Tensor;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.type.Element;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The safetensors format: eight bytes with the length of a JSON header, the header, then the tensors' bytes.
 *
 * <p>What the format promises is checked before any tensor is handed out: names come once, every extent lies in the
 * file and has the size of its shape, and the extents cover the file without gap or overlap. Tensors are read in place
 * where they are aligned. Names are kept in the order of their bytes in the file.
 */
final class Safetensors {
  private static final ValueLayout.OfLong U64 = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final long HEADER_LIMIT = 100_000_000;
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private record Entry(String name, String dtype, long[] shape, long begin, long end) {}

  private final String name;

  private Safetensors(String name) {
    this.name = name;
  }

  static Map<String, Tensor> read(String name, MemorySegment file) {
    return new Safetensors(name).read(file);
  }

  private Map<String, Tensor> read(MemorySegment file) {
    if (file.byteSize() < 8) {
      throw malformed("the file has " + file.byteSize() + " bytes, too few for a header");
    }
    long length = file.get(U64, 0);
    if (length < 2 || length > HEADER_LIMIT || length > file.byteSize() - 8) {
      throw malformed(
          "the header claims " + Long.toUnsignedString(length) + " bytes, the file has " + (file.byteSize() - 8));
    }
    List<Entry> entries = header(file.asSlice(8, length).toArray(ValueLayout.JAVA_BYTE));
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    MemorySegment body = file.asSlice(8 + length);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    long at = 0;
    for (Entry e : entries) {
      if (e.begin() != at) {
        throw malformed("tensor " + e.name() + " starts at byte " + e.begin() + ", the one before it ends at " + at);
      }
      if (e.end() < e.begin() || e.end() > body.byteSize()) {
        throw malformed("tensor " + e.name() + " ends at byte " + e.end() + " of " + body.byteSize());
      }
      at = e.end();
      tensors.put(e.name(), tensor(e, body.asSlice(e.begin(), e.end() - e.begin())));
    }
    if (at != body.byteSize()) {
      throw malformed((body.byteSize() - at) + " bytes at the end belong to no tensor");
    }
    return tensors;
  }

  private Tensor tensor(Entry e, MemorySegment data) {
    Element element =
        byDtype(e.dtype())
            .orElseThrow(
                () ->
                    new DiagnosticException(
                        Diagnostic.error(
                            Code.ARRAY_ELEMENT, name + ": tensor " + e.name() + " has elements of type " + e.dtype())));
    long bytes;
    try {
      bytes = Tensor.bytes(element, e.shape());
    } catch (ArithmeticException | IllegalArgumentException | DiagnosticException reason) {
      throw malformed("tensor " + e.name() + " has an impossible shape");
    }
    if (bytes != data.byteSize()) {
      String text = Tensor.text(element, e.shape());
      throw malformed("tensor " + e.name() + ", " + text + ", takes " + bytes + " bytes, not " + data.byteSize());
    }
    return Tensor.of(element, Npy.aligned(data, element), e.shape());
  }

  private List<Entry> header(byte[] bytes) {
    try (JsonParser json = JSON.createParser(bytes)) {
      List<Entry> entries = new ArrayList<>();
      need(json.nextToken(), JsonToken.START_OBJECT, json);
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String key = json.currentName();
        need(json.nextToken(), JsonToken.START_OBJECT, json);
        if (key.equals("__metadata__")) {
          json.skipChildren();
        } else {
          entries.add(entry(key, json));
        }
      }
      need(json.currentToken(), JsonToken.END_OBJECT, json);
      if (json.nextToken() != null) {
        throw malformed("something follows the header's object");
      }
      return entries;
    } catch (IOException e) {
      throw malformed("the header is not JSON: " + firstLine(e.getMessage()));
    }
  }

  private Entry entry(String key, JsonParser json) throws IOException {
    String dtype = null;
    long[] shape = null;
    long[] offsets = null;
    while (json.nextToken() == JsonToken.FIELD_NAME) {
      String field = json.currentName();
      json.nextToken();
      switch (field) {
        case "dtype" -> dtype = json.getValueAsString();
        case "shape" -> shape = numbers(json);
        case "data_offsets" -> offsets = numbers(json);
        default -> throw malformed("tensor " + key + " has the unknown field " + field);
      }
    }
    if (dtype == null || shape == null || offsets == null || offsets.length != 2) {
      throw malformed("tensor " + key + " needs dtype, shape and two data_offsets");
    }
    return new Entry(key, dtype, shape, offsets[0], offsets[1]);
  }

  private long[] numbers(JsonParser json) throws IOException {
    need(json.currentToken(), JsonToken.START_ARRAY, json);
    List<Long> values = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      need(json.currentToken(), JsonToken.VALUE_NUMBER_INT, json);
      long value = json.getLongValue();
      if (value < 0) {
        throw malformed("a negative number at column " + json.currentLocation().getColumnNr() + " of the header");
      }
      values.add(value);
    }
    return values.stream().mapToLong(Long::longValue).toArray();
  }

  private void need(JsonToken found, JsonToken wanted, JsonParser json) {
    if (found != wanted) {
      throw malformed(
          "the header has " + word(found) + " where " + word(wanted) + " belongs, at column "
              + json.currentLocation().getColumnNr());
    }
  }

  private static String word(JsonToken token) {
    return switch (token) {
      case START_OBJECT -> "`{`";
      case END_OBJECT -> "`}`";
      case START_ARRAY -> "`[`";
      case END_ARRAY -> "`]`";
      case FIELD_NAME -> "the name of a field";
      case VALUE_STRING -> "a text";
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
      case VALUE_TRUE, VALUE_FALSE, VALUE_NULL -> "`" + token.asString() + "`";
      case NOT_AVAILABLE, VALUE_EMBEDDED_OBJECT -> "something else";
      case null -> "its end";
    };
  }

  private DiagnosticException malformed(String reason) {
    return new DiagnosticException(
        Diagnostic.error(Code.ARRAY_MALFORMED, name + " is not a well-formed safetensors file: " + reason));
  }

  private static String firstLine(String text) {
    int end = text.indexOf('\n');
    return end < 0 ? text : text.substring(0, end);
  }

  /** The file's bytes. The widest elements come first, so that every tensor is aligned; equal widths by name. */
  static byte[][] bytes(Map<String, Tensor> tensors) {
    List<Map.Entry<String, Tensor>> order = new ArrayList<>(tensors.entrySet());
    order.sort(
        Comparator.comparingInt((Map.Entry<String, Tensor> e) -> -e.getValue().element().bits())
            .thenComparing(Map.Entry::getKey));
    byte[] json = json(order);
    int padded = (json.length + 63) / 64 * 64 - 8;
    while (padded < json.length) {
      padded += 64;
    }
    byte[] head = new byte[8 + padded];
    java.util.Arrays.fill(head, (byte) ' ');
    MemorySegment.ofArray(head).set(U64, 0, padded);
    System.arraycopy(json, 0, head, 8, json.length);
    byte[][] parts = new byte[order.size() + 1][];
    parts[0] = head;
    for (int i = 0; i < order.size(); i++) {
      parts[i + 1] = order.get(i).getValue().data().toArray(ValueLayout.JAVA_BYTE);
    }
    return parts;
  }

  private static byte[] json(List<Map.Entry<String, Tensor>> order) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      long at = 0;
      for (Map.Entry<String, Tensor> e : order) {
        Tensor t = e.getValue();
        json.writeObjectFieldStart(e.getKey());
        json.writeStringField("dtype", dtype(t.element()));
        json.writeFieldName("shape");
        json.writeArray(t.shape(), 0, t.rank());
        json.writeFieldName("data_offsets");
        json.writeArray(new long[] {at, at + t.bytes()}, 0, 2);
        json.writeEndObject();
        at += t.bytes();
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static Optional<Element> byDtype(String dtype) {
    for (Element e : Element.values()) {
      if (dtype(e).equals(dtype)) {
        return Optional.of(e);
      }
    }
    return Optional.empty();
  }

  /** The format's own names; i4 and u4 have none and go by the language's. */
  private static String dtype(Element element) {
    return switch (element) {
      case BOOL, I8, I16, I32, I64, U8, U16, U32, U64, F16, BF16, F32, F64, I4, U4 -> element.name();
      case E4M3 -> "F8_E4M3";
      case E5M2 -> "F8_E5M2";
      case E8M0 -> "F8_E8M0";
      case E2M1 -> "F4";
    };
  }
}
