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
import dev.tkc.ir.diag.Spelling;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A program that was loaded and found free of errors: its kernels and tests. Thread-safe. */
public final class KernelModule {
  private final Tkc session;
  private final Source source;
  private final Library library;
  private final List<Diagnostic> warnings;
  private final Map<String, Object> globals;
  private final Map<String, Kernel> kernels = new LinkedHashMap<>();

  KernelModule(Tkc session, Source source, Library library, List<Diagnostic> warnings) {
    this.session = session;
    this.source = source;
    this.library = library;
    this.warnings = List.copyOf(warnings);
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
    List<Kernel> own = kernels().stream().filter(k -> k.syntax().span().source() == source).toList();
    if (own.size() == 1) {
      return own.get(0);
    }
    String what = own.isEmpty() ? " has no kernel" : " has " + own.size() + " kernels, which one is meant is not said";
    Diagnostic d = Diagnostic.error(Code.KERNEL_CHOICE, source.name() + what);
    throw new DiagnosticException(kernels.isEmpty() ? d : d.note(names()));
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
    return testItems().stream().filter(t -> t.title().contains(filter)).map(t -> TestRunner.run(this, t)).toList();
  }

  /** The tests as they were written. */
  public List<Item.Test> testItems() {
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
