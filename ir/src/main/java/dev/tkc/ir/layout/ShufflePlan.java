package dev.tkc.ir.layout;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A conversion within warps: in each round every lane publishes one of its registers and takes what one lane publishes.
 *
 * <p>In round {@code t}, lane {@code l} publishes source register {@code t.publish ^ publishByLane(l)}; lane {@code l}
 * takes from lane {@code t.from ^ fromByLane(l)} and puts it into target register {@code t.into ^ intoByLane(l)}. The
 * three functions of the lane are linear. Where {@code pack > 0} the lowest {@code pack} register bits of both sides
 * agree, the registers above name groups of {@code 2^pack}, and each group goes as one value (two bf16 in one shuffle).
 * {@code copies} says, for each target register (not group) that holds a duplicate, which one to copy afterwards, by
 * index; a register that is no duplicate names itself.
 */
public record ShufflePlan(
    int pack, List<Round> rounds, Gf2 publishByLane, Gf2 fromByLane, Gf2 intoByLane, List<Integer> copies) {

  /** One round's constants. */
  public record Round(int publish, int from, int into) {}

  public ShufflePlan {
    rounds = List.copyOf(rounds);
    copies = List.copyOf(copies);
  }

  /** Bits of the published register's number that depend on the lane: each doubles the selects of a round. */
  public int selectBits() {
    return publishByLane.rank();
  }

  /**
   * Plans the shuffles for {@code map}, which takes a target's flat (register, lane) to the source's flat (register,
   * lane) that holds its element. Nothing where no assignment serves every lane in every round.
   *
   * <p>A round is a coset of a space U of (register, lane) pairs of the target. Each lane takes once per round if U has
   * one pair per lane; each lane publishes once per round if two pairs of U that name one source lane name one register
   * of it. So U is a complement of the target's registers that avoids the pairs whose source is lane 0, but for those
   * whose source is register 0 of it too (the kernel of the map).
   */
  static Optional<ShufflePlan> of(LinearLayout source, LinearLayout target, Gf2 map, int elementBits) {
    int sourceBits = source.bits(InDim.REGISTER);
    int targetBits = target.bits(InDim.REGISTER);
    int laneBits = target.bits(InDim.LANE);
    int free = target.freeMask(InDim.REGISTER);
    int pack = packable(map, sourceBits, targetBits, free, elementBits);

    List<Integer> kept = new ArrayList<>();
    for (int i = pack; i < targetBits; i++) {
      if ((free >> i & 1) == 0) {
        kept.add(i);
      }
    }
    List<Long> columns = new ArrayList<>();
    kept.forEach(i -> columns.add(map.column(i) >>> pack));
    for (int i = 0; i < laneBits; i++) {
      columns.add(map.column(targetBits + i) >>> pack);
    }
    Gf2 reduced = Gf2.of(map.rows() - pack, columns);
    return rounds(reduced, kept.size(), sourceBits - pack, laneBits)
        .map(found -> expand(found, kept, pack, target));
  }

  /** How many of the lowest register bits map to themselves, and to nothing else, while the group fits 32 bits. */
  private static int packable(Gf2 map, int sourceBits, int targetBits, int free, int elementBits) {
    int pack = 0;
    while (pack < Math.min(sourceBits, targetBits) && elementBits << (pack + 1) <= 32 && (free >> pack & 1) == 0) {
      if (map.column(pack) != 1L << pack) {
        break;
      }
      pack++;
    }
    for (int i = 0; i < map.columnCount(); i++) {
      long low = map.column(i) & ((1L << pack) - 1);
      if (i >= pack && low != 0) {
        pack = Math.min(pack, Long.numberOfTrailingZeros(low));
      }
    }
    return pack;
  }

  private static Optional<ShufflePlan> rounds(Gf2 map, int registers, int sourceBits, int laneBits) {
    int n = registers + laneBits;
    Gf2 lanes = map.rows(sourceBits, map.rows());
    Subspace own = Subspace.span(n, Subspace.whole(n).basis().subList(0, registers));
    Subspace kernel = Subspace.span(n, map.kernel());
    Subspace laneZero = kernel.plus(lanes.kernel());
    Subspace ownOrKernel = kernel.plus(own);
    // Modulo the kernel: what the registers and the pairs at lane 0 share, and what each has alone.
    Subspace common = kernel.plus(ownOrKernel.intersect(laneZero));
    List<Long> onlyOwn = common.extensionTo(ownOrKernel);
    List<Long> onlyZero = common.extensionTo(laneZero);
    if (onlyZero.size() > onlyOwn.size()) {
      return Optional.empty();
    }
    List<Long> space = new ArrayList<>(kernel.basis());
    for (int i = 0; i < onlyZero.size(); i++) {
      space.add(onlyOwn.get(i) ^ onlyZero.get(i));
    }
    space.addAll(ownOrKernel.plus(laneZero).extensionTo(Subspace.whole(n)));
    if (space.size() != laneBits) {
      return Optional.empty();
    }
    Gf2 pairs = Gf2.of(n, space);
    Gf2 byLane = pairs.rows(registers, n);
    if (!byLane.isInjective()) {
      return Optional.empty();
    }
    Gf2 pairOfLane = pairs.times(byLane.inverse());
    Gf2 into = pairOfLane.rows(0, registers);
    Gf2 sources = map.times(pairOfLane);
    Gf2 from = sources.rows(sourceBits, sources.rows());
    Gf2 publishedFor = sources.rows(0, sourceBits);
    Optional<Gf2> publish = publisher(from, publishedFor);
    if (publish.isEmpty()) {
      return Optional.empty();
    }
    List<Round> rounds = new ArrayList<>();
    for (int t = 0; t < 1 << registers; t++) {
      long source = map.apply(t);
      int lane = (int) (source >>> sourceBits);
      int register = (int) (source & ((1L << sourceBits) - 1));
      rounds.add(new Round(register ^ (int) publish.get().apply(lane), lane, t));
    }
    return Optional.of(new ShufflePlan(0, rounds, publish.get(), from, into, List.of()));
  }

  /** The linear function of the source lane that names the register its readers want, zero for lanes nobody reads. */
  private static Optional<Gf2> publisher(Gf2 from, Gf2 publishedFor) {
    int laneBits = from.rows();
    Subspace read = Subspace.span(laneBits, columnsOf(from));
    List<Long> basis = read.plus(Subspace.whole(laneBits)).basis();
    List<Long> images = new ArrayList<>();
    for (int i = 0; i < basis.size(); i++) {
      images.add(i < read.size() ? publishedFor.apply(from.solve(basis.get(i)).orElseThrow()) : 0L);
    }
    Gf2 publish = Gf2.of(publishedFor.rows(), images).times(Gf2.of(laneBits, basis).inverse());
    return publish.times(from).equals(publishedFor) ? Optional.of(publish) : Optional.empty();
  }

  private static List<Long> columnsOf(Gf2 matrix) {
    List<Long> columns = new ArrayList<>();
    for (int i = 0; i < matrix.columnCount(); i++) {
      columns.add(matrix.column(i));
    }
    return columns;
  }

  /** Puts the target's full register numbers (in groups) back, and the copies for its duplicates. */
  private static ShufflePlan expand(ShufflePlan found, List<Integer> kept, int pack, LinearLayout target) {
    int groupBits = target.bits(InDim.REGISTER) - pack;
    Gf2 place = Gf2.of(groupBits, kept.stream().map(i -> 1L << (i - pack)).toList());
    List<Round> rounds = found.rounds.stream()
        .map(r -> new Round(r.publish, r.from, (int) place.apply(r.into))).toList();
    return new ShufflePlan(
        pack, rounds, found.publishByLane, found.fromByLane, place.times(found.intoByLane), copies(target));
  }

  /** For each register of the layout the one without free bits that holds the same element in every thread. */
  static List<Integer> copies(LinearLayout target) {
    Gf2 registers = target.matrix(InDim.REGISTER);
    List<Integer> copies = new ArrayList<>();
    for (int r = 0; r < target.registersPerThread(); r++) {
      copies.add(registers.solve(registers.apply(r)).orElseThrow().intValue());
    }
    return copies;
  }
}
