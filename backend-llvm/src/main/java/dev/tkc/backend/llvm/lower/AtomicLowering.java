package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBlock;
import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.AtomicRmw;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.Inst;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.MemoryOp.AtomicKind;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.List;

/**
 * Atomic updates, one for each element, or for a few that follow each other where a target adds them at once. Sums and
 * integer extremes are single instructions (LLVM expands those a target lacks); extremes of floats, which must keep a
 * NaN, and everything on 8-bit floats compare and swap.
 */
final class AtomicLowering {
  private final FunctionLowering f;

  AtomicLowering(FunctionLowering f) {
    this.f = f;
  }

  void lower(Inst inst, MemoryOp.Atomic o) {
    TileType type = o.value().tile();
    Element e = type.element();
    if (e.bits() < 8) {
      throw new IllegalStateException(inst + " on elements of " + e.bits() + " bits");
    }
    int leading = f.team().number() > 0 && !type.isScalar() && e.bits() >= 8 ? leading(o) : 0;
    TensorAccess access = leading > 0 ? TensorAccess.of(f, inst, o.tensor(), o.indices(), type, leading)
        : TensorAccess.of(f, inst, o.tensor(), o.indices(), type);
    List<LlvmValue> values = f.registers(o.value());
    Guarded.Run run = new Guarded.Run(f.b());
    int together = type.isScalar() ? 1
        : (int) Math.min(inst.annotation("vector", 1), f.target().atomicElements(e, o.kind()));
    for (int r : access.groups(together)) {
      run.add(access.owned(r), together == 1 ? () -> update(o.kind(), access.pointer(r, 0), values.get(r), e)
          : () -> f.target().atomicAdd(f.b(), access.pointer(r, 0), values.subList(r, r + together)));
    }
    run.flush();
  }

  /** How many first indices, all scalars, every update of the tensor has in common, if there are others. */
  private int leading(MemoryOp.Atomic o) {
    int[] same = {0, (int) o.indices().stream().takeWhile(i -> i.type() instanceof TileType t && t.isScalar()).count()};
    f.func().body().walk(i -> {
      if (i.op() instanceof MemoryOp.Atomic other && other.tensor() == o.tensor()) {
        same[0]++;
        while (!o.indices().subList(0, same[1]).equals(other.indices().subList(0, same[1]))) {
          same[1]--;
        }
      }
    });
    return same[0] > 1 ? same[1] : 0;
  }

  private void update(AtomicKind kind, LlvmValue pointer, LlvmValue value, Element e) {
    LlvmBuilder b = f.b();
    boolean extreme = kind == AtomicKind.MIN || kind == AtomicKind.MAX;
    if (e.isFp8() || e.isFloat() && extreme) {
      swap(kind, pointer, value, e);
      return;
    }
    LlvmValue operand = e.isBool() ? b.zext(value, LlvmType.I8) : value;
    LlvmValue signed = kind != AtomicKind.SUB ? operand
        : e.isFloat() ? b.fneg(operand) : b.sub(LlvmValue.zero(operand.type()), operand);
    AtomicRmw operation = switch (kind) {
      case ADD, SUB -> e.isFloat() ? AtomicRmw.FADD : AtomicRmw.ADD;
      case MIN -> e.isSigned() ? AtomicRmw.MIN : AtomicRmw.UMIN;
      case MAX -> e.isSigned() ? AtomicRmw.MAX : AtomicRmw.UMAX;
    };
    b.atomicRmw(operation, pointer, signed, f.target().deviceScope(), e.bits() / 8);
  }

  /** Reads, combines, and writes if nobody else did in between; stops early where nothing changes. */
  private void swap(AtomicKind kind, LlvmValue pointer, LlvmValue value, Element e) {
    LlvmBuilder b = f.b();
    LlvmType bits = LlvmType.integer(e.bits());
    int align = e.bits() / 8;
    LlvmValue first = b.load(bits, pointer, align, LlvmBuilder.Hint.VOLATILE);
    LlvmBlock before = b.block();
    LlvmBlock again = b.newBlock("swap");
    LlvmBlock attempt = b.newBlock("swap.try");
    LlvmBlock done = b.newBlock("swap.done");
    b.br(again);
    b.moveTo(again);
    LlvmBlock.Phi seen = b.phi(bits).incoming(first, before);
    LlvmValue next = b.bitcast(combine(kind, b.bitcast(seen.result(), value.type()), value, e), bits);
    b.condBr(b.icmp(Compare.EQ, next, seen.result()), done, attempt);
    b.moveTo(attempt);
    LlvmValue answer = b.cmpxchg(pointer, seen.result(), next, f.target().deviceScope(), align);
    seen.incoming(b.extractValue(answer, 0), b.block());
    b.condBr(b.extractValue(answer, 1), done, again);
    b.moveTo(done);
  }

  private LlvmValue combine(AtomicKind kind, LlvmValue old, LlvmValue value, Element e) {
    if (e.isFp8()) {
      CastMath casts = new CastMath(f.b(), f.target());
      LlvmValue wideOld = casts.convert(List.of(old), e, Element.F32, false).get(0);
      LlvmValue wide = casts.convert(List.of(value), e, Element.F32, false).get(0);
      return casts.convert(List.of(combine(kind, wideOld, wide, Element.F32)), Element.F32, e, false).get(0);
    }
    LlvmBuilder b = f.b();
    return switch (kind) {
      case ADD -> b.fadd(old, value);
      case SUB -> b.fsub(old, value);
      case MIN -> b.call(LlvmIntrinsic.uniform("llvm.minimum", old.type(), 2), old, value);
      case MAX -> b.call(LlvmIntrinsic.uniform("llvm.maximum", old.type(), 2), old, value);
    };
  }

  /** Stores one half of a byte beside a neighbour that another thread may be storing. */
  void storeNibble(LlvmValue pointer, LlvmValue half, LlvmValue value) {
    LlvmBuilder b = f.b();
    LlvmValue address = b.ptrtoint(pointer, LlvmType.I64);
    LlvmValue inWord = b.and(b.trunc(address, LlvmType.I32), LlvmValue.i32(3));
    LlvmValue word = b.gepUnbounded(LlvmType.I8, pointer, b.sub(LlvmValue.i32(0), inWord));
    LlvmValue shift = b.add(b.shl(inWord, LlvmValue.i32(3)), b.shl(half, LlvmValue.i32(2)));
    LlvmValue mask = b.shl(LlvmValue.i32(15), shift);
    LlvmValue bits = b.shl(b.and(b.zext(value, LlvmType.I32), LlvmValue.i32(15)), shift);
    b.atomicRmw(AtomicRmw.AND, word, b.not(mask), f.target().deviceScope(), 4);
    b.atomicRmw(AtomicRmw.OR, word, bits, f.target().deviceScope(), 4);
  }
}
