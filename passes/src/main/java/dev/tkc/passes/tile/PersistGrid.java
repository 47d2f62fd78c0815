package dev.tkc.passes.tile;

import dev.tkc.ir.Builder;
import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.op.ElementwiseOp;
import dev.tkc.ir.op.ElementwiseOp.BinaryKind;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a grid no larger than what runs at once: each block goes on to the tile that many numbers further.
 *
 * <pre>
 *   launch %n, […] {callee = "f"}                  %m = min %n, 132
 *                                                  launch %m, […, %n] {callee = "f"}
 *   device @f(…) #{persistent} {           →       device @f(…, %tiles: i64) {
 *     %b = block_id : i64                            %first = block_id : i64
 *     …                                              for %first, %tiles [] {step = 132} (%b: i64) { … }
 *   }                                              } #{tiles}
 * </pre>
 *
 * Between the tiles of one block, copies and stores go on; that is what it is for. As many blocks as the target has
 * multiprocessors: such a block takes one for itself. Blocks of a cluster have one tile each.
 *
 * <p>Two flags tell later passes about the order of tiles, whatever it is: {@link #TILES} marks the loop, whose
 * position is the number of the block's tile and which ends with the first number that is no tile's; {@link #NEXT_TILE}
 * marks the one instruction on each way through its body, if a pass puts one there, whose result is the position of the
 * next round, a tile's or not. Whatever else that body says of the next tile is made from that result.
 */
public final class PersistGrid {
  /** On the loop over a block's tiles. */
  public static final String TILES = "tiles";

  /** On the instruction that computes the number of a block's next tile. */
  public static final String NEXT_TILE = "next_tile";

  /** On a loop over those of a block's tiles that the loops around it count: they go on where others end. */
  static final String RAGGED = "ragged";

  private PersistGrid() {}

  /**
   * Whether a loop's positions follow no step once tiles are drawn: what moves work to another round by adding the step
   * leaves such a loop alone.
   */
  public static boolean isDrawn(Func func, Inst loop) {
    return loop.flag(TILES) && Boolean.TRUE.equals(func.annotations().get("uneven"));
  }

  public static void run(Module module, PassContext context) {
    Region host = module.kernel().body();
    for (Inst inst : List.copyOf(host.insts())) {
      if (inst.op() instanceof ControlOp.Launch launch) {
        Func callee = module.func(launch.callee()).orElseThrow();
        boolean persistent = Boolean.TRUE.equals(callee.annotations().remove("persistent"));
        if (persistent && !callee.annotations().containsKey(OutlinePhases.CLUSTER)) {
          context.enter(callee);
          long residents = context.target().processors();
          if (share(callee, residents)) {
            Builder b = new Builder(host, host.insts().indexOf(inst)).at(inst.loc());
            inst.setOp(new ControlOp.Launch(launch.callee(), b.constant(residents), launch.arguments()));
            continue;
          }
          persist(callee, residents);
          Builder b = new Builder(host, host.insts().indexOf(inst)).at(inst.loc());
          List<Value> arguments = new ArrayList<>(launch.arguments());
          arguments.add(launch.grid());
          inst.setOp(new ControlOp.Launch(launch.callee(),
              b.binary(BinaryKind.MIN, launch.grid(), b.constant(residents)), arguments));
        }
      }
    }
  }

  /** Has so many blocks share out the tiles of loops that count them; false if there are none. */
  private static boolean share(Func func, long blocks) {
    boolean[] any = {false};
    func.body().walk(inst -> inst.regions().forEach(r -> any[0] |= share(r, blocks)));
    return any[0];
  }

  private static boolean share(Region region, long blocks) {
    boolean any = false;
    for (Inst inst : List.copyOf(region.insts())) {
      if (inst.op() instanceof ControlOp.For loop && inst.flag(RAGGED)
          && loop.lo().definition() != null && loop.lo().definition().op() instanceof ElementwiseOp.Binary first
          && first.kind() == BinaryKind.REM) {
        Builder b = new Builder(region, region.insts().indexOf(inst)).at(inst.loc());
        Value lo = b.binary(BinaryKind.REM, first.lhs(), b.constant(blocks));
        inst.setOp(new ControlOp.For(lo, loop.hi(), blocks, loop.inits(), loop.reversed(), loop.body()));
        any = true;
      }
    }
    return any;
  }

  private static void persist(Func func, long residents) {
    Value tiles = new Value(TileType.integer(), "tiles");
    func.params().add(new Param(tiles, 1));
    Region body = func.body();
    Value number = new Value(TileType.integer(), "tile");
    Region round = new Region(List.of(number));
    Map<Value, Value> replaced = new HashMap<>();
    for (Inst inst : body.insts()) {
      if (inst.op() instanceof ControlOp.BlockId) {
        replaced.put(inst.result(), number);
      } else {
        round.insts().add(inst);
      }
    }
    round.replaceUses(replaced);
    body.insts().clear();
    Builder b = new Builder(body).at(func.loc());
    Value first = b.emit(new ControlOp.BlockId());
    b.append(new ControlOp.For(first, tiles, residents, List.of(), false, round), List.of()).annotate(TILES, true);
    b.yield(List.of());
  }
}
