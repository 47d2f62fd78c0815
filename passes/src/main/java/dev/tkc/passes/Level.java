package dev.tkc.passes;

/** The levels of the IR ({@code docs/ir.md}), in the order in which a module goes through them. */
public enum Level {
  /** Values and tensors only; kernels, and device functions once phases are outlined. */
  TILE,
  /** Shared buffers, asynchronous copies and barriers appear in device functions. */
  STAGED,
  /** Every tile and shared buffer of a device function has a layout. */
  PLACED;

  public String text() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
