package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Program;
import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Module;
import dev.tkc.ir.Region;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Span;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A kernel of a program as IR, for given values of its constants. */
public final class Lowering {
  private Lowering() {}

  /**
   * The module of one specialisation.
   *
   * @throws DiagnosticException with every error found on the way
   */
  public static Module lower(Library library, String kernel, Specialisation specialisation) {
    Item.Kernel item = library.kernel(kernel).orElseThrow(() -> new DiagnosticException(noKernel(library, kernel)));
    Findings findings = new Findings();
    library.diagnostics().forEach(findings::add);
    Module module = lower(library, item, specialisation, findings);
    if (findings.hasErrors()) {
      throw new DiagnosticException(findings.list());
    }
    return module;
  }

  /** The module for given values of all constants, with nothing known of its arguments. */
  public static Module lower(Library library, String kernel, Map<String, Object> constants) {
    return lower(library, kernel, Specialisation.of(constants));
  }

  /**
   * The values ({@code Long}, {@code Double}, {@code Boolean}) of the {@code const}s of a file that are known at once.
   */
  public static Map<String, Object> constants(Library library) {
    Map<String, Object> out = new LinkedHashMap<>();
    for (String name : library.constantNames()) {
      Findings findings = new Findings();
      Item.Const item = library.constant(name).orElseThrow();
      guarded(findings, item.name().span(), () -> {
        Val v = Lowerer.constant(library, findings).calls.constant(item, item.name().span());
        ConstantValue.of(v).ifPresent(x -> out.put(name, x));
      });
    }
    return out;
  }

  /** The same for a file that imports nothing. */
  public static Module lower(Program program, String kernel, Specialisation specialisation) {
    return lower(Library.of(program), kernel, specialisation);
  }

  /** Lowers with findings collected; the module means nothing if there are errors. */
  static Module lower(Library library, Item.Kernel kernel, Specialisation specialisation, Findings findings) {
    return lower(library, kernel, specialisation, Map.of(), findings);
  }

  /** {@code samples}: those of the constants that checking made up. */
  static Module lower(
      Library library, Item.Kernel kernel, Specialisation specialisation, Map<String, Long> samples,
      Findings findings) {
    Module module = new Module();
    guarded(findings, kernel.name().span(), () -> {
      Region body = new Region();
      Lowerer l = new Lowerer(library, findings, new Builder(body), Lowerer.Place.KERNEL, null);
      l.samples().putAll(samples);
      Func func = new Kernels(l, specialisation).lower(kernel, body);
      module.funcs().add(func);
    });
    return module;
  }

  /** Runs a walk; a defect of tkc becomes a finding, so that no input can end in an exception. */
  static void guarded(Findings findings, Span at, Runnable walk) {
    try {
      walk.run();
    } catch (DiagnosticException e) {
      // What says no place of its own was found on the way here.
      e.diagnostics().forEach(d -> findings.add(d.labels().isEmpty() ? d.label(at, "here") : d));
    } catch (OutOfMemoryError e) {
      findings.add(Diagnostic.error(Code.MEMORY_LIMIT, at, "Java's memory is used up here: " + e.getMessage())
          .help("use smaller sizes, or give the process more memory"));
    } catch (StackOverflowError e) {
      findings.add(Diagnostic.error(Code.TOO_DEEP, at, "this is nested too deeply to be checked"));
    } catch (RuntimeException e) {
      if (!findings.hasErrors()) {
        StackTraceElement[] trace = e.getStackTrace();
        findings.add(Diagnostic.error(Code.INTERNAL, at, "tkc failed on this: " + e)
            .note(trace.length > 0 ? "in " + trace[0] : "at an unknown place"));
      }
    }
  }

  private static List<Diagnostic> noKernel(Library library, String kernel) {
    Diagnostic d = Diagnostic.error(Code.UNKNOWN_NAME, "there is no kernel `" + kernel + "`");
    List<String> names = library.kernelNames();
    d = names.isEmpty() ? d.note("the file has no kernels") : d.note("the kernels are " + String.join(", ", names));
    var close = Suggest.closest(kernel, names);
    return List.of(close.isPresent() ? d.help("did you mean `" + close.get() + "`?") : d);
  }
}
