package dev.tkc.ir.interp;

/** What an IR value is at run time: one class for each kind of type, and a tile's stand-ins while it is not there. */
public sealed interface Datum
    permits Tile, TensorView, LaneRange, Buffer, SharedSlots, TensorMap, BarrierRing, SlotView, Product, UndefinedTile {
  /** The bytes that holding on to it costs, for the memory budget. */
  long bytes();
}
