package dev.tkc.passes.cost;

/**
 * What a stretch of code asks of each part of a multiprocessor, in cycles that the part alone would take.
 *
 * @param matrix matrix instructions
 * @param shared reads and writes of shared memory
 * @param cache loads and stores
 * @param vector arithmetic
 */
public record Work(double matrix, double shared, double cache, double vector) {
  public static final Work NONE = new Work(0, 0, 0, 0);

  Work plus(Work o) {
    return new Work(matrix + o.matrix, shared + o.shared, cache + o.cache, vector + o.vector);
  }
}
