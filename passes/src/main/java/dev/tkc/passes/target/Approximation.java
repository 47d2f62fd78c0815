package dev.tkc.passes.target;

import dev.tkc.ir.op.ElementwiseOp.UnaryKind;

/**
 * A function that the target computes natively in f32, and how far from the exact result it may be.
 *
 * @param bound what the manual promises, for the documentation ({@code "2 ulp"})
 * @param error the same as a relative error, for tests; valid where {@code bound} says
 */
public record Approximation(UnaryKind function, String bound, double error) {}
