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

  UNKNOWN_NAME("TK0101", "a name that stands for nothing here"),
  DUPLICATE_NAME("TK0102", "a name is declared twice"),
  UNKNOWN_TYPE("TK0103", "an element type that does not exist"),
  MIXED_TYPES("TK0104", "values of different element types cannot meet"),
  NARROWING("TK0105", "a value would be narrowed without an `as`"),
  WRONG_KIND("TK0106", "a value of the wrong kind"),
  UNKNOWN_FUNCTION("TK0107", "a function that does not exist"),
  ARGUMENTS("TK0108", "a call with the wrong arguments"),
  NOT_ASSIGNABLE("TK0109", "something that cannot be assigned"),
  POSITION("TK0110", "something stands where it has no place"),
  TEST_ONLY("TK0111", "a function for tests in a kernel"),
  CHAINED_COMPARISON("TK0112", "comparisons do not chain"),
  RECURSION("TK0113", "a definition that needs itself"),
  RETURN("TK0114", "a `return` is missing or misplaced"),
  RESULT_COUNT("TK0115", "the numbers of names and values differ"),
  ELEMENT_TYPE("TK0116", "an operation is not defined on this element type"),
  F32_MATMUL("TK0117", "a product of f32 tiles does not say how precise it is"),
  IMPORT("TK0118", "an import cannot be followed"),
  CONDITION("TK0119", "a condition is not a truth value"),
  UNKNOWN_MEMBER("TK0120", "a member that does not exist"),
  LITERAL_RANGE("TK0121", "a number outside the range it must lie in"),
  DETERMINISTIC("TK0122", "a deterministic kernel does something whose order is open"),
  PROGRAM_SIZE("TK0123", "a program that inlining makes too large"),
  TEST_TITLE("TK0124", "two tests of a file have one title"),
  INT_OVERFLOW("TK0125", "arithmetic of `int` that leaves 64 bits"),

  SHAPE_MISMATCH("TK0201", "shapes do not match"),
  RANK_MISMATCH("TK0202", "ranks do not match"),
  MATMUL_SHAPE("TK0203", "the shapes of a matrix product do not fit"),
  NOT_CONSTANT("TK0204", "something must be known at compile time"),
  INDEX_COUNT("TK0205", "the wrong number of indices"),
  AXIS("TK0206", "an axis that does not exist"),
  TILE_SIZE("TK0207", "a tile of impossible size"),
  RESHAPE("TK0208", "a change of shape that does not keep the elements"),
  INDEX_KIND("TK0209", "an index of the wrong kind"),
  OUT_OF_BOUNDS("TK0210", "a constant index outside"),
  PAD("TK0211", "a fill value that does not fit, or without a load"),
  VIEW_SHAPE("TK0212", "a view that cannot be"),
  PARAMETER("TK0213", "an argument does not have its parameter's shape"),

  EQUATION("TK0301", "the sizes of a call contradict each other"),
  FACT("TK0302", "a `where` fact does not hold"),
  UNBOUND("TK0303", "nothing gives a value to a size or constant"),
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
  PACKED_SIZE("TK0330", "a tensor of 4-bit elements with an odd last dimension"),

  SETTING_UNKNOWN("TK0401", "a setting that does not exist"),
  SETTING_UNSUPPORTED("TK0402", "a setting that nothing implements yet"),
  SETTING_VALUE("TK0403", "a setting with an impossible value"),
  TARGET_UNKNOWN("TK0404", "a target that does not exist"),
  SCHEDULE_KERNEL("TK0405", "a schedule for a kernel that does not exist"),
  SETTING_TWICE("TK0406", "a setting is given twice"),
  PHASE_UNKNOWN("TK0407", "settings for a phase that does not exist"),

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
  TEST_CHOICE("TK0514", "there is no such test, or none at all"),
  TESTS_IN_ERROR("TK0515", "tests are left out because they are in error"),
  EXPECTATION("TK0520", "an expectation of a test does not hold"),

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
  READ_BEFORE_ARRIVAL("TK0614", "shared memory read before the copy into it has arrived"),
  OVERWRITTEN("TK0615", "shared memory overwritten while it is in use"),
  TRANSACTION_BYTES("TK0616", "a barrier that expects other bytes than are copied"),
  BARRIER_PHASE("TK0617", "a wait for a phase that is not the next one"),
  DEADLOCK("TK0618", "waits that never end"),
  PROXY_FENCE("TK0619", "shared memory used asynchronously without a proxy fence"),
  INTERRUPTED("TK0620", "the interpretation was interrupted"),
  STEP_LIMIT("TK0621", "the interpretation took too many steps"),
  MEMORY_LIMIT("TK0622", "a program that would need too much memory"),
  IN_FLIGHT("TK0623", "an accumulator used while its product is in flight"),
  DOT_FENCE("TK0624", "an asynchronous product with no fence after its registers were written"),
  LEFT_UNDER_WAY("TK0625", "a block that ends before what it started"),
  NUMBERS_DRAWN("TK0626", "blocks that draw too many or too few numbers from a counter"),
  TEST_TENSOR("TK0627", "a tensor of a test that is too large for the memory there is"),
  ARRIVALS("TK0628", "a counter at which other blocks arrive than are expected"),

  SHARED_BUDGET("TK0710", "a phase needs more shared memory than a block has"),
  REGISTER_BUDGET("TK0711", "a tile too large for the registers of a block"),
  NO_DEVICE("TK0740", "there is no such device"),
  DEVICE_MEMORY("TK0741", "the device has too little memory"),
  DEVICE_FAULT("TK0742", "a kernel failed on the device"),
  DRIVER("TK0743", "the device's driver refuses a call"),
  NO_ASSEMBLER("TK0744", "there is no assembler for this PTX version"),
  NO_LINKER("TK0745", "the linker for AMD code objects cannot run"),
  TENSOR_MAP("TK0746", "the copy engine does not take a tensor"),

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
