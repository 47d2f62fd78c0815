/** Passes on value-semantics code, at any level: nothing in them depends on a target. */
package dev.tkc.passes.tile;
