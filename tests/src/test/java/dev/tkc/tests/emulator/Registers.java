package dev.tkc.tests.emulator;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Names to slots while a kernel is decoded. Braces open scopes, whose registers hide those outside. */
final class Registers {
  private static final int LANES = 32;

  private record Register(int slot, int bits) {}

  private final Deque<Map<String, Register>> scopes = new ArrayDeque<>();
  private final Map<String, Long> symbols;
  private final Map<Long, Integer> constantSlots = new HashMap<>();
  private final Map<Integer, Long> constants = new LinkedHashMap<>();
  private final Map<String, Integer> specialSlots = new HashMap<>();
  private final Map<Integer, String> specials = new LinkedHashMap<>();
  private final Map<Integer, Integer> bits = new HashMap<>();
  private int next;

  /** {@code symbols} are the addresses of variables and parameters. */
  Registers(Map<String, Long> symbols) {
    this.symbols = symbols;
    open();
  }

  void open() {
    scopes.push(new HashMap<>());
  }

  void close() {
    scopes.pop();
  }

  /** {@code %r<12>} or {@code t}. */
  void declare(PtxType type, String declaration) {
    int angle = declaration.indexOf('<');
    if (angle < 0) {
      declareOne(type, declaration);
      return;
    }
    int count = Integer.parseInt(declaration.substring(angle + 1, declaration.indexOf('>')));
    for (int i = 0; i < count; i++) {
      declareOne(type, declaration.substring(0, angle) + i);
    }
  }

  private void declareOne(PtxType type, String name) {
    scopes.peek().put(name, new Register(fresh(type.bits()), type.bits()));
  }

  private int fresh(int width) {
    int slot = next;
    next += LANES;
    bits.put(slot, width);
    return slot;
  }

  /** The slot that an operand names: a register, a special register, a constant or an address. */
  int slot(String operand) {
    for (Map<String, Register> scope : scopes) {
      if (scope.containsKey(operand)) {
        return scope.get(operand).slot();
      }
    }
    if (operand.equals("_")) {
      return fresh(64);
    }
    if (operand.startsWith("%")) {
      return specialSlots.computeIfAbsent(operand, name -> {
        int slot = fresh(32);
        specials.put(slot, name);
        return slot;
      });
    }
    return constant(value(operand));
  }

  int constant(long value) {
    return constantSlots.computeIfAbsent(value, v -> {
      int slot = fresh(64);
      constants.put(slot, v);
      return slot;
    });
  }

  private long value(String operand) {
    if (symbols.containsKey(operand)) {
      return symbols.get(operand);
    }
    if (operand.startsWith("0f") || operand.startsWith("0F")) {
      return Long.parseLong(operand.substring(2), 16);
    }
    if (operand.startsWith("0d") || operand.startsWith("0D")) {
      return Long.parseUnsignedLong(operand.substring(2), 16);
    }
    String digits = operand.endsWith("U") ? operand.substring(0, operand.length() - 1) : operand;
    boolean negative = digits.startsWith("-");
    String magnitude = negative ? digits.substring(1) : digits;
    long value = magnitude.startsWith("0x") || magnitude.startsWith("0X")
        ? Long.parseUnsignedLong(magnitude.substring(2), 16) : Long.parseUnsignedLong(magnitude);
    return negative ? -value : value;
  }

  /** The width of the register in a slot. */
  int bits(int slot) {
    return bits.get(slot);
  }

  /** The slots of {@code {a, b}}, or of a single operand. */
  int[] slots(String operand) {
    return Operands.parts(operand).stream().mapToInt(this::slot).toArray();
  }

  /** An address {@code [base+offset]}, also {@code [base+-8]}. */
  record Address(int base, long offset) {}

  Address address(String operand) {
    String inner = operand.substring(1, operand.length() - 1).replace(" ", "");
    int sign = inner.indexOf('+', 1);
    String base = sign < 0 ? inner : inner.substring(0, sign);
    long offset = sign < 0 ? 0 : Long.parseLong(inner.substring(sign + 1));
    return new Address(slot(base), offset);
  }

  int count() {
    return next;
  }

  Map<Integer, Long> constants() {
    return constants;
  }

  Map<Integer, String> specials() {
    return specials;
  }

}
