package dev.tkc.host;

import dev.tkc.Kernel;
import dev.tkc.Literals;
import dev.tkc.Parameter;
import dev.tkc.Random;
import dev.tkc.Tensor;
import dev.tkc.io.ArrayFile;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.num.Conversions;
import dev.tkc.ir.type.Element;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** Arguments from array files and from nothing. */
final class Inputs {
  private static final long WHOLE_NUMBERS_BELOW = 16;

  private Inputs() {}

  /** Reads what was given for parameters: tensors from files, scalars from their text. */
  static Map<String, Object> read(Kernel kernel, Map<String, String> inputs) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (Map.Entry<String, String> input : inputs.entrySet()) {
      Parameter p = kernel.parameters().stream().filter(x -> x.name().equals(input.getKey()) && x.isRead()).findFirst()
          .orElseThrow(() -> KernelRun.unknown(kernel, input.getKey(), "input",
              kernel.parameters().stream().filter(Parameter::isRead).map(Parameter::name).toList()));
      if (p.tensor() && Literals.parse(input.getValue()).isPresent()) {
        throw new DiagnosticException(
            Diagnostic.error(Code.LAUNCH_SCALAR,
                "`" + p.name() + "` of `" + kernel.name() + "` is a tensor, not the number "
                + input.getValue()).help("name a .npy or a .safetensors file"));
      }
      if (p.tensor()) {
        Tensor tensor = ArrayFile.parse(input.getValue()).read(Optional.of(p.element()));
        values.put(p.name(), p.isWritten() ? tensor.copy() : tensor);
      } else {
        values.put(p.name(), scalar(kernel, p, input.getValue()));
      }
    }
    return values;
  }

  /** A scalar as the kernel will have it; what is of another kind is refused when it is bound. */
  private static Object scalar(Kernel kernel, Parameter p, String text) {
    Object value = Literals.parse(text).or(() -> p.element().isFloat() ? Literals.special(text) : Optional.empty())
        .orElseThrow(() -> refused(kernel, p, text, Literals.refusal(text)));
    if (!p.element().isFloat() || p.element() == Element.F64 || !(value instanceof Number n)) {
      return value;
    }
    double held = Conversions.toFloat(p.element(), n.doubleValue(), false);
    if (Double.isInfinite(n.doubleValue()) && !Double.isInfinite(held)) {
      throw refused(kernel, p, text, "is infinite, which " + p.element().text() + " does not hold");
    }
    if (Double.isInfinite(held) && Double.isFinite(n.doubleValue())) {
      throw refused(kernel, p, text, "is too large for " + p.element().text());
    }
    return held;
  }

  private static DiagnosticException refused(Kernel kernel, Parameter p, String text, String why) {
    return new DiagnosticException(Diagnostic.error(Code.LAUNCH_SCALAR,
        "`" + p.name() + "` of `" + kernel.name() + "` cannot be `" + text + "`: it " + why));
  }

  /** A made-up argument: random for what is read, poisoned for what is written, 1 for scalars. */
  static KernelRun.Used made(Parameter p, long[] shape, long seed) {
    if (!p.tensor()) {
      Object one = p.element().isBool() ? (Object) true : p.element().isFloat() ? (Object) 1.0 : (Object) 1L;
      return new KernelRun.Used(p, one, "1");
    }
    if (!p.isRead()) {
      return new KernelRun.Used(p, Tensor.empty(p.element(), shape), "");
    }
    if (p.element().isFloat()) {
      return new KernelRun.Used(p, Random.normal(seed, p.element(), shape), "normal, seed " + seed);
    }
    long hi = p.element().isBool() ? 2 : Math.min(WHOLE_NUMBERS_BELOW, 1L << (p.element().bits() - 1));
    return new KernelRun.Used(p, Random.integers(seed, 0, hi, p.element(), shape),
        "whole numbers below " + hi + ", seed " + seed);
  }
}
