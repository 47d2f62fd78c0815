package dev.tkc.tests;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The arrows between modules, who may use which library, and that no shared code asks for a vendor. */
class ArchitectureTest {
  private static final int MARGIN = 120;

  private static JavaClasses classes;

  @BeforeAll
  static void read() {
    classes = new ClassFileImporter().importPaths(
        Stream.of("ir", "grammar", "passes", "backend-llvm", "backend-ptx", "backend-amdgcn", "compiler", "cli")
            .map(m -> Project.ROOT.resolve(m).resolve("target/classes")).toList());
    assertThat(classes.size()).isGreaterThan(200);
  }

  @Test
  void arrowsBetweenModulesPointOneWay() {
    layeredArchitecture().consideringOnlyDependenciesInLayers()
        .layer("ir").definedBy("dev.tkc.ir..")
        .layer("grammar").definedBy("dev.tkc.grammar..")
        .layer("passes").definedBy("dev.tkc.passes..")
        .layer("backend-llvm").definedBy("dev.tkc.backend.llvm..")
        .layer("backend-ptx").definedBy("dev.tkc.backend.ptx..")
        .layer("backend-amdgcn").definedBy("dev.tkc.backend.amdgcn..")
        .layer("compiler").definedBy("dev.tkc", "dev.tkc.io..", "dev.tkc.launch..", "dev.tkc.host..",
            "dev.tkc.fuzz..")
        .layer("cli").definedBy("dev.tkc.cli..")
        .whereLayer("ir").mayNotAccessAnyLayer()
        .whereLayer("grammar").mayOnlyAccessLayers("ir")
        .whereLayer("passes").mayOnlyAccessLayers("ir")
        .whereLayer("backend-llvm").mayOnlyAccessLayers("ir", "passes")
        .whereLayer("backend-ptx").mayOnlyAccessLayers("ir", "passes", "backend-llvm")
        .whereLayer("backend-amdgcn").mayOnlyAccessLayers("ir", "passes", "backend-llvm")
        .whereLayer("cli").mayNotBeAccessedByAnyLayer()
        .whereLayer("compiler").mayOnlyBeAccessedByLayers("cli")
        .ensureAllClassesAreContainedInArchitecture()
        .check(classes);
  }

  @Test
  void librariesStayInTheirPlaces() {
    only("org.bytedeco..", "dev.tkc.backend.llvm..", "dev.tkc.backend.amdgcn..");
    only("jcuda..", "dev.tkc.backend.ptx..");
    only("picocli..", "dev.tkc.cli..");
    only("org.antlr..", "dev.tkc.grammar..");
    only("com.fasterxml.jackson..", "dev.tkc", "dev.tkc.io..");
  }

  private static void only(String library, String... users) {
    noClasses().that().resideOutsideOfPackages(users).should().dependOnClassesThat().resideInAPackage(library)
        .check(classes);
  }

  @Test
  void opsAreRecordsInASealedHierarchy() {
    assertThat(dev.tkc.ir.op.Op.class.isSealed()).isTrue();
    assertThat(dev.tkc.ir.op.OpShape.entries()).allSatisfy(e -> assertThat(e.shape().type().isRecord()).isTrue());
  }

  /** What differs between vendors is data; a pass or shared class that names one is a defect. */
  @Test
  void sharedCodeNamesNoVendor() throws IOException {
    Pattern vendor =
        Pattern.compile("(?i)\\b(nvidia|amd|isnvidia|isamd|vendor|nvptx|amdgcn|cuda|hip|gfx\\d+)\\b|\"sm_");
    List<String> found = new ArrayList<>();
    for (String module : List.of("ir", "passes", "backend-llvm")) {
      for (Path file : Project.sources(module)) {
        // Titles of diagnostics are text; the toolchain initialises LLVM's targets by their names; it decides nothing
        // by them.
        if (file.endsWith("LlvmToolchain.java") || file.endsWith("Code.java")) {
          continue;
        }
        String code = Files.readString(file).replaceAll("(?s)/\\*.*?\\*/", "").replaceAll("//.*", "");
        vendor.matcher(code).results().forEach(m -> found.add(file.getFileName() + ": " + m.group()));
      }
    }
    assertThat(found).isEmpty();
  }

  /** Texts between {@code """} are as wide as what they show. */
  @Test
  void linesKeepToTheMargin() throws IOException {
    List<String> wide = new ArrayList<>();
    for (String module : List.of(
        "ir", "grammar", "passes", "backend-llvm", "backend-ptx", "backend-amdgcn", "compiler", "cli", "tests")) {
      for (Path file : Project.files(Project.ROOT.resolve(module).resolve("src"), ".java")) {
        boolean text = false;
        int number = 0;
        for (String line : Files.readAllLines(file)) {
          number++;
          int marks = line.split("\"\"\"", -1).length - 1;
          if (!text && marks == 0 && line.length() > MARGIN) {
            wide.add(Project.ROOT.relativize(file) + ":" + number);
          }
          text ^= marks % 2 == 1;
        }
      }
    }
    assertThat(wide).isEmpty();
  }
}
