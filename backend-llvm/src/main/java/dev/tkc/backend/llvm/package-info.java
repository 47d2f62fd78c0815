/**
 * LLVM from Java: a typed builder whose product is {@code .ll} text, the toolchain that turns that text into machine
 * code, and the lowering of placed IR that every GPU backend shares.
 *
 * <p>Two rules hold here. IR text exists only inside {@link dev.tkc.backend.llvm.LlvmModule} and the classes it is made
 * of; lowering code works with {@link dev.tkc.backend.llvm.LlvmValue}s. And {@link dev.tkc.backend.llvm.LlvmToolchain}
 * is the only class that touches the native library.
 */
package dev.tkc.backend.llvm;
