package dev.tkc.backend.ptx;

import dev.tkc.backend.llvm.LlvmBuilder;
import dev.tkc.backend.llvm.LlvmIntrinsic;
import dev.tkc.backend.llvm.LlvmType;
import dev.tkc.backend.llvm.LlvmValue;
import dev.tkc.backend.llvm.lower.AsyncTarget.AsyncProduct;
import dev.tkc.backend.llvm.lower.AsyncTarget.Block;
import dev.tkc.backend.llvm.lower.AsyncTarget.Left;
import dev.tkc.backend.llvm.lower.AsyncTarget.Product;
import dev.tkc.backend.llvm.lower.AsyncTarget.SharedOperand;
import dev.tkc.ir.layout.MatrixDescriptor;
import dev.tkc.ir.layout.MatrixFragments.Fragments;
import dev.tkc.ir.type.Element;
import dev.tkc.passes.target.AsyncMatrix;
import java.util.ArrayList;
import java.util.List;

/**
 * {@code wgmma.mma_async} (PTX ISA 9.7.15). All instructions of a product stand in one piece of assembly: accumulators
 * are tied operands, and descriptors are made inside from the lower half of each operand's first one, so that neither a
 * 64-bit address nor more than two registers live across it.
 */
record PtxWgmma(AsyncMatrix row) implements AsyncProduct {
  @Override
  public Fragments fragments() {
    return row.fragments();
  }

  @Override
  public int groupWarps() {
    return row.groupWarps();
  }

  @Override
  public int mostColumns() {
    return row.mostColumns();
  }

  @Override
  public List<LlvmValue> words(LlvmBuilder b, List<LlvmValue> elements) {
    return PtxMatrix.words(b, elements);
  }

  @Override
  public List<List<LlvmValue>> start(LlvmBuilder b, Product product) {
    List<LlvmValue> sums = product.accumulators().stream().flatMap(List::stream).toList();
    Text text = new Text(product, sums.size());
    boolean fresh = product.keep().isPresent() && product.keep().get().isInteger(0);
    List<String> constraints = new ArrayList<>();
    List<LlvmValue> operands = new ArrayList<>();
    // Without accumulators to start from, results must not share registers with other operands.
    sums.forEach(v -> constraints.add((fresh ? "=&" : "=") + PtxAsync.letter(v)));
    if (!fresh) {
      for (int i = 0; i < sums.size(); i++) {
        constraints.add(Integer.toString(i));
      }
      operands.addAll(sums);
    }
    text.operands = sums.size() + operands.size();
    left(b, product.left(), text, constraints, operands);
    text.right = text.add(constraints, operands, "r", low(b, product.right()));
    if (product.keep().isPresent() && product.keep().get().integer().isEmpty()) {
      text.keep = text.add(constraints, operands, "b", product.keep().get());
    } else {
      text.first = fresh ? "p0" : "p1";
    }
    LlvmIntrinsic.Asm asm = new LlvmIntrinsic.Asm(text.write(), String.join(",", constraints), true, true);
    List<LlvmType> types = sums.stream().map(LlvmValue::type).toList();
    return split(PtxAsync.results(b, asm, types, operands), product.accumulators());
  }

  private static void left(LlvmBuilder b, Left left, Text text, List<String> constraints, List<LlvmValue> operands) {
    switch (left) {
      case Left.Shared(SharedOperand operand) -> text.left = text.add(constraints, operands, "r", low(b, operand));
      case Left.Registers(List<List<List<LlvmValue>>> words) -> {
        List<LlvmValue> seen = new ArrayList<>();
        List<String> names = new ArrayList<>();
        for (List<List<LlvmValue>> block : words) {
          List<List<String>> steps = new ArrayList<>();
          for (List<LlvmValue> step : block) {
            List<String> registers = new ArrayList<>();
            for (LlvmValue word : step) {
              int known = seen.indexOf(word);
              if (known < 0) {
                seen.add(word);
                names.add(text.add(constraints, operands, "r", word));
              }
              registers.add(names.get(known < 0 ? names.size() - 1 : known));
            }
            steps.add(registers);
          }
          text.registers.add(steps);
        }
      }
    }
  }

  /** The lower half of the descriptor of the operand's first part, without the constant offset of the view. */
  private static LlvmValue low(LlvmBuilder b, SharedOperand operand) {
    LlvmValue unit = b.lshr(PtxAsync.address(b, operand.slot()), LlvmValue.i32(4));
    LlvmValue low = b.or(unit, LlvmValue.i32(operand.descriptor().low()));
    return operand.round().map(nothing -> b.add(low, nothing)).orElse(low);
  }

  private static List<List<LlvmValue>> split(List<LlvmValue> flat, List<List<LlvmValue>> like) {
    List<List<LlvmValue>> parts = new ArrayList<>();
    int from = 0;
    for (List<LlvmValue> part : like) {
      parts.add(flat.subList(from, from + part.size()));
      from += part.size();
    }
    return parts;
  }

  private static String name(Element e) {
    return switch (e) {
      case BF16 -> "bf16";
      case F16 -> "f16";
      case F32 -> "tf32";
      case E4M3 -> "e4m3";
      case E5M2 -> "e5m2";
      case I8 -> "s8";
      case U8 -> "u8";
      case BOOL, I16, I32, I64, U16, U32, U64, F64, I4, U4, E2M1, E8M0 ->
          throw new IllegalStateException("wgmma of " + e);
    };
  }

  /** The assembly of one product under construction. */
  private final class Text {
    private final Product product;
    private final int sums;
    private final List<List<List<String>>> registers = new ArrayList<>();
    private int operands;
    private String left;
    private String right;
    private String keep;
    private String first = "p2";

    Text(Product product, int sums) {
      this.product = product;
      this.sums = sums;
    }

    String add(List<String> constraints, List<LlvmValue> values, String constraint, LlvmValue value) {
      constraints.add(constraint);
      values.add(value);
      return "$" + operands++;
    }

    String write() {
      int steps = product.depth() / row.k();
      List<Block> blocks = product.blocks();
      StringBuilder out = new StringBuilder("{\n.reg .pred p0, p1, p2;\n.reg .b64 a<"
          + steps * blocks.size()
          + ">, b<" + steps * blocks.size() + ">, a, b;\nsetp.ne.b32 p0, 0, 0;\nsetp.eq.b32 p1, 0, 0;\n");
      if (keep != null) {
        out.append("mov.pred p2, ").append(keep).append(";\n");
      }
      if (product.left() instanceof Left.Shared(SharedOperand operand)) {
        whole(out, "a", left, operand.descriptor());
      }
      whole(out, "b", right, product.right().descriptor());
      for (int k = 0; k < steps; k++) {
        descriptors(out, k);
      }
      for (int k = 0; k < steps; k++) {
        int from = 0;
        for (int i = 0; i < blocks.size(); i++) {
          instruction(out, k, i, from);
          from += product.accumulators().get(i).size();
        }
      }
      return out.append("}").toString();
    }

    private void descriptors(StringBuilder out, int k) {
      for (int i = 0; i < product.blocks().size(); i++) {
        Block block = product.blocks().get(i);
        int number = k * product.blocks().size() + i;
        if (product.left() instanceof Left.Shared(SharedOperand operand) && block.first() == 0) {
          descriptor(out, "a" + number, operand.descriptor(), k, block.row());
        }
        if (isFirstOfColumns(i)) {
          descriptor(out, "b" + number, product.right().descriptor(), k, block.first());
        }
      }
    }

    private static void whole(StringBuilder out, String to, String low, MatrixDescriptor d) {
      out.append("mov.b64 ").append(to).append(", {").append(low).append(", ").append(d.high()).append("};\n");
    }

    /** Added to in 64 bits, which is one instruction in uniform registers; the sum stays in the lower half. */
    private void descriptor(StringBuilder out, String to, MatrixDescriptor d, int k, int other) {
      out.append("add.s64 ").append(to).append(", ").append(to.charAt(0)).append(", ")
          .append(d.offset(k * row.k(), other) >> 4).append(";\n");
    }

    /** Blocks of the same columns share the right operand, those of the same row the left one. */
    private boolean isFirstOfColumns(int block) {
      return columnsOf(block) == block;
    }

    private int columnsOf(int block) {
      int first = product.blocks().get(block).first();
      for (int i = 0; ; i++) {
        if (product.blocks().get(i).first() == first) {
          return i;
        }
      }
    }

    private int rowOf(int block) {
      int at = product.blocks().get(block).row();
      for (int i = 0; ; i++) {
        if (product.blocks().get(i).row() == at) {
          return i;
        }
      }
    }

    private void instruction(StringBuilder out, int k, int i, int from) {
      Block block = product.blocks().get(i);
      int count = product.blocks().size();
      boolean integers = !row.accumulator().isFloat();
      out.append("wgmma.mma_async.sync.aligned.m").append(row.rows()).append('n').append(block.columns()).append('k')
          .append(row.k()).append(integers ? ".s32." : ".f32.").append(name(row.a())).append('.').append(name(row.b()))
          .append(" {");
      for (int r = 0; r < product.accumulators().get(i).size(); r++) {
        out.append(r == 0 ? "$" : ",$").append(from + r);
      }
      out.append("}, ");
      if (product.left() instanceof Left.Shared) {
        out.append('a').append(k * count + rowOf(i));
      } else {
        out.append('{').append(String.join(",", registers.get(i).get(k))).append('}');
      }
      out.append(", b").append(k * count + columnsOf(i)).append(", ").append(k == 0 ? first : "p1");
      out.append(integers ? "" : ", 1, 1").append(row.transposes() ? transposes() : "").append(";\n");
    }

    /** Which operands in shared memory are not contiguous along k. */
    private String transposes() {
      String right = product.right().descriptor().kMajor() ? ", 0" : ", 1";
      return product.left() instanceof Left.Shared(SharedOperand operand)
          ? (operand.descriptor().kMajor() ? ", 0" : ", 1") + right
          : right;
    }
  }
}
