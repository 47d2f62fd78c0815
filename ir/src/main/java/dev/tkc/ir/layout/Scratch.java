package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A shared-memory layout through which a tile goes from one register layout to another, and how both sides access it.
 *
 * <p>Construction: an offset's bits are, from low to high, the elements of a vector, the rest of a 4-byte word, the
 * bank, and the row of banks. Two lanes of a phase conflict when they differ by a step that keeps the bank, so the row
 * bits are chosen to step outside the spans of both sides' phases as far as the space allows
 * ({@link Subspace#avoidingBoth}). Which vectors to aim for is a matter of cost: those both sides own, those of the
 * writer, and those of the reader are all built, and the cheapest is taken.
 */
public record Scratch(LinearLayout layout, VectorAccess write, VectorAccess read, Banks.Cost writeCost,
    Banks.Cost readCost) {

  /** The cheapest scratch layout between two register layouts of one tile. */
  public static Scratch between(LinearLayout source, LinearLayout target, int elementBits, Banks banks) {
    Scratch best = null;
    for (Subspace vectors : candidates(source, target, elementBits)) {
      Scratch scratch = measure(build(source, target, vectors, elementBits, banks), source, target, elementBits, banks);
      if (best == null || scratch.price() < best.price()) {
        best = scratch;
      }
    }
    return best;
  }

  /** Rounds through the banks plus instructions issued, for one warp. */
  public int price() {
    return writeCost.rounds() + readCost.rounds() + writeCost.accesses() + readCost.accesses();
  }

  private static Scratch measure(
      LinearLayout scratch, LinearLayout source, LinearLayout target, int elementBits, Banks banks) {
    int limit = 128 / elementBits;
    Gf2 written = SharedLayouts.offsets(scratch, source);
    Gf2 readFrom = SharedLayouts.offsets(scratch, target);
    int sourceBits = source.bits(InDim.REGISTER);
    int targetBits = target.bits(InDim.REGISTER);
    VectorAccess write = VectorAccess.of(written, sourceBits, limit);
    VectorAccess read = VectorAccess.of(readFrom, targetBits, limit);
    return new Scratch(scratch, write, read,
        banks.cost(written, sourceBits, source.bits(InDim.LANE), write, elementBits),
        banks.cost(readFrom, targetBits, target.bits(InDim.LANE), read, elementBits));
  }

  private static List<Subspace> candidates(LinearLayout source, LinearLayout target, int elementBits) {
    int n = source.outBits();
    int limit = LinearLayout.log2(128 / elementBits);
    Subspace threads = threads(source).plus(threads(target));
    Subspace ofSource = Subspace.span(n, source.flatBasis(InDim.REGISTER));
    Subspace ofTarget = Subspace.span(n, target.flatBasis(InDim.REGISTER));
    return List.of(
        apart(ofSource.intersect(ofTarget), threads, limit),
        apart(ofSource, threads(source), limit),
        apart(ofTarget, threads(target), limit));
  }

  /** Up to {@code limit} vectors of the space whose span the threads' steps don't meet. */
  private static Subspace apart(Subspace space, Subspace threads, int limit) {
    Subspace chosen = new Subspace(space.dimension(), List.of());
    for (long v : space.basis()) {
      if (chosen.size() < limit && !threads.plus(chosen).contains(v)) {
        chosen = chosen.plus(List.of(v));
      }
    }
    return chosen;
  }

  private static Subspace threads(LinearLayout layout) {
    return Subspace.span(layout.outBits(), layout.flatBasis(InDim.LANE)).plus(layout.flatBasis(InDim.WARP));
  }

  private static LinearLayout build(
      LinearLayout source, LinearLayout target, Subspace vectors, int elementBits, Banks banks) {
    int n = source.outBits();
    int v = vectors.size();
    // All else happens modulo the vectors, in a complement that holds the threads' steps wherever it can.
    List<Long> complement = vectors.plus(threads(source)).plus(threads(target)).plus(Subspace.whole(n))
        .basis().subList(v, n);
    Gf2 basis = Gf2.of(n, vectors.basis()).beside(Gf2.of(n, complement));
    Gf2 modulo = basis.inverse().rows(v, n);
    int bytes = (1 << v) * elementBits / 8;
    Subspace sourcePhase = phase(source, modulo, banks, bytes);
    Subspace targetPhase = phase(target, modulo, banks, bytes);
    int m = n - v;
    int word = Math.min(m, Math.max(0, LinearLayout.log2(8L * banks.wordBytes() / elementBits) - v));
    int bankBits = LinearLayout.log2((long) banks.count() * banks.wordBytes() * 8 / elementBits) - v - word;

    Subspace inWord = first(sourcePhase.intersect(targetPhase).plus(sourcePhase).plus(Subspace.whole(m)), word);
    int rowBits = Math.max(0, m - word - bankBits);
    Subspace rows = Subspace.avoidingBoth(inWord.plus(sourcePhase), inWord.plus(targetPhase));
    if (rows.size() < rowBits) {
      rows = rows.plus(inWord.plus(rows).extensionTo(Subspace.whole(m)));
    }
    rows = first(rows, rowBits);
    List<Long> bank = inWord.plus(rows).extensionTo(inWord.plus(rows).plus(sourcePhase).plus(Subspace.whole(m)));

    List<Long> outer = new ArrayList<>(inWord.basis());
    outer.addAll(bank);
    outer.addAll(rows.basis());
    Gf2 lift = Gf2.of(n, complement);
    List<Long> columns = new ArrayList<>(vectors.basis());
    outer.forEach(o -> columns.add(lift.apply(o)));
    return LinearLayout.ofFlat(source.sizes(), Map.of(InDim.OFFSET, columns));
  }

  private static Subspace first(Subspace space, int count) {
    return new Subspace(space.dimension(), space.basis().subList(0, Math.min(count, space.size())));
  }

  private static Subspace phase(LinearLayout layout, Gf2 modulo, Banks banks, int bytes) {
    List<Long> steps = new ArrayList<>();
    for (int lane : banks.phase(Math.max(1, bytes)).lanes()) {
      if (lane < layout.count(InDim.LANE)) {
        steps.add(modulo.apply(layout.applyFlat(InDim.LANE, lane)));
      }
    }
    return Subspace.span(modulo.rows(), steps);
  }
}
