package dev.tkc.ir.interp;

import dev.tkc.ir.Inst;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.type.TileType;

/**
 * The result of a {@code dot_async}: in flight until a {@code dot_wait} gives it back as a tile. It is computed at the
 * wait that covers its group, from what its operands hold then.
 */
final class Product implements Datum {
  final Inst inst;
  final Team team;
  /** The number of its group, from 1. */
  final long group;
  /** The product that goes on adding to the same registers. */
  Inst continued;
  private final AsyncOp.DotAsync op;
  private Datum a;
  private Datum b;
  private Datum acc;
  private Tile result;

  /** {@code acc} is null for a product that starts afresh. */
  Product(Inst inst, AsyncOp.DotAsync op, Team team, Datum a, Datum b, Datum acc) {
    this.inst = inst;
    this.op = op;
    this.team = team;
    this.a = a;
    this.b = b;
    this.acc = acc;
    this.group = team.products.add(this);
  }

  void compute(MatrixEval matrix) {
    TileType type = op.acc().tile();
    Tile start = switch (acc) {
      case null -> matrix.zeros(inst, type);
      case Product p -> p.result;
      case Tile t -> t;
      default -> throw new IllegalStateException("an accumulator " + acc);
    };
    result = matrix.dot(inst, tile(a), tile(b), start, op.precision());
    a = null;
    b = null;
    acc = null;
  }

  private static Tile tile(Datum operand) {
    return operand instanceof SlotView v ? v.read() : (Tile) operand;
  }

  Tile result() {
    return result;
  }

  @Override
  public long bytes() {
    TileType type = op.acc().tile();
    return Tile.Storage.of(type.element()).bytes(type.count());
  }
}
