/**
 * What a program means: names, types, shapes and promotion, once, in one walk that emits IR as it goes.
 *
 * <p>{@link dev.tkc.grammar.lower.Checker} walks every item with sample sizes and keeps only the findings;
 * {@link dev.tkc.grammar.lower.Lowering} walks one kernel with the values of a
 * {@link dev.tkc.grammar.lower.Specialisation} and keeps the IR; {@link dev.tkc.grammar.lower.ExpressionLowering} walks
 * one expression of host code. All three share every rule.
 */
package dev.tkc.grammar.lower;
