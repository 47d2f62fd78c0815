/**
 * The passes: {@link dev.tkc.passes.Pipeline} is the table of all of them, {@link dev.tkc.passes.PassDriver} runs it.
 * {@code tile} holds the passes on value-semantics code, {@code stage} those that decide what is copied when,
 * {@code place} those that decide where everything lies, {@code analysis} what several of them ask, {@code target} the
 * data that describes a target. Uses {@code ir} and nothing else; no pass asks which vendor it serves.
 */
package dev.tkc.passes;
