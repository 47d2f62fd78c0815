package dev.tkc.ir.type;

/** Transaction barriers in shared memory, one for each slot of a ring. */
public record BarrierType(int slots) implements Type {
  @Override
  public String text() {
    return "barriers<" + slots + ">";
  }

  @Override
  public String toString() {
    return text();
  }
}
