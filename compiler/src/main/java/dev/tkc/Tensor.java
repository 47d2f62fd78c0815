package dev.tkc;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.type.Element;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * An array of any rank, row-major and contiguous, over memory that somebody owns: a heap array, native memory, a mapped
 * file. Nothing is copied to make one; the segment must live as long as the tensor is used.
 *
 * <p>A tensor of {@link Tkc#empty} or {@link Tkc#upload} lies in the memory of the session's device. Launches there use
 * it without copies; its elements are read after {@link #toHost}. It is released by {@link #close}, or with its
 * session.
 *
 * <p>Invariants: no dimension is negative; the memory holds exactly the elements (4-bit elements are packed two to a
 * byte along the last dimension, which is then even); values are in the machine's own little-endian order.
 */
public final class Tensor implements AutoCloseable {
  private final Element element;
  private final long[] shape;
  private final MemorySegment data;
  private final DeviceMemory device;
  private Buffer buffer;

  private Tensor(Element element, long[] shape, MemorySegment data) {
    this.element = element;
    this.shape = shape;
    this.data = data;
    this.device = null;
  }

  /** A tensor in the memory of a device. */
  Tensor(Element element, long[] shape, DeviceMemory device) {
    this.element = element;
    this.shape = shape.clone();
    this.data = null;
    this.device = device;
  }

  /** A tensor over existing memory, which must be of exactly the size that the shape needs. */
  public static Tensor of(Element element, MemorySegment data, long... shape) {
    Objects.requireNonNull(element);
    long bytes = bytes(element, shape);
    if (data.byteSize() != bytes) {
      throw new IllegalArgumentException(
          text(element, shape) + " takes " + bytes + " bytes, the memory has " + data.byteSize());
    }
    return new Tensor(element, shape.clone(), data);
  }

  /** An f32 tensor over the array itself. */
  public static Tensor of(float[] values, long... shape) {
    return of(Element.F32, MemorySegment.ofArray(values), shape);
  }

  /** An f64 tensor over the array itself. */
  public static Tensor of(double[] values, long... shape) {
    return of(Element.F64, MemorySegment.ofArray(values), shape);
  }

  /** An i32 tensor over the array itself. */
  public static Tensor of(int[] values, long... shape) {
    return of(Element.I32, MemorySegment.ofArray(values), shape);
  }

  /** Fresh memory of all zero bits, aligned for every device, released when nothing refers to it any more. */
  public static Tensor zeros(Element element, long... shape) {
    long bytes = bytes(element, shape);
    return new Tensor(element, shape.clone(), Arena.ofAuto().allocate(Math.max(bytes, 1), 256).asSlice(0, bytes));
  }

  /** Fresh memory whose elements count as never written, which the interpreter's checks notice when one is read. */
  public static Tensor empty(Element element, long... shape) {
    Tensor tensor = zeros(element, shape);
    tensor.buffer().poisonAll();
    return tensor;
  }

  /**
   * The bytes a tensor takes; throws {@link ArithmeticException} when they exceed 2⁶³, and a diagnostic for 4-bit
   * elements whose last dimension is odd.
   */
  public static long bytes(Element element, long... shape) {
    long count = count(shape);
    if (element.bits() < 8 && shape.length > 0 && shape[shape.length - 1] % 2 != 0) {
      throw new DiagnosticException(
          Diagnostic.error(Code.PACKED_SIZE, text(element, shape) + " has an odd last dimension")
              .note("elements of 4 bits are packed two to a byte along the last dimension")
              .help("make it even, and let the kernel's sizes leave the last element out"));
    }
    return element.bytes(count);
  }

  /** The number of elements of a shape; 1 for rank 0. */
  public static long count(long... shape) {
    boolean empty = false;
    for (long d : shape) {
      if (d < 0) {
        throw new IllegalArgumentException("a dimension is negative: " + Arrays.toString(shape));
      }
      empty |= d == 0;
    }
    return empty ? 0 : Arrays.stream(shape).reduce(1, Math::multiplyExact);
  }

  public Element element() {
    return element;
  }

  public long[] shape() {
    return shape.clone();
  }

  public int rank() {
    return shape.length;
  }

  public long dim(int axis) {
    return shape[axis];
  }

  /** The number of elements. */
  public long count() {
    return count(shape);
  }

  public long bytes() {
    return device == null ? data.byteSize() : device.bytes();
  }

  /**
   * The memory itself: writes through it are seen by the tensor.
   *
   * @throws IllegalStateException for a tensor on a device
   */
  public MemorySegment data() {
    if (device != null) {
      throw new IllegalStateException(this + " lies on " + device + "; its elements are read after toHost()");
    }
    return data;
  }

  /** Where a device keeps it; empty for a tensor in the host's memory. */
  Optional<DeviceMemory> device() {
    return Optional.ofNullable(device);
  }

  /** Whether it lies in the memory of a device that is not the host. */
  public boolean isOnDevice() {
    return device != null;
  }

  /** The address of the first element, in the memory of the host or of the device that has it. */
  public long address() {
    return device == null ? data.address() : device.address();
  }

  /** This tensor, or a copy in the host's memory of one on a device, when everything queued there before is done. */
  public Tensor toHost() {
    if (device == null) {
      return this;
    }
    Tensor host = zeros(element, shape);
    device.copyTo(host.data);
    return host;
  }

  /** Releases the memory of a tensor on a device. What is queued there and uses it must be done. */
  @Override
  public void close() {
    if (device != null) {
      device.close();
    }
  }

  /** Marks elements as never written, as all of {@link #empty} are: a checked kernel that reads one is in error. */
  public void markUnwritten(BitSet elements) {
    if (!elements.isEmpty()) {
      buffer().poison(elements);
    }
  }

  /** The elements that were marked so and that nothing has written since, as far as anybody kept account. */
  public BitSet unwritten() {
    return buffer().poisoned();
  }

  /** The memory as the interpreter knows it; always the same object, because it remembers what was written. */
  synchronized Buffer buffer() {
    if (buffer == null) {
      buffer = Buffer.of(element, data());
    }
    return buffer;
  }

  /** The element at a row-major position, as a double; integers beyond 2⁵³ are rounded. */
  public double number(long position) {
    return Cells.number(element, data(), position);
  }

  /** The element at a row-major position as a whole number; u64 by its bits, floats truncated. */
  public long integer(long position) {
    return Cells.integer(element, data(), position);
  }

  /** The element's bits, zero-extended. */
  public long bits(long position) {
    return Cells.bits(element, data(), position);
  }

  public void setBits(long position, long bits) {
    Cells.setBits(element, data(), position, bits);
  }

  /** Stores a number as the language's {@code as} converts it. */
  public void setNumber(long position, double value) {
    Cells.setNumber(element, data(), position, value);
  }

  public void setInteger(long position, long value) {
    Cells.setInteger(element, data(), position, value);
  }

  /** The same values in fresh memory that may be written. */
  public Tensor copy() {
    Tensor fresh = zeros(element, shape);
    MemorySegment.copy(data(), 0, fresh.data, 0, data.byteSize());
    return fresh;
  }

  /** The same memory read as another shape and element type of as many bytes. */
  public Tensor as(Element other, long... otherShape) {
    return of(other, data(), otherShape);
  }

  /** {@code bf16[257, 131]}, as the language writes it. */
  public static String text(Element element, long... shape) {
    return element.text()
        + Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", ", "[", "]"));
  }

  @Override
  public String toString() {
    return text(element, shape);
  }
}
