package dev.tkc.backend.ptx;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUresult;

/**
 * A tensor in device memory as Hopper's copy engine takes it ({@code cuTensorMapEncodeTiled}). Dimensions are tkc's,
 * the slowest first.
 *
 * @param address where the first element is, a multiple of 16
 * @param elementBytes 1, 2, 4 or 8
 * @param sizes of the tensor, in elements
 * @param strides in elements; the last is 1
 * @param box how many elements one copy takes along each dimension, 256 at most
 * @param swizzle bytes of a row within which 16-byte pieces are exchanged in shared memory: 0, 32, 64 or 128
 */
public record CudaTensorMap(
    long address, int elementBytes, List<Long> sizes, List<Long> strides, List<Integer> box, int swizzle) {
  private static final int MAP_BYTES = 128;
  private static final int MAP_ALIGNMENT = 64;
  private static final int GRANULE = 16;
  private static final int PROMOTE_128_BYTES = 2;

  public CudaTensorMap {
    sizes = List.copyOf(sizes);
    strides = List.copyOf(strides);
    box = List.copyOf(box);
  }

  /** What the driver is told, the fastest dimension first; strides in bytes, without the fastest. */
  record Dimensions(List<Long> sizes, List<Long> strides, List<Integer> box) {}

  /**
   * The driver takes neither sizes nor strides of 0, which an empty tensor may have, nor strides that are no multiples
   * of 16, which a dimension of size 1 may have. Such strides lead nowhere: any other serves.
   */
  Dimensions dimensions() {
    boolean empty = sizes.contains(0L);
    List<Long> size = new ArrayList<>();
    List<Long> stride = new ArrayList<>();
    for (int d = sizes.size() - 1; d >= 0; d--) {
      size.add(Math.max(1, sizes.get(d)));
      if (d < sizes.size() - 1) {
        boolean free = empty || sizes.get(d) <= 1;
        long bytes = strides.get(d) * elementBytes;
        stride.add(free ? Math.max(GRANULE, Math.ceilDiv(bytes, (long) GRANULE) * GRANULE) : bytes);
      }
    }
    return new Dimensions(size, stride, box.reversed());
  }

  /** The map's 128 bytes, which a kernel takes by value. */
  MemorySegment encode() {
    Dimensions d = dimensions();
    MemorySegment map = Arena.ofAuto().allocate(MAP_BYTES, MAP_ALIGNMENT);
    try (Arena arena = Arena.ofConfined()) {
      int rank = sizes.size();
      MemorySegment size = arena.allocate(8L * rank, 8);
      MemorySegment stride = arena.allocate(8L * rank, 8);
      MemorySegment boxes = arena.allocate(4L * rank, 4);
      MemorySegment steps = arena.allocate(4L * rank, 4);
      for (int i = 0; i < rank; i++) {
        size.setAtIndex(ValueLayout.JAVA_LONG, i, d.sizes.get(i));
        boxes.setAtIndex(ValueLayout.JAVA_INT, i, d.box.get(i));
        steps.setAtIndex(ValueLayout.JAVA_INT, i, 1);
        if (i < rank - 1) {
          stride.setAtIndex(ValueLayout.JAVA_LONG, i, d.strides.get(i));
        }
      }
      int result = CudaDriver.call(Driver.NAME, () -> (int) Driver.ENCODE.invokeExact(
          map, dataType(), rank, address, size, stride, boxes, steps, 0, exchange(), PROMOTE_128_BYTES, 0));
      if (result != CUresult.CUDA_SUCCESS) {
        throw refused(result);
      }
      return map;
    }
  }

  /** Unsigned integers of the elements' width: the engine moves bits. */
  private int dataType() {
    return switch (elementBytes) {
      case 1 -> 0;
      case 2 -> 1;
      case 4 -> 2;
      case 8 -> 4;
      default -> throw new IllegalStateException("a tensor map of elements of " + elementBytes + " bytes");
    };
  }

  private int exchange() {
    return switch (swizzle) {
      case 0 -> 0;
      case 32 -> 1;
      case 64 -> 2;
      case 128 -> 3;
      default -> throw new IllegalStateException("a swizzle of " + swizzle + " bytes");
    };
  }

  /** What is said when the driver refuses the map. */
  DiagnosticException refused(int result) {
    return new DiagnosticException(Diagnostic.error(Code.TENSOR_MAP,
            "the copy engine does not take a tensor of sizes " + sizes + " and strides " + strides + ", elements of "
                + elementBytes + " bytes, in boxes of " + box + ": " + CudaRuntime.describe(result))
        .note("its first element is at address " + address + ", which has to be a multiple of " + GRANULE
            + "; so has every stride in bytes but the last"));
  }

  /** The driver's function, looked up at the first map. */
  private static final class Driver {
    static final String NAME = "cuTensorMapEncodeTiled";
    static final MethodHandle ENCODE = CudaDriver.find(NAME, FunctionDescriptor.of(
            ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
            ValueLayout.JAVA_LONG, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.ADDRESS,
            ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT))
        .orElseThrow(() -> new DiagnosticException(Diagnostic.error(
            Code.DRIVER, "the CUDA driver has no " + NAME + ": it is older than CUDA 12")));
  }
}
