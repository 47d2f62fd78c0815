package dev.tkc.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a number of things: whole, and not negative. */
final class Count implements ITypeConverter<Long> {
  @Override
  public Long convert(String text) {
    if (!text.matches("\\d{1,18}")) {
      throw new TypeConversionException("'" + text + "' is not a whole number from 0 to 10^18 - 1");
    }
    return Long.valueOf(text);
  }
}
