package dev.tkc;

import dev.tkc.grammar.lower.Library;
import dev.tkc.grammar.lower.Lowering;
import dev.tkc.grammar.syntax.Item;
import dev.tkc.host.TestResult;
import dev.tkc.host.TestRunner;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.diag.Spelling;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** A program that was loaded: its kernels, which are free of errors, and its tests. Thread-safe. */
public final class KernelModule {
  private final Tkc session;
  private final Source source;
  private final Library library;
  private final List<Diagnostic> warnings;
  private final List<Diagnostic> inTests;
  private final Map<String, Object> globals;
  private final Map<String, Kernel> kernels = new LinkedHashMap<>();

  /** {@code findings}: what was found in it; errors are in tests only. */
  KernelModule(Tkc session, Source source, Library library, List<Diagnostic> findings) {
    this.session = session;
    this.source = source;
    this.library = library;
    this.inTests = findings.stream().filter(Diagnostic::isError).toList();
    this.warnings = findings.stream().filter(d -> !d.isError()).toList();
    this.globals = Lowering.constants(library);
    library.kernels().forEach(k -> kernels.put(k.name().text(), new Kernel(this, k)));
  }

  public Tkc session() {
    return session;
  }

  public Source source() {
    return source;
  }

  /** What was found in it that is no error. */
  public List<Diagnostic> warnings() {
    return warnings;
  }

  /** What is wrong within its tests; one that has an error is not run, nor is it the reference of a kernel. */
  public List<Diagnostic> errorsInTests() {
    return inTests;
  }

  /** The tests that have no errors, in order. */
  public List<Item.Test> soundTests() {
    return testItems().stream().filter(t -> inTests.stream().noneMatch(d -> isIn(t, d))).toList();
  }

  /** The kernels of the file and of what it imports, in order. */
  public List<Kernel> kernels() {
    return List.copyOf(kernels.values());
  }

  /** The kernel of this name, or the diagnostic that lists them. */
  public Kernel kernel(String name) {
    Kernel kernel = kernels.get(name);
    if (kernel == null) {
      Diagnostic d = Diagnostic.error(Code.KERNEL_CHOICE, source.name() + " has no kernel `" + name + "`")
          .note(names());
      throw new DiagnosticException(
          Spelling.closest(name, kernels.keySet()).map(n -> d.help("did you mean `" + n + "`?")).orElse(d));
    }
    return kernel;
  }

  /** The only kernel of the file; if there are several, the diagnostic that asks which. */
  public Kernel kernel() {
    Optional<String> only = only(library, source);
    if (only.isPresent()) {
      return kernels.get(only.get());
    }
    long own = kernels().stream().filter(k -> k.syntax().span().source() == source).count();
    String what = own == 0 ? " has no kernel" : " has " + own + " kernels, which one is meant is not said";
    Diagnostic d = Diagnostic.error(Code.KERNEL_CHOICE, source.name() + what);
    throw new DiagnosticException(
        kernels.isEmpty() ? d
            : d.note(names()).help("name one: `--kernel " + kernels.keySet().iterator().next() + "`"));
  }

  /** The name of the only kernel of a text. */
  static Optional<String> only(Library library, Source source) {
    List<String> own = library.kernels().stream().filter(k -> k.span().source() == source)
        .map(k -> k.name().text()).toList();
    return own.size() == 1 ? Optional.of(own.getFirst()) : Optional.empty();
  }

  private String names() {
    return kernels.isEmpty() ? "it has none" : "its kernels are " + String.join(", ", kernels.keySet());
  }

  /** The titles of the tests, in order. */
  public List<String> tests() {
    return testItems().stream().map(Item.Test::title).toList();
  }

  /** Runs every test whose title holds the text; each ends with its first finding. */
  public List<TestResult> test(String filter) {
    List<TestResult> results = new ArrayList<>();
    test(filter, results::add);
    return results;
  }

  /** The same; {@code ended} is told of each test when it has ended. */
  public void test(String filter, Consumer<TestResult> ended) {
    testItems().stream().filter(t -> t.title().contains(filter)).forEach(t -> ended.accept(
        TestRunner.run(this, t, inTests.stream().filter(d -> isIn(t, d)).toList())));
  }

  /** Whether a finding is about the text of a test. */
  static boolean isIn(Item.Test test, Diagnostic d) {
    if (d.labels().isEmpty()) {
      return false;
    }
    Span at = d.labels().getFirst().span();
    return at.source() == test.span().source() && at.start() >= test.span().start() && at.end() <= test.span().end();
  }

  /** The tests as they were written. */
  public List<Item.Test> testItems() {
    return tests(library);
  }

  static List<Item.Test> tests(Library library) {
    return library.program().items().stream().filter(Item.Test.class::isInstance).map(Item.Test.class::cast).toList();
  }

  /** The linked program, for what lowers host code. */
  public Library library() {
    return library;
  }

  /** The value of a {@code const} of the program. */
  Optional<Object> global(String name) {
    return Optional.ofNullable(globals.get(name));
  }

  @Override
  public String toString() {
    return source.name();
  }
}
