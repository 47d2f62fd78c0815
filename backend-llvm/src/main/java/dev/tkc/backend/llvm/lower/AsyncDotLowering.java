package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.backend.llvm.lower.AsyncTarget.AsyncProduct;
import dev.tkc.backend.llvm.lower.AsyncTarget.Block;
import dev.tkc.backend.llvm.lower.AsyncTarget.Left;
import dev.tkc.backend.llvm.lower.AsyncTarget.SharedOperand;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.layout.InDim;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.MatrixDescriptor;
import dev.tkc.ir.layout.MatrixDescriptor.Operand;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TileType;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Asynchronous dots. The accumulator's rows are split among the team's warps by its layout; each group of warps
 * computes blocks of so many rows, whose registers are found by their coordinates. Registers of a left operand are held
 * until the wait that ends their product, as far as the code in between stands in one region.
 */
final class AsyncDotLowering {
  /**
   * The words that elements of a left operand make, and which group of products, counted as they are lowered, reads
   * them.
   */
  private record Held(Map<List<LlvmValue>, LlvmValue> words, int group) {}

  /** An operand that lies across k is found at multiples of so many columns. */
  private static final int PANEL = 64;

  private final FunctionLowering f;
  private final List<Held> held = new ArrayList<>();
  private int group;

  AsyncDotLowering(FunctionLowering f) {
    this.f = f;
  }

  /** For {@link #leave}: how much is held where a region begins. */
  int enter() {
    return held.size();
  }

  /** A region ends: its registers are not defined outside. */
  void leave(int before) {
    while (held.size() > before) {
      held.removeLast();
    }
  }

  void commit() {
    f.target().async().dotCommit(f.b());
    group++;
  }

  // Starting.

  Lowered start(Inst inst, AsyncOp.DotAsync o) {
    String name = (String) inst.annotations().get("instruction");
    if (name == null) {
      throw new IllegalStateException(inst + " has no instruction");
    }
    AsyncProduct instruction = f.target().async().asyncMatrix(name);
    LayoutView c = f.view(o.acc().tile());
    int rank = c.rank();
    List<Integer> rows = rows(c, instruction);
    requireRows(inst, c.layout(), instruction);
    List<Block> blocks = blocks(rows, c.shape().get(rank - 1), instruction.mostColumns());
    LlvmValue[] values = f.registers(o.acc()).toArray(LlvmValue[]::new);
    List<int[]> places = blocks.stream().map(block -> accumulators(c, instruction, block)).toList();
    List<List<LlvmValue>> sums = places.stream().map(p -> pick(values, p)).toList();
    SharedOperand right = operand((Lowered.View) f.get(o.b()), Operand.B, LlvmValue.i32(0));
    Left left = f.get(o.a()) instanceof Lowered.View view
        ? new Left.Shared(operand(view, Operand.A, groupOffset(o.a(), view, c.layout(), instruction)))
        : registers(o.a(), blocks, instruction);
    List<List<LlvmValue>> next = instruction.start(f.b(),
        new AsyncTarget.Product(left, right, depth(o.a()), blocks, sums, o.keep().map(f::scalar)));
    for (int i = 0; i < next.size(); i++) {
      for (int j = 0; j < next.get(i).size(); j++) {
        values[places.get(i)[j]] = next.get(i).get(j);
      }
    }
    return c.map(LlvmValue.undef(RegisterTypes.of(o.acc().tile().element())), r -> values[r]);
  }

  private static int depth(Value left) {
    return left.type() instanceof SharedType view ? view.shape().getLast() : left.tile().shape().getLast();
  }

  private static List<LlvmValue> pick(LlvmValue[] values, int[] places) {
    List<LlvmValue> picked = new ArrayList<>();
    for (int place : places) {
      picked.add(values[place]);
    }
    return picked;
  }

  /** The first rows, by registers alone, of the blocks that hold something. */
  private static List<Integer> rows(LayoutView c, AsyncProduct instruction) {
    List<Integer> rows = new ArrayList<>();
    for (int r = 0; r < c.registers(); r++) {
      int row = c.coordinate(r, c.rank() - 2);
      boolean corner = row % instruction.fragments().m() == 0 && c.coordinate(r, c.rank() - 1) == 0;
      if (c.isFirst(r) && corner && !c.allPadding(r)) {
        rows.add(row);
      }
    }
    return rows;
  }

  /** A group's warps must follow each other along the rows. */
  private static void requireRows(Inst inst, LinearLayout c, AsyncProduct instruction) {
    List<List<Integer>> warps = c.basis(InDim.WARP);
    boolean fits = 1 << warps.size() >= instruction.groupWarps();
    for (int i = 0; fits && i < warps.size(); i++) {
      int row = warps.get(i).get(c.rank() - 2);
      boolean within = 1 << i < instruction.groupWarps();
      fits = warps.get(i).getLast() == 0
          && (within ? row == instruction.fragments().m() << i
              : row % (instruction.fragments().m() * instruction.groupWarps()) == 0);
    }
    if (!fits) {
      throw new IllegalStateException(inst + ": the warps of " + c + " do not follow each other along the rows");
    }
  }

  /** Columns in as few parts as there can be, no part much narrower than the others: it would read as many rows. */
  private static List<Block> blocks(List<Integer> rows, int columns, int most) {
    List<Block> blocks = new ArrayList<>();
    int even = Math.ceilDiv(columns, Math.ceilDiv(columns, most));
    int width = Math.min(most, Math.ceilDiv(even, PANEL) * PANEL);
    for (int first = 0; first < columns; first += width) {
      for (int row : rows) {
        blocks.add(new Block(row, first, Math.min(width, columns - first)));
      }
    }
    return blocks;
  }

  private static int[] accumulators(LayoutView c, AsyncProduct instruction, Block block) {
    LinearLayout fragment = instruction.fragments().c();
    int each = fragment.registersPerThread();
    int[] all = new int[block.columns() / instruction.fragments().n() * each];
    for (int i = 0; i < all.length / each; i++) {
      int column = block.first() + i * instruction.fragments().n();
      int[] part = DotLowering.registers(c, fragment, at(c.rank(), block.row(), column));
      System.arraycopy(part, 0, all, i * each, each);
    }
    return all;
  }

  private static List<Integer> at(int rank, int row, int column) {
    List<Integer> at = new ArrayList<>(java.util.Collections.nCopies(rank - 2, 0));
    at.add(row);
    at.add(column);
    return at;
  }

  private SharedOperand operand(Lowered.View view, Operand which, LlvmValue moved) {
    Optional<LlvmValue> round = stays(view) ? f.round().map(this::nothing) : Optional.empty();
    return new SharedOperand(view.slot().plus(f.b(), moved), descriptor(view, which), round);
  }

  private static boolean stays(Lowered.View view) {
    return view.slot().offset().integer().isPresent();
  }

  /** Whether threads of this function write what a view shows. */
  private boolean isHanded(Value view) {
    return view.definition().op() instanceof AsyncOp.SharedView v && f.storesTo(v.buffer());
  }

  /** 0, computed from a loop's position, of which no more than 48 bits are in use, or beside rounds at this place. */
  private LlvmValue nothing(LlvmValue position) {
    LlvmBuilder b = f.b();
    if (f.beside().here()) {
      return f.target().async().opaqueHere(b, LlvmValue.i32(0));
    }
    LlvmValue size = b.xor(position, b.ashr(position, LlvmValue.i64(63)));
    return b.trunc(b.lshr(size, LlvmValue.i64(48)), LlvmType.I32);
  }

  private static MatrixDescriptor descriptor(Lowered.View view, Operand which) {
    return MatrixDescriptor.of(AsyncLowering.panels(view.type()), view.offsets(), view.order(), which);
  }

  /**
   * How many bytes further this group's rows of a left operand in shared memory start. Of one that stays in its slot,
   * or that warps hand over, it is computed in each round: rounds with such have no registers to spare.
   */
  private LlvmValue groupOffset(Value operand, Lowered.View view, LinearLayout c, AsyncProduct instruction) {
    MatrixDescriptor descriptor = descriptor(view, Operand.A);
    List<Long> bytes = new ArrayList<>();
    List<List<Integer>> warps = c.basis(InDim.WARP);
    for (int i = 0; i < warps.size(); i++) {
      int row = warps.get(i).get(c.rank() - 2);
      bytes.add(1 << i < instruction.groupWarps() ? 0 : descriptor.offset(0, row) - descriptor.offset(0, 0));
    }
    if (f.round().isPresent() && (stays(view) || isHanded(operand))) {
      LlvmValue warp = f.b().add(f.thread().warp(), nothing(f.round().get()));
      return BitLinear.apply(f.b(), warp, bytes);
    }
    return f.thread().linear(List.of(), bytes);
  }

  private Left registers(Value a, List<Block> blocks, AsyncProduct instruction) {
    LlvmBuilder b = f.b();
    LayoutView view = f.view(a.tile());
    List<LlvmValue> elements = f.registers(a);
    int depth = a.tile().shape().getLast();
    List<List<List<LlvmValue>>> words = new ArrayList<>();
    Map<List<LlvmValue>, LlvmValue> all = new LinkedHashMap<>();
    for (Block block : blocks) {
      List<List<LlvmValue>> steps = new ArrayList<>();
      for (int k = 0; k < depth; k += instruction.fragments().k()) {
        int[] places = DotLowering.registers(view, instruction.fragments().a(), at(view.rank(), block.row(), k));
        List<LlvmValue> picked = pick(elements.toArray(LlvmValue[]::new), places);
        steps.add(instruction.words(b, picked));
        int pack = picked.size() / steps.getLast().size();
        for (int i = 0; i < picked.size(); i += pack) {
          all.put(picked.subList(i, i + pack), steps.getLast().get(i / pack));
        }
      }
      words.add(steps);
    }
    held.add(new Held(all, group));
    return new Left.Registers(words);
  }

  // Waiting.

  /**
   * Values go through the wait in registers of 32 bits, narrow ones packed as a product reads them. Where nobody reads
   * the result they are only held until then.
   */
  List<Lowered> await(Inst inst, AsyncOp.DotWait o) {
    List<List<LlvmValue>> words = o.values().stream().map(this::words).toList();
    List<LlvmValue> passed = new ArrayList<>();
    Set<LlvmValue> kept = new LinkedHashSet<>();
    for (int i = 0; i < words.size(); i++) {
      (f.isUsed(inst.results().get(i)) ? passed : kept).addAll(words.get(i));
    }
    kept.addAll(release(o.pending()));
    passed.forEach(kept::remove);
    List<LlvmValue> done = f.target().async().dotWait(f.b(), o.pending(), passed, List.copyOf(kept));
    List<Lowered> results = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < words.size(); i++) {
      if (f.isUsed(inst.results().get(i))) {
        results.add(unpacked(o.values().get(i).tile(), done.subList(from, from + words.get(i).size())));
        from += words.get(i).size();
      } else {
        results.add(f.get(o.values().get(i)));
      }
    }
    return results;
  }

  /** The registers that hold something, narrow ones packed. */
  private List<LlvmValue> words(Value value) {
    Element element = value.tile().element();
    LayoutView view = f.view(value.tile());
    List<LlvmValue> carried = new ArrayList<>();
    for (int r = 0; r < view.registers(); r++) {
      if (view.isFirst(r) && !view.allPadding(r)) {
        carried.add(f.tile(value).register(r));
      }
    }
    int pack = Math.max(1, 32 / element.bits());
    while (carried.size() % pack != 0) {
      carried.add(LlvmValue.undef(RegisterTypes.of(element)));
    }
    return pack == 1 ? carried : Packing.chunks(carried, pack).stream().map(group -> word(group, element)).toList();
  }

  /** The word that these elements make: the one that a product reads, if one does. */
  private LlvmValue word(List<LlvmValue> elements, Element element) {
    return held.stream().map(h -> h.words().get(elements)).filter(Objects::nonNull).findFirst()
        .orElseGet(() -> Packing.pack(f.b(), elements, element));
  }

  private Lowered unpacked(TileType type, List<LlvmValue> words) {
    LayoutView view = f.view(type);
    int pack = Math.max(1, 32 / type.element().bits());
    Iterator<LlvmValue> next = pack == 1 ? words.iterator()
        : words.stream()
            .flatMap(w -> Packing.unpack(f.b(), w, type.element(), pack, LlvmValue.i32(0)).stream()).iterator();
    return view.map(LlvmValue.undef(RegisterTypes.of(type.element())), _ -> next.next());
  }

  /** The words that products which are now done have read. */
  private List<LlvmValue> release(int pending) {
    List<Held> over = held.stream().filter(h -> h.group() < group - pending).toList();
    held.removeAll(over);
    return over.stream().flatMap(h -> h.words().values().stream()).toList();
  }
}
