package dev.tkc.passes.stage;

/** How a tile that is stored in bulk leaves: in slices of so many bytes of each row, through so many buffers in turn. */
final class StoreSlices {
  static final int BUFFERS = 2;
  static final int ROW_BYTES = 128;

  private StoreSlices() {}
}
