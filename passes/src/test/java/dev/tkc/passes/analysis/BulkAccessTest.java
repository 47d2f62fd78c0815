package dev.tkc.passes.analysis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.rules.Verifier;
import dev.tkc.ir.text.IrParser;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.PassOptions;
import dev.tkc.passes.tile.NarrowTensors;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BulkAccessTest {
  private static final String FULL = """
        %ri = range %i, %c1, %c64 {size = 64} : range<64>
        %rj = range %j, %c1, %c64 {size = 64} : range<64>
      """;

  private record Asked(Func func, BulkAccess access, List<Inst> insts) {
    String obstacle(int i) {
      return access.obstacle(insts.get(i)).orElse("none");
    }
  }

  /**
   * The loads and stores, in order, of a function over bf16[B, N, M], f32[N, M] and others whose rows are multiples of
   * 8.
   */
  private static Asked of(String body) {
    var module = IrParser.parse("""
        device @f(%N: i64, %M: i64 div 8, %P: i64, %x: ptr<bf16> div 16, %y: ptr<bf16> div 16, %z: ptr<bf16> div 8,
            %i: i64 div 64, %j: i64 div 64, %n: i64) {
          %c0 = constant {value = 0 : i64} : i64
          %c1 = constant {value = 1 : i64} : i64
          %c2 = constant {value = 2 : i64} : i64
          %c64 = constant {value = 64 : i64} : i64
          %c128 = constant {value = 128 : i64} : i64
          %zero = constant {value = 0.0 : bf16} : bf16
          %one = constant {value = 1.0 : bf16} : bf16
          %NM = mul %N, %M : i64
          %t = make_tensor %x, [%N, %M], [%M, %c1] {access = in, name = "t"} : tensor<bf16, 2>
          %t3 = make_tensor %x, [%P, %N, %M], [%NM, %M, %c1] {access = in, name = "t3"} : tensor<bf16, 3>
          %turned = make_tensor %x, [%N, %M], [%c1, %M] {access = in, name = "turned"} : tensor<bf16, 2>
          %odd = make_tensor %x, [%N, %P], [%P, %c1] {access = in, name = "odd"} : tensor<bf16, 2>
          %off = make_tensor %z, [%N, %M], [%M, %c1] {access = in, name = "off"} : tensor<bf16, 2>
          %o = make_tensor %y, [%N, %M], [%M, %c1] {access = out, name = "o"} : tensor<bf16, 2>
        """ + body + "  yield []\n}\n");
    assertThat(Verifier.verify(module)).isEmpty();
    Func func = module.funcs().get(0);
    List<Inst> found = new ArrayList<>();
    func.body().walk(i -> {
      if (i.op() instanceof MemoryOp.Load || i.op() instanceof MemoryOp.Store) {
        found.add(i);
      }
    });
    return new Asked(func, new BulkAccess(func), found);
  }

  @Test
  void fullTilesAreCopied() {
    Asked a = of(FULL + """
          %v = load %t, [%ri, %rj], _ : bf16[64, 64]
          %w = load %t3, [%n, %ri, %rj], %zero : bf16[64, 64]
        """);
    assertThat(a.obstacle(0)).isEqualTo("none");
    assertThat(a.obstacle(1)).isEqualTo("none");
    assertThat(a.access.of(a.insts.get(1)).orElseThrow().box()).containsExactly(1, 64, 64);
  }

  @Test
  void lanesThatAreInvalidOutsideTheTensorDoNotMatter() {
    Asked a = of("""
          %li = sub %N, %i : i64
          %lj = sub %M, %n : i64
          %ri = range %i, %c1, %li {size = 64} : range<64>
          %rj = range %n, %c1, %lj {size = 64} : range<64>
          %v = load %t, [%ri, %rj], _ : bf16[64, 64]
          store %o, [%ri, %rj], %v
        """);
    assertThat(a.obstacle(0)).isEqualTo("none");
    assertThat(a.obstacle(1)).isEqualTo("none");
  }

  @Test
  void whatATensorMustBe() {
    Asked a = of(FULL + """
          %v = load %turned, [%ri, %rj], _ : bf16[64, 64]
          %w = load %odd, [%ri, %rj], _ : bf16[64, 64]
          %u = load %off, [%ri, %rj], _ : bf16[64, 64]
        """);
    assertThat(a.obstacle(0)).contains("last dimension is not contiguous");
    assertThat(a.obstacle(1)).contains("stride of the tensor's dimension 0");
    assertThat(a.obstacle(2)).contains("address is not known to be a multiple of 16");
  }

  @Test
  void theHostMustKnowTheTensor() {
    Asked a = of(FULL + """
          %b = block_id : i64
          %rows = add %N, %b : i64
          %t2 = make_tensor %x, [%rows, %M], [%M, %c1] {access = in, name = "t2"} : tensor<bf16, 2>
          %v = load %t2, [%ri, %rj], _ : bf16[64, 64]
        """);
    assertThat(a.obstacle(0)).contains("computed in the block");
  }

  @Test
  void whatIndicesMustBe() {
    Asked a = of("""
          %ri = range %i, %c2, %c64 {size = 64} : range<64>
          %rj = range %j, %c1, %c64 {size = 64} : range<64>
          %rk = range %j, %c1, %c128 {size = 72} : range<72>
          %l = lanes %rj : i32[64]
          %v = load %t, [%ri, %rj], _ : bf16[64, 64]
          %w = load %t, [%l, %rj], _ : bf16[64, 64]
          %u = load %t, [%rj, %n], _ : bf16[64]
          %s = load %t, [%rj, %rk], _ : bf16[64, 72]
          %p = load %t, [%rj, %rj], %one : bf16[64, 64]
        """);
    assertThat(a.obstacle(0)).contains("steps other than 1");
    assertThat(a.obstacle(1)).contains("indexed by a tile");
    assertThat(a.obstacle(2)).contains("indexed by a number");
    assertThat(a.obstacle(3)).contains("rows of 144 bytes are no multiple of 32");
    assertThat(a.obstacle(4)).contains("pads with something else");
  }

  @Test
  void storesAreInNoOrderWithOtherAccesses() {
    Asked a = of(FULL + """
          %v = load %t, [%ri, %rj], _ : bf16[64, 64]
          %w = load %o, [%ri, %rj], _ : bf16[64, 64]
          store %o, [%ri, %rj], %v
        """);
    assertThat(a.obstacle(1)).contains("writes the tensor too");
    assertThat(a.obstacle(2)).contains("accesses the tensor elsewhere");
    Asked branches = of(FULL + """
          %full = lt %i, %n : bool
          if %full () {
            %v = load %t, [%ri, %rj], _ : bf16[64, 64]
            store %o, [%ri, %rj], %v
            yield []
          } () {
            %w = load %t, [%ri, %rj], _ : bf16[64, 64]
            store %o, [%ri, %rj], %w
            yield []
          }
        """);
    assertThat(branches.obstacle(1)).isEqualTo("none");
    Asked loops = of("""
          for %c0, %N, [] {step = 64} (%k: i64) {
            %ri = range %i, %c1, %c64 {size = 64} : range<64>
            %rk = range %k, %c1, %c64 {size = 64} : range<64>
            %v = load %t, [%rk, %ri], _ : bf16[64, 64]
            store %o, [%ri, %ri], %v
            yield []
          }
        """);
    assertThat(loops.obstacle(1)).contains("same place in each round");
  }

  /** A causal loop ends at the tensor's end, of which nothing is known, or where the block's own rows end. */
  private static String causal(String step) {
    return """
          %end = add %i, %c64 : i64
          %hi = min %N, %end : i64
          for %c0, %hi, [] {step = STEP} (%k: i64) {
            %left = sub %hi, %k : i64
            %rk = range %k, %c1, %left {size = STEP} : range<STEP>
            %rj = range %j, %c1, %c64 {size = 64} : range<64>
            %v = load %t, [%rk, %rj], _ : bf16[STEP, 64]
            yield []
          }
        """.replace("STEP", step);
  }

  @Test
  void eachCaseOfAMinimumIsLookedAt() {
    assertThat(of(causal("64")).obstacle(0)).isEqualTo("none");
    Asked a = of(causal("128"));
    assertThat(a.obstacle(0)).contains("lanes of dimension 0 may be invalid and yet inside the tensor");
    assertThat(a.access.of(a.insts.get(0)).orElseThrow().masked()).containsExactly(0);
  }

  @Test
  void aTensorMayEndWhereLanesDo() {
    // A causal loop over the rows of a tensor of %N ends at another's size, too.
    Asked a = of("""
          %end = add %i, %c64 : i64
          %rows = min %end, %P : i64
          %hi = min %N, %rows : i64
          for %c0, %hi, [] {step = 64} (%k: i64) {
            %left = sub %hi, %k : i64
            %rk = range %k, %c1, %left {size = 64} : range<64>
            %rj = range %j, %c1, %c64 {size = 64} : range<64>
            %v = load %t, [%rk, %rj], _ : bf16[64, 64]
            %b = block_id : i64
            %r2 = range %n, %c1, %b {size = 64} : range<64>
            %w = load %t, [%r2, %rj], _ : bf16[64, 64]
            yield []
          }
        """);
    assertThat(a.obstacle(0)).contains("invalid and yet inside");
    assertThat(a.access.narrowing(a.insts.get(0)).orElseThrow()).containsOnlyKeys(0);
    assertThat(a.access.narrowing(a.insts.get(1))).isEmpty();
    NarrowTensors.run(a.func, PassContext.portable(PassOptions.defaults()));
    BulkAccess after = new BulkAccess(a.func);
    assertThat(after.obstacle(a.insts.get(0))).isEmpty();
    assertThat(after.obstacle(a.insts.get(1))).isPresent();
  }
}
