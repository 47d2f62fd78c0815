package dev.tkc.ir;

import dev.tkc.ir.type.TileType;
import dev.tkc.ir.type.Type;
import java.util.Objects;

/**
 * An SSA value: the result of an instruction or a parameter of a region or function. Identity is what matters; the
 * name is a hint for people, made unique by the printer.
 */
public final class Value {
  private Type type;
  private String name;
  private Inst definition;

  public Value(Type type, String name) {
    this.type = Objects.requireNonNull(type);
    this.name = name == null ? "" : name;
  }

  public Value(Type type) {
    this(type, "");
  }

  public Type type() {
    return type;
  }

  /** The type of a value that is known to be a tile or scalar. */
  public TileType tile() {
    return (TileType) type;
  }

  /** Only passes that assign layouts change a value's type. */
  public void setType(Type t) {
    this.type = Objects.requireNonNull(t);
  }

  /** A hint from the source program, or empty. */
  public String name() {
    return name;
  }

  public void setName(String n) {
    this.name = Objects.requireNonNull(n);
  }

  /** The instruction whose result this is, or null for a parameter. */
  public Inst definition() {
    return definition;
  }

  void setDefinition(Inst inst) {
    this.definition = inst;
  }

  @Override
  public String toString() {
    return "%" + (name.isEmpty() ? "?" : name) + ": " + type;
  }
}
