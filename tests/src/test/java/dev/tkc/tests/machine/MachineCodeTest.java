package dev.tkc.tests.machine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.CompiledKernel;
import dev.tkc.Constants;
import dev.tkc.Device;
import dev.tkc.Report;
import dev.tkc.Target;
import dev.tkc.Tkc;
import dev.tkc.tests.Project;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What the assembler makes of the library for Hopper, kernel by kernel, at the schedule that a launch of such sizes
 * has: nothing is spilled, no product is serialised, products follow each other with nothing in between that waits, and
 * their loops bring hardly anything into uniform registers, reload nothing that was spilled and bring no threads
 * together. {@link #KNOWN} says where that does not hold, violation by violation: what is new fails, and so does what
 * is no longer true, so that the list only becomes shorter.
 */
class MachineCodeTest {
  private static final Target HOPPER = Target.find("sm_90a").orElseThrow();

  /** More instructions between two products of a row than the first one takes to compute. */
  private static final int WIDE = 96;

  /** One compilation: {@code sizes} are constants and sizes, {@code NAME=VALUE}. */
  private record Case(String file, String kernel, String sizes) {
    String name() {
      return kernel + " " + sizes;
    }

    Constants values() {
      Constants all = Constants.none();
      for (String s : sizes.split(" ")) {
        String[] parts = s.split("=");
        all = all.and(parts[0], parts[1].equals("true") ? (Object) true : Long.valueOf(parts[1]));
      }
      return all;
    }
  }

  private static final String CUBE = "M=4096 N=4096 K=4096";
  private static final String HEADS = "B=4 H=16 G=16 N=4096 S=4096 ";

  private static Stream<Case> products() {
    return Stream.of(
        Stream.of("gemm", "gemm_nt", "gemm_tn", "gemm_tt", "gemm_bias", "gemm_bias_gelu", "gemm_bias_residual",
            "gemm_gated")
            .map(k -> new Case("gemm.tk", k, CUBE)),
        Stream.of(new Case("gemm.tk", "gemm", "M=4095 N=4097 K=4103"),
            new Case("gemm.tk", "gemm", "M=512 N=512 K=512"),
            new Case("gemm.tk", "gemm", "M=64"), new Case("gemm.tk", "gemm_gated", "M=64"),
            new Case("gemm.tk", "gemm_batched", "B=16 M=2048 N=2048 K=1024"),
            new Case("gemm.tk", "gemm_skinny", "M=16 N=4096 K=4096"),
            new Case("gemm.tk", "gemm_split_k", "M=128 N=4096 K=14336"),
            new Case("gemm.tk", "gemm_stream_k", "M=128 N=4096 K=14336")),
        Stream.of("gemm_f16", "gemm_f16_nt").map(k -> new Case("gemm_types.tk", k, CUBE)),
        Stream.of("gemm_e4m3", "gemm_e5m2", "gemm_e4m3_rows", "gemm_e4m3_two_level", "gemm_e4m3_blocks")
            .map(k -> new Case("gemm_fp8.tk", k, CUBE)),
        Stream.of("gemm_i8", "gemm_i8_rows").map(k -> new Case("gemm_int8.tk", k, CUBE))).flatMap(s -> s);
  }

  private static Stream<Case> attention() {
    List<Case> cases = new ArrayList<>();
    for (int d : new int[] {64, 96, 128, 256}) {
      cases.add(new Case("attention.tk", "attention", HEADS + "D=" + d));
      cases.add(new Case("attention.tk", "attention", HEADS + "D=" + d + " causal=true"));
    }
    cases.add(new Case("attention.tk", "attention", HEADS + "D=128 causal=true window=512"));
    cases.add(new Case("attention.tk", "attention_varlen", "B=4 H=16 G=16 T=16384 U=16384 D=128"));
    cases.add(new Case("attention_decode.tk", "attention_paged", "B=64 H=32 G=8 Q=8192 PAGE=64 T=128 D=128"));
    cases.add(new Case("attention_decode.tk", "attention_decode", "B=64 H=32 G=8 S=8192 D=128"));
    for (int d : new int[] {64, 128}) {
      cases.add(new Case("attention_backward.tk", "attention_backward", HEADS + "D=" + d));
      cases.add(new Case("attention_backward.tk", "attention_backward", HEADS + "D=" + d + " causal=true"));
    }
    for (String values : List.of("D=128", "D=128 causal=true", "D=64 causal=true")) {
      cases.add(new Case("attention_backward.tk", "attention_backward_deterministic", HEADS + values));
    }
    return cases.stream();
  }

  private static Stream<Case> others() {
    return Stream.of(
        new Case("softmax.tk", "softmax", "M=8192 D=8192"), new Case("softmax.tk", "softmax_long", "M=4096 N=32768"),
        new Case("norm.tk", "layernorm_forward", "M=16384 D=4096"),
        new Case("norm.tk", "rmsnorm_forward", "M=16384 D=4096"),
        new Case("norm.tk", "dropout_residual_layernorm", "M=16384 D=1024"), new Case("elementwise.tk", "gelu_forward",
            "N=16777216"), new Case("elementwise.tk", "swiglu", "N=16777216"),
        new Case("reduce.tk", "sum_last", "M=16384 N=16384"), new Case("transpose.tk", "transpose", "M=16384 N=16384"),
        new Case("scan.tk", "cumsum_rows", "M=8192 N=8192"), new Case("rotary.tk", "rotary", "B=8 H=16 N=4096 D=128"),
        new Case("cross_entropy.tk", "cross_entropy", "M=8192 V=32768"),
        new Case("linear_attention.tk", "linear_attention", "B=4 H=16 N=4096 F=16 D=64"));
  }

  /** Descriptors that are computed in ordinary registers. */
  private static final String MOVED_IN_LOOP = "TO_UNIFORM in the loop of products";

  /** Violations that are known, by the name of the case. */
  private static final Map<String, Set<String>> KNOWN = known();

  private static Map<String, Set<String>> known() {
    String backward = "attention_backward " + HEADS;
    return Map.ofEntries(
        // One operand goes through memory, rows are read where they are used.
        Map.entry(backward + "D=64", Set.of("SHARED between products")),
        Map.entry(backward + "D=64 causal=true", Set.of("SHARED between products")),
        Map.entry(backward + "D=128", Set.of("SHARED between products")),
        Map.entry(backward + "D=128 causal=true", Set.of("SHARED between products")),
        // Its queries' phase loads what belongs to a tile's rows beside the tile before.
        Map.entry("attention_backward_deterministic " + HEADS + "D=128", Set.of("SHARED between products",
            "GLOBAL between products")),
        Map.entry("attention_backward_deterministic " + HEADS + "D=128 causal=true", Set.of("SHARED between products",
            "GLOBAL between products")),
        Map.entry("attention_backward_deterministic " + HEADS + "D=64 causal=true", Set.of("GLOBAL between products")),
        Map.entry("cross_entropy M=8192 V=32768", Set.of("spills")));
  }

  private static final Tkc SESSION = Tkc.create(Device.interpreter());

  @AfterAll
  static void close() {
    SESSION.close();
  }

  private static Stream<Case> cases() {
    return Stream.of(products(), attention(), others()).flatMap(s -> s);
  }

  @TestFactory
  Stream<DynamicTest> everyKernelDoesWhatIsKnownOfItAndNothingElse() {
    return cases().map(c -> DynamicTest.dynamicTest(c.name(), () -> {
      Set<String> found = violations(c);
      Set<String> known = KNOWN.getOrDefault(c.name(), Set.of());
      assertThat(found).as("new in the code of %s", c.name()).isSubsetOf(known);
      assertThat(known).as("gone from the code of %s: take it out of the list", c.name()).isSubsetOf(found);
    }));
  }

  @Test
  void whatIsKnownIsOfKernelsThatAreLookedAt() {
    assertThat(cases().map(Case::name)).containsAll(KNOWN.keySet());
  }

  /** Without sizes every element may have a guard and an address of its own, which takes the most registers. */
  @TestFactory
  Stream<DynamicTest> nothingIsSpilledWhereNoSizesAreKnown() {
    Target ampere = Target.find("sm_80").orElseThrow();
    Stream<DynamicTest> hopper = Stream.of(new Case("gemm.tk", "gemm_bias_residual", "activation=0"),
        new Case("gemm.tk", "gemm_stream_k", "P=132")).map(c -> spillsNothing(c, HOPPER));
    return Stream.concat(hopper, Stream.of(
        new Case("attention.tk", "attention", "D=128"), new Case("attention.tk", "attention_varlen", "D=128"),
        new Case("attention_backward.tk", "attention_backward", "D=64"),
        new Case("gemm_fp8.tk", "gemm_e4m3_blocks", "BM=64"), new Case("gemm_int8.tk", "gemm_i8", "BM=128"),
        new Case("linear_attention.tk", "linear_attention", "F=64 D=64"))
        .map(c -> spillsNothing(c, ampere)));
  }

  private static DynamicTest spillsNothing(Case c, Target target) {
    return DynamicTest.dynamicTest(c.name(), () -> {
      Path file = Project.ROOT.resolve("kernels").resolve(c.file);
      Report report = SESSION.load(file).kernel(c.kernel).compile(target, c.values()).report();
      assertThat(report.spillBytes()).as(report.text()).isZero();
    });
  }

  private static Set<String> violations(Case c) {
    Path file = Project.ROOT.resolve("kernels").resolve(c.file);
    CompiledKernel compiled = SESSION.load(file).kernel(c.kernel).compile(HOPPER, c.values());
    Report report = compiled.report();
    Set<String> found = new TreeSet<>();
    report.functions().stream().filter(f -> f.spillBytes() > 0).forEach(f -> found.add("spills"));
    report.warnings().forEach(w -> found.add(w.replaceAll(".*\\((C75\\d\\d)\\).*", "$1")));
    for (Sass code : Sass.read(compiled.binary()).values()) {
      code.gaps().forEach(gap -> gap(gap, found));
      code.loops().forEach(loop -> loop(loop, found));
    }
    return found;
  }

  private static void gap(List<Sass.Instruction> gap, Set<String> found) {
    if (gap.size() > WIDE) {
      found.add("wide gap between products");
    }
    for (Sass.Instruction i : gap) {
      switch (i.kind()) {
        case WARP_SYNC, BARRIER, LOCAL, SHARED, GLOBAL -> found.add(i.kind() + " between products");
        case PRODUCT, WARPGROUP, TRANSACTION, TO_UNIFORM, BRANCH, FUNCTION, OTHER -> { }
      }
    }
  }

  private static void loop(Sass.Loop loop, Set<String> found) {
    // One for each product is what a descriptor costs that changes from round to round; more is a flood.
    if (loop.count(Sass.Kind.TO_UNIFORM) > loop.count(Sass.Kind.PRODUCT)) {
      found.add(MOVED_IN_LOOP);
    }
    for (Sass.Kind kind : List.of(Sass.Kind.WARP_SYNC, Sass.Kind.LOCAL)) {
      if (loop.count(kind) > 0) {
        found.add(kind + " in the loop of products");
      }
    }
  }
}
