package dev.tkc.ir.rules;

import static dev.tkc.ir.rules.TypeRules.block;
import static dev.tkc.ir.rules.TypeRules.check;
import static dev.tkc.ir.rules.TypeRules.count;
import static dev.tkc.ir.rules.TypeRules.scalar;
import static dev.tkc.ir.rules.TypeRules.tile;

import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.type.BarrierType;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.PointerType;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TensorMapType;
import dev.tkc.ir.type.TileType;
import dev.tkc.ir.type.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The type rules of {@link AsyncOp}s. */
final class AsyncRules {
  private AsyncRules() {}

  static List<Type> infer(AsyncOp op) {
    return switch (op) {
      case AsyncOp.BarrierAlloc o -> {
        check(o.slots() >= 1 && o.arrivals() >= 1, op, "a barrier has slots and arrivals");
        yield List.of(new BarrierType(o.slots()));
      }
      case AsyncOp.BarrierExpect o -> {
        barrier(op, o.barrier(), o.slot());
        check(o.bytes() >= 0, op, "bytes are negative");
        yield List.of();
      }
      case AsyncOp.BarrierArrive o -> {
        barrier(op, o.barrier(), o.slot());
        o.condition().ifPresent(c -> scalar(op, c, Element.BOOL));
        yield List.of();
      }
      case AsyncOp.BarrierWait o -> {
        barrier(op, o.barrier(), o.slot());
        count(op, o.parity());
        yield List.of();
      }
      case AsyncOp.CopyBulk o -> {
        barrier(op, o.barrier(), o.slot());
        count(op, o.stage());
        bulk(op, o.tensor(), o.indices(), o.map(), o.buffer());
        yield List.of();
      }
      case AsyncOp.PrefetchBulk o -> {
        bulk(op, o.tensor(), o.indices(), o.map(), o.buffer());
        yield List.of();
      }
      case AsyncOp.StoreBulk o -> {
        count(op, o.stage());
        bulk(op, o.tensor(), o.indices(), o.map(), o.buffer());
        yield List.of();
      }
      case AsyncOp.StoreWait o -> {
        check(o.pending() >= 0, op, "pending is negative");
        yield List.of();
      }
      case AsyncOp.StoreCommit _, AsyncOp.ProxyFence _, AsyncOp.DotFence _, AsyncOp.DotCommit _,
          AsyncOp.TurnTake _, AsyncOp.TurnPass _ -> List.of();
      case AsyncOp.NumberDraw o -> {
        check(o.counter().type().equals(new PointerType(Element.I32)), op,
            "a counter is wanted, not " + o.counter().type());
        scalar(op, o.tiles(), Element.I64);
        yield List.of(TileType.integer());
      }
      case AsyncOp.NumberPost o -> {
        scalar(op, o.number(), Element.I64);
        number(op, o.buffer(), o.stage());
        barrier(op, o.barrier(), o.slot());
        yield List.of(TileType.integer());
      }
      case AsyncOp.NumberRead o -> {
        number(op, o.buffer(), o.stage());
        yield List.of(TileType.integer());
      }
      case AsyncOp.SharedView o -> List.of(view(o));
      case AsyncOp.Undefined o -> List.of(TileType.of(o.element(), o.shape()));
      case AsyncOp.DotAsync o -> List.of(dot(o));
      case AsyncOp.DotWait o -> {
        check(o.pending() >= 0, op, "pending is negative");
        List<Type> types = new ArrayList<>();
        o.values().forEach(v -> types.add(tile(op, v)));
        yield types;
      }
    };
  }

  private static void barrier(Op op, Value barrier, Value slot) {
    check(barrier.type() instanceof BarrierType, op, "barriers are wanted, not " + barrier.type());
    count(op, slot);
  }

  private static void number(Op op, Value buffer, Value stage) {
    SharedType t = TypeRules.buffer(op, buffer);
    check(t.element() == Element.I32 && t.shape().equals(List.of(1)), op, "a slot for one i32 is wanted, not " + t);
    count(op, stage);
  }

  private static void bulk(Op op, Value tensor, List<Value> indices, Optional<Value> map, Value buffer) {
    TileType t = TypeRules.accessed(op, tensor, indices);
    check(t.equals(TypeRules.buffer(op, buffer).tile()), op, "a tile " + t + " and a slot of " + buffer.type());
    map.ifPresent(m -> check(m.type() instanceof TensorMapType, op, "a tensor map is wanted, not " + m.type()));
  }

  private static SharedType view(AsyncOp.SharedView o) {
    SharedType t = TypeRules.buffer(o, o.buffer());
    count(o, o.stage());
    check(block(t.shape(), o.offsets(), o.shape()), o, "block " + o.shape() + " at " + o.offsets() + " outside " + t);
    int rank = o.shape().size();
    check(o.order().size() == rank && o.order().stream().distinct().count() == rank
        && o.order().stream().allMatch(d -> d >= 0 && d < rank), o,
        o.order() + " is no order of " + rank + " dimensions");
    return SharedType.of(t.element(), o.order().stream().map(o.shape()::get).toList(), 1);
  }

  private static Type dot(AsyncOp.DotAsync o) {
    check(o.b().type() instanceof SharedType, o, "the right operand is a view of shared memory, not " + o.b().type());
    o.keep().ifPresent(k -> scalar(o, k, Element.BOOL));
    // The same rule as for a product of tiles.
    return TypeRules.dot(o, operand(o, o.a()), operand(o, o.b()), tile(o, o.acc()));
  }

  private static TileType operand(Op op, Value v) {
    return v.type() instanceof SharedType s ? s.tile() : tile(op, v);
  }
}
