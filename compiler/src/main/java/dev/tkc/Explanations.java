package dev.tkc;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The long explanations of diagnostic codes, kept as Markdown beside {@link Code}. */
public final class Explanations {
  private Explanations() {}

  /** One line for each code. */
  public static String list() {
    StringBuilder text = new StringBuilder();
    for (Code code : Code.values()) {
      text.append(code.id()).append("  ").append(code.title()).append('\n');
    }
    return text.toString();
  }

  /** The title and explanation of a code, as Markdown. */
  public static String of(String id) {
    Code code =
        Code.byId(id)
            .orElseThrow(
                () ->
                    new DiagnosticException(meant(id)
                        .map(c -> unknown(id).help("did you mean " + c.id() + "?"))
                        .orElseGet(() -> unknown(id))
                        .help("tkc explain, without a code, lists them all")));
    return code.id() + ": " + code.title() + "\n\n" + body(code);
  }

  private static Diagnostic unknown(String id) {
    return Diagnostic.error(Code.UNKNOWN_CODE, "there is no diagnostic " + id);
  }

  /** The code with the digits of a text, leading zeros aside. */
  private static Optional<Code> meant(String id) {
    String digits = id.replaceAll("\\D", "");
    return digits.isEmpty() || digits.length() > 4 ? Optional.empty()
        : Code.byId("TK" + "0".repeat(4 - digits.length()) + digits);
  }

  private static String body(Code code) {
    try (InputStream in = Code.class.getResourceAsStream("codes/" + code.id() + ".md")) {
      if (in == null) {
        throw new IllegalStateException(code + " has no explanation");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
