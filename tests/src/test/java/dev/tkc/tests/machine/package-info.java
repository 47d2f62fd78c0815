/** What the assembler makes of the library's kernels: a gate on machine code, for which no GPU is needed. */
package dev.tkc.tests.machine;
