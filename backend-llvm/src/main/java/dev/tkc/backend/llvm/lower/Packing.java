package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.type.Element;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Elements as they lie in memory: a power of two of them, of at most 16 bytes together, as the one value that a load or
 * store moves. Elements of 4 and 8 bytes keep their type; narrower ones travel in words.
 */
final class Packing {
  private Packing() {}

  /** How many elements one access moves at most. */
  static int mostElements(Element e) {
    return 128 / e.bits();
  }

  /** The type in which {@code count} elements travel. */
  static LlvmType type(Element e, int count) {
    int bits = Math.max(8, count * e.bits());
    LlvmType unit = e.bits() >= 32 ? RegisterTypes.of(e) : LlvmType.integer(Math.min(32, bits));
    int units = bits / unit.bits();
    return units == 1 ? unit : LlvmType.vector(units, unit);
  }

  static int align(Element e, int count) {
    return Math.max(1, count * e.bits() / 8);
  }

  /**
   * The elements in a travelling value; {@code nibble} (i32, 0 or 1) picks one where a byte holds two and one is
   * wanted.
   */
  static List<LlvmValue> unpack(LlvmBuilder b, LlvmValue raw, Element e, int count, LlvmValue nibble) {
    if (e.bits() >= 32) {
      return count == 1 ? List.of(raw) : b.unpack(raw);
    }
    if (e.bits() == 4) {
      return nibbles(b, raw, count, nibble);
    }
    LlvmType unit = RegisterTypes.inMemory(e);
    List<LlvmValue> elements = count == 2 && e.bits() == 8 && !e.isFloat() ? halves(b, raw)
        : count == 1 ? List.of(b.bitcast(raw, unit)) : b.unpack(b.bitcast(raw, LlvmType.vector(count, unit)));
    return e.isBool() ? elements.stream().map(x -> toBool(b, x)).toList() : elements;
  }

  /**
   * Both bytes of a word: what is compared with a number is tested in the word then, without being taken out of it
   * first.
   */
  private static List<LlvmValue> halves(LlvmBuilder b, LlvmValue raw) {
    LlvmValue high = b.lshr(raw, LlvmValue.constant(raw.type(), 8));
    return List.of(b.trunc(raw, LlvmType.I8), b.trunc(high, LlvmType.I8));
  }

  private static List<LlvmValue> nibbles(LlvmBuilder b, LlvmValue raw, int count, LlvmValue nibble) {
    int bytes = Math.max(1, count / 2);
    LlvmValue parts = b.bitcast(raw, bytes == 1 ? LlvmType.I8 : LlvmType.vector(bytes, LlvmType.I8));
    List<LlvmValue> all = bytes == 1 ? List.of(parts) : b.unpack(parts);
    LlvmValue low = LlvmValue.constant(LlvmType.I8, 15);
    LlvmValue four = LlvmValue.constant(LlvmType.I8, 4);
    if (count == 1) {
      LlvmValue odd = b.icmp(LlvmBuilder.Compare.NE, nibble, LlvmValue.i32(0));
      return List.of(b.and(b.select(odd, b.lshr(all.get(0), four), all.get(0)), low));
    }
    List<LlvmValue> elements = new ArrayList<>();
    for (LlvmValue x : all) {
      elements.add(b.and(x, low));
      elements.add(b.lshr(x, four));
    }
    return elements;
  }

  private static LlvmValue toBool(LlvmBuilder b, LlvmValue x) {
    return b.icmp(LlvmBuilder.Compare.NE, x, LlvmValue.constant(LlvmType.I8, 0));
  }

  /** The travelling value of elements; the inverse of {@link #unpack}. */
  static LlvmValue pack(LlvmBuilder b, List<LlvmValue> elements, Element e) {
    int count = elements.size();
    LlvmType type = type(e, count);
    if (e.bits() == 4) {
      return packNibbles(b, elements, type);
    }
    List<LlvmValue> parts = e.isBool() ? elements.stream().map(x -> b.zext(x, LlvmType.I8)).toList() : elements;
    return count == 1 ? b.bitcast(parts.get(0), type) : b.bitcast(b.vector(parts), type);
  }

  private static LlvmValue packNibbles(LlvmBuilder b, List<LlvmValue> elements, LlvmType type) {
    List<LlvmValue> bytes = new ArrayList<>();
    for (int i = 0; i < elements.size(); i += 2) {
      LlvmValue low = b.and(elements.get(i), LlvmValue.constant(LlvmType.I8, 15));
      LlvmValue high = b.shl(elements.get(i + 1), LlvmValue.constant(LlvmType.I8, 4));
      bytes.add(b.or(low, high));
    }
    return b.bitcast(bytes.size() == 1 ? bytes.get(0) : b.vector(bytes), type);
  }

  /** A value of at most 64 bits as i32 pieces, for shuffles; narrower ones are widened. */
  static List<LlvmValue> words(LlvmBuilder b, LlvmValue x) {
    int bits = x.type().bits();
    if (bits < 32) {
      LlvmValue integer = x.type().isReal() ? b.bitcast(x, LlvmType.integer(bits)) : x;
      return List.of(b.zext(integer, LlvmType.I32));
    }
    if (bits == 32) {
      return List.of(b.bitcast(x, LlvmType.I32));
    }
    LlvmValue integer = b.bitcast(x, LlvmType.I64);
    return List.of(b.trunc(integer, LlvmType.I32), b.trunc(b.lshr(integer, LlvmValue.i64(32)), LlvmType.I32));
  }

  /** The value of type {@code type} that {@link #words} took apart. */
  static LlvmValue fromWords(LlvmBuilder b, List<LlvmValue> words, LlvmType type) {
    int bits = type.bits();
    if (bits < 32) {
      LlvmValue narrow = b.trunc(words.get(0), LlvmType.integer(bits));
      return b.bitcast(narrow, type);
    }
    if (bits == 32) {
      return b.bitcast(words.get(0), type);
    }
    LlvmValue low = b.zext(words.get(0), LlvmType.I64);
    LlvmValue high = b.shl(b.zext(words.get(1), LlvmType.I64), LlvmValue.i64(32));
    return b.bitcast(b.orDisjoint(low, high), type);
  }

  /** Groups of {@code size} as sublists. */
  static <T> List<List<T>> chunks(List<T> all, int size) {
    List<List<T>> chunks = new ArrayList<>();
    for (int i = 0; i < all.size(); i += size) {
      chunks.add(all.subList(i, i + size));
    }
    return Collections.unmodifiableList(chunks);
  }
}
