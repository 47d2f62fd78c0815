package dev.tkc.backend.amdgcn;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads MessagePack, the encoding of a code object's metadata: maps, lists, strings, numbers as {@code Long} or
 * {@code Double}, booleans and null. Malformed data throws {@link IllegalArgumentException}.
 */
final class MessagePack {
  private final ByteBuffer in;

  private MessagePack(ByteBuffer in) {
    this.in = in.duplicate().order(ByteOrder.BIG_ENDIAN);
  }

  static Object read(ByteBuffer data) {
    try {
      return new MessagePack(data).value();
    } catch (java.nio.BufferUnderflowException e) {
      throw new IllegalArgumentException("MessagePack data ends early", e);
    }
  }

  private Object value() {
    int tag = in.get() & 0xFF;
    if (tag < 0x80) {
      return (long) tag;
    }
    if (tag >= 0xE0) {
      return (long) (byte) tag;
    }
    if (tag < 0x90) {
      return map(tag & 0x0F);
    }
    if (tag < 0xA0) {
      return list(tag & 0x0F);
    }
    if (tag < 0xC0) {
      return string(tag & 0x1F);
    }
    return switch (tag) {
      case 0xC0 -> null;
      case 0xC2 -> false;
      case 0xC3 -> true;
      case 0xC4, 0xD9 -> string(in.get() & 0xFF);
      case 0xC5, 0xDA -> string(in.getShort() & 0xFFFF);
      case 0xC6, 0xDB -> string(in.getInt());
      case 0xCA -> (double) in.getFloat();
      case 0xCB -> in.getDouble();
      case 0xCC -> (long) (in.get() & 0xFF);
      case 0xCD -> (long) (in.getShort() & 0xFFFF);
      case 0xCE -> in.getInt() & 0xFFFFFFFFL;
      case 0xCF, 0xD3 -> in.getLong();
      case 0xD0 -> (long) in.get();
      case 0xD1 -> (long) in.getShort();
      case 0xD2 -> (long) in.getInt();
      case 0xDC -> list(in.getShort() & 0xFFFF);
      case 0xDD -> list(in.getInt());
      case 0xDE -> map(in.getShort() & 0xFFFF);
      case 0xDF -> map(in.getInt());
      default -> throw new IllegalArgumentException("MessagePack tag 0x%02X".formatted(tag));
    };
  }

  private String string(int length) {
    if (length < 0 || length > in.remaining()) {
      throw new IllegalArgumentException("MessagePack string of " + length + " bytes");
    }
    byte[] bytes = new byte[length];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private List<Object> list(int size) {
    List<Object> result = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      result.add(value());
    }
    return result;
  }

  private Map<String, Object> map(int size) {
    Map<String, Object> result = new LinkedHashMap<>();
    for (int i = 0; i < size; i++) {
      result.put(String.valueOf(value()), value());
    }
    return result;
  }
}
