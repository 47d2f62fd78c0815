package dev.tkc.grammar.lower;

import dev.tkc.ir.diag.Span;

/** A value and the text it comes from, for labels. */
record Operand(Val val, Span span) {}
