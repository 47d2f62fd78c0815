package dev.tkc.ir.text;

import dev.tkc.ir.Func;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Loc;
import dev.tkc.ir.Module;
import dev.tkc.ir.Param;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.layout.LayoutText;
import dev.tkc.ir.layout.LinearLayout;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.Mnemonic;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.OpShape;
import dev.tkc.ir.type.BarrierType;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.PointerType;
import dev.tkc.ir.type.RangeType;
import dev.tkc.ir.type.SharedType;
import dev.tkc.ir.type.TensorMapType;
import dev.tkc.ir.type.TensorType;
import dev.tkc.ir.type.TileType;
import dev.tkc.ir.type.Type;
import java.lang.reflect.ParameterizedType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/**
 * Reads {@code .tir}. Uniform over ops, as {@link IrPrinter} is. {@code //} starts a comment. The first mistake ends
 * the reading with a diagnostic; what is read still has to be verified.
 */
public final class IrParser {
  private static final int MAX_DEPTH = 200;

  private final Source source;
  private final String text;
  private int at;
  private int depth;
  private final Map<String, LinearLayout> aliases = new HashMap<>();
  private Map<String, Value> values = new HashMap<>();

  private IrParser(Source source) {
    this.source = source;
    this.text = source.text();
  }

  /**
   * @throws DiagnosticException with code {@link Code#IR_SYNTAX} if the text is not valid
   */
  public static Module parse(Source source) {
    try {
      return new IrParser(source).module();
    } catch (ClassCastException | IllegalArgumentException e) {
      throw new DiagnosticException(
          Diagnostic.error(Code.IR_SYNTAX, "invalid IR in " + source.name() + ": " + e.getMessage()));
    }
  }

  public static Module parse(String text) {
    return parse(new Source("<tir>", text));
  }

  // ------------------------------------------------------------------------------------------------ structure

  private Module module() {
    Module module = new Module();
    for (space(); at < text.length(); space()) {
      if (text.charAt(at) == '#') {
        String name = aliasName();
        expect("=");
        aliases.put(name, layout());
        continue;
      }
      int start = at;
      switch (word()) {
        case "module" -> module.annotations().putAll(annotations());
        case "kernel" -> module.funcs().add(func(Func.Kind.KERNEL));
        case "device" -> module.funcs().add(func(Func.Kind.DEVICE));
        default -> throw error(start, "a function (`kernel` or `device`) is wanted here");
      }
    }
    return module;
  }

  private Func func(Func.Kind kind) {
    values = new HashMap<>();
    expect("@");
    String name = word();
    List<Param> params = new ArrayList<>();
    expect("(");
    while (!accept(")")) {
      if (!params.isEmpty()) {
        expect(",");
      }
      Value v = parameter();
      params.add(new Param(v, acceptWord("div") ? (int) integer() : 1));
    }
    boolean deterministic = acceptWord("deterministic");
    SortedMap<String, Object> annotations = annotations();
    Loc loc = location();
    Region body = new Region();
    block(body);
    Func f = new Func(kind, name, params, body, deterministic, loc);
    f.annotations().putAll(annotations);
    return f;
  }

  private Value parameter() {
    String name = valueName();
    expect(":");
    return define(name, type());
  }

  private void block(Region region) {
    if (++depth > MAX_DEPTH) {
      throw error(at, "regions are nested more than " + MAX_DEPTH + " deep");
    }
    expect("{");
    while (!accept("}")) {
      region.insts().add(inst());
    }
    depth--;
  }

  private Inst inst() {
    List<String> results = new ArrayList<>();
    space();
    if (peek("%")) {
      do {
        results.add(valueName());
      } while (accept(","));
      expect("=");
    }
    space();
    int start = at;
    String mnemonic = word();
    OpShape.Entry entry = OpShape.entry(mnemonic).orElseThrow(() -> error(start, "there is no op `" + mnemonic + "`"));
    List<OpShape.Part> parts = entry.shape().parts();
    Object[] components = new Object[parts.size()];
    operands(entry, components);
    attributes(entry, components, start);
    SortedMap<String, Object> annotations = annotations();
    for (int i = 0; i < components.length; i++) {
      if (parts.get(i).role() == OpShape.Role.REGION) {
        components[i] = region();
      }
    }
    List<Type> types = new ArrayList<>();
    if (!results.isEmpty()) {
      expect(":");
      do {
        types.add(type());
      } while (accept(","));
    }
    if (types.size() != results.size()) {
      throw error(start, results.size() + " results, but " + types.size() + " types");
    }
    Op op = create(entry, components, start);
    List<Value> values = new ArrayList<>();
    for (int i = 0; i < results.size(); i++) {
      values.add(define(results.get(i), types.get(i)));
    }
    Inst inst = new Inst(op, values, location());
    inst.annotations().putAll(annotations);
    return inst;
  }

  private Op create(OpShape.Entry entry, Object[] components, int start) {
    try {
      return entry.shape().create(components);
    } catch (RuntimeException e) {
      throw error(start, e.getMessage());
    }
  }

  private Region region() {
    List<Value> params = new ArrayList<>();
    expect("(");
    while (!accept(")")) {
      if (!params.isEmpty()) {
        expect(",");
      }
      params.add(parameter());
    }
    Region region = new Region(params);
    block(region);
    return region;
  }

  private void operands(OpShape.Entry entry, Object[] components) {
    boolean first = true;
    for (int i = 0; i < components.length; i++) {
      OpShape.Role role = entry.shape().parts().get(i).role();
      if (role == OpShape.Role.REGION || role == OpShape.Role.ATTRIBUTE) {
        continue;
      }
      if (!first) {
        expect(",");
      }
      first = false;
      components[i] = switch (role) {
        case OPERAND -> use();
        case OPTIONAL_OPERAND -> accept("_") ? Optional.empty() : Optional.of(use());
        case OPERANDS -> uses();
        case REGION, ATTRIBUTE -> throw new IllegalStateException();
      };
    }
  }

  private void attributes(OpShape.Entry entry, Object[] components, int start) {
    Map<String, Integer> wanted = new LinkedHashMap<>();
    for (int i = 0; i < components.length; i++) {
      OpShape.Part p = entry.shape().parts().get(i);
      if (p.role() == OpShape.Role.ATTRIBUTE) {
        if (Mnemonic.class.isAssignableFrom(p.type())) {
          components[i] = entry.kind().orElseThrow();
        } else {
          wanted.put(p.name(), i);
        }
      }
    }
    if (!wanted.isEmpty() && accept("{")) {
      do {
        space();
        int here = at;
        String name = word();
        Integer i = wanted.remove(name);
        if (i == null) {
          throw error(here, "`" + entry.mnemonic() + "` has no attribute `" + name + "`, or it is given twice");
        }
        OpShape.Part p = entry.shape().parts().get(i);
        if (p.type() == boolean.class) {
          components[i] = true;
        } else {
          expect("=");
          components[i] = attribute(p);
        }
      } while (accept(","));
      expect("}");
    }
    wanted.forEach((name, i) -> {
      if (entry.shape().parts().get(i).type() != boolean.class) {
        throw error(start, "`" + entry.mnemonic() + "` lacks its attribute `" + name + "`");
      }
      components[i] = false;
    });
  }

  // ------------------------------------------------------------------------------------------------ attributes

  private Object attribute(OpShape.Part p) {
    Class<?> type = p.type();
    if (type == int.class) {
      return (int) integer();
    } else if (type == long.class) {
      return integer();
    } else if (type == String.class) {
      return string();
    } else if (type == Literal.class) {
      return literal();
    } else if (type == Element.class) {
      return element();
    } else if (type == SharedType.class) {
      return type();
    } else if (type.isEnum()) {
      return constant(type);
    } else if (type == List.class
        && ((ParameterizedType) p.component().getGenericType()).getActualTypeArguments()[0] == Integer.class) {
      return integers().stream().map(Long::intValue).toList();
    }
    throw new IllegalStateException("no syntax for attributes of " + type);
  }

  private Object constant(Class<?> type) {
    space();
    int start = at;
    String name = word();
    for (Object c : type.getEnumConstants()) {
      if (((Enum<?>) c).name().toLowerCase(Locale.ROOT).equals(name)) {
        return c;
      }
    }
    throw error(start, "no such " + type.getSimpleName() + ": " + name);
  }

  private SortedMap<String, Object> annotations() {
    SortedMap<String, Object> map = new java.util.TreeMap<>();
    if (!accept("#{")) {
      return map;
    }
    do {
      String key = word();
      if (!accept("=")) {
        map.put(key, true);
      } else if (peek("\"")) {
        map.put(key, string());
      } else if (peek("[")) {
        map.put(key, integers());
      } else if (acceptWord("false")) {
        map.put(key, false);
      } else {
        map.put(key, integer());
      }
    } while (accept(","));
    expect("}");
    return map;
  }

  private Literal literal() {
    space();
    int start = at;
    while (at < text.length() && (Character.isLetterOrDigit(text.charAt(at)) || "+-._".indexOf(text.charAt(at)) >= 0)) {
      at++;
    }
    String value = text.substring(start, at);
    expect(":");
    Element e = element();
    try {
      if (e.isBool()) {
        return Literal.of(switch (value) {
          case "true" -> true;
          case "false" -> false;
          default -> throw new NumberFormatException(value);
        });
      } else if (e.isFloat()) {
        return Literal.of(e, switch (value) {
          case "nan" -> Double.NaN;
          case "inf" -> Double.POSITIVE_INFINITY;
          case "-inf" -> Double.NEGATIVE_INFINITY;
          default -> Double.parseDouble(value);
        });
      }
      return new Literal(e, e == Element.U64 ? Long.parseUnsignedLong(value) : Long.parseLong(value));
    } catch (NumberFormatException x) {
      throw error(start, "no " + e.text() + " constant: " + value);
    }
  }

  // ------------------------------------------------------------------------------------------------ types

  private Type type() {
    space();
    int start = at;
    String name = word();
    switch (name) {
      case "ptr" -> {
        expect("<");
        Element e = element();
        expect(">");
        return new PointerType(e);
      }
      case "tensor" -> {
        expect("<");
        Element e = element();
        expect(",");
        int rank = (int) integer();
        expect(">");
        return new TensorType(e, rank);
      }
      case "range" -> {
        expect("<");
        int size = (int) integer();
        expect(">");
        return new RangeType(size);
      }
      case "shared" -> {
        return shared();
      }
      case "barriers" -> {
        expect("<");
        int slots = (int) integer();
        expect(">");
        return new BarrierType(slots);
      }
      case "tensor_map" -> {
        return new TensorMapType();
      }
      default -> {
        Element e = Element.byText(name).orElseThrow(() -> error(start, "there is no type `" + name + "`"));
        return tile(e);
      }
    }
  }

  private Type tile(Element e) {
    if (at >= text.length() || text.charAt(at) != '[') {
      return TileType.scalar(e);
    }
    at++;
    List<Integer> shape = new ArrayList<>();
    LinearLayout layout = null;
    while (!accept("]")) {
      if (accept(";")) {
        layout = layoutOrAlias();
      } else {
        if (!shape.isEmpty()) {
          expect(",");
        }
        shape.add((int) integer());
      }
    }
    return new TileType(e, shape, layout);
  }

  private Type shared() {
    expect("<");
    Element e = element();
    List<Integer> shape = integers().stream().map(Long::intValue).toList();
    expect(",");
    int stages = (int) integer();
    LinearLayout layout = accept(",") ? layoutOrAlias() : null;
    expect(">");
    return new SharedType(e, shape, stages, layout);
  }

  private LinearLayout layoutOrAlias() {
    space();
    int start = at;
    if (text.startsWith("#lay<", at)) {
      return layout();
    }
    String name = aliasName();
    LinearLayout layout = aliases.get(name);
    if (layout == null) {
      throw error(start, "no layout is called " + name);
    }
    return layout;
  }

  private LinearLayout layout() {
    space();
    int start = at;
    int end = text.indexOf('>', at);
    if (end < 0) {
      throw error(start, "a layout `#lay<…>` is wanted here");
    }
    at = end + 1;
    try {
      return LayoutText.parse(text.substring(start, at));
    } catch (LayoutText.Malformed e) {
      throw error(Math.min(start + e.at(), end), e.getMessage());
    }
  }

  private String aliasName() {
    int start = at;
    expect("#");
    return "#" + wordAfter(start);
  }

  private String wordAfter(int start) {
    String w = word();
    if (w.isEmpty()) {
      throw error(start, "a name is wanted after `#`");
    }
    return w;
  }

  private Element element() {
    space();
    int start = at;
    String name = word();
    return Element.byText(name).orElseThrow(() -> error(start, "there is no element type `" + name + "`"));
  }

  // ------------------------------------------------------------------------------------------------ values

  private Value define(String name, Type type) {
    boolean numbered = !name.isEmpty() && name.chars().allMatch(Character::isDigit);
    Value v = new Value(type, numbered ? "" : name);
    if (values.put(name, v) != null) {
      throw error(at, "%" + name + " is defined twice");
    }
    return v;
  }

  private Value use() {
    space();
    int start = at;
    String name = valueName();
    Value v = values.get(name);
    if (v == null) {
      throw error(start, "%" + name + " is not defined");
    }
    return v;
  }

  private List<Value> uses() {
    List<Value> list = new ArrayList<>();
    expect("[");
    while (!accept("]")) {
      if (!list.isEmpty()) {
        expect(",");
      }
      list.add(use());
    }
    return list;
  }

  private String valueName() {
    expect("%");
    return word();
  }

  // ------------------------------------------------------------------------------------------------ locations

  private Loc location() {
    space();
    if (!text.startsWith("loc(", at)) {
      return Loc.UNKNOWN;
    }
    at += 4;
    List<Loc> chain = new ArrayList<>();
    do {
      String file = string();
      expect(":");
      int line = (int) integer();
      expect(":");
      int column = (int) integer();
      expect("-");
      int endLine = (int) integer();
      expect(":");
      chain.add(Loc.at(file, line, column, endLine, (int) integer()));
    } while (accept("<-"));
    expect(")");
    Loc loc = chain.get(chain.size() - 1);
    for (int i = chain.size() - 2; i >= 0; i--) {
      Loc l = chain.get(i);
      loc = new Loc(l.file(), l.line(), l.column(), l.endLine(), l.endColumn(), Optional.of(loc), Optional.empty());
    }
    return loc;
  }

  // ------------------------------------------------------------------------------------------------ tokens

  private void space() {
    while (at < text.length()) {
      if (Character.isWhitespace(text.charAt(at))) {
        at++;
      } else if (text.startsWith("//", at)) {
        int end = text.indexOf('\n', at);
        at = end < 0 ? text.length() : end;
      } else {
        return;
      }
    }
  }

  private boolean peek(String token) {
    space();
    return text.startsWith(token, at);
  }

  private boolean accept(String token) {
    if (peek(token)) {
      at += token.length();
      return true;
    }
    return false;
  }

  private boolean acceptWord(String word) {
    space();
    int start = at;
    if (at < text.length() && Character.isLetter(text.charAt(at)) && word().equals(word)) {
      return true;
    }
    at = start;
    return false;
  }

  private void expect(String token) {
    if (!accept(token)) {
      throw error(at, "`" + token + "` is wanted here");
    }
  }

  private String word() {
    space();
    int start = at;
    while (at < text.length()
        && (Character.isLetterOrDigit(text.charAt(at)) || text.charAt(at) == '_' || text.charAt(at) == '.')) {
      at++;
    }
    if (start == at) {
      throw error(start, "a name is wanted here");
    }
    return text.substring(start, at);
  }

  private long integer() {
    space();
    int start = at;
    if (at < text.length() && text.charAt(at) == '-') {
      at++;
    }
    while (at < text.length() && Character.isDigit(text.charAt(at))) {
      at++;
    }
    try {
      return Long.parseLong(text.substring(start, at));
    } catch (NumberFormatException e) {
      throw error(start, "an integer is wanted here");
    }
  }

  private List<Long> integers() {
    List<Long> list = new ArrayList<>();
    expect("[");
    while (!accept("]")) {
      if (!list.isEmpty()) {
        expect(",");
      }
      list.add(integer());
    }
    return list;
  }

  private String string() {
    expect("\"");
    StringBuilder s = new StringBuilder();
    int start = at;
    while (at < text.length() && text.charAt(at) != '"') {
      char c = text.charAt(at++);
      if (c == '\\' && at < text.length()) {
        char e = text.charAt(at++);
        s.append(e == 'n' ? '\n' : e);
      } else {
        s.append(c);
      }
    }
    if (at >= text.length()) {
      throw error(start, "the string does not end");
    }
    at++;
    return s.toString();
  }

  private DiagnosticException error(int where, String message) {
    int start = Math.min(where, text.length());
    int end = start;
    while (end < text.length() && !Character.isWhitespace(text.charAt(end))) {
      end++;
    }
    return new DiagnosticException(Diagnostic.error(Code.IR_SYNTAX,
        new Span(source, start, Math.min(text.length(), Math.max(end, start))), message));
  }
}
