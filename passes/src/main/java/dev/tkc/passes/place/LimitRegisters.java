package dev.tkc.passes.place;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.type.TileType;
import dev.tkc.passes.PassContext;
import dev.tkc.passes.target.TargetInfo;

/**
 * Refuses tiles that the registers of a block cannot hold, and changes nothing.
 *
 * <pre>
 *   %0 = load %x, [%i, %j], _ : f32[4096, 4096; #l0]      error[TK0711], with the line the tile comes from
 * </pre>
 *
 * A tile whose elements are visited one after another may be somewhat larger than the registers of its threads: what is
 * loaded, used and stored piece by piece never lies in them as a whole. Beyond twice their number nothing but memory
 * traffic would come of it, after minutes of translation. What a layout makes of it beyond that, with elements that
 * several threads hold, is not asked.
 */
public final class LimitRegisters {
  private LimitRegisters() {}

  public static void run(Func func, PassContext context) {
    func.body().walk(inst -> {
      for (Value v : inst.results()) {
        if (v.type() instanceof TileType t && t.layout() != null) {
          check(func, inst, t, context.target());
        }
      }
    });
  }

  private static void check(Func func, Inst inst, TileType tile, TargetInfo target) {
    long threads = func.annotation("warps", 4) * target.lanes();
    long elements = LinearLayout.cover(tile.shape()).stream().mapToLong(n -> n).reduce(1, (a, b) -> a * b);
    long words = Math.ceilDiv(elements * tile.element().bits(), 32 * threads);
    int each = target.registers().perThread();
    if (words <= 2L * (each + 1)) {
      return;
    }
    String what = tile.withoutLayout().text();
    Diagnostic d = Diagnostic.error(Code.REGISTER_BUDGET,
        "phase @" + func.name() + " makes a tile " + what + ", too large for the registers of a block");
    d = inst.loc().span().isPresent()
        ? d.label(inst.loc().span().get(), "this is " + what) : d.note("it comes from " + inst.loc());
    throw new DiagnosticException(d
        .note("it takes " + words + " registers of each thread, and a thread of " + target.name() + " has " + each)
        .help("take smaller tiles: constants by `-D NAME=VALUE` or in a schedule; walk a large dimension by a range"));
  }
}
