/**
 * The embedded API of tkc: load a program, look at its kernels, specialise, compile, report and launch them.
 *
 * <p>The command line and the tests go through this package and nothing else. It may use every module below it; user
 * errors come out as {@link dev.tkc.ir.diag.Diagnostic} values, or carried by a
 * {@link dev.tkc.ir.diag.DiagnosticException} where a call has no other way to answer.
 */
package dev.tkc;
