/** Estimates of how long a kernel takes, from its IR, sizes and a target's rates. */
package dev.tkc.passes.cost;
