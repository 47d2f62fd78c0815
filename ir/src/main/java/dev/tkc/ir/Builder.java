package dev.tkc.ir;

import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.ElementwiseOp.CompareKind;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.rules.TypeRules;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.TileType;
import dev.tkc.ir.type.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Appends instructions to a region (or inserts them at a place in it), inferring their result types. A builder is at
 * one place at a time; {@link #in} builds a nested region.
 */
public class Builder {
  private Region region;
  private int at;
  private Loc loc = Loc.UNKNOWN;

  /** Appends at the end of {@code region}. */
  public Builder(Region region) {
    this(region, region.insts().size());
  }

  /** Inserts before instruction number {@code at} of {@code region}. */
  public Builder(Region region, int at) {
    this.region = region;
    this.at = at;
  }

  public Region region() {
    return region;
  }

  public Loc loc() {
    return loc;
  }

  /** The place in the source that following instructions come from. */
  public Builder at(Loc place) {
    this.loc = place;
    return this;
  }

  /** Appends an instruction with results of the given types. */
  public Inst append(Op op, List<Type> types) {
    List<Value> results = new ArrayList<>();
    types.forEach(t -> results.add(new Value(t)));
    Inst inst = new Inst(op, results, loc);
    region.insts().add(at++, inst);
    return inst;
  }

  /** Appends an instruction that was taken from elsewhere. */
  public void insert(Inst inst) {
    region.insts().add(at++, inst);
  }

  /** Appends an instruction; its result types follow from {@link TypeRules}. */
  public Inst append(Op op) {
    return append(op, TypeRules.infer(op));
  }

  /** Appends an op of one result and gives that. */
  public Value emit(Op op) {
    return append(op).result();
  }

  /** Builds {@code inner} with this builder's place, then comes back. */
  public void in(Region inner, Runnable build) {
    Region outer = region;
    int back = at;
    region = inner;
    at = inner.insts().size();
    try {
      build.run();
    } finally {
      region = outer;
      at = back;
    }
  }

  public Value constant(Literal value) {
    return emit(new ElementwiseOp.Constant(value));
  }

  /** An {@code int} constant. */
  public Value constant(long value) {
    return constant(Literal.ofInt(value));
  }

  /** A tile with one constant at every place. */
  public Value full(TileType type, Literal value) {
    Value scalar = constant(value);
    return type.isScalar() ? scalar : emit(new ShapeOp.Splat(scalar, type.shape()));
  }

  public Value binary(BinaryKind kind, Value a, Value b) {
    return emit(new ElementwiseOp.Binary(kind, a, b));
  }

  public Value add(Value a, Value b) {
    return binary(BinaryKind.ADD, a, b);
  }

  public Value sub(Value a, Value b) {
    return binary(BinaryKind.SUB, a, b);
  }

  public Value mul(Value a, Value b) {
    return binary(BinaryKind.MUL, a, b);
  }

  public Value compare(CompareKind kind, Value a, Value b) {
    return emit(new ElementwiseOp.Compare(kind, a, b));
  }

  public Value cast(Value x, Element to) {
    return x.tile().element() == to ? x : emit(new ElementwiseOp.Cast(x, to));
  }

  public void yield(List<Value> values) {
    append(new ControlOp.Yield(values));
  }

  /** A loop; {@code body} receives the position and the carried values and must end the region with a yield. */
  public Inst loop(Value lo, Value hi, long step, boolean reversed, List<Value> inits, Consumer<List<Value>> body) {
    List<Value> params = new ArrayList<>();
    params.add(new Value(TileType.integer()));
    inits.forEach(v -> params.add(new Value(v.type(), v.name())));
    Region inner = new Region(params);
    in(inner, () -> body.accept(params));
    return append(new ControlOp.For(lo, hi, step, inits, reversed, inner), inits.stream().map(Value::type).toList());
  }

  /** A branch; each side must end its region with a yield. */
  public Inst branch(Value condition, Runnable then, Runnable otherwise) {
    Region a = new Region();
    Region b = new Region();
    in(a, then);
    in(b, otherwise);
    return append(new ControlOp.If(condition, a, b));
  }
}
