package dev.tkc.ir.interp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ReductionOp;
import dev.tkc.ir.op.ReductionOp.ReduceKind;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Instructions evaluated as they are made, of any rank and size. */
class SessionTest {
  @Test
  void oneInstructionAtATime() {
    try (Interpreter.Session session = Runs.checking().session()) {
      Region region = new Region();
      Builder b = new Builder(region);
      Value x = b.emit(new ShapeOp.Iota(720));
      Value f = b.cast(x, Element.F32);
      Value t = b.emit(new ShapeOp.Reshape(f, List.of(2, 3, 4, 5, 6)));
      Value d = b.emit(new ElementwiseOp.Binary(BinaryKind.ADD, t, t));
      region.insts().forEach(session::evaluate);
      assertThat(session.frame().tile(d).asDouble(719)).isEqualTo(2 * 719);
      Value s = b.emit(new ReductionOp.Reduce(ReduceKind.SUM, d, List.of(0, 2, 4)));
      session.evaluate(region.insts().getLast());
      assertThat(session.frame().tile(s).shape()).containsExactly(1, 3, 1, 5, 1);
      session.frame().forget(d);
    }
  }
}
