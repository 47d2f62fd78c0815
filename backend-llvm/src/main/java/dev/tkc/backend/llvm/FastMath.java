package dev.tkc.backend.llvm;

import java.util.Locale;

/**
 * A permission given to one floating-point instruction. The language allows exactly one in general, {@link #CONTRACT};
 * the others are for code a backend writes itself and knows to be safe.
 */
public enum FastMath {
  CONTRACT,
  AFN,
  NNAN,
  NSZ,
  ARCP;

  String text() {
    return name().toLowerCase(Locale.ROOT);
  }
}
