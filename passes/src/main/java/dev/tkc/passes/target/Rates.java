package dev.tkc.passes.target;

/**
 * How fast a target's multiprocessor is, for estimates that rank schedules; nothing but speed depends on them. All are
 * for one multiprocessor and clock cycle.
 *
 * @param products multiply-adds of 16-bit operands by matrix instructions; twice as many of 8-bit ones
 * @param lanes arithmetic operations on 32-bit values
 * @param special values of functions such as {@code exp2}
 * @param sharedBytes bytes from shared memory
 * @param cacheBytes bytes from the cache that all multiprocessors share, while all of them load
 * @param memoryBytes bytes from memory, while all of them load
 * @param latency cycles from the start of a copy to its arrival
 * @param launch cycles from one launch to the next that no block computes in
 * @param gigahertz thousands of cycles in a microsecond
 */
public record Rates(
    double products, double lanes, double special, double sharedBytes, double cacheBytes, double memoryBytes,
    double latency, double launch, double gigahertz) {}
