/**
 * Runs IR of every level by its written meaning ({@code docs/ir.md}, {@code docs/numerics.md});
 * {@link dev.tkc.ir.interp.Interpreter} is the way in. Each group of ops has an evaluator that is an exhaustive switch.
 * With checking on, a {@link dev.tkc.ir.interp.Checker} watches every access. Uses the rest of {@code dev.tkc.ir} and
 * nothing else.
 */
package dev.tkc.ir.interp;
