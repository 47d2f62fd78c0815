/**
 * Linear layouts over GF(2): how a tile lies over registers, lanes and warps, and in shared memory. Pure algebra:
 * nothing here knows an operation of the IR or asks which vendor a target belongs to. Uses nothing but the JDK.
 */
package dev.tkc.ir.layout;
