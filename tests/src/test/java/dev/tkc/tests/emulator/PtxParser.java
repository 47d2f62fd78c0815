package dev.tkc.tests.emulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads a PTX module as LLVM prints it: variables, then kernels, whose instructions are decoded at once. */
final class PtxParser {
  private static final Pattern COMMENT = Pattern.compile("//[^\n]*");
  private static final Pattern IGNORED = Pattern.compile(
      "(?m)^\\s*\\.(version|target|address_size|file|loc|maxntid|minnctapersm|reqntid|maxnreg|noreturn)\\b[^\n;{]*;?");
  private static final Pattern CLUSTER = Pattern.compile("\\.reqnctapercluster\\s+(\\d+)");
  private static final Pattern SECTION = Pattern.compile("(?s)\\.section\\b.*");
  private static final Pattern VARIABLE = Pattern.compile(
      "(?s)(?:\\.visible\\s+|\\.weak\\s+|\\.extern\\s+)?\\.(global|const|shared|local)\\s+(?:\\.align\\s+(\\d+)\\s+)?"
          + "\\.(\\w+)\\s+([\\w$]+)\\s*(\\[(\\d*)\\])?\\s*(?:=\\s*(.*))?");
  private static final Pattern PARAMETER = Pattern.compile(
      "(?s)\\.param\\s+(?:\\.align\\s+\\d+\\s+)?\\.(\\w+)\\s+.*?([\\w$]+)\\s*(\\[(\\d+)\\])?\\s*");
  private static final Pattern LABEL = Pattern.compile("([\\w$]+):\\s*");
  private static final Pattern GUARD = Pattern.compile("@(!?)([%\\w]+)\\s*");
  private static final Pattern ENTRY = Pattern.compile("(?s)(?:\\.visible\\s+)?\\.entry\\s+([\\w$]+)\\s*\\(");

  private final String text;
  private final GlobalMemory memory;
  private final Map<String, Long> symbols = new HashMap<>();
  private final Map<String, PtxKernel> kernels = new LinkedHashMap<>();
  private int at;
  private int sharedBytes;
  private int localBytes;

  private PtxParser(String text, GlobalMemory memory) {
    this.text = text;
    this.memory = memory;
  }

  /** The kernels by name. The module's variables are put into memory. */
  static Map<String, PtxKernel> parse(String ptx, GlobalMemory memory) {
    String text = SECTION.matcher(blank(COMMENT, ptx)).replaceFirst("");
    PtxParser parser = new PtxParser(blank(IGNORED, text), memory);
    parser.module();
    return parser.kernels;
  }

  /** Blanks what matches, keeping lines. */
  private static String blank(Pattern pattern, String text) {
    return pattern.matcher(text).replaceAll(m -> m.group().replaceAll("[^\n]", " "));
  }

  private void module() {
    while (skipSpace()) {
      Matcher entry = ENTRY.matcher(text).region(at, text.length());
      if (entry.lookingAt()) {
        at = entry.end();
        kernel(entry.group(1));
      } else {
        variable(until(';'));
      }
    }
  }

  private boolean skipSpace() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    return at < text.length();
  }

  /** The text up to a character, which is skipped. */
  private String until(char end) {
    int stop = text.indexOf(end, at);
    if (stop < 0) {
      throw new PtxFault("line " + line(at) + ": no `" + end + "` after this");
    }
    String out = text.substring(at, stop).strip();
    at = stop + 1;
    return out;
  }

  private int line(int position) {
    return 1 + (int) text.substring(0, position).chars().filter(c -> c == '\n').count();
  }

  private void variable(String declaration) {
    Matcher m = VARIABLE.matcher(declaration);
    if (!m.matches()) {
      throw new PtxFault("line " + line(at) + ": the emulator does not know `" + declaration + "`");
    }
    int align = m.group(2) == null ? 8 : Integer.parseInt(m.group(2));
    int unit = PtxType.of(m.group(3)).orElseThrow().bytes();
    int count = m.group(5) == null ? 1 : m.group(6).isEmpty() ? 0 : Integer.parseInt(m.group(6));
    String name = m.group(4);
    switch (m.group(1)) {
      case "shared" -> {
        sharedBytes = -Math.floorDiv(-sharedBytes, align) * align;
        symbols.put(name, (long) sharedBytes);
        sharedBytes += unit * count;
      }
      case "local" -> {
        localBytes = -Math.floorDiv(-localBytes, align) * align;
        symbols.put(name, (long) localBytes);
        localBytes += unit * count;
      }
      default -> symbols.put(name, memory.map(initial(m.group(7), unit, count)));
    }
  }

  private static byte[] initial(String values, int unit, int count) {
    byte[] bytes = new byte[unit * count];
    if (values != null) {
      List<String> all = Operands.parts(values.strip());
      for (int i = 0; i < all.size(); i++) {
        String v = all.get(i);
        long bits = v.startsWith("0f") ? Long.parseLong(v.substring(2), 16) : Long.decode(v);
        SharedMemory.set(bytes, i * unit, unit, bits);
      }
    }
    return bytes;
  }

  private void kernel(String name) {
    List<PtxKernel.Parameter> parameters = new ArrayList<>();
    int bytes = parameters(until(')'), parameters);
    Matcher cluster = CLUSTER.matcher(until('{'));
    Registers registers = new Registers(symbols);
    localBytes = 0;
    Body body = new Body(new Decoder(registers), registers);
    body.read();
    Instruction[] code = body.code.toArray(Instruction[]::new);
    kernels.put(name, new PtxKernel(name, parameters, bytes, code, registers.count(), registers.constants(),
        registers.specials(), sharedBytes, localBytes, cluster.find() ? Integer.parseInt(cluster.group(1)) : 1));
  }

  private int parameters(String list, List<PtxKernel.Parameter> out) {
    int offset = 0;
    for (String p : Operands.split(list)) {
      Matcher m = PARAMETER.matcher(p);
      if (!m.matches()) {
        throw new PtxFault("line " + line(at) + ": the emulator does not know the parameter `" + p + "`");
      }
      int unit = PtxType.of(m.group(1)).orElseThrow().bytes();
      int size = m.group(4) == null ? unit : unit * Integer.parseInt(m.group(4));
      offset = -Math.floorDiv(-offset, unit) * unit;
      symbols.put(m.group(2), (long) offset);
      out.add(new PtxKernel.Parameter(m.group(2), offset, size));
      offset += size;
    }
    return offset;
  }

  /** The statements between a kernel's braces. */
  private final class Body {
    private final Decoder decoder;
    private final Registers registers;
    private final List<Instruction> code = new ArrayList<>();
    private final List<Map<String, Integer>> labels = new ArrayList<>(List.of(new HashMap<>()));
    /** Of every open scope, branches whose label has not been seen in it. */
    private final List<Map<Instruction, String>> branches = new ArrayList<>(List.of(new LinkedHashMap<>()));

    Body(Decoder decoder, Registers registers) {
      this.decoder = decoder;
      this.registers = registers;
    }

    void read() {
      while (skipSpace()) {
        char c = text.charAt(at);
        Matcher label = LABEL.matcher(text).region(at, text.length());
        if (c == '{') {
          at++;
          registers.open();
          labels.add(new HashMap<>());
          branches.add(new LinkedHashMap<>());
        } else if (c == '}') {
          at++;
          close();
          if (labels.isEmpty()) {
            return;
          }
        } else if (label.lookingAt()) {
          at = label.end();
          labels.getLast().put(label.group(1), code.size());
        } else {
          int line = line(at);
          statement(line, until(';'));
        }
      }
    }

    private void close() {
      registers.close();
      Map<String, Integer> known = labels.removeLast();
      Map<Instruction, String> open = branches.removeLast();
      open.forEach((i, name) -> {
        if (known.containsKey(name)) {
          i.target = known.get(name);
        } else if (branches.isEmpty()) {
          throw new PtxFault(i + ": no label " + name);
        } else {
          branches.getLast().put(i, name);
        }
      });
    }

    private void statement(int line, String whole) {
      if (whole.isEmpty() || whole.startsWith(".pragma")) {
        return;
      }
      if (whole.startsWith(".reg")) {
        String[] words = whole.substring(4).strip().split("\\s+", 2);
        PtxType type = PtxType.of(words[0].substring(1)).orElseThrow();
        Operands.split(words[1]).forEach(d -> registers.declare(type, d));
        return;
      }
      if (whole.startsWith(".")) {
        variable(whole);
        return;
      }
      Matcher guard = GUARD.matcher(whole);
      boolean guarded = guard.lookingAt();
      String rest = guarded ? whole.substring(guard.end()) : whole;
      String[] words = rest.split("\\s+", 2);
      List<String> name = Arrays.asList(words[0].split("\\.(?!:)"));
      Statement s = new Statement(line, whole.replaceAll("\\s+", " "), name.get(0), name.subList(1, name.size()),
          words.length == 1 ? List.of() : Operands.split(words[1]));
      Instruction i = decoder.decode(s);
      i.line = line;
      i.text = s.text();
      if (guarded) {
        i.guard = registers.slot(guard.group(2));
        i.negated = !guard.group(1).isEmpty();
      }
      if (i.kind == Instruction.Kind.BRANCH) {
        branches.getLast().put(i, s.operand(0));
      }
      code.add(i);
    }
  }
}
