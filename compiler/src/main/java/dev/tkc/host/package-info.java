/**
 * Host code: the {@code test}s of a file, run. Expressions are lowered by the front end to the same IR that kernels
 * become and executed instruction by instruction; kernels that a test calls run on the session's device.
 */
package dev.tkc.host;
