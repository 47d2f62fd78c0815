package dev.tkc.ir.interp;

/** A range: lane t stands for {@code start + t * stride} and is valid if {@code t < count}. */
public record LaneRange(long start, long stride, long count, int size) implements Datum {
  public boolean isValid(int lane) {
    return lane < count;
  }

  public long position(int lane) {
    return start + lane * stride;
  }

  @Override
  public long bytes() {
    return 0;
  }
}
