/**
 * An emulator of PTX, so that what tkc compiles for NVIDIA is executed also where there is no GPU. It is written from
 * the PTX ISA manual and shares nothing with the compiler: fragments, shuffles and conversions are spelled out a second
 * time.
 *
 * <p>{@link dev.tkc.tests.emulator.PtxParser} reads a module into decoded instructions,
 * {@link dev.tkc.tests.emulator.PtxMachine} launches its kernels block by block. While running it checks what hardware
 * leaves undefined: alignment, bounds, conflicting accesses to shared memory between barriers, asynchronous copies used
 * before they have landed.
 */
package dev.tkc.tests.emulator;
