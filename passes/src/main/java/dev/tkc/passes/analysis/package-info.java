/** Questions several passes ask of a function: who uses a value, what divides it, what it is at most. */
package dev.tkc.passes.analysis;
