package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.ElementwiseOp.UnaryKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.ir.op.MatrixOp.Precision;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.target.TargetInfo;
import java.util.List;

/**
 * Writes products for which the target has no matrix instruction as ones for which it has, with the same bits: fp8
 * operands become f16, which holds all their values; tf32 products become f32 products of operands rounded to tf32, and
 * those by three tf32 products three of them.
 *
 * <pre>
 *   %d = dot %a, %b, %s {…}     →   %x = cast %a {to = f16} …  %y = cast %b {to = f16} …
 *                                   %d = dot %x, %y, %s {…}
 * </pre>
 *
 * A product that has an instruction, or for which nothing better is found, stays.
 */
public final class ReplaceProducts {
  private ReplaceProducts() {}

  public static void run(Func func, PassContext cx) {
    visit(func.body(), cx.target());
  }

  private static void visit(Region region, TargetInfo target) {
    for (Inst inst : List.copyOf(region.insts())) {
      inst.regions().forEach(r -> visit(r, target));
      if (inst.op() instanceof MatrixOp.Dot d
          && !has(target, element(d.a()), element(d.b()), element(d.acc()), d.precision())) {
        replace(inst, d, new Builder(region, region.insts().indexOf(inst)).at(inst.loc()), target);
      }
    }
  }

  private static Element element(Value v) {
    return v.tile().element();
  }

  private static boolean has(TargetInfo target, Element a, Element b, Element sum, Precision p) {
    return !target.instructionsFor(a, b, sum, p).isEmpty();
  }

  private static void replace(Inst inst, MatrixOp.Dot d, Builder b, TargetInfo target) {
    if (element(d.a()).isFp8() && has(target, Element.F16, Element.F16, Element.F32, Precision.DEFAULT)) {
      inst.setOp(new MatrixOp.Dot(b.cast(d.a(), Element.F16), b.cast(d.b(), Element.F16), d.acc(), d.precision()));
      return;
    }
    if (!has(target, Element.F32, Element.F32, Element.F32, Precision.IEEE)) {
      return;
    }
    switch (d.precision()) {
      case TF32 -> inst.setOp(new MatrixOp.Dot(rounded(b, d.a()), rounded(b, d.b()), d.acc(), Precision.IEEE));
      case TF32X3 -> {
        Value high = rounded(b, d.a());
        Value right = rounded(b, d.b());
        Value first = ieee(b, rounded(b, rest(b, d.a(), high)), right, d.acc());
        Value second = ieee(b, high, rounded(b, rest(b, d.b(), right)), first);
        inst.setOp(new MatrixOp.Dot(high, right, second, Precision.IEEE));
      }
      case DEFAULT, IEEE -> { }
    }
  }

  private static Value ieee(Builder b, Value x, Value y, Value sum) {
    return b.emit(new MatrixOp.Dot(x, y, sum, Precision.IEEE));
  }

  /** To 10 bits of mantissa, ties away from zero, on the bits: what is halfway carries; infinities and NaN stay. */
  private static Value rounded(Builder b, Value x) {
    Value bits = b.emit(new ElementwiseOp.Bitcast(x, Element.U32));
    Value up = b.add(bits, full(b, bits, 0x1000));
    Value cut =
        b.emit(new ElementwiseOp.Bitcast(b.binary(BinaryKind.AND, up, full(b, bits, 0xffffe000L)), Element.F32));
    return b.emit(new ElementwiseOp.Select(finite(b, x), cut, x));
  }

  /** What rounding left over; nothing where it gave an infinity or a NaN. */
  private static Value rest(Builder b, Value x, Value rounded) {
    Value zero = b.full(x.tile(), Literal.of(Element.F32, 0.0));
    return b.emit(new ElementwiseOp.Select(finite(b, rounded), b.sub(x, rounded), zero));
  }

  private static Value finite(Builder b, Value x) {
    Value magnitude = b.emit(new ElementwiseOp.Unary(UnaryKind.ABS, x));
    return b.compare(CompareKind.LT, magnitude, b.full(x.tile(), Literal.of(Element.F32, Double.POSITIVE_INFINITY)));
  }

  private static Value full(Builder b, Value like, long value) {
    return b.full(like.tile(), new Literal(Element.U32, value));
  }
}
