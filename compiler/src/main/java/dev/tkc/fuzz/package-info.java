/**
 * Random well-typed programs, the comparison of devices on them, and the shrinking of one on which they differ.
 *
 * <p>May use the embedded API only, as a user's program would.
 */
package dev.tkc.fuzz;
