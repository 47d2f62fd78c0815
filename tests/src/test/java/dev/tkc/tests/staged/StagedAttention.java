package dev.tkc.tests.staged;

import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.MatrixFragments;
import dev.tkc.ir.layout.SharedLayouts;
import dev.tkc.ir.type.Element;
import java.util.List;

/**
 * Attention of 128 query rows against tiles of 128 keys, D = 128, as placed IR, written by hand: the next Q·Kᵀ is
 * started before the last P·V, and the softmax runs under that. P stays in registers, V is not contiguous along k.
 */
final class StagedAttention {
  private StagedAttention() {}

  private static final LinearLayout SUM = MatrixFragments.tiled(MatrixFragments.mmaSync(16).c(), List.of(128, 128),
      List.of(new MatrixFragments.Warps(0, 8)), List.of(1, 0));

  private static String buffer(List<Integer> shape, int slots) {
    return "shared<bf16" + shape + ", " + slots + ", " + SharedLayouts.panels(shape, Element.BF16.bits()) + ">";
  }

  /** The module's text. */
  static String tir() {
    return TEXT.replace("SOFTMAX1\n", softmax("0", "%qk0", "%nothing", "%zero"))
        .replace("SOFTMAX2\n", softmax("1", "%qk", "%max", "%den"))
        .replace("QUERY", buffer(List.of(128, 128), 1)).replace("RING", buffer(List.of(128, 128), 2))
        .replace("#sum", SUM.toString()).replace("#row", SUM.reduced(1).withoutFreeRegisters().toString());
  }

  /** The exponentials of scores {@code s}; the running maximum and sum. */
  private static String softmax(String n, String s, String max, String sum) {
    return """
              %top@ = reduce SCORES {kind = max, axes = [1]} : f32[128, 1; #row]
              %max@ = max %top@, MAX : f32[128, 1; #row]
              %wide@ = broadcast %max@ {shape = [128, 128]} : f32[128, 128; #sum]
              %less@ = sub SCORES, %wide@ : f32[128, 128; #sum]
              %e@ = exp2 %less@ : f32[128, 128; #sum]
              %change@ = sub MAX, %max@ : f32[128, 1; #row]
              %scale@ = exp2 %change@ : f32[128, 1; #row]
              %part@ = reduce %e@ {kind = sum, axes = [1]} : f32[128, 1; #row]
              %old@ = mul DEN, %scale@ : f32[128, 1; #row]
              %den@ = add %old@, %part@ : f32[128, 1; #row]
        """.replace("@", n).replace("SCORES", s).replace("MAX", max).replace("DEN", sum);
  }

  private static final String TEXT = """
      kernel @f(%q: ptr<bf16> div 16, %k: ptr<bf16> div 16, %v: ptr<bf16> div 16, %o: ptr<f32> div 16, %B: i64, %S: i64) {
        %c1 = constant {value = 1 : i64} : i64
        %c128 = constant {value = 128 : i64} : i64
        %head = mul %S, %c128 : i64
        %tq = make_tensor %q, [%B, %S, %c128], [%head, %c128, %c1] {access = in, name = "q"} : tensor<bf16, 3>
        %tk = make_tensor %k, [%B, %S, %c128], [%head, %c128, %c1] {access = in, name = "k"} : tensor<bf16, 3>
        %tv = make_tensor %v, [%B, %S, %c128], [%head, %c128, %c1] {access = in, name = "v"} : tensor<bf16, 3>
        %to = make_tensor %o, [%B, %S, %c128], [%head, %c128, %c1] {access = out, name = "o"} : tensor<f32, 3>
        %mq = make_tensor_map %tq {box = [1, 128, 64], swizzle = 128} : tensor_map
        %mk = make_tensor_map %tk {box = [1, 128, 64], swizzle = 128} : tensor_map
        %mv = make_tensor_map %tv {box = [1, 128, 64], swizzle = 128} : tensor_map
        %tiles = div %S, %c128 : i64
        %grid = mul %tiles, %B : i64
        %pq = address_of %tq : ptr<bf16>
        %pk = address_of %tk : ptr<bf16>
        %pv = address_of %tv : ptr<bf16>
        %po = address_of %to : ptr<f32>
        launch %grid, [%pq, %pk, %pv, %po, %mq, %mk, %mv, %B, %S] {callee = "attention"}
        yield []
      }

      device @attention(%q: ptr<bf16> div 16, %k: ptr<bf16> div 16, %v: ptr<bf16> div 16, %o: ptr<f32> div 16, %mq: tensor_map, %mk: tensor_map, %mv: tensor_map, %B: i64, %S: i64) #{lanes = 32, placed, shared_bytes = 163904, warps = 12} {
        %c0 = constant {value = 0 : i64} : i64
        %c1 = constant {value = 1 : i64} : i64
        %c2 = constant {value = 2 : i64} : i64
        %c128 = constant {value = 128 : i64} : i64
        %f0 = constant {value = 0.0 : f32} : f32
        %low = constant {value = -1.0e30 : f32} : f32
        %no = constant {value = false : bool} : bool
        %head = mul %S, %c128 : i64
        %tq = make_tensor %q, [%B, %S, %c128], [%head, %c128, %c1] {access = in, name = "q"} : tensor<bf16, 3>
        %tk = make_tensor %k, [%B, %S, %c128], [%head, %c128, %c1] {access = in, name = "k"} : tensor<bf16, 3>
        %tv = make_tensor %v, [%B, %S, %c128], [%head, %c128, %c1] {access = in, name = "v"} : tensor<bf16, 3>
        %to = make_tensor %o, [%B, %S, %c128], [%head, %c128, %c1] {access = out, name = "o"} : tensor<f32, 3>
        %tiles = div %S, %c128 : i64
        %block = block_id : i64
        %h = div %block, %tiles : i64
        %at = rem %block, %tiles : i64
        %i = mul %at, %c128 : i64
        %ri = range %i, %c1, %c128 {size = 128} : range<128>
        %rd = range %c0, %c1, %c128 {size = 128} : range<128>
        %qs = shared_alloc {type = QUERY, name = "q"} #{offset = 0} : QUERY
        %ks = shared_alloc {type = RING, name = "k"} #{offset = 32768} : RING
        %vs = shared_alloc {type = RING, name = "v"} #{offset = 98304} : RING
        %qf = barrier_alloc {slots = 1, arrivals = 1, name = "qf"} #{offset = 163840} : barriers<1>
        %kf = barrier_alloc {slots = 2, arrivals = 1, name = "kf"} #{offset = 163848} : barriers<2>
        %ke = barrier_alloc {slots = 2, arrivals = 8, name = "ke"} #{offset = 163864} : barriers<2>
        %vf = barrier_alloc {slots = 2, arrivals = 1, name = "vf"} #{offset = 163880} : barriers<2>
        %ve = barrier_alloc {slots = 2, arrivals = 8, name = "ve"} #{offset = 163896} : barriers<2>
        barrier
        role {name = "producer", warps = 4, registers = 24} () {
          barrier_expect %qf, %c0 {bytes = 32768}
          copy_bulk %tq, [%h, %ri, %rd], %mq, %qs, %c0, %qf, %c0
          %ps, %pp = for %c0, %S, [%c0, %c1] {step = 128} (%pj: i64, %pslot: i64, %pphase: i64) {
            %prj = range %pj, %c1, %c128 {size = 128} : range<128>
            barrier_wait %ke, %pslot, %pphase
            barrier_expect %kf, %pslot {bytes = 32768}
            copy_bulk %tk, [%h, %prj, %rd], %mk, %ks, %pslot, %kf, %pslot
            barrier_wait %ve, %pslot, %pphase
            barrier_expect %vf, %pslot {bytes = 32768}
            copy_bulk %tv, [%h, %prj, %rd], %mv, %vs, %pslot, %vf, %pslot
            %pn = sub %c1, %pslot : i64
            %pf = xor %pphase, %pslot : i64
            yield [%pn, %pf]
          } : i64, i64
          yield []
        }
        role {name = "consumer", warps = 8, registers = 240} () {
          %none = undefined {element = f32, shape = [128, 128]} : f32[128, 128; #sum]
          %nothing = splat %low {shape = [128, 1]} : f32[128, 1; #row]
          %zero = splat %f0 {shape = [128, 1]} : f32[128, 1; #row]
          %zeros = splat %f0 {shape = [128, 128]} : f32[128, 128; #sum]
          barrier_wait %qf, %c0, %c0
          barrier_wait %kf, %c0, %c0
          %xq = shared_view %qs, %c0 {offsets = [0, 0], shape = [128, 128], order = [0, 1]} : shared<bf16[128, 128], 1>
          %k0 = shared_view %ks, %c0 {offsets = [0, 0], shape = [128, 128], order = [1, 0]} : shared<bf16[128, 128], 1>
          dot_fence
          %s0 = dot_async %xq, %k0, %none, %no {precision = default} #{instruction = "WGMMA_BF16"} : f32[128, 128; #sum]
          dot_commit
          %qk0 = dot_wait [%s0] {pending = 0} : f32[128, 128; #sum]
          barrier_arrive %ke, %c0, _
      SOFTMAX1
          %p0 = cast %e0 {to = bf16, kind = saturate} : bf16[128, 128; #sum]
          %sum, %last, %lp, %lm, %ld = for %c128, %S, [%zeros, %c0, %p0, %max0, %den0] {step = 128} (%j: i64, %acc: f32[128, 128; #sum], %vn: i64, %pv: bf16[128, 128; #sum], %max: f32[128, 1; #row], %den: f32[128, 1; #row]) {
            %kn = add %vn, %c1 : i64
            %vslot = rem %vn, %c2 : i64
            %kslot = rem %kn, %c2 : i64
            %vr = div %vn, %c2 : i64
            %kr = div %kn, %c2 : i64
            %vphase = rem %vr, %c2 : i64
            %kphase = rem %kr, %c2 : i64
            barrier_wait %kf, %kslot, %kphase
            %kx = shared_view %ks, %kslot {offsets = [0, 0], shape = [128, 128], order = [1, 0]} : shared<bf16[128, 128], 1>
            dot_fence
            %s = dot_async %xq, %kx, %none, %no {precision = default} #{instruction = "WGMMA_BF16"} : f32[128, 128; #sum]
            dot_commit
            barrier_wait %vf, %vslot, %vphase
            %vx = shared_view %vs, %vslot {offsets = [0, 0], shape = [128, 128], order = [0, 1]} : shared<bf16[128, 128], 1>
            dot_fence
            %grown = dot_async %pv, %vx, %acc, _ {precision = default} #{instruction = "WGMMA_BF16"} : f32[128, 128; #sum]
            dot_commit
            %qk = dot_wait [%s] {pending = 1} : f32[128, 128; #sum]
            barrier_arrive %ke, %kslot, _
      SOFTMAX2
            %done, %held = dot_wait [%grown, %e1] {pending = 0} : f32[128, 128; #sum], f32[128, 128; #sum]
            barrier_arrive %ve, %vslot, _
            %p = cast %held {to = bf16, kind = saturate} : bf16[128, 128; #sum]
            %factor = broadcast %scale1 {shape = [128, 128]} : f32[128, 128; #sum]
            %scaled = mul %done, %factor : f32[128, 128; #sum]
            yield [%scaled, %kn, %p, %max1, %den1]
          } : f32[128, 128; #sum], i64, bf16[128, 128; #sum], f32[128, 1; #row], f32[128, 1; #row]
          %lslot = rem %last, %c2 : i64
          %lr = div %last, %c2 : i64
          %lphase = rem %lr, %c2 : i64
          barrier_wait %vf, %lslot, %lphase
          %lv = shared_view %vs, %lslot {offsets = [0, 0], shape = [128, 128], order = [0, 1]} : shared<bf16[128, 128], 1>
          dot_fence
          %final = dot_async %lp, %lv, %sum, _ {precision = default} #{instruction = "WGMMA_BF16"} : f32[128, 128; #sum]
          dot_commit
          %result = dot_wait [%final] {pending = 0} : f32[128, 128; #sum]
          %all = broadcast %ld {shape = [128, 128]} : f32[128, 128; #sum]
          %out = div %result, %all : f32[128, 128; #sum]
          store %to, [%h, %ri, %rd], %out #{inbounds = [1, 1, 1], vector = 2}
          yield []
        }
        yield []
      }
      """;
}
