package dev.tkc.io;

import dev.tkc.Tensor;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.type.Element;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * numpy's {@code .npy}, versions 1 to 3. A file in C order is read in place; Fortran order is transposed into fresh
 * memory; big-endian is refused.
 *
 * <p>numpy has no name of its own for bf16, fp8 and the 4-bit types. A file written by numpy with the {@code ml_dtypes}
 * package says {@code <V2} for bf16 and {@code |V1} for every 8-bit type; tkc reads and writes the same, and 4-bit
 * elements as the bytes that pack them ({@code |u1}, half the last dimension).
 */
final class Npy {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int HEADER_LIMIT = 1 << 20;
  private static final ValueLayout.OfShort U16 = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt U32 = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final String name;

  private Npy(String name) {
    this.name = name;
  }

  static Tensor read(String name, MemorySegment file, Optional<Element> wanted) {
    return new Npy(name).read(file, wanted);
  }

  private Tensor read(MemorySegment file, Optional<Element> wanted) {
    if (file.byteSize() < 10) {
      throw malformed("the file has " + file.byteSize() + " bytes, too few for a header");
    }
    for (int i = 0; i < MAGIC.length; i++) {
      if (file.get(ValueLayout.JAVA_BYTE, i) != MAGIC[i]) {
        throw malformed("it does not start with numpy's \\x93NUMPY");
      }
    }
    int version = file.get(ValueLayout.JAVA_BYTE, 6);
    if (version < 1 || version > 3) {
      throw malformed("format version " + version + " is unknown; versions 1 to 3 are read");
    }
    int start = version == 1 ? 10 : 12;
    if (file.byteSize() < start) {
      throw malformed("the file ends within its header");
    }
    long length = version == 1 ? file.get(U16, 8) & 0xffffL : file.get(U32, 8) & 0xffffffffL;
    if (length > HEADER_LIMIT || start + length > file.byteSize()) {
      throw malformed("the header claims " + length + " bytes, the file has " + (file.byteSize() - start)
          + " after it");
    }
    byte[] text = file.asSlice(start, length).toArray(ValueLayout.JAVA_BYTE);
    NpyHeader header =
        NpyHeader.parse(new String(text, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1))
            .orElseThrow(reason -> malformed("the header cannot be read: " + reason));
    return tensor(header, file.asSlice(start + length), wanted);
  }

  private Tensor tensor(NpyHeader header, MemorySegment body, Optional<Element> wanted) {
    Element element = element(header.descr(), wanted);
    long bytes;
    try {
      bytes = Tensor.bytes(element, header.shape());
    } catch (ArithmeticException e) {
      throw malformed("the shape " + Arrays.toString(header.shape()) + " is larger than any memory");
    }
    if (bytes != body.byteSize()) {
      throw malformed(
          Tensor.text(element, header.shape()) + " takes " + bytes + " bytes, the file holds " + body.byteSize());
    }
    boolean transpose = header.fortranOrder() && header.shape().length > 1;
    Tensor tensor =
        transpose
            ? Fortran.toRowMajor(element, header.shape(), body)
            : Tensor.of(element, aligned(body, element), header.shape());
    return Views.reinterpret(tensor, wanted);
  }

  /** The memory itself, or a copy where the file's header puts the elements off their alignment. */
  static MemorySegment aligned(MemorySegment body, Element element) {
    if (body.byteSize() == 0 || body.address() % Math.max(1, element.bits() / 8) == 0) {
      return body;
    }
    MemorySegment copy = Tensor.zeros(Element.U8, body.byteSize()).data();
    MemorySegment.copy(body, 0, copy, 0, body.byteSize());
    return copy;
  }

  private Element element(String descr, Optional<Element> wanted) {
    if (descr.startsWith(">") && !descr.endsWith("1")) {
      throw new DiagnosticException(
          Diagnostic.error(Code.ARRAY_ORDER, name + " holds big-endian elements (" + descr + ")")
              .help("convert it: numpy.save(f, a.astype(a.dtype.newbyteorder('<')))"));
    }
    String kind = descr.isEmpty() ? "" : descr.substring("<>=|".indexOf(descr.charAt(0)) >= 0 ? 1 : 0);
    return switch (kind) {
      case "b1", "?" -> Element.BOOL;
      case "i1" -> Element.I8;
      case "i2" -> Element.I16;
      case "i4" -> Element.I32;
      case "i8" -> Element.I64;
      case "u1" -> Element.U8;
      case "u2" -> Element.U16;
      case "u4" -> Element.U32;
      case "u8" -> Element.U64;
      case "f2" -> Element.F16;
      case "f4" -> Element.F32;
      case "f8" -> Element.F64;
      case "V2" -> Element.BF16;
      case "V1" -> raw(descr, wanted);
      default ->
          throw new DiagnosticException(
              Diagnostic.error(Code.ARRAY_ELEMENT, name + " holds elements of numpy type " + descr)
                  .note("read are: b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8, V2 for bf16 and V1 for the 8-bit floats"));
    };
  }

  private Element raw(String descr, Optional<Element> wanted) {
    return wanted
        .filter(e -> e.bits() == 8)
        .orElseThrow(
            () ->
                ArrayFile.fail(
                    Code.ARRAY_ELEMENT,
                    name + " holds single bytes of an unnamed type (" + descr + ")",
                    "numpy writes every 8-bit float so; which one it is must come from the kernel's parameter",
                    "store it in a safetensors file, where e4m3 and e5m2 have names"));
  }

  private DiagnosticException malformed(String reason) {
    return new DiagnosticException(
        Diagnostic.error(Code.ARRAY_MALFORMED, name + " is not a well-formed .npy file: " + reason));
  }

  /** The file's bytes: the header, padded so that the elements start at a multiple of 64, then the elements. */
  static byte[][] bytes(Tensor tensor) {
    long[] shape = tensor.shape();
    if (tensor.element().bits() < 8) {
      shape[shape.length - 1] /= 2;
    }
    String dims = Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", "));
    String dict =
        "{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }"
            .formatted(descr(tensor.element()), dims, shape.length == 1 ? "," : "");
    int length = (10 + dict.length() + 1 + 63) / 64 * 64 - 10;
    byte[] header = new byte[10 + length];
    Arrays.fill(header, (byte) ' ');
    System.arraycopy(MAGIC, 0, header, 0, MAGIC.length);
    header[6] = 1;
    header[7] = 0;
    header[8] = (byte) length;
    header[9] = (byte) (length >> 8);
    byte[] text = dict.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(text, 0, header, 10, text.length);
    header[header.length - 1] = '\n';
    return new byte[][] {header, tensor.data().toArray(ValueLayout.JAVA_BYTE)};
  }

  private static String descr(Element element) {
    return switch (element) {
      case BOOL -> "|b1";
      case I8 -> "|i1";
      case I16 -> "<i2";
      case I32 -> "<i4";
      case I64 -> "<i8";
      case U8, I4, U4, E2M1 -> "|u1";
      case U16 -> "<u2";
      case U32 -> "<u4";
      case U64 -> "<u8";
      case F16 -> "<f2";
      case F32 -> "<f4";
      case F64 -> "<f8";
      case BF16 -> "<V2";
      case E4M3, E5M2, E8M0 -> "|V1";
    };
  }
}
