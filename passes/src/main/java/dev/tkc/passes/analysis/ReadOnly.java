package dev.tkc.passes.analysis;

import dev.tkc.ir.Func;
import dev.tkc.ir.Value;
import dev.tkc.ir.op.AsyncOp;
import dev.tkc.ir.op.MemoryOp;
import dev.tkc.ir.op.Op;
import java.util.HashSet;
import java.util.Set;

/**
 * Which tensors nothing writes while a phase runs, so that a load gives the same wherever it stands. Arguments that a
 * kernel writes overlap no others, and a device function has one pointer for each memory it uses; so in a device
 * function a tensor is read-only if no access through its pointer writes. In a kernel only {@code in} tensors are.
 */
public final class ReadOnly {
  private final boolean device;
  private final Set<Value> written = new HashSet<>();

  public ReadOnly(Func func) {
    device = func.kind() == Func.Kind.DEVICE;
    func.body().walk(i -> {
      switch (i.op()) {
        case MemoryOp.Store s -> written.add(root(s.tensor()));
        case MemoryOp.Atomic a -> written.add(root(a.tensor()));
        case AsyncOp.StoreBulk b -> written.add(root(b.tensor()));
        default -> { }
      }
    });
  }

  public boolean tensor(Value tensor) {
    Value root = root(tensor);
    if (root.definition() != null && root.definition().op() instanceof MemoryOp.Temp) {
      return false;
    }
    boolean in = tensorAccess(tensor) == MemoryOp.Access.IN;
    return in || device && !written.contains(root);
  }

  private static MemoryOp.Access tensorAccess(Value tensor) {
    return switch (tensor.definition() == null ? null : tensor.definition().op()) {
      case MemoryOp.MakeTensor m -> m.access();
      case MemoryOp.View v -> tensorAccess(v.tensor());
      case null, default -> MemoryOp.Access.TEMP;
    };
  }

  /** The pointer or temp behind a tensor. */
  public static Value root(Value tensor) {
    return switch (tensor.definition() == null ? null : tensor.definition().op()) {
      case MemoryOp.MakeTensor m -> m.pointer();
      case MemoryOp.View v -> root(v.tensor());
      case null, default -> tensor;
    };
  }

  /** The op that defines a value, or null for a parameter. */
  static Op definition(Value v) {
    return v.definition() == null ? null : v.definition().op();
  }
}
