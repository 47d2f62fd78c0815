package dev.tkc.passes.cost;

import dev.tkc.ir.op.ElementwiseOp;

/**
 * What elementwise ops cost for each element, in instructions for one lane: of the units for functions, and of all
 * others. For estimates; what costs least on any target counts.
 */
final class OpCost {
  private OpCost() {}

  /** Instructions of the units for functions. */
  static double functions(ElementwiseOp op) {
    return switch (op) {
      case ElementwiseOp.Unary u -> switch (u.kind()) {
        case NEG, ABS, NOT -> 0;
        case FLOOR, CEIL, ROUND, SQRT, RSQRT, RCP, EXP, EXP2, LOG, LOG2, SIN, COS, TANH -> 1;
        case ERF, SIGMOID -> 2;
      };
      case ElementwiseOp.Binary b -> switch (b.kind()) {
        case DIV, REM -> b.lhs().tile().element().isFloat() ? 1 : 0;
        case POW -> b.lhs().tile().element().isFloat() ? 2 : 0;
        case ADD, SUB, MUL, MIN, MAX, AND, OR, XOR, SHL, SHR -> 0;
      };
      case ElementwiseOp.Cast c -> c.x().tile().element().isFloat() != c.to().isFloat() ? 1 : 0;
      case ElementwiseOp.Constant _, ElementwiseOp.Compare _, ElementwiseOp.Select _, ElementwiseOp.Fma _,
          ElementwiseOp.Bitcast _, ElementwiseOp.Philox _ -> 0;
    };
  }

  /** Instructions that any lane executes, those that feed the units for functions included. */
  static double arithmetic(ElementwiseOp op) {
    return switch (op) {
      case ElementwiseOp.Constant _, ElementwiseOp.Bitcast _ -> 0;
      case ElementwiseOp.Compare _, ElementwiseOp.Select _, ElementwiseOp.Fma _ -> 1;
      case ElementwiseOp.Unary u -> switch (u.kind()) {
        case NEG, ABS -> 0;
        case NOT, FLOOR, CEIL, ROUND, SQRT, RSQRT, RCP, EXP2, LOG2, SIN, COS, TANH -> 1;
        case EXP, LOG -> 2;
        case SIGMOID -> 4;
        case ERF -> 12;
      };
      case ElementwiseOp.Binary b -> switch (b.kind()) {
        case ADD, SUB, MUL, MIN, MAX, AND, OR, XOR, SHL, SHR -> 1;
        case DIV -> b.lhs().tile().element().isFloat() ? 2 : 10;
        case REM -> b.lhs().tile().element().isFloat() ? 4 : 10;
        case POW -> 3;
      };
      // Two halves are rounded at once.
      case ElementwiseOp.Cast c -> c.x().tile().element() == c.to() ? 0 : c.to().bits() < 32
          && c.to().isFloat() ? 0.5 : 1;
      // Ten rounds of four multiplications and as many exclusive ors give four words.
      case ElementwiseOp.Philox _ -> 20;
    };
  }
}
