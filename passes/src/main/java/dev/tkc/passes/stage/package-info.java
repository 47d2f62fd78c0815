/**
 * Passes that decide what a block copies when: which loads overlap with what, in how many stages, and through which
 * shared buffers. Each leaves its decision in annotations for the next, so each can be seen and tested alone.
 */
package dev.tkc.passes.stage;
