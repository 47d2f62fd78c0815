package dev.tkc.ir.op;

/**
 * What an instruction does: a record whose components are its operands ({@code Value}, {@code Optional<Value>},
 * {@code List<Value>}), regions ({@code Region}, {@code List<Region>}) and attributes (anything else).
 *
 * <p>Printing, parsing, cloning, operand walks and the op reference are derived from the components by
 * {@link OpShape}. Meaning is in the exhaustive switches of {@code TypeRules}, {@code Verifier}, {@code Effects}, the
 * interpreter's evaluators and the backends' lowering: a new record is a compile error in each until it is handled.
 * All ops are in this package because a sealed hierarchy outside a named module must be.
 */
public sealed interface Op
    permits ControlOp, MemoryOp, ElementwiseOp, ShapeOp, ReductionOp, MatrixOp, SharedOp, AsyncOp {}
