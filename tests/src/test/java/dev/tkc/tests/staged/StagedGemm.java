package dev.tkc.tests.staged;

import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.MatrixFragments;
import dev.tkc.ir.layout.SharedLayouts;
import dev.tkc.ir.type.Element;
import java.util.List;

/**
 * The staged product of {@code docs/staged.md} as placed IR, written by hand: one producer, two groups of consumers,
 * persistent blocks, results through shared memory in slices.
 *
 * @param element of A and B
 * @param sum of the accumulator
 * @param instruction that the product uses
 * @param kMajor whether B is N×K
 * @param stages slots of the ring
 * @param blocks how many there are at most
 */
record StagedGemm(Element element, Element sum, String instruction, boolean kMajor, int stages, int blocks) {
  private static final int ROWS = 128;
  private static final int COLUMNS = 256;
  private static final int CONSUMER_WARPS = 8;
  private static final int SLICE = 64;

  int depth() {
    return 128 * 8 / element.bits();
  }

  private String text(Element e, List<Integer> shape, int slots) {
    return "shared<" + e.text() + shape + ", " + slots + ", " + SharedLayouts.panels(shape, e.bits()) + ">";
  }

  private LinearLayout accumulator(int columns) {
    return MatrixFragments.tiled(MatrixFragments.mmaSync(16).c(), List.of(ROWS, columns),
        List.of(new MatrixFragments.Warps(0, CONSUMER_WARPS)), List.of(1, 0));
  }

  /** The module's text. */
  String tir() {
    int bk = depth();
    List<Integer> bShape = kMajor ? List.of(COLUMNS, bk) : List.of(bk, COLUMNS);
    String a = text(element, List.of(ROWS, bk), stages);
    String b = text(element, bShape, stages);
    String c = text(Element.BF16, List.of(ROWS, SLICE), 2);
    int aBytes = ROWS * 128;
    int bBytes = COLUMNS * 128;
    int cBytes = ROWS * SLICE * 2;
    int bOffset = stages * aBytes;
    int cOffset = bOffset + stages * bBytes;
    int full = cOffset + 2 * cBytes;
    int empty = full + 8 * stages;
    StringBuilder slices = new StringBuilder();
    for (int i = 0; i < COLUMNS / SLICE; i++) {
      slices.append(slice(i));
    }
    return (HEAD.formatted(element.text(), element.text(), element.text(), element.text(),
            kMajor ? "%N, %K" : "%K, %N", kMajor ? "%K" : "%N",
            bk, bk, bShape.get(0))
        + program().replace("ELEMENT", element.text()).replace("SUM", sum.text()).replace("A_TYPE", a)
            .replace("B_TYPE", b)
            .replace("C_TYPE", c).replace("A_OFFSET", "0").replace("B_OFFSET", "" + bOffset)
                .replace("C_OFFSET", "" + cOffset)
            .replace("FULL_OFFSET", "" + full).replace("EMPTY_OFFSET", "" + empty)
                .replace("SHARED_BYTES", "" + (empty + 8 * stages))
            .replace("STAGES", "" + stages).replace("DEPTH", "" + bk).replace("BYTES", "" + (aBytes + bBytes))
            .replace("B_INDICES", kMajor ? "[%rj, %rk]" : "[%rk, %rj]")
                .replace("B_SIZES", kMajor ? "[%N, %K], [%K, %c1]" : "[%K, %N], [%N, %c1]")
            .replace("B_SHAPE", bShape.toString()).replace("B_ORDER", kMajor ? "[1, 0]" : "[0, 1]")
            .replace("#acc", accumulator(COLUMNS).toString()).replace("INSTRUCTION", instruction)
                .replace("SLICES", slices)).replace("BLOCKS", "" + blocks);
  }

  private String slice(int i) {
    String l = accumulator(SLICE).toString();
    return """
            %%sum%1$d = slice %%done {offsets = [0, %2$d], shape = [128, 64]} : %5$s[128, 64; %3$s]
            %%part%1$d = cast %%sum%1$d {to = bf16, kind = saturate} : bf16[128, 64; %3$s]
            %%jo%1$d = constant {value = %2$d : i64} : i64
            %%jpart%1$d = add %%j_2, %%jo%1$d : i64
            %%rpart%1$d = range %%jpart%1$d, %%c1, %%c64 {size = 64} : range<64>
            store_wait {pending = 1, read}
            barrier
            shared_store %%c, %4$s, %%part%1$d
            proxy_fence
            barrier
            store_bulk %%tc, [%%ri_2, %%rpart%1$d], %%mc, %%c, %4$s
            store_commit
        """.formatted(i, i * SLICE, l, i % 2 == 0 ? "%c0" : "%c1", sum.text());
  }

  private static final String HEAD = """
      kernel @gemm(%%a: ptr<%s> div 16, %%b: ptr<%s> div 16, %%c: ptr<bf16> div 16, %%M: i64, %%N: i64, %%K: i64) {
        %%c1 = constant {value = 1 : i64} : i64
        %%ta = make_tensor %%a, [%%M, %%K], [%%K, %%c1] {access = in, name = "a"} : tensor<%s, 2>
        %%tb = make_tensor %%b, [%5$s], [%6$s, %%c1] {access = in, name = "b"} : tensor<%4$s, 2>
        %%tc = make_tensor %%c, [%%M, %%N], [%%N, %%c1] {access = out, name = "c"} : tensor<bf16, 2>
        %%ma = make_tensor_map %%ta {box = [128, %7$d], swizzle = 128} : tensor_map
        %%mb = make_tensor_map %%tb {box = [%9$d, %8$d], swizzle = 128} : tensor_map
        %%mc = make_tensor_map %%tc {box = [128, 64], swizzle = 128} : tensor_map
        %%c127 = constant {value = 127 : i64} : i64
        %%c128 = constant {value = 128 : i64} : i64
        %%c255 = constant {value = 255 : i64} : i64
        %%c256 = constant {value = 256 : i64} : i64
        %%m0 = add %%M, %%c127 : i64
        %%m1 = div %%m0, %%c128 : i64
        %%n0 = add %%N, %%c255 : i64
        %%n1 = div %%n0, %%c256 : i64
        %%total = mul %%m1, %%n1 : i64
        %%most = constant {value = BLOCKS : i64} : i64
        %%grid = min %%total, %%most : i64
        %%pa = address_of %%ta : ptr<%1$s>
        %%pb = address_of %%tb : ptr<%1$s>
        %%pc = address_of %%tc : ptr<bf16>
        launch %%grid, [%%pa, %%pb, %%pc, %%ma, %%mb, %%mc, %%M, %%N, %%K] {callee = "gemm_0"}
        yield []
      }

      """;

  private static final String TILE = """
            %g = div %t, %band : i64
            %r = rem %t, %band : i64
            %f = mul %g, %c8 : i64
            %left = sub %nm, %f : i64
            %gs = min %left, %c8 : i64
            %mi = rem %r, %gs : i64
            %nj = div %r, %gs : i64
            %mf = add %f, %mi : i64
            %i = mul %mf, %c128 : i64
            %j = mul %nj, %c256 : i64
            %ri = range %i, %c1, %c128 {size = 128} : range<128>
      """;

  private static final String ADVANCE = """
              %next = add %slot, %c1 : i64
              %wraps = eq %next, %stages : bool
              %slot2 = select %wraps, %c0, %next : i64
              %flipped = sub %c1, %phase : i64
              %phase2 = select %wraps, %flipped, %phase : i64
      """;

  private static final String DEVICE = """
      device @gemm_0(%a: ptr<ELEMENT> div 16, %b: ptr<ELEMENT> div 16, %c_: ptr<bf16> div 16, %ma: tensor_map, %mb: tensor_map, %mc: tensor_map, %M: i64, %N: i64, %K: i64) #{lanes = 32, placed, shared_bytes = SHARED_BYTES, warps = 12} {
        %c0 = constant {value = 0 : i64} : i64
        %c1 = constant {value = 1 : i64} : i64
        %c8 = constant {value = 8 : i64} : i64
        %c64 = constant {value = 64 : i64} : i64
        %c127 = constant {value = 127 : i64} : i64
        %c128 = constant {value = 128 : i64} : i64
        %c255 = constant {value = 255 : i64} : i64
        %c256 = constant {value = 256 : i64} : i64
        %depth = constant {value = DEPTH : i64} : i64
        %stages = constant {value = STAGES : i64} : i64
        %ta = make_tensor %a, [%M, %K], [%K, %c1] {access = in, name = "a"} : tensor<ELEMENT, 2>
        %tb = make_tensor %b, B_SIZES {access = in, name = "b"} : tensor<ELEMENT, 2>
        %tc = make_tensor %c_, [%M, %N], [%N, %c1] {access = out, name = "c"} : tensor<bf16, 2>
        %m0 = add %M, %c127 : i64
        %nm = div %m0, %c128 : i64
        %n0 = add %N, %c255 : i64
        %nn = div %n0, %c256 : i64
        %total = mul %nm, %nn : i64
        %band = mul %nn, %c8 : i64
        %first = block_id : i64
        %as = shared_alloc {type = A_TYPE, name = "a"} #{offset = A_OFFSET} : A_TYPE
        %bs = shared_alloc {type = B_TYPE, name = "b"} #{offset = B_OFFSET} : B_TYPE
        %c = shared_alloc {type = C_TYPE, name = "c"} #{offset = C_OFFSET} : C_TYPE
        %full = barrier_alloc {slots = STAGES, arrivals = 1, name = "full"} #{offset = FULL_OFFSET} : barriers<STAGES>
        %empty = barrier_alloc {slots = STAGES, arrivals = 8, name = "empty"} #{offset = EMPTY_OFFSET} : barriers<STAGES>
        barrier
        role {name = "producer", warps = 4, registers = 40} () {
          %s, %p = for %first, %total, [%c0, %c0] {step = BLOCKS} (%t: i64, %slot0: i64, %phase0: i64) {
      TILE
            %rj = range %j, %c1, %c256 {size = 256} : range<256>
            %s1, %p1 = for %c0, %K, [%slot0, %phase0] {step = DEPTH} (%k: i64, %slot: i64, %phase: i64) {
              %free = sub %c1, %phase : i64
              barrier_wait %empty, %slot, %free
              barrier_expect %full, %slot {bytes = BYTES}
              %rk = range %k, %c1, %depth {size = DEPTH} : range<DEPTH>
              copy_bulk %ta, [%ri, %rk], %ma, %as, %slot, %full, %slot
              copy_bulk %tb, B_INDICES, %mb, %bs, %slot, %full, %slot
      ADVANCE
              yield [%slot2, %phase2]
            } : i64, i64
            yield [%s1, %p1]
          } : i64, i64
          yield []
        }
      """;

  /** Names are unique in a function: those that both roles use get a number here. */
  private static final String CONSUMER = """
        role {name = "consumer", warps = 8, registers = 232} () {
          %none = undefined {element = SUM, shape = [128, 256]} : SUM[128, 256; #acc]
          %s, %p = for %first, %total, [%c0, %c0] {step = BLOCKS} (%t: i64, %slot0: i64, %phase0: i64) {
      TILE
            %acc1, %s1, %p1, %last = for %c0, %K, [%none, %slot0, %phase0, %c0] {step = DEPTH} (%k: i64, %acc: SUM[128, 256; #acc], %slot: i64, %phase: i64, %before: i64) {
              barrier_wait %full, %slot, %phase
              %x = shared_view %as, %slot {offsets = [0, 0], shape = [128, DEPTH], order = [0, 1]} : shared<ELEMENT[128, DEPTH], 1>
              %y = shared_view %bs, %slot {offsets = [0, 0], shape = B_SHAPE, order = B_ORDER} : shared<ELEMENT[DEPTH, 256], 1>
              %keep = ne %k, %c0 : bool
              dot_fence
              %sum = dot_async %x, %y, %acc, %keep {precision = default} #{instruction = "INSTRUCTION"} : SUM[128, 256; #acc]
              dot_commit
              dot_wait [] {pending = 1}
              barrier_arrive %empty, %before, %keep
      ADVANCE
              yield [%sum, %slot2, %phase2, %slot]
            } : SUM[128, 256; #acc], i64, i64, i64
            %done = dot_wait [%acc1] {pending = 0} : SUM[128, 256; #acc]
            barrier_arrive %empty, %last, _
      SLICES
            yield [%s1, %p1]
          } : i64, i64
          store_wait {pending = 0}
          yield []
        }
        yield []
      }
      """;

  private static String program() {
    String consumer = (CONSUMER.replace("TILE\n", TILE).replace("ADVANCE\n", ADVANCE))
        .replaceAll(
            "%(t|g|r|f|left|gs|mi|nj|mf|i|j|ri|slot|phase|slot0|phase0|k|s|p|s1|p1|next|wraps|slot2|flipped|phase2)\\b",
            "%$1_2");
    return DEVICE.replace("TILE\n", TILE).replace("ADVANCE\n", ADVANCE) + consumer;
  }
}
