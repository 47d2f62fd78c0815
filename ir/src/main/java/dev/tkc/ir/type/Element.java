package dev.tkc.ir.type;

import java.util.Locale;
import java.util.Optional;

/** The element types of tiles and tensors, with the facts about each that every module needs. */
public enum Element {
  BOOL(8, Kind.BOOL),
  I8(8, Kind.SIGNED),
  I16(16, Kind.SIGNED),
  I32(32, Kind.SIGNED),
  I64(64, Kind.SIGNED),
  U8(8, Kind.UNSIGNED),
  U16(16, Kind.UNSIGNED),
  U32(32, Kind.UNSIGNED),
  U64(64, Kind.UNSIGNED),
  F16(16, Kind.FLOAT),
  BF16(16, Kind.FLOAT),
  F32(32, Kind.FLOAT),
  F64(64, Kind.FLOAT),
  /** OCP 8-bit float: 4 exponent bits, 3 mantissa bits, no infinity, one NaN pattern per sign. */
  E4M3(8, Kind.FLOAT),
  /** OCP 8-bit float: 5 exponent bits, 2 mantissa bits, infinities as IEEE. */
  E5M2(8, Kind.FLOAT),
  /** Storage only, two to a byte, the even index in the low nibble. */
  I4(4, Kind.SIGNED),
  U4(4, Kind.UNSIGNED),
  E2M1(4, Kind.FLOAT),
  /** Storage only: a power of two, the scale of OCP microscaling formats. */
  E8M0(8, Kind.FLOAT);

  public enum Kind {
    BOOL,
    SIGNED,
    UNSIGNED,
    FLOAT
  }

  private final int bits;
  private final Kind kind;

  Element(int bits, Kind kind) {
    this.bits = bits;
    this.kind = kind;
  }

  /** Bits one element takes in memory; {@code bool} takes a byte there. */
  public int bits() {
    return bits;
  }

  /** Bytes that {@code count} consecutive elements take in memory; {@code count} is even for 4-bit types. */
  public long bytes(long count) {
    return bits >= 8 ? Math.multiplyExact(count, bits / 8) : (count * bits + 7) / 8;
  }

  public Kind kind() {
    return kind;
  }

  public boolean isFloat() {
    return kind == Kind.FLOAT;
  }

  public boolean isInteger() {
    return kind == Kind.SIGNED || kind == Kind.UNSIGNED;
  }

  public boolean isSigned() {
    return kind == Kind.SIGNED;
  }

  public boolean isUnsigned() {
    return kind == Kind.UNSIGNED;
  }

  public boolean isBool() {
    return kind == Kind.BOOL;
  }

  public boolean isFp8() {
    return this == E4M3 || this == E5M2;
  }

  /** Types that only memory holds: a load yields them and the only operation on them is a conversion. */
  public boolean isStorageOnly() {
    return bits < 8 || this == E8M0;
  }

  /** The name in both languages' text: {@code f32}, {@code e4m3}. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<Element> byText(String text) {
    for (Element e : values()) {
      if (e.text().equals(text)) {
        return Optional.of(e);
      }
    }
    return Optional.empty();
  }
}
