package dev.tkc.tests.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Tag;

/**
 * Jazzer on the reader and the formatter. An ordinary build goes through the inputs beside this class, in a process of
 * its own (Jazzer instruments every class it sees); with {@code JAZZER_FUZZ=1} in the environment Jazzer searches on
 * from them:
 *
 * <pre>{@code JAZZER_FUZZ=1 mvn -pl tests -am test -Dtest=SyntaxFuzzTest -Dsurefire.failIfNoSpecifiedTests=false}</pre>
 */
@Tag("fuzz")
class SyntaxFuzzTest {
  @FuzzTest(maxDuration = "5m")
  void readAndFormat(byte[] data) {
    SyntaxProperties.check(new String(data, StandardCharsets.UTF_8));
  }
}
