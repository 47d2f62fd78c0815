package dev.tkc.fuzz;

import java.util.List;

/** The tensors every generated kernel reads, whether it uses them or not; their values come from the program's seed. */
final class Inputs {
  private Inputs() {}

  /** A parameter: its name, element type and dimensions, in terms of M, N and K. */
  record Input(String name, String element, List<String> dims) {}

  static final List<Input> ALL = List.of(
      new Input("fa", "f32", List.of("M", "N")),
      new Input("fb", "f32", List.of("M", "N")),
      new Input("ft", "f32", List.of("N", "M")),
      new Input("bf", "bf16", List.of("M", "N")),
      new Input("hf", "f16", List.of("M", "N")),
      new Input("ia", "i32", List.of("M", "N")),
      new Input("ib", "i8", List.of("M", "N")),
      new Input("fm", "f32", List.of("M")),
      new Input("fn1", "f32", List.of("N")),
      new Input("im", "i32", List.of("M")),
      new Input("pick", "i32", List.of("N")),
      new Input("ha", "bf16", List.of("M", "K")),
      new Input("hb", "bf16", List.of("K", "N")));

  static String parameters() {
    return String.join(", ", ALL.stream().map(i -> i.name + ": " + i.element + "[" + String.join(", ", i.dims) + "]").toList());
  }
}
