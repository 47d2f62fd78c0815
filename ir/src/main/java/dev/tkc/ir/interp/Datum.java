package dev.tkc.ir.interp;

/** What an IR value is at run time: one class for each kind of type. */
public sealed interface Datum permits Tile, TensorView, LaneRange, Buffer, SharedSlots, TensorMap {
  /** The bytes that holding on to it costs, for the memory budget. */
  long bytes();
}
