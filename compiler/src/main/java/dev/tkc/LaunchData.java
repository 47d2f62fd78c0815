package dev.tkc;

import dev.tkc.ir.Func;
import dev.tkc.ir.Param;
import dev.tkc.ir.interp.Buffer;
import dev.tkc.ir.interp.Datum;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.num.Conversions;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import dev.tkc.launch.Argument;
import dev.tkc.launch.Binding;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** The parameters of a lowered kernel, found by their names among what a launch bound. */
final class LaunchData {
  private LaunchData() {}

  /** One datum for each parameter; {@code buffers} says where a tensor's memory is on the device. */
  static List<Datum> of(Func func, Kernel kernel, Binding binding, Function<Tensor, Buffer> buffers) {
    Map<String, Argument> byName = new HashMap<>();
    for (int i = 0; i < binding.arguments().size(); i++) {
      byName.put(kernel.parameters().get(i).name(), binding.arguments().get(i));
    }
    List<Datum> data = new ArrayList<>();
    for (Param param : func.params()) {
      String name = param.value().name();
      Argument argument = byName.get(name);
      data.add(
          switch (argument) {
            case null -> Tile.integer(binding.size(name)
                .orElseThrow(() -> new IllegalStateException("the parameter " + name + " was bound by nothing")));
            case Argument.Array array -> buffers.apply(array.tensor());
            case Argument.Whole whole -> scalar(param, whole.value());
            case Argument.Real real -> scalar(param, real.value());
            case Argument.Truth truth -> Tile.bool(truth.value());
          });
    }
    return data;
  }

  private static Tile scalar(Param param, Number value) {
    Element element = ((TileType) param.value().type()).element();
    if (!element.isFloat()) {
      return Tile.integer(element, value.longValue());
    }
    double number = value.doubleValue();
    return Tile
        .scalar(Literal.of(element, element == Element.F64 ? number : Conversions.toFloat(element, number, false)));
  }
}
