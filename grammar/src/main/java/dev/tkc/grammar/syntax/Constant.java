package dev.tkc.grammar.syntax;

import dev.tkc.ir.diag.Span;
import java.util.Optional;

/** One of a kernel's constants, {@code name: type = value}; without a value it is bound by the tensors. */
public record Constant(Name name, Optional<Name> type, Optional<Expr> value, Span span) implements Node {}
