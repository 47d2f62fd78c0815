package dev.tkc.tests.ptx;

/** An instruction made executable: does its work for the first {@code count} lanes, whose program counters are past it. */
interface PtxStep {
  void run(PtxMachine.Lane[] lanes, int count);
}
