package dev.tkc.ir.diag;

import java.util.Locale;

/** Amounts of memory as people read them: {@code 100 bytes}, {@code 16 MiB}, {@code 1.5 GiB}. */
public final class ByteText {
  private static final String UNITS = "KMGTPE";

  private ByteText() {}

  /** {@code Long.MAX_VALUE} stands for more than can be counted. */
  public static String of(long bytes) {
    if (bytes == Long.MAX_VALUE) {
      return "more than 8 EiB";
    }
    if (bytes < 1024) {
      return Plural.of(bytes, "byte");
    }
    int unit = (63 - Long.numberOfLeadingZeros(bytes)) / 10;
    double amount = (double) bytes / (1L << 10 * unit);
    String text = String.format(Locale.ROOT, amount < 10 ? "%.1f" : "%.0f", amount);
    return (text.endsWith(".0") ? text.substring(0, text.length() - 2) : text) + " " + UNITS.charAt(unit - 1) + "iB";
  }
}
