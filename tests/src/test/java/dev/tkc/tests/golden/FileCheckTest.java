package dev.tkc.tests.golden;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What FileCheck accepts and refuses. In the rows, a tilde stands for a line break. */
class FileCheckTest {
  private static final String INPUT = "func @a\n  %0 = load x\n  %1 = add %0, %0\nfunc @b\n  %7 = add %3, %3\n  end";

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "// CHECK: load",
        "// CHECK: func @a~// CHECK-NEXT: load x~// CHECK-NEXT: add",
        "// CHECK: %1 =~// CHECK-SAME: add",
        "// CHECK: [[V:%[0-9]+]] = load~// CHECK: add [[V]], [[V]]",
        "// CHECK: add [[V:%[0-9]]], [[V]]",
        "// CHECK-LABEL: func @b~// CHECK-NOT: load~// CHECK: end",
        "// CHECK-LABEL: func @a~// CHECK-NOT: end~// CHECK-LABEL: func @b~// CHECK: end",
        "// CHECK-COUNT-2: add",
        "// CHECK: {{lo.d}} x",
        "// CHECK: %0  =  load",
        "func @a // CHECK: load"
      })
  void satisfied(String checks) {
    assertThat(check(checks)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "// CHECK: store; not found",
        "// CHECK: func @a~// CHECK-NEXT: add; not on the next line",
        "// CHECK: func @a~// CHECK-SAME: load; not on the same line",
        "// CHECK: func @b~// CHECK: load; not found",
        "// CHECK-NOT: load~// CHECK: end; must not occur",
        "// CHECK: load~// CHECK-NOT: end; must not occur",
        "// CHECK-LABEL: func @a~// CHECK: end~// CHECK-LABEL: func @b; not found",
        "// CHECK-COUNT-3: add; not found",
        "// CHECK: [[V]]; the variable V has no value",
        "// CHECK: [[V:%[0-9]+]] = load~// CHECK: end [[V]]; V is '%0'",
        "// CHECK-NEXT: load; cannot continue",
        "// CHECK-NXT: load; no directive CHECK-NXT",
        "// CHECK-COUNT: load; no directive",
        "// CHECK load; lacks its colon",
        "// CHECK-NEXT load; lacks its colon",
        "// CHEKC: load; misspelt",
        "// CHCK-NEXT: load; misspelt",
        "// CHECK: {{[}}; not a regular expression",
        "// CHECK:; an empty pattern",
        "// nothing; no CHECK line"
      })
  void refused(String checks, String reason) {
    assertThat(check(checks)).get().asString().contains(reason);
  }

  private static Optional<String> check(String checks) {
    return FileCheck.check(checks.replace('~', '\n'), "CHECK", INPUT);
  }
}
