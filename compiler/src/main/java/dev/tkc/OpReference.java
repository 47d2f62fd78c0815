package dev.tkc;

import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.op.OpShape.Entry;
import dev.tkc.ir.op.OpShape.Part;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The reference of the IR's ops: what each takes, from the ops' own records, and what it means, from the records'
 * comments, which the build's tests keep in the resource {@code op-meanings.txt}.
 */
public final class OpReference {
  private OpReference() {}

  /** One op as it is printed: {@code dot a, b, acc {precision}}. */
  public record Line(String group, String form, String meaning) {}

  /** Every op, by group and mnemonic. */
  public static List<Line> lines() {
    Map<String, String> meanings = meanings();
    Map<String, List<Line>> groups = new TreeMap<>();
    for (Entry entry : OpShape.entries()) {
      String group = entry.shape().type().getEnclosingClass().getSimpleName().replaceAll("Op$", "").toLowerCase();
      groups.computeIfAbsent(group, _ -> new ArrayList<>())
          .add(new Line(group, form(entry), meanings.getOrDefault(entry.mnemonic(), "")));
    }
    return groups.values().stream().flatMap(List::stream).toList();
  }

  private static String form(Entry entry) {
    List<String> operands = new ArrayList<>();
    List<String> attributes = new ArrayList<>();
    int regions = 0;
    for (Part part : entry.shape().parts()) {
      if (entry.shape().kindPart().equals(java.util.Optional.of(part))) {
        continue;
      }
      switch (part.role()) {
        case OPERAND -> operands.add(part.name());
        case OPTIONAL_OPERAND -> operands.add(part.name() + "?");
        case OPERANDS -> operands.add("[" + part.name() + "]");
        case REGION -> regions++;
        case ATTRIBUTE -> attributes.add(part.name());
      }
    }
    return entry.mnemonic()
        + (operands.isEmpty() ? "" : " " + String.join(", ", operands))
        + (attributes.isEmpty() ? "" : " {" + String.join(", ", attributes) + "}")
        + " { … }".repeat(regions);
  }

  private static Map<String, String> meanings() {
    try (InputStream in = OpReference.class.getResourceAsStream("op-meanings.txt")) {
      Map<String, String> meanings = new LinkedHashMap<>();
      new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().map(l -> l.split("\t", 2))
          .forEach(parts -> meanings.put(parts[0], parts[1]));
      return meanings;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
