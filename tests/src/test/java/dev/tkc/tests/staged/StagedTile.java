package dev.tkc.tests.staged;

import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.layout.MatrixFragments;
import dev.tkc.ir.layout.MatrixFragments.Warps;
import dev.tkc.ir.layout.Panels;
import dev.tkc.ir.type.Element;
import java.util.List;

/**
 * One product of one block without roles, as placed IR: both operands are copied in bulk, or the left one is loaded
 * into registers.
 *
 * @param m rows
 * @param n columns
 * @param k depth
 * @param warps of the block
 * @param left where the left operand is: {@code mk} or {@code km} in shared memory, {@code registers}
 * @param right how the right operand lies: {@code kn} or {@code nk}
 * @param parts dots that share k
 */
record StagedTile(Element element, String instruction, int m, int n, int k, int warps, String left, String right,
    int parts) {
  private boolean isLeftShared() {
    return !left.equals("registers");
  }

  private List<Integer> leftShape() {
    return left.equals("km") ? List.of(k, m) : List.of(m, k);
  }

  private List<Integer> rightShape() {
    return right.equals("nk") ? List.of(n, k) : List.of(k, n);
  }

  private Panels panels(List<Integer> shape) {
    return Panels.of(shape, element.bits()).orElseThrow();
  }

  private String buffer(List<Integer> shape) {
    return "shared<" + element.text() + shape + ", 1, " + panels(shape).layout() + ">";
  }

  private String map(String name, List<Integer> shape) {
    return "  %m" + name + " = make_tensor_map %t" + name + " {box = " + panels(shape).box() + ", swizzle = "
        + panels(shape).swizzle() + "} : tensor_map\n";
  }

  private static String tensor(String name, Element e, List<Integer> shape, String access) {
    return "  %t" + name + " = make_tensor %" + name + ", [%s" + shape.get(0) + ", %s" + shape.get(1) + "], [%s"
        + shape.get(1)
        + ", %s1] {access = " + access + ", name = \"" + name + "\"} : tensor<" + e.text() + ", 2>\n";
  }

  private String tensors() {
    StringBuilder out = new StringBuilder();
    for (int size : List.of(0, 1, m, n, k).stream().distinct().toList()) {
      out.append("  %s").append(size).append(" = constant {value = ").append(size).append(" : i64} : i64\n");
    }
    return out + tensor("a", element, leftShape(), "in") + tensor("b", element, rightShape(), "in")
        + tensor("c", Element.F32, List.of(m, n), "out");
  }

  private static String range(String name, int size) {
    return "  %" + name + " = range %s0, %s1, %s" + size + " {size = " + size + "} : range<" + size + ">\n";
  }

  private LinearLayout tiled(LinearLayout fragment, List<Integer> shape) {
    return MatrixFragments.interleaved(fragment, shape, new Warps(0, warps), List.of(1, 0));
  }

  /** The module's text. */
  String tir() {
    MatrixFragments.Fragments f = MatrixFragments.mmaSync(element.bits());
    String e = element.text();
    String sum = "f32[" + m + ", " + n + "; " + tiled(f.c(), List.of(m, n)) + "]";
    int leftBytes = isLeftShared() ? m * k * element.bits() / 8 : 0;
    int bytes = leftBytes + n * k * element.bits() / 8;
    long leftEnd = isLeftShared() ? panels(leftShape()).slotBytes() : 0;
    long rightAt = Math.ceilDiv(leftEnd, 1024) * 1024;
    long barrierAt = rightAt + panels(rightShape()).slotBytes();
    StringBuilder out = new StringBuilder("kernel @f(%a: ptr<" + e + "> div 16, %b: ptr<" + e
        + "> div 16, %c: ptr<f32> div 16) {\n");
    out.append(tensors()).append(isLeftShared() ? map("a", leftShape()) : "").append(map("b", rightShape()));
    out.append("  %pa = address_of %ta : ptr<" + e + ">\n  %pb = address_of %tb : ptr<" + e
        + ">\n  %pc = address_of %tc : ptr<f32>\n");
    out.append("  launch %s1, [%pa, %pb, %pc, " + (isLeftShared() ? "%ma, " : "")
        + "%mb] {callee = \"f_0\"}\n  yield []\n}\n\n");
    out.append("device @f_0(%a: ptr<" + e + "> div 16, %b: ptr<" + e + "> div 16, %c: ptr<f32> div 16, "
        + (isLeftShared() ? "%ma: tensor_map, " : "") + "%mb: tensor_map) #{lanes = 32, placed, shared_bytes = "
        + (barrierAt + 8)
        + ", warps = " + warps + "} {\n");
    out.append(tensors()).append(range("rm", m));
    out.append(n == m ? "" : range("rn", n)).append(k == m || k == n ? "" : range("rk", k));
    String rn = n == m ? "%rm" : "%rn";
    String rk = k == m ? "%rm" : k == n ? rn : "%rk";
    String type = buffer(rightShape());
    out.append("  %bs = shared_alloc {type = " + type + ", name = \"b\"} #{offset = " + rightAt + "} : " + type + "\n");
    if (isLeftShared()) {
      String leftType = buffer(leftShape());
      out.append("  %as = shared_alloc {type = " + leftType + ", name = \"a\"} #{offset = 0} : " + leftType + "\n");
    }
    out.append("  %full = barrier_alloc {slots = 1, arrivals = 1, name = \"full\"} #{offset = " + barrierAt
        + "} : barriers<1>\n  barrier\n");
    out.append("  barrier_expect %full, %s0 {bytes = " + bytes + "}\n");
    out.append("  copy_bulk %tb, " + (right.equals("nk") ? "[" + rn + ", " + rk + "]" : "[" + rk + ", " + rn + "]")
        + ", %mb, %bs, %s0, %full, %s0\n");
    out.append(!isLeftShared() ? ""
        : "  copy_bulk %ta, " + (left.equals("mk") ? "[%rm, " + rk + "]" : "[" + rk + ", %rm]")
        + ", %ma, %as, %s0, %full, %s0\n");
    out.append("  barrier_wait %full, %s0, %s0\n  %no = constant {value = false : bool} : bool\n");
    out.append("  %sum0 = undefined {element = f32, shape = [" + m + ", " + n + "]} : " + sum + "\n");
    for (int i = 0; i < parts; i++) {
      part(out, i, k / parts, f, sum, rk);
    }
    out.append("  dot_commit\n  %done = dot_wait [%sum" + parts + "] {pending = 0} : " + sum + "\n");
    return out.append("  store %tc, [%rm, " + rn + "], %done #{inbounds = [1, 1], vector = 2}\n  yield []\n}\n")
        .toString();
  }

  private void part(StringBuilder out, int i, int depth, MatrixFragments.Fragments f, String sum, String rk) {
    String e = element.text();
    int at = i * depth;
    if (isLeftShared()) {
      boolean rows = left.equals("mk");
      out.append("  %x" + i + " = shared_view %as, %s0 {offsets = " + (rows ? List.of(0, at) : List.of(at, 0))
          + ", shape = "
          + (rows ? List.of(m, depth) : List.of(depth, m)) + ", order = " + (rows ? "[0, 1]" : "[1, 0]") + "} : shared<"
          + e + "["
          + m + ", " + depth + "], 1>\n");
    } else {
      String whole = e + "[" + m + ", " + k + "; " + tiled(f.a(), List.of(m, k)) + "]";
      if (i == 0) {
        out.append("  %whole = load %ta, [%rm, " + rk + "], _ #{inbounds = [1, 1], vector = 1} : " + whole + "\n");
      }
      out.append("  %x" + i + " = slice %whole {offsets = [0, " + at + "], shape = [" + m + ", " + depth + "]} : " + e
          + "[" + m
          + ", " + depth + "; " + tiled(f.a(), List.of(m, depth)) + "]\n");
    }
    boolean kn = right.equals("kn");
    out.append("  %y" + i + " = shared_view %bs, %s0 {offsets = " + (kn ? List.of(at, 0) : List.of(0, at))
        + ", shape = "
        + (kn ? List.of(depth, n) : List.of(n, depth)) + ", order = " + (kn ? "[0, 1]" : "[1, 0]") + "} : shared<" + e
        + "[" + depth
        + ", " + n + "], 1>\n  dot_fence\n");
    out.append("  %sum" + (i + 1) + " = dot_async %x" + i + ", %y" + i + ", %sum" + i + ", " + (i == 0 ? "%no" : "_")
        + " {precision = default} #{instruction = \"" + instruction + "\"} : " + sum + "\n");
  }
}
