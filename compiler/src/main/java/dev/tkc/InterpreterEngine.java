package dev.tkc;

import dev.tkc.ir.Module;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.launch.Argument;
import dev.tkc.launch.Binding;
import java.util.List;

/** Launches in the interpreter, on the IR as the front end made it. */
final class InterpreterEngine implements Engine {
  private final Interpreter.Options options;

  InterpreterEngine(Interpreter.Options options) {
    this.options = options;
  }

  @Override
  public Timing launch(Kernel kernel, Constants constants, List<Argument> given) {
    long start = System.nanoTime();
    Kernel.Bound bound = kernel.bind(constants, given);
    Binding binding = bound.binding();
    Module module = kernel.lower(bound.specialisation());
    List<Datum> arguments = LaunchData.of(module.kernel(), kernel, binding, Tensor::buffer);
    long ready = System.nanoTime();
    new Interpreter(options).run(module, arguments);
    long end = System.nanoTime();
    for (Argument argument : binding.arguments()) {
      if (argument instanceof Argument.Array array && !options.check()) {
        // Without checking nobody kept account of what was written.
        array.tensor().buffer().trustAll();
      }
    }
    return new Timing(end - ready, end - start);
  }

  @Override
  public void close() {}
}
