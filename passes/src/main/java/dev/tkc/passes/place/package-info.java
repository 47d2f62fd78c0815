/**
 * Passes that decide where everything lies: registers, shared memory, vectors, barriers. What they decide is in types
 * and annotations (see "Placed" in {@code docs/ir.md}), so that the lowering decides nothing.
 */
package dev.tkc.passes.place;
