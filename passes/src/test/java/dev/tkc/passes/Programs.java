package dev.tkc.passes;

import dev.tkc.ir.Module;
import dev.tkc.ir.text.IrParser;
import dev.tkc.passes.target.TargetInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** Programs in the IR's text that several tests run passes on, and what those make of them. */
public final class Programs {
  private Programs() {}

  public static final String AXPY = """
      kernel @axpy(%x: ptr<bf16> div 16, %y: ptr<f32> div 16, %N: i64 div 16, %a: f32) {
        %c1 = constant {value = 1 : i64} : i64
        %c0 = constant {value = 0 : i64} : i64
        %tx = make_tensor %x, [%N], [%c1] {access = in, name = "x"} : tensor<bf16, 1>
        %ty = make_tensor %y, [%N], [%c1] {access = inout, name = "y"} : tensor<f32, 1>
        parallel %c0, %N {step = 1024} (%i: i64) {
          %left = sub %N, %i : i64
          %r = range %i, %c1, %left {size = 1024} : range<1024>
          %0 = load %tx, [%r], _ : bf16[1024]
          %1 = cast %0 {to = f32, kind = saturate} : f32[1024]
          %2 = load %ty, [%r], _ : f32[1024]
          %3 = splat %a {shape = [1024]} : f32[1024]
          %4 = mul %1, %3 : f32[1024]
          %5 = add %4, %2 : f32[1024]
          store %ty, [%r], %5
          yield []
        }
        yield []
      }
      """;

  public static final String GEMM =
      gemm(128, 128).replace("%M: i64, %K: i64, %N: i64", "%M: i64 div 16, %K: i64 div 16, %N: i64 div 16");

  public static final String SOFTMAX = """
      kernel @softmax(%x: ptr<f32> div 16, %y: ptr<f32> div 16, %M: i64) {
        %c1 = constant {value = 1 : i64} : i64
        %c0 = constant {value = 0 : i64} : i64
        %d = constant {value = 4096 : i64} : i64
        %tx = make_tensor %x, [%M, %d], [%d, %c1] {access = in, name = "x"} : tensor<f32, 2>
        %ty = make_tensor %y, [%M, %d], [%d, %c1] {access = out, name = "y"} : tensor<f32, 2>
        parallel %c0, %M {step = 1} (%i: i64) {
          %left = sub %M, %i : i64
          %ri = range %i, %c1, %left {size = 1} : range<1>
          %r = range %c0, %c1, %d {size = 4096} : range<4096>
          %0 = load %tx, [%ri, %r], _ : f32[1, 4096]
          %1 = reduce %0 {kind = max, axes = [1]} : f32[1, 1]
          %2 = broadcast %1 {shape = [1, 4096]} : f32[1, 4096]
          %3 = sub %0, %2 : f32[1, 4096]
          %4 = exp %3 : f32[1, 4096]
          %5 = reduce %4 {kind = sum, axes = [1]} : f32[1, 1]
          %6 = broadcast %5 {shape = [1, 4096]} : f32[1, 4096]
          %7 = div %4, %6 : f32[1, 4096]
          store %ty, [%ri, %r], %7
          yield []
        }
        yield []
      }
      """;

  /**
   * The products of a backward pass, in small: of a tile's rows {@code a} and all rows {@code x}, d is the square of a
   * xᵀ; the sum of d x stays with the tile, aᵀ d is added to {@code y} in memory.
   */
  public static final String BACKWARD = """
      kernel @backward(%a: ptr<bf16> div 16, %x: ptr<bf16> div 16, %k: ptr<f32> div 16, %y: ptr<f32> div 16,
          %S: i64, %N: i64 div 64) {
        %c0 = constant {value = 0 : i64} : i64
        %c1 = constant {value = 1 : i64} : i64
        %D = constant {value = 64 : i64} : i64
        %ta = make_tensor %a, [%S, %D], [%D, %c1] {access = in, name = "a"} : tensor<bf16, 2>
        %tx = make_tensor %x, [%N, %D], [%D, %c1] {access = in, name = "x"} : tensor<bf16, 2>
        %tk = make_tensor %k, [%S, %D], [%D, %c1] {access = out, name = "k"} : tensor<f32, 2>
        %ty = make_tensor %y, [%D, %N], [%N, %c1] {access = inout, name = "y"} : tensor<f32, 2>
        parallel %c0, %S {step = 64} (%j: i64) {
          %lj = sub %S, %j : i64
          %rj = range %j, %c1, %lj {size = 64} : range<64>
          %rd = range %c0, %c1, %D {size = 64} : range<64>
          %aj = load %ta, [%rj, %rd], _ : bf16[64, 64]
          %zero = constant {value = 0.0 : f32} : f32
          %zeros = splat %zero {shape = [64, 64]} : f32[64, 64]
          %sum = for %c0, %N, [%zeros] {step = 64} (%i: i64, %kj: f32[64, 64]) {
            %li = sub %N, %i : i64
            %ri = range %i, %c1, %li {size = 64} : range<64>
            %xi = load %tx, [%ri, %rd], _ : bf16[64, 64]
            %xt = permute %xi {order = [1, 0]} : bf16[64, 64]
            %s = dot %aj, %xt, %zeros {precision = default} : f32[64, 64]
            %s2 = mul %s, %s : f32[64, 64]
            %d = cast %s2 {to = bf16, kind = saturate} : bf16[64, 64]
            %next = dot %d, %xi, %kj {precision = default} : f32[64, 64]
            %at = permute %aj {order = [1, 0]} : bf16[64, 64]
            %t = dot %at, %d, %zeros {precision = default} : f32[64, 64]
            atomic %ty, [%rd, %ri], %t {kind = add}
            yield [%next]
          } : f32[64, 64]
          store %tk, [%rj, %rd], %sum
          yield []
        }
        yield []
      }
      """;

  /** A product whose tiles have so many rows and columns, and of whose sizes nothing is known. */
  public static String gemm(int rows, int columns) {
    return """
        kernel @gemm(%a: ptr<bf16> div 16, %b: ptr<bf16> div 16, %c: ptr<bf16> div 16, %M: i64, %K: i64, %N: i64) {
          %c1 = constant {value = 1 : i64} : i64
          %c0 = constant {value = 0 : i64} : i64
          %ta = make_tensor %a, [%M, %K], [%K, %c1] {access = in, name = "a"} : tensor<bf16, 2>
          %tb = make_tensor %b, [%K, %N], [%N, %c1] {access = in, name = "b"} : tensor<bf16, 2>
          %tc = make_tensor %c, [%M, %N], [%N, %c1] {access = out, name = "c"} : tensor<bf16, 2>
          parallel %c0, %M {step = ROWS} (%i: i64) {
            parallel %c0, %N {step = COLUMNS} (%j: i64) {
              %zero = constant {value = 0.0 : f32} : f32
              %zeros = splat %zero {shape = [ROWS, COLUMNS]} : f32[ROWS, COLUMNS]
              %li = sub %M, %i : i64
              %ri = range %i, %c1, %li {size = ROWS} : range<ROWS>
              %lj = sub %N, %j : i64
              %rj = range %j, %c1, %lj {size = COLUMNS} : range<COLUMNS>
              %acc = for %c0, %K, [%zeros] {step = 32} (%k: i64, %s: f32[ROWS, COLUMNS]) {
                %lk = sub %K, %k : i64
                %rk = range %k, %c1, %lk {size = 32} : range<32>
                %x = load %ta, [%ri, %rk], _ : bf16[ROWS, 32]
                %y = load %tb, [%rk, %rj], _ : bf16[32, COLUMNS]
                %d = dot %x, %y, %s {precision = default} : f32[ROWS, COLUMNS]
                yield [%d]
              } : f32[ROWS, COLUMNS]
              %o = cast %acc {to = bf16, kind = saturate} : bf16[ROWS, COLUMNS]
              store %tc, [%ri, %rj], %o
              yield []
            }
            yield []
          }
          yield []
        }
        """.replace("ROWS", "" + rows).replace("COLUMNS", "" + columns);
  }

  /** A program of the corpus. */
  public static String corpus(String name) {
    try (var in = Objects.requireNonNull(Programs.class.getResourceAsStream("corpus/" + name))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What the passes up to {@code last} make of a program for a target. */
  public static Module after(String last, String program, TargetInfo target) {
    Module module = IrParser.parse(program);
    PassDriver.run(module, PassContext.of(target, PassOptions.checked().withStopAfter(last)));
    return module;
  }
}
