package dev.tkc.tests.ptx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** PTX text, read: kernels with their parameters and instructions, and arrays of global constants. */
record PtxProgram(Map<String, Kernel> kernels, Map<String, byte[]> globals) {

  /** Parameters by name with their widths in bytes; instructions; where labels stand; registers used. */
  record Kernel(String name, Map<String, Integer> parameters, List<Instruction> code, Map<String, Integer> labels,
      int registers, int threads) {}

  /** {@code guard}: the predicate register or −1; {@code parts}: the opcode and its modifiers. */
  record Instruction(String text, int guard, boolean negated, List<String> parts, List<Operand> operands) {
    String opcode() {
      return parts.get(0);
    }

    boolean has(String modifier) {
      return parts.contains(modifier);
    }

    String type() {
      return parts.getLast();
    }
  }

  sealed interface Operand {}

  record Register(int index) implements Operand {}

  record Immediate(long bits) implements Operand {}

  /** A label, parameter, array or special register. */
  record Symbol(String name) implements Operand {}

  record Memory(Operand base, long offset) implements Operand {}

  record Vector(List<Operand> parts) implements Operand {}

  private static final Pattern ENTRY = Pattern.compile("\\.entry\\s+([\\w$]+)\\s*\\(([^)]*)\\)\\s*([^{]*)\\{");
  private static final Pattern GLOBAL =
      Pattern.compile("\\.global\\s+\\.align\\s+\\d+\\s+\\.b(\\d+)\\s+([\\w$]+)\\[(\\d+)\\](?:\\s*=\\s*\\{([^}]*)\\})?;");
  private static final Pattern PARAMETER = Pattern.compile("\\.param\\s+\\.([a-z])(\\d+)\\s+(?:.*\\s)?([\\w$]+)");

  static PtxProgram parse(String ptx) {
    String text = ptx.replaceAll("//[^\n]*", "");
    Map<String, byte[]> globals = new HashMap<>();
    Matcher g = GLOBAL.matcher(text);
    while (g.find()) {
      globals.put(g.group(2), new byte[Integer.parseInt(g.group(1)) / 8 * Integer.parseInt(g.group(3))]);
      if (g.group(4) != null && !g.group(4).matches("[0, ]*")) {
        throw new IllegalStateException("constants other than zero: " + g.group());
      }
    }
    Map<String, Kernel> kernels = new LinkedHashMap<>();
    Matcher e = ENTRY.matcher(text);
    while (e.find()) {
      kernels.put(e.group(1), kernel(e.group(1), e.group(2), e.group(3), body(text, e.end())));
    }
    return new PtxProgram(kernels, globals);
  }

  private static String body(String text, int from) {
    int depth = 1;
    int at = from;
    while (depth > 0) {
      char c = text.charAt(at++);
      depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    }
    return text.substring(from, at - 1);
  }

  private static Kernel kernel(String name, String parameters, String directives, String body) {
    Map<String, Integer> widths = new LinkedHashMap<>();
    for (String p : parameters.split(",")) {
      Matcher m = PARAMETER.matcher(p.strip());
      if (m.matches()) {
        widths.put(m.group(3), Integer.parseInt(m.group(2)) / 8);
      }
    }
    Matcher threads = Pattern.compile("\\.maxntid (\\d+)").matcher(directives);
    Map<String, Integer> registers = new HashMap<>();
    Map<String, Integer> labels = new HashMap<>();
    List<Instruction> code = new ArrayList<>();
    for (String statement : body.split(";")) {
      // LLVM puts a register of its own around some moves: { .reg .b32 tmp; mov.b64 {tmp, %r1}, %rd1; }
      String s = statement.strip().replaceFirst("^}\\s*", "").replaceFirst("^\\{\\s*(?=\\.reg)", "");
      Matcher label = Pattern.compile("^(\\$?[\\w$]+):\\s*").matcher(s);
      while (label.find()) {
        labels.put(label.group(1), code.size());
        s = s.substring(label.end()).strip();
        label = Pattern.compile("^(\\$?[\\w$]+):\\s*").matcher(s);
      }
      if (!s.isEmpty() && !s.startsWith(".")) {
        code.add(instruction(s.replaceAll("\\s+", " "), registers));
      }
    }
    return new Kernel(name, widths, code, labels, registers.size(), threads.find() ? Integer.parseInt(threads.group(1)) : 1);
  }

  private static Instruction instruction(String s, Map<String, Integer> registers) {
    String rest = s;
    int guard = -1;
    boolean negated = false;
    if (rest.startsWith("@")) {
      int space = rest.indexOf(' ');
      negated = rest.charAt(1) == '!';
      guard = ((Register) operand(rest.substring(negated ? 2 : 1, space), registers)).index;
      rest = rest.substring(space + 1).strip();
    }
    int space = rest.indexOf(' ');
    String opcode = space < 0 ? rest : rest.substring(0, space);
    List<Operand> operands = new ArrayList<>();
    if (space >= 0) {
      for (String o : split(rest.substring(space + 1))) {
        operands.add(operand(o, registers));
      }
    }
    return new Instruction(s, guard, negated, List.of(opcode.split("[.]")), operands);
  }

  private static List<String> split(String list) {
    List<String> parts = new ArrayList<>();
    int depth = 0;
    int from = 0;
    for (int i = 0; i < list.length(); i++) {
      char c = list.charAt(i);
      depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
      if (c == ',' && depth == 0) {
        parts.add(list.substring(from, i).strip());
        from = i + 1;
      }
    }
    parts.add(list.substring(from).strip());
    return parts;
  }

  private static Operand operand(String s, Map<String, Integer> registers) {
    if (s.startsWith("{")) {
      return new Vector(split(s.substring(1, s.length() - 1)).stream().map(p -> operand(p, registers)).toList());
    }
    if (s.startsWith("[")) {
      String[] sum = s.substring(1, s.length() - 1).split("\\+");
      return new Memory(operand(sum[0].strip(), registers), sum.length > 1 ? Long.decode(sum[1].strip()) : 0);
    }
    if (s.matches("%(p|r|rs|rd|f|fd|h|hh)\\d+(\\|%p\\d+)?")) {
      return new Register(registers.computeIfAbsent(s.replaceAll("\\|.*", ""), _ -> registers.size()));
    }
    if (s.startsWith("0f") || s.startsWith("0d")) {
      return new Immediate(Long.parseUnsignedLong(s.substring(2), 16));
    }
    if (s.matches("-?(0x)?[0-9A-Fa-f]+U?") && (Character.isDigit(s.charAt(0)) || s.charAt(0) == '-')) {
      String digits = s.replace("U", "");
      return new Immediate(digits.startsWith("0x") ? Long.parseUnsignedLong(digits.substring(2), 16) : parse10(digits));
    }
    return new Symbol(s);
  }

  private static long parse10(String digits) {
    return digits.startsWith("-") ? Long.parseLong(digits) : Long.parseUnsignedLong(digits);
  }
}
