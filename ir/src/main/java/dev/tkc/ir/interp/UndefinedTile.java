package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;

/** A tile that nobody may read. */
record UndefinedTile(Inst inst) implements Datum {
  @Override
  public long bytes() {
    return 0;
  }
}
