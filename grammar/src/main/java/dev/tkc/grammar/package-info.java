/**
 * The text form of the tile language: grammar, syntax tree, checker, lowering to IR, formatter, faces of diagnostics.
 *
 * <p>The ANTLR classes generated from {@code Tk.g4} live in this package; nothing outside
 * {@link dev.tkc.grammar.syntax} and {@link dev.tkc.grammar.format} uses them. Depends on {@code ir} only.
 */
package dev.tkc.grammar;
