package dev.tkc.ir.type;

/** The type of an IR value. {@link #text()} is its spelling in {@code .tir}; the parser reads exactly that. */
public sealed interface Type permits TileType, TensorType, RangeType, PointerType, SharedType, BarrierType,
    TensorMapType {
  String text();
}
