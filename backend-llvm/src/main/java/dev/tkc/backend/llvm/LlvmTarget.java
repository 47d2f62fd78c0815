package dev.tkc.backend.llvm;

/** What LLVM needs to know to generate code: the triple, the processor and extra features ({@code +ptx80}). */
public record LlvmTarget(String triple, String cpu, String features) {}
