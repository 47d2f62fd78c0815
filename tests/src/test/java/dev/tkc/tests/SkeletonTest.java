package dev.tkc.tests;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SkeletonTest {
  @Test
  void runsOnJdk25() {
    assertThat(Runtime.version().feature()).isGreaterThanOrEqualTo(25);
  }
}
