/**
 * Placed IR to LLVM IR, for every GPU: one class for each group of ops, which turns an op into a few instructions.
 * Nothing is decided here: layouts, vector widths, guards, scratch and matrix instructions are in the IR. What differs
 * between targets is behind {@link dev.tkc.backend.llvm.lower.TargetLowering}.
 */
package dev.tkc.backend.llvm.lower;
