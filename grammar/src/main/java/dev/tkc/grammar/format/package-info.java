/** The formatter of {@code .tk} files: one layout for every program, comments and single blank lines kept. */
package dev.tkc.grammar.format;
