/**
 * What can be told from tile-level IR of a program that is right by the rules and still likely wrong.
 * {@link dev.tkc.ir.lint.PaddingLint} is the way in. Uses ops, types and diagnostics of {@code dev.tkc.ir} and nothing
 * else.
 */
package dev.tkc.ir.lint;
