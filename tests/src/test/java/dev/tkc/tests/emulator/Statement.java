package dev.tkc.tests.emulator;

import java.util.List;
import java.util.Optional;

/**
 * An instruction as text: {@code mad.lo.s32} is the opcode {@code mad} with the suffixes {@code lo} and {@code s32}.
 *
 * @param operands at the top level: {@code %r1}, {@code [%rd1+4]}, {@code {%r1, %r2}}
 */
record Statement(int line, String text, String opcode, List<String> suffixes, List<String> operands) {
  boolean has(String suffix) {
    return suffixes.contains(suffix);
  }

  /** The last suffix that is a type: what the instruction works on. */
  PtxType type() {
    return types().getLast();
  }

  List<PtxType> types() {
    List<PtxType> types = suffixes.stream().map(PtxType::of).flatMap(Optional::stream).toList();
    if (types.isEmpty()) {
      throw new PtxFault("line " + line + ": no type in " + text);
    }
    return types;
  }

  String operand(int i) {
    return operands.get(i);
  }

  PtxFault unknown() {
    return new PtxFault("line " + line + ": the emulator does not know `" + text + "`");
  }
}
