package dev.tkc.ir.interp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tkc.ir.Module;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.type.Element;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Runs IR given as text, in tests. */
final class Runs {
  private Runs() {}

  static Module parse(String text) {
    Module module = IrParser.parse(new Source("test.tir", text));
    assertThat(Verifier.verify(module)).isEmpty();
    return module;
  }

  /**
   * A kernel over one f32 output {@code y} of {@code n} elements, whose only block runs {@code body} and stores
   * {@code %r}.
   */
  static Module storing(String element, int n, String body) {
    return parse("""
        kernel @k(%y: ptr<ELEMENT>) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %n = constant {value = N : i64} : i64
          %ty = make_tensor %y, [%n], [%c1] {access = out, name = "y"} : tensor<ELEMENT, 1>
          parallel %c0, %c1 {step = 1} (%i: i64) {
            %all = range %c0, %c1, %n {size = N} : range<N>
            BODY
            store %ty, [%all], %r
            yield []
          }
          yield []
        }
        """.replace("ELEMENT", element).replace("N", Integer.toString(n)).replace("BODY", body.replace("\n", "\n    ")));
  }

  static Interpreter checking() {
    return new Interpreter(Interpreter.Options.defaults().withCheck(true));
  }

  static Interpreter plain() {
    return new Interpreter(Interpreter.Options.defaults());
  }

  static Buffer floats(float... values) {
    return Buffer.of(Element.F32, MemorySegment.ofArray(values));
  }

  static Buffer ints(int... values) {
    return Buffer.of(Element.I32, MemorySegment.ofArray(values));
  }

  /** What {@link #storing} stores, by the checking interpreter; the plain one must store the same. */
  static Tile result(String element, int n, String body) {
    Module module = storing(element, n, body);
    Element e = Element.byText(element).orElseThrow();
    byte[] memory = new byte[(int) e.bytes(n + n % 2)];
    checking().run(module, List.of(Buffer.of(e, MemorySegment.ofArray(memory))));
    byte[] again = new byte[memory.length];
    plain().run(module, List.of(Buffer.of(e, MemorySegment.ofArray(again))));
    assertThat(again).isEqualTo(memory);
    return Tile.read(e, List.of(n), MemorySegment.ofArray(memory));
  }

  static double[] values(Tile t) {
    double[] out = new double[t.count()];
    for (int i = 0; i < out.length; i++) {
      out[i] = t.asDouble(i);
    }
    return out;
  }

  /** The diagnostic with which a checking run ends. */
  static Diagnostic failure(Module module, Datum... arguments) {
    return failure(checking(), module, arguments);
  }

  static Diagnostic failure(Interpreter interpreter, Module module, Datum... arguments) {
    DiagnosticException e =
        catchThrowableOfType(DiagnosticException.class, () -> interpreter.run(module, List.of(arguments)));
    assertThat(e).as("the run must fail").isNotNull();
    return e.diagnostics().get(0);
  }

  static void fails(Code code, String part, Module module, Datum... arguments) {
    Diagnostic d = failure(module, arguments);
    assertThat(d.code()).as(d.toString()).isEqualTo(code);
    assertThat(d.message()).contains(part);
  }
}
