package dev.tkc.cli;

import dev.tkc.Constants;
import dev.tkc.Kernel;
import dev.tkc.KernelModule;
import dev.tkc.Literals;
import dev.tkc.Tkc;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Plural;
import dev.tkc.ir.diag.Source;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Which kernel of a file, and the values of its constants and sizes. */
final class KernelOptions {
  @Option(names = "--kernel", paramLabel = "NAME",
      description = "The kernel; may be left out if the file has only one.")
  private String kernel;

  @Option(
      names = "-D", paramLabel = "NAME=VALUE", converter = {AsIs.class, Value.class},
      description = "The value of a constant or size: a number, true or false.")
  private NamedValues<String, Object> values = new NamedValues<>();

  Kernel in(Tkc tkc, Source source, Command command) {
    values.requireDistinct("-D", command);
    KernelModule module = tkc.load(source, Optional.ofNullable(kernel), new Constants(values));
    List<Diagnostic> inTests = module.errorsInTests();
    if (!inTests.isEmpty()) {
      Diagnostic first = inTests.getFirst();
      command.terminal().report(Diagnostic.warning(Code.TESTS_IN_ERROR, first.labels().getFirst().span(),
          "tests with errors are left out (" + Plural.of(inTests.size(), "error") + ")").note(first.message())
          .help("`tkc check " + source.name() + "` shows what is wrong"));
    }
    return kernel == null ? module.kernel() : module.kernel(kernel);
  }

  Map<String, Object> values() {
    return values;
  }

  static final class AsIs implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      return text;
    }
  }

  static final class Value implements ITypeConverter<Object> {
    @Override
    public Object convert(String text) {
      return Literals.parse(text).orElseThrow(
          () -> new TypeConversionException("'" + text + "' " + Literals.refusal(text)));
    }
  }
}
