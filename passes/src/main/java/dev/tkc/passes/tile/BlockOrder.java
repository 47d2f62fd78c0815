package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Cloner;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.op.MatrixOp;
import dev.tkc.passes.analysis.Regions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * How the blocks of a launch share out the positions of a {@code parallel} nest.
 *
 * <p>A rectangular nest has one block for each position, the first domain varying slowest; with {@code group = g} the
 * last two domains go in bands of g rows, column by column, so that blocks that run together share operands. A ragged
 * nest, whose inner bounds depend on outer positions, has a fixed number of blocks, and block b takes the items b, b +
 * count, … of the nest in order: each walks the outer domains and steps through its share of the innermost one.
 */
final class BlockOrder {
  /** Blocks of a ragged nest: enough for every processor of today's devices several times over. */
  static final long RAGGED_BLOCKS = 1024;

  private final List<ControlOp.Parallel> levels;
  private final boolean rectangular;
  private final long group;
  private final List<Value> counts = new ArrayList<>();

  private BlockOrder(List<ControlOp.Parallel> levels, boolean rectangular, long group) {
    this.levels = levels;
    this.rectangular = rectangular;
    this.group = group;
  }

  static BlockOrder of(Inst inst, ControlOp.Parallel outermost, Func kernel, Module module) {
    List<ControlOp.Parallel> levels = new ArrayList<>(List.of(outermost));
    while (inner(levels.getLast()) != null) {
      levels.add(inner(levels.getLast()));
    }
    Set<Value> inside = Regions.defined(outermost.body());
    boolean rectangular = levels.stream().noneMatch(p -> inside.contains(p.lo()) || inside.contains(p.hi()));
    boolean[] hasDot = {false};
    outermost.body().walk(i -> hasDot[0] |= i.op() instanceof MatrixOp.Dot);
    long otherwise = hasDot[0] ? 8 : 1;
    Object set = module.annotations().get("group");
    long group = inst.annotation("group", kernel.annotation("group", set instanceof Long l ? l : otherwise));
    return new BlockOrder(levels, rectangular, levels.size() < 2 ? 1 : group);
  }

  private static ControlOp.Parallel inner(ControlOp.Parallel nest) {
    List<Inst> insts = nest.body().insts();
    return insts.size() >= 2 && insts.get(insts.size() - 2).op() instanceof ControlOp.Parallel p ? p : null;
  }

  /** The number of blocks, computed on the host. */
  Value grid(Builder host) {
    if (!rectangular) {
      return host.constant(RAGGED_BLOCKS);
    }
    Value grid = null;
    for (ControlOp.Parallel p : levels) {
      Value count = count(p.lo(), p.hi(), p.step(), host);
      counts.add(count);
      grid = grid == null ? count : host.mul(grid, count);
    }
    return grid;
  }

  /** Values of the host that the device needs to find its positions. */
  List<Value> counts() {
    return counts;
  }

  /** ⌈(hi − lo) / step⌉, at least 0. */
  private static Value count(Value lo, Value hi, long step, Builder b) {
    Value span = Regions.isInteger(lo, 0) ? hi : b.sub(hi, lo);
    Value rounded = step == 1 ? span
        : b.binary(BinaryKind.DIV, b.add(span, b.constant(step - 1)), b.constant(step));
    Value count = b.binary(BinaryKind.MAX, rounded, b.constant(0L));
    return Regions.integer(hi).isPresent() && Regions.integer(lo).isPresent()
        ? b.constant(Math.max(0, Math.floorDiv(
            Regions.integer(hi).getAsLong() - Regions.integer(lo).getAsLong() + step - 1, step)))
        : count;
  }

  /** Clones the nest's bodies into the device function, at the positions of this block. */
  void distribute(Cloner cloner, Builder device) {
    if (rectangular) {
      List<Value> indices = indices(cloner, device);
      for (int d = 0; d < levels.size(); d++) {
        place(levels.get(d), indices.get(d), cloner, device);
      }
      return;
    }
    Value skip = device.emit(new ControlOp.BlockId());
    ragged(0, skip, device.emit(new ControlOp.BlockCount()), cloner, device);
  }

  /** Gives the level's position its value and clones what the level does besides the next one. */
  private void place(ControlOp.Parallel level, Value index, Cloner cloner, Builder device) {
    Value offset = device.mul(index, device.constant(level.step()));
    Value lo = cloner.get(level.lo());
    Value position = Regions.isInteger(lo, 0) ? offset : device.add(lo, offset);
    Value param = level.body().params().getFirst();
    position.setName(param.name());
    cloner.define(param, position);
    for (Inst inst : level.body().insts()) {
      if (!(inst.op() instanceof ControlOp.Parallel) && !(inst.op() instanceof ControlOp.Yield)) {
        device.insert(cloner.clone(inst));
      }
    }
  }

  private List<Value> indices(Cloner cloner, Builder device) {
    List<Value> sizes = counts.stream().map(cloner::get).toList();
    List<Value> indices = new ArrayList<>();
    Value rest = device.emit(new ControlOp.BlockId());
    int last = levels.size() - 1;
    if (group > 1) {
      Value plane = device.mul(sizes.get(last - 1), sizes.get(last));
      Value inPlane = last == 1 ? rest : device.binary(BinaryKind.REM, rest, plane);
      indices.addAll(grouped(inPlane, sizes.get(last - 1), sizes.get(last), device));
      rest = last == 1 ? rest : device.binary(BinaryKind.DIV, rest, plane);
      last -= 2;
    }
    for (int d = last; d >= 0; d--) {
      indices.addFirst(d == 0 ? rest : device.binary(BinaryKind.REM, rest, sizes.get(d)));
      rest = d == 0 ? rest : device.binary(BinaryKind.DIV, rest, sizes.get(d));
    }
    return indices;
  }

  /** Row and column of number {@code id} in bands of {@code group} rows, each band column by column. */
  private List<Value> grouped(Value id, Value rows, Value columns, Builder device) {
    Value rowsOfBand = device.constant(group);
    Value band = device.mul(rowsOfBand, columns);
    Value first = device.mul(device.binary(BinaryKind.DIV, id, band), rowsOfBand);
    Value height = device.binary(BinaryKind.MIN, device.sub(rows, first), rowsOfBand);
    Value within = device.binary(BinaryKind.REM, id, band);
    Value row = device.add(first, device.binary(BinaryKind.REM, within, height));
    return List.of(row, device.binary(BinaryKind.DIV, within, height));
  }

  /**
   * Walks level {@code d}; {@code skip} items of what lies ahead belong to other blocks before this block's next one.
   * Returns how many remain to skip afterwards.
   */
  private Value ragged(int d, Value skip, Value blocks, Cloner cloner, Builder device) {
    ControlOp.Parallel level = levels.get(d);
    Value lo = cloner.get(level.lo());
    Value hi = cloner.get(level.hi());
    if (d == levels.size() - 1) {
      Value count = count(lo, hi, level.step(), device);
      Value left = device.sub(count, skip);
      Value zero = device.constant(0L);
      Value mine = device.binary(BinaryKind.MAX, zero, device.binary(
          BinaryKind.DIV, device.add(left, device.sub(blocks, device.constant(1L))), blocks));
      device.loop(zero, mine, 1, false, List.of(), params -> {
        place(level, device.add(skip, device.mul(params.getFirst(), blocks)), cloner, device);
        device.yield(List.of());
      });
      return device.sub(device.add(skip, device.mul(mine, blocks)), count);
    }
    Inst loop = device.loop(lo, hi, level.step(), false, List.of(skip), params -> {
      Value position = params.getFirst();
      position.setName(level.body().params().getFirst().name());
      cloner.define(level.body().params().getFirst(), position);
      for (Inst inst : level.body().insts()) {
        if (!(inst.op() instanceof ControlOp.Parallel) && !(inst.op() instanceof ControlOp.Yield)) {
          device.insert(cloner.clone(inst));
        }
      }
      device.yield(List.of(ragged(d + 1, params.get(1), blocks, cloner, device)));
    });
    return loop.results().getFirst();
  }
}
