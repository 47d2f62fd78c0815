/**
 * The exact meaning of numbers: formats and conversions, integer arithmetic, elementary functions, Philox. Pure
 * functions over Java's own numbers, written down in {@code docs/numerics.md}; the interpreter, constant folding and
 * the host side of launches all call these, so that there is one answer. Uses only {@code dev.tkc.ir.type}.
 */
package dev.tkc.ir.num;
