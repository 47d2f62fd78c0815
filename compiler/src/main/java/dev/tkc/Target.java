package dev.tkc;

import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Spelling;
import dev.tkc.passes.target.TargetInfo;
import java.util.List;
import java.util.Optional;

/** A kind of device that code can be made for: a row of {@link Backends}' tables. */
public record Target(TargetInfo info, Backends backend) {
  public static final Target SM_80 = of("sm_80");
  public static final Target SM_90A = of("sm_90a");
  public static final Target GFX942 = of("gfx942");
  public static final Target GFX950 = of("gfx950");

  public String name() {
    return info.name();
  }

  /** Every target, by backend. */
  public static List<Target> all() {
    return Backends.targets();
  }

  public static Optional<Target> find(String name) {
    return all().stream().filter(t -> t.name().equals(name)).findFirst();
  }

  /** The target of this name, or the diagnostic that lists them. */
  public static Target of(String name) {
    return find(name).orElseThrow(() -> unknown(name));
  }

  private static DiagnosticException unknown(String name) {
    List<String> names = all().stream().map(Target::name).toList();
    Diagnostic d = Diagnostic.error(Code.TARGET_UNKNOWN, "there is no target `" + name + "`")
        .note("there are: " + String.join(", ", names));
    return new DiagnosticException(Spelling.closest(name, names).map(n -> d.help("did you mean `" + n + "`?"))
        .orElse(d));
  }

  @Override
  public String toString() {
    return name();
  }
}
