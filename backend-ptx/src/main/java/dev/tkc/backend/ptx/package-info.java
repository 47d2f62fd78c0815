/**
 * NVIDIA GPUs: the instructions of PTX as tables, PTX to cubin with the assembler's report, and running on a device
 * through the CUDA driver. Lowering that is not NVIDIA's own lives in {@code dev.tkc.backend.llvm}.
 */
package dev.tkc.backend.ptx;
