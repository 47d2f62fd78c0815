package dev.tkc.tests.staged;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.backend.ptx.CudaBuffer;
import dev.tkc.backend.ptx.CudaDevice;
import dev.tkc.backend.ptx.CudaEvent;
import dev.tkc.backend.ptx.CudaKernel;
import dev.tkc.backend.ptx.CudaModule;
import dev.tkc.backend.ptx.CudaRuntime;
import dev.tkc.backend.ptx.CudaStream;
import dev.tkc.backend.ptx.CudaTensorMap;
import dev.tkc.backend.ptx.PtxBackend;
import dev.tkc.backend.ptx.PtxTargets;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.interp.TensorMap;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.text.IrParser;
import dev.tkc.ir.type.Element;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The staged product written by hand, on a Hopper GPU: right on awkward sizes. {@link #main} times it. */
@Tag("gpu")
class StagedGemmOnDeviceTest {
  private static final int SEED = 7;

  /** One product on the device: operands there, and what launching its kernel takes. */
  private static final class Run implements AutoCloseable {
    private final int m;
    private final int n;
    private final int k;
    private final boolean kMajor;
    private final CudaDevice device = CudaRuntime.device(0);
    private final CudaStream stream = device.newStream();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment a;
    private final MemorySegment b;
    private final CudaBuffer onDeviceA;
    private final CudaBuffer onDeviceB;
    private final CudaBuffer onDeviceC;
    private final CudaModule loaded;
    private CudaKernel.Launch launch;
    private List<CudaKernel.Argument> arguments;

    Run(int m, int n, int k, boolean kMajor) {
      this.m = m;
      this.n = n;
      this.k = k;
      this.kMajor = kMajor;
      Random random = new Random(SEED);
      a = normal(random, (long) m * k);
      b = normal(random, (long) k * n);
      onDeviceA = upload(a);
      onDeviceB = upload(b);
      onDeviceC = device.allocate(2L * m * n);
      Module module = IrParser.parse(new StagedGemm(Element.BF16, Element.F32, "WGMMA_BF16", kMajor, 4, 132).tir());
      PtxBackend.Compiled compiled = PtxBackend.compile(module, PtxTargets.SM_90A, PtxBackend.Options.DEFAULT);
      loaded = device.load(PtxBackend.assemble(compiled).cubin());
      List<Datum> data = new ArrayList<>(List.of(buffer(onDeviceA), buffer(onDeviceB), buffer(onDeviceC)));
      data.addAll(List.of(Tile.integer(m), Tile.integer(n), Tile.integer(k)));
      new Interpreter(Interpreter.Options.defaults()).run(module, data, new Interpreter.Device() {
        @Override
        public Buffer temp(Inst inst, Element element, long count) {
          throw new IllegalStateException("the product needs no scratch");
        }

        @Override
        public Buffer counter(Inst inst, long count) {
          throw new IllegalStateException("the product draws nothing");
        }

        @Override
        public void launch(Inst inst, Func callee, long grid, List<Datum> given) {
          launch = new CudaKernel.Launch((int) grid, 1, 1, compiled.kernels().getFirst().threads(),
              (int) compiled.kernels().getFirst().sharedBytes());
          arguments = given.stream().map(Run::argument).toList();
        }
      });
    }

    private MemorySegment normal(Random random, long count) {
      MemorySegment values = arena.allocate(2 * count, 256);
      for (long i = 0; i < count; i++) {
        values.setAtIndex(ValueLayout.JAVA_SHORT, i,
            (short) (Float.floatToRawIntBits((float) random.nextGaussian()) >>> 16));
      }
      return values;
    }

    private CudaBuffer upload(MemorySegment values) {
      CudaBuffer buffer = device.allocate(values.byteSize());
      buffer.upload(values, stream);
      return buffer;
    }

    @SuppressWarnings("restricted")
    private static Buffer buffer(CudaBuffer b) {
      return Buffer.of(Element.BF16, MemorySegment.ofAddress(b.address()).reinterpret(b.bytes()));
    }

    private static CudaKernel.Argument argument(Datum d) {
      return switch (d) {
        case Buffer b -> new CudaKernel.Argument.I64(b.memory().address());
        case TensorMap map -> CudaKernel.Argument.map(new CudaTensorMap(map.tensor().buffer().memory().address(), 2,
            Arrays.stream(map.tensor().sizes()).boxed().toList(),
            Arrays.stream(map.tensor().strides()).boxed().toList(), map.box(), map.swizzle()));
        case Tile t -> new CudaKernel.Argument.I64(t.asLong());
        default -> throw new IllegalStateException("an argument that is " + d);
      };
    }

    void launch() {
      loaded.kernel("gemm_0").launch(launch, arguments, stream);
    }

    private static float value(MemorySegment values, long at) {
      return Float.intBitsToFloat(values.getAtIndex(ValueLayout.JAVA_SHORT, at) << 16);
    }

    /** The largest error of elements here and there, relative to what rounding to bf16 allows. */
    double error() {
      onDeviceC.fill((byte) 0xFF, stream);
      launch();
      MemorySegment c = arena.allocate(2L * m * n, 256);
      onDeviceC.download(c, stream);
      stream.synchronize();
      double worst = 0;
      long step = Math.max(1, (long) m * n / 20011);
      for (long at = 0; at < (long) m * n; at += step) {
        double sum = 0;
        for (int i = 0; i < k; i++) {
          sum += (double) value(a, at / n * k + i) * value(b, kMajor ? at % n * k + i : (long) i * n + at % n);
        }
        double error = Math.abs(value(c, at) - sum) / (Math.abs(sum) * 0x1p-8 + Math.sqrt(k) * 0x1p-12);
        worst = Double.isNaN(error) ? Double.POSITIVE_INFINITY : Math.max(worst, error);
      }
      return worst;
    }

    double milliseconds(int times) {
      try (CudaEvent start = device.newEvent(); CudaEvent end = device.newEvent()) {
        start.record(stream);
        for (int i = 0; i < times; i++) {
          launch();
        }
        end.record(stream);
        end.synchronize();
        return end.millisecondsSince(start) / times;
      }
    }

    @Override
    public void close() {
      onDeviceA.close();
      onDeviceB.close();
      onDeviceC.close();
      loaded.close();
      stream.close();
      arena.close();
    }
  }

  @ParameterizedTest
  @CsvSource({"128,256,64,false", "128,256,64,true", "512,768,1024,false", "512,768,1024,true", "1000,520,200,false",
      "1000,520,200,true", "4096,4096,4096,false", "1,8,8,true", "300,264,72,false"})
  void isTheProduct(int m, int n, int k, boolean kMajor) {
    try (Run run = new Run(m, n, k, kMajor)) {
      assertThat(run.error()).isLessThan(2);
    }
  }

  /** Prints the speed of square products, B row-major and N×K. */
  public static void main(String[] args) {
    for (int size : new int[] {2048, 4096, 8192}) {
      for (boolean kMajor : new boolean[] {false, true}) {
        try (Run run = new Run(size, size, size, kMajor)) {
          double error = run.error();
          run.milliseconds(10);
          double[] each = new double[7];
          for (int i = 0; i < each.length; i++) {
            each[i] = run.milliseconds(20);
          }
          Arrays.sort(each);
          System.out.printf("%d %s: %.4f ms, %.0f TFLOP/s, error %.2f%n", size, kMajor ? "nk" : "kn", each[3],
              2.0 * size * size * size / each[3] * 1e-9, error);
        }
      }
    }
  }
}
