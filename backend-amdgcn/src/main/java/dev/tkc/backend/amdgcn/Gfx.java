package dev.tkc.backend.amdgcn;

import dev.tkc.backend.llvm.LlvmTarget;
import java.util.Locale;

/** The AMD processors whose instructions {@link AmdgcnIntrinsic} tells apart. */
public enum Gfx {
  GFX90A(64),
  GFX942(64),
  GFX950(64),
  GFX1100(32),
  GFX1201(32);

  private static final String TRIPLE = "amdgcn-amd-amdhsa";

  private final int waveSize;

  Gfx(int waveSize) {
    this.waveSize = waveSize;
  }

  public int waveSize() {
    return waveSize;
  }

  public boolean isCdna() {
    return waveSize == 64;
  }

  /** gfx950's packed f32 FMA is intermittently wrong with one operand selection, so LLVM is kept from using it. */
  public LlvmTarget llvm() {
    return new LlvmTarget(TRIPLE, cpu(), this == GFX950 ? "-packed-fp32-ops" : "");
  }

  public String cpu() {
    return name().toLowerCase(Locale.ROOT);
  }
}
