package dev.tkc.ir.op;

import java.util.Locale;

/** An attribute that is printed in place of the op's own name: {@code add} for a {@code Binary} of kind ADD. */
public interface Mnemonic {
  String name();

  default String mnemonic() {
    return name().toLowerCase(Locale.ROOT);
  }
}
