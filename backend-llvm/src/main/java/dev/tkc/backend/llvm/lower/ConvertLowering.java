package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.Inst;
import dev.tkc.ir.layout.Conversion;
import dev.tkc.ir.layout.Gf2;
import dev.tkc.ir.layout.Scratch;
import dev.tkc.ir.layout.ShufflePlan;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.rules.ScratchBytes;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.List;

/** Changes of layout, as {@link Conversion} plans them. */
final class ConvertLowering {
  private final FunctionLowering f;

  ConvertLowering(FunctionLowering f) {
    this.f = f;
  }

  Lowered lower(Inst inst, ShapeOp.ConvertLayout o) {
    TileType source = o.x().tile();
    if (source.isScalar()) {
      return f.get(o.x());
    }
    TileType target = inst.result().tile();
    int bits = ScratchBytes.width(source.element());
    Conversion plan = Conversion.plan(source.layout(), target.layout(), bits, f.target().banks());
    List<LlvmValue> registers = f.registers(o.x());
    return switch (plan) {
      case Conversion.None _ -> new Lowered.Tile(registers.subList(0, f.view(target).registers()));
      case Conversion.Permute p -> new Lowered.Tile(p.from().stream().map(registers::get).toList());
      case Conversion.Shuffle s -> shuffle(registers, s.plan(), target);
      case Conversion.Shared s -> through(inst, registers, s.scratch(), source, target);
    };
  }

  // Shuffles.

  private Lowered shuffle(List<LlvmValue> registers, ShufflePlan plan, TileType target) {
    LlvmBuilder b = f.b();
    int group = 1 << plan.pack();
    LlvmType element = registers.get(0).type();
    LlvmType packed = group == 1 ? element : LlvmType.integer(element.bits() * group);
    List<LlvmValue> sources = new ArrayList<>();
    for (List<LlvmValue> chunk : Packing.chunks(registers, group)) {
      sources.add(group == 1 ? chunk.get(0) : b.bitcast(b.vector(chunk), packed));
    }
    LlvmValue publish = BitLinear.apply(b, f.thread().lane(), columns(plan.publishByLane()));
    LlvmValue from = BitLinear.apply(b, f.thread().lane(), columns(plan.fromByLane()));
    LlvmValue into = BitLinear.apply(b, f.thread().lane(), columns(plan.intoByLane()));
    LlvmValue[] received = new LlvmValue[f.view(target).registers() / group];
    for (ShufflePlan.Round round : plan.rounds()) {
      LlvmValue sent = pick(publish, plan.publishByLane(), round.publish(), sources);
      LlvmValue lane = b.xor(from, LlvmValue.i32(round.from()));
      List<LlvmValue> words = new ArrayList<>();
      for (LlvmValue word : Packing.words(b, sent)) {
        words.add(f.target().shuffleFrom(b, word, lane));
      }
      received[round.into()] = Packing.fromWords(b, words, packed);
    }
    return new Lowered.Tile(settle(received, plan, into, element, group));
  }

  /** Register {@code constant ^ byLane} of the list, where {@code byLane} is this lane's value of the function. */
  private LlvmValue pick(LlvmValue byLane, Gf2 function, int constant, List<LlvmValue> list) {
    LlvmBuilder b = f.b();
    LlvmValue chosen = list.get(constant);
    for (long offset : images(function)) {
      if (offset != 0) {
        LlvmValue here = b.icmp(Compare.EQ, byLane, LlvmValue.i32(offset));
        chosen = b.select(here, list.get(constant ^ (int) offset), chosen);
      }
    }
    return chosen;
  }

  /** Puts what each round brought into the register this lane wants it in, takes groups apart, copies duplicates. */
  private List<LlvmValue> settle(
      LlvmValue[] received, ShufflePlan plan, LlvmValue into, LlvmType element, int group) {
    LlvmBuilder b = f.b();
    List<LlvmValue> byRound = java.util.Arrays.asList(received);
    List<LlvmValue> registers = new ArrayList<>();
    for (int i = 0; i < received.length; i++) {
      if (received[i] == null) {
        registers.addAll(java.util.Collections.nCopies(group, LlvmValue.zero(element)));
        continue;
      }
      LlvmValue value = pick(into, plan.intoByLane(), i, byRound);
      registers.addAll(group == 1 ? List.of(value) : b.unpack(b.bitcast(value, LlvmType.vector(group, element))));
    }
    return plan.copies().stream().map(registers::get).toList();
  }

  private static List<Long> columns(Gf2 matrix) {
    List<Long> columns = new ArrayList<>();
    for (int i = 0; i < matrix.columnCount(); i++) {
      columns.add(matrix.column(i));
    }
    return columns;
  }

  /** Every value that the function takes. */
  private static List<Long> images(Gf2 function) {
    List<Long> images = new ArrayList<>(List.of(0L));
    for (long column : columns(function)) {
      if (!images.contains(column)) {
        List<Long> shifted = images.stream().map(i -> i ^ column).toList();
        images.addAll(shifted);
      }
    }
    return images;
  }

  // Shared memory.

  private Lowered through(
      Inst inst, List<LlvmValue> registers, Scratch scratch, TileType source, TileType target) {
    LlvmValue base = f.scratch(inst);
    SharedPlaces places = new SharedPlaces(f, scratch.layout(), wholeBytes(source.element()));
    places.write(base, f.view(source), registers, scratch.write());
    f.barrier(0);
    return places.read(base, f.view(target), scratch.read());
  }

  /** Scratch holds an element in at least a byte. */
  private static Element wholeBytes(Element e) {
    return e.bits() < 8 ? Element.U8 : e;
  }
}
