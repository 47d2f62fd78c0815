package dev.tkc.ir.diag;

import java.util.Optional;

/**
 * Every diagnostic code. The hundreds digit says which stage found it:
 *
 * <ul>
 *   <li>TK00xx reading the text (lexer, parser)
 *   <li>TK01xx names, items and types
 *   <li>TK02xx shapes, ranges and indices
 *   <li>TK03xx constants, launches and equations
 *   <li>TK04xx schedules
 *   <li>TK05xx files, arrays and the command line
 *   <li>TK06xx found while interpreting ({@code --check} included)
 *   <li>TK07xx targets, capabilities and budgets
 *   <li>TK08xx the IR's text and its verifier
 *   <li>TK09xx a defect in tkc itself
 * </ul>
 *
 * <p>The long explanation of a code, with an example, is the resource {@code codes/TK0001.md} beside this class; a test
 * demands one for each, and a golden test that shows it.
 */
public enum Code {
  SYNTAX("TK0001", "the text does not follow the grammar"),
  RESERVED_WORD("TK0002", "a word reserved for programs on several devices"),
  UNCLOSED("TK0003", "a bracket is never closed"),
  UNOPENED("TK0004", "a closing bracket closes nothing"),
  BAD_CHARACTER("TK0005", "a character that has no place in a program"),
  BAD_STRING("TK0006", "a text literal that is not closed or has an unknown escape"),
  BAD_NUMBER("TK0007", "a number literal out of range"),
  TOO_DEEP("TK0008", "the text is nested too deeply"),
  FOREIGN_WORD("TK0009", "a word or sign of another language"),
  EQUALS("TK0010", "`=` where `==` is meant, or the reverse"),
  KEYWORD("TK0011", "a keyword used as a name"),

  LAUNCH_COUNT("TK0320", "a kernel is given too few or too many arguments"),
  LAUNCH_ELEMENT("TK0321", "an argument has another element type than its parameter"),
  LAUNCH_RANK("TK0322", "an argument has another rank than its parameter"),
  LAUNCH_EQUATION("TK0323", "the sizes of the arguments contradict each other"),
  LAUNCH_FACT("TK0324", "a `where` fact of a kernel does not hold for the arguments"),
  LAUNCH_OVERLAP("TK0325", "an argument that is written overlaps another"),
  LAUNCH_BOUND("TK0326", "a dimension is too large for 32-bit indices"),
  LAUNCH_UNBOUND("TK0327", "nothing gives a value to a size or constant"),
  LAUNCH_SCALAR("TK0328", "an argument is of the wrong kind"),
  LAUNCH_CONSTANT("TK0329", "a constant is unknown or of the wrong kind"),

  FILE_MISSING("TK0501", "a file is not there"),
  FILE_ACCESS("TK0502", "a file cannot be read or written"),
  ARRAY_MALFORMED("TK0503", "an array file is malformed"),
  ARRAY_ELEMENT("TK0504", "an array file holds elements tkc has no type for"),
  ARRAY_ORDER("TK0505", "an array file is in a byte order tkc does not read"),
  ARRAY_ENTRY("TK0506", "a safetensors file has no such tensor"),
  ARRAY_KIND("TK0507", "an array file of unknown kind"),
  USAGE("TK0510", "the command line cannot be understood"),
  ARGUMENT_NAME("TK0511", "the kernel has no parameter or constant of that name"),
  KERNEL_CHOICE("TK0512", "the kernel to run is not clear or not there"),
  UNKNOWN_CODE("TK0513", "no diagnostic has that code"),
  EXPECTATION("TK0520", "an expectation of a test does not hold"),

  NO_DEVICE("TK0740", "there is no such device"),
  DEVICE_MEMORY("TK0741", "the device has too little memory"),
  DEVICE_FAULT("TK0742", "a kernel failed on the device"),
  DRIVER("TK0743", "the device's driver refuses a call"),
  NO_ASSEMBLER("TK0744", "there is no assembler for this PTX version"),
  NO_LINKER("TK0745", "the linker for AMD code objects cannot run"),
  INDEX_OUTSIDE("TK0601", "an integer index outside its tensor"),
  UNINITIALISED("TK0602", "a read of memory that was never written"),
  OUT_UNWRITTEN("TK0603", "an `out` parameter that is not written completely"),
  PADDING_LEAK("TK0604", "padding that reaches a result"),
  RACE("TK0605", "a race between two blocks of a phase"),
  STORE_COINCIDES("TK0606", "one store that writes an element twice"),
  INT_FIT("TK0607", "an `int` that does not fit a narrower type"),
  DIVISION_BY_ZERO("TK0608", "an integer divided by zero"),
  NEGATIVE_POWER("TK0609", "an integer to a negative power"),
  ASSERTION("TK0610", "an assertion that does not hold"),
  TENSOR_MEMORY("TK0611", "a tensor that its memory cannot hold"),
  VIEW("TK0612", "a view that does not match its tensor"),
  SHARED_UNORDERED("TK0613", "an access to shared memory that nothing orders"),
  INTERRUPTED("TK0620", "the interpretation was interrupted"),
  STEP_LIMIT("TK0621", "the interpretation took too many steps"),
  MEMORY_LIMIT("TK0622", "a program that would need too much memory"),
  IR_SYNTAX("TK0801", "the text is not valid IR"),
  IR_INVALID("TK0802", "the IR breaks an invariant"),
  INTERNAL("TK0900", "a defect in tkc");

  private final String id;
  private final String title;

  Code(String id, String title) {
    this.id = id;
    this.title = title;
  }

  public String id() {
    return id;
  }

  public String title() {
    return title;
  }

  public static Optional<Code> byId(String id) {
    for (Code code : values()) {
      if (code.id.equalsIgnoreCase(id)) {
        return Optional.of(code);
      }
    }
    return Optional.empty();
  }
}
