/**
 * The syntax tree of a {@code .tk} file and its reader.
 *
 * <p>The tree is what was written, not what it means: names are unresolved, parentheses are kept
 * ({@link dev.tkc.grammar.syntax.Expr.Paren}), and position rules are unchecked. Every node knows its span.
 * {@link dev.tkc.grammar.syntax.SyntaxReader} is the only way from text to tree.
 */
package dev.tkc.grammar.syntax;
