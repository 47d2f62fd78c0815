package dev.tkc.host;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.interp.Interpreter;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.type.Type;
import java.util.List;

/** A builder that runs each instruction at its top level as soon as it is appended. */
final class EagerBuilder extends Builder {
  private final Interpreter.Session session;
  private final Unwritten unwritten;
  private int depth;

  EagerBuilder(Interpreter.Session session, Unwritten unwritten) {
    super(new Region());
    this.session = session;
    this.unwritten = unwritten;
  }

  /** Whether a region is being built, whose instructions run only with the one that holds it. */
  boolean isNested() {
    return depth > 0;
  }

  @Override
  public Inst append(Op op, List<Type> types) {
    Inst inst = super.append(op, types);
    if (depth == 0) {
      unwritten.follow(inst);
      session.evaluate(inst);
    }
    return inst;
  }

  @Override
  public void in(Region inner, Runnable build) {
    depth++;
    try {
      super.in(inner, build);
    } finally {
      depth--;
    }
  }
}
