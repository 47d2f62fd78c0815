package dev.tkc.backend.llvm.lower;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmBuilder.Compare;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Region;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.ControlOp;
import dev.tkc.ir.rules.OneThread;
import java.util.List;

/**
 * Roles: a branch on the warp's number for each, which all lanes of a warp take the same way, and behind it the role's
 * code with a thread index of its own. All roles end at one place. A role in which only one thread of the team has
 * anything to do is entered by that thread alone.
 */
final class RoleLowering {
  private final FunctionLowering f;

  RoleLowering(FunctionLowering f) {
    this.f = f;
  }

  /** The roles of a function, in order, from warp 0. */
  void lower(List<Inst> roles) {
    requireRegisters(roles.stream().map(i -> (ControlOp.Role) i.op()).toList());
    lower(roles, 0, 0);
  }

  /** Roles that want more registers than the block has been given would wait for them for ever. */
  private void requireRegisters(List<ControlOp.Role> roles) {
    if (roles.stream().anyMatch(r -> r.registers() > 0)) {
      int each = f.target().async().registersAtLaunch(f.team().warps() * f.target().lanes());
      int wanted = roles.stream().mapToInt(r -> r.warps() * (r.registers() > 0 ? r.registers() : each)).sum();
      if (wanted > each * f.team().warps()) {
        throw new IllegalStateException("the roles of @" + f.func().name() + " want more registers than "
            + f.team().warps() + " warps have: " + each + " for each thread");
      }
    }
  }

  private void lower(List<Inst> roles, int index, int first) {
    if (index == roles.size()) {
      return;
    }
    ControlOp.Role role = (ControlOp.Role) roles.get(index).op();
    int next = first + role.warps();
    LlvmBuilder b = f.b();
    if (next == f.team().warps()) {
      enter(role, index, first);
      return;
    }
    LlvmValue mine = b.icmp(Compare.ULT, f.thread().warp(), LlvmValue.i32(next));
    b.ifElse(mine, () -> {
      enter(role, index, first);
      return List.of();
    }, () -> {
      lower(roles, index + 1, next);
      return List.of();
    });
  }

  private void enter(ControlOp.Role role, int index, int first) {
    LlvmBuilder b = f.b();
    if (role.registers() > 0) {
      f.target().async().setRegisters(b, role.registers(), f.team().warps() * f.target().lanes());
    }
    boolean alone = OneThread.suffices(role.body());
    f.inTeam(first, role.warps(), index + 1, alone, () -> {
      if (alone) {
        b.ifThen(f.thread().isFirst(), () -> f.region(role.body()));
      } else {
        if (takesTurns(role.body())) {
          f.team().openTurns(b, f.target());
        }
        f.region(role.body());
      }
    });
  }

  private static boolean takesTurns(Region region) {
    return region.anyMatch(i -> i.op() instanceof AsyncOp.TurnTake);
  }
}
