package dev.tkc.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.tkc.Tensor;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.type.Element;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ArrayFileTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(Element.class)
  void everyElementTypeSurvivesBothFormats(Element element) {
    Tensor tensor = noise(element, 3, 1, 4);
    for (String file : new String[] {"a.npy", "a.safetensors:x"}) {
      ArrayFile place = place(file);
      place.write(tensor);
      same(place.read(Optional.of(element)), tensor);
    }
  }

  @Test
  void emptyAndScalarTensorsSurvive() {
    for (Tensor tensor : new Tensor[] {Tensor.zeros(Element.F32, 0, 7), noise(Element.BF16)}) {
      for (String file : new String[] {"e.npy", "e.safetensors"}) {
        place(file).write(tensor);
        same(place(file).read(Optional.empty()), tensor);
      }
    }
  }

  @Test
  void severalTensorsShareOneFile() {
    Tensor a = noise(Element.U8, 5);
    Tensor b = noise(Element.F64, 2, 2);
    place("s.safetensors:a").write(a);
    place("s.safetensors:b").write(b);
    same(place("s.safetensors:a").read(Optional.empty()), a);
    same(place("s.safetensors:b").read(Optional.empty()), b);
    assertThat(code(() -> place("s.safetensors:c").read(Optional.empty()))).isEqualTo(Code.ARRAY_ENTRY);
    assertThat(code(() -> place("s.safetensors").read(Optional.empty()))).isEqualTo(Code.ARRAY_ENTRY);
  }

  /** What numpy 2.4 writes for {@code numpy.asfortranarray([[1, 2, 3], [4, 5, 6]], dtype='i2')}. */
  @Test
  void fortranOrderIsTransposed() throws IOException {
    byte[] body = HexFormat.of().parseHex("010004000200050003000600");
    Tensor t = read(npy("{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }", body));
    assertThat(t.data().toArray(ValueLayout.JAVA_SHORT)).containsExactly(1, 2, 3, 4, 5, 6);
  }

  @Test
  void untypedBytesBecomeWhatTheParameterWants() {
    Tensor bytes = noise(Element.U8, 2, 3);
    place("b.npy").write(bytes);
    assertThat(place("b.npy").read(Optional.of(Element.E5M2))).hasToString("e5m2[2, 3]");
    assertThat(place("b.npy").read(Optional.of(Element.I4))).hasToString("i4[2, 6]");
    assertThat(place("b.npy").read(Optional.of(Element.F32))).hasToString("u8[2, 3]");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), } | ARRAY_ORDER",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), } | ARRAY_ELEMENT",
        "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), } | ARRAY_ELEMENT",
        "{'descr': 'V1', 'fortran_order': False, 'shape': (4,), } | ARRAY_ELEMENT",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } | ARRAY_MALFORMED",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), } | ARRAY_MALFORMED",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (3037000500, 3037000500, 9), } | ARRAY_MALFORMED",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), } | ARRAY_MALFORMED",
        "{'descr': '<f4', 'fortran_order': maybe, 'shape': (1,), } | ARRAY_MALFORMED",
        "{'descr': '<f4', 'shape': (1,), } | ARRAY_MALFORMED",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), } | ARRAY_MALFORMED",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1 | ARRAY_MALFORMED",
        "`` | ARRAY_MALFORMED"
      })
  void npyHeadersThatLieAreRefused(String header, Code code) {
    assertThat(code(() -> read(npy(header, new byte[4])))).isEqualTo(code);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'x': {}} | ARRAY_MALFORMED",
        "[] | ARRAY_MALFORMED",
        "{} | ARRAY_MALFORMED",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}} | ARRAY_MALFORMED",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}} | ARRAY_MALFORMED",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}} | ARRAY_MALFORMED",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,4]}} | ARRAY_MALFORMED",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[1]}} | ARRAY_MALFORMED",
        "{\"x\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,9],\"data_offsets\":[0,4]}} | ARRAY_MALFORMED",
        "{\"x\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,4]}} | ARRAY_ELEMENT",
        "{\"x\":3} | ARRAY_MALFORMED",
        "{\"__metadata__\":{\"a\":\"b\"}} | ARRAY_MALFORMED"
      })
  void safetensorsHeadersThatLieAreRefused(String header, Code code) {
    assertThat(code(() -> read(safetensors(header, new byte[4])))).isEqualTo(code);
  }

  /** Cut anywhere or with any one byte changed, a file yields a tensor or a diagnostic and nothing else. */
  @ParameterizedTest
  @CsvSource({"a.npy", "a.safetensors"})
  void damagedFilesNeverThrowAnythingElse(String file) throws IOException {
    place(file).write(noise(Element.BF16, 3, 5));
    byte[] whole = Files.readAllBytes(place(file).path());
    Random random = new Random(7);
    for (int i = 0; i < whole.length; i++) {
      byte[] cut = Arrays.copyOf(whole, i);
      assertThatThrownBy(() -> read(write(file, cut))).isInstanceOf(DiagnosticException.class);
      byte[] changed = whole.clone();
      changed[i] = (byte) random.nextInt();
      try {
        read(write(file, changed));
      } catch (DiagnosticException expected) {
        assertThat(expected.diagnostics()).hasSize(1);
      }
    }
  }

  @Test
  void filesThatAreNoFiles() {
    assertThat(code(() -> place("missing.npy").read(Optional.empty()))).isEqualTo(Code.FILE_MISSING);
    assertThat(code(() -> place("a.png").read(Optional.empty()))).isEqualTo(Code.ARRAY_KIND);
    assertThat(code(() -> place("no/folder/a.npy").write(noise(Element.U8, 1)))).isEqualTo(Code.FILE_MISSING);
    assertThat(folder.resolve("d.npy").toFile().mkdir()).isTrue();
    assertThat(code(() -> place("d.npy").read(Optional.empty()))).isEqualTo(Code.FILE_ACCESS);
  }

  private ArrayFile place(String file) {
    return ArrayFile.parse(folder.resolve(file).toString());
  }

  private static Tensor read(Path path) {
    return ArrayFile.parse(path.toString()).read(Optional.empty());
  }

  private Path write(String file, byte[] bytes) throws IOException {
    return Files.write(folder.resolve(file), bytes);
  }

  private Path npy(String header, byte[] body) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.ISO_8859_1);
    byte[] all = new byte[10 + text.length + body.length];
    System.arraycopy(HexFormat.of().parseHex("934e554d50590100"), 0, all, 0, 8);
    all[8] = (byte) text.length;
    System.arraycopy(text, 0, all, 10, text.length);
    System.arraycopy(body, 0, all, 10 + text.length, body.length);
    return write("h.npy", all);
  }

  private Path safetensors(String header, byte[] body) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    byte[] all = new byte[8 + text.length + body.length];
    all[0] = (byte) text.length;
    System.arraycopy(text, 0, all, 8, text.length);
    return write("h.safetensors", all);
  }

  private static Tensor noise(Element element, long... shape) {
    Tensor tensor = Tensor.zeros(element, shape);
    byte[] bytes = new byte[(int) tensor.bytes()];
    new Random(element.ordinal()).nextBytes(bytes);
    tensor.data().copyFrom(java.lang.foreign.MemorySegment.ofArray(bytes));
    return tensor;
  }

  private static void same(Tensor read, Tensor written) {
    assertThat(read).hasToString(written.toString());
    assertThat(read.data().mismatch(written.data())).isEqualTo(-1);
  }

  private static Code code(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    return catchThrowableOfType(DiagnosticException.class, call).diagnostics().get(0).code();
  }
}
