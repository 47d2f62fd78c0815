package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmFunction.Parameter;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.layout.MatrixDescriptor;
import dev.tkc.ir.layout.MatrixFragments.Fragments;
import java.util.List;
import java.util.Optional;

/**
 * What a target with a copy engine, transaction barriers, asynchronous products or roles does in its own way. As in
 * {@link TargetLowering}, each method emits the spelling of one thing and decides nothing. Methods are called where all
 * threads of a team are together, unless they say otherwise.
 */
public interface AsyncTarget {

  /** A byte of the block's shared memory: {@code offset} (i32) bytes after {@code base}, where that memory starts. */
  record Place(LlvmValue base, LlvmValue offset) {
    Place plus(LlvmBuilder b, LlvmValue bytes) {
      return new Place(base, b.add(offset, bytes));
    }

    Place plus(LlvmBuilder b, long bytes) {
      return plus(b, LlvmValue.i32(bytes));
    }
  }

  // Teams.

  /**
   * The same number, which is equal in all lanes of a warp, in a form in which the target's compiler sees that it is.
   * Of the first lane {@code alone}, where no other is here.
   */
  LlvmValue uniform(LlvmBuilder b, LlvmValue x, boolean alone);

  /** The same number or pointer, of which LLVM knows nothing: what is computed from it is not computed before. */
  LlvmValue opaque(LlvmBuilder b, LlvmValue x);

  /** As above, and nothing that is computed from it is taken from elsewhere. */
  LlvmValue opaqueHere(LlvmBuilder b, LlvmValue x);

  /**
   * This thread's number in the block (i32), read anew at this place, so that nothing computed from it is kept from
   * elsewhere.
   */
  LlvmValue threadHere(LlvmBuilder b);

  /**
   * How many registers each thread has at launch where a block of so many threads is to share them out among its roles.
   */
  int registersAtLaunch(int threads);

  /**
   * From here on a thread of these warps has so many registers, in a block of {@code threads} that was launched with
   * equal shares.
   */
  void setRegisters(LlvmBuilder b, int registers, int threads);

  /** Waits for {@code threads} threads of team {@code team}, which is 1 or more. */
  void teamBarrier(LlvmBuilder b, LlvmValue team, int threads);

  /** Counts as there for the threads that wait at a {@code teamBarrier} of as many, and does not wait itself. */
  void arriveAtTeam(LlvmBuilder b, LlvmValue team, int threads);

  /** The same numbers of 32 bits, made at this place: nothing that uses what this gives stands before it. */
  List<LlvmValue> hold(LlvmBuilder b, List<LlvmValue> values);

  /** The threads of each warp are together again, after a branch for some of them. */
  void converge(LlvmBuilder b);

  // Transaction barriers. A barrier is the eight bytes at its place.

  /** By one thread. */
  void barrierInit(LlvmBuilder b, Place barrier, int arrivals);

  /** After the barriers' initialisation, by the thread that did it: copies may use them. */
  void barriersReady(LlvmBuilder b);

  /** By one thread. */
  void barrierExpect(LlvmBuilder b, Place barrier, long bytes);

  /** One arrival by each thread where {@code condition} (i1) holds. */
  void barrierArrive(LlvmBuilder b, Place barrier, LlvmValue condition);

  /** {@code parity} is an i32. */
  void barrierWait(LlvmBuilder b, Place barrier, LlvmValue parity);

  /**
   * The i32 in global memory at {@code counter}, read and at once replaced by the next one, or by 0 where it was
   * {@code last}. By one thread.
   */
  LlvmValue countUp(LlvmBuilder b, LlvmValue counter, LlvmValue last);

  // Bulk copies, all by one thread. {@code at} has an i32 for each dimension of the tensor.

  /** How a kernel takes a tensor map. */
  Parameter mapParameter(String name);

  /** Says that a map will be used. */
  void prefetchMap(LlvmBuilder b, LlvmValue map);

  void copyBulk(LlvmBuilder b, LlvmValue map, List<LlvmValue> at, Place to, Place barrier);

  /** Has the cache read what a copy would. */
  void prefetchBulk(LlvmBuilder b, LlvmValue map, List<LlvmValue> at);

  void storeBulk(LlvmBuilder b, LlvmValue map, List<LlvmValue> at, Place from);

  void storeCommit(LlvmBuilder b);

  void storeWait(LlvmBuilder b, int pending, boolean read);

  /** By every thread that wrote. */
  void proxyFence(LlvmBuilder b);

  // Asynchronous products.

  /** The instruction that a {@code dot_async} names. */
  AsyncProduct asyncMatrix(String name);

  void dotFence(LlvmBuilder b);

  void dotCommit(LlvmBuilder b);

  /**
   * Waits, and gives {@code values} as they are afterwards; {@code held} are registers that products read until then.
   */
  List<LlvmValue> dotWait(LlvmBuilder b, int pending, List<LlvmValue> values, List<LlvmValue> held);

  /**
   * An operand in shared memory: the slot it lies in, for the group of warps at hand, and how.
   *
   * @param round where the slot is the same in all rounds of a loop, 0 (i32), which nobody can tell: added to what is
   *     made of the slot, it keeps that from being made in front of the loop, once for each instruction, and held
   */
  record SharedOperand(Place slot, MatrixDescriptor descriptor, Optional<LlvmValue> round) {}

  /** Columns {@code first} … {@code first + columns - 1} of the block of rows that starts at {@code row}. */
  record Block(int row, int first, int columns) {}

  /** The left operand. */
  sealed interface Left {
    record Shared(SharedOperand operand) implements Left {}

    /** Words of registers for each block and step of k. */
    record Registers(List<List<List<LlvmValue>>> words) implements Left {
      public Registers {
        words = List.copyOf(words);
      }
    }
  }

  /**
   * {@code acc + a @ b} over {@code depth} of k, all blocks. {@code accumulators} has the registers of each block, in
   * the instruction's order; they count as zero where {@code keep} (i1) is false.
   */
  record Product(
      Left left,
      SharedOperand right,
      int depth,
      List<Block> blocks,
      List<List<LlvmValue>> accumulators,
      Optional<LlvmValue> keep) {
    public Product {
      blocks = List.copyOf(blocks);
      accumulators = List.copyOf(accumulators);
    }
  }

  /** One asynchronous matrix instruction: how a warp's part of its operands lies, its limits, and its emission. */
  interface AsyncProduct {
    Fragments fragments();

    /** Warps that start it together, whose parts follow each other along the rows. */
    int groupWarps();

    int mostColumns();

    /** Registers of an operand's fragment as the instruction takes them. */
    List<LlvmValue> words(LlvmBuilder b, List<LlvmValue> elements);

    /** Starts a product; the registers of each block in the same order. */
    List<List<LlvmValue>> start(LlvmBuilder b, Product product);
  }
}
