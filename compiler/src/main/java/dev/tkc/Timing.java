package dev.tkc;

/**
 * How long a launch took.
 *
 * @param kernelNanos the kernel itself, on its device
 * @param totalNanos with compiling, if that was needed, and copies to and from the device
 */
public record Timing(long kernelNanos, long totalNanos) {}
