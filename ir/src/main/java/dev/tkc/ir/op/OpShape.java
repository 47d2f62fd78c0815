package dev.tkc.ir.op;

import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * What the components of an op's record are: operands, regions or attributes. Everything generic over ops (printer,
 * parser, cloner, operand walk, op reference) asks here, so an op is defined by its record alone.
 */
public final class OpShape {

  /** The role that a component's declared type gives it. */
  public enum Role {
    OPERAND,
    OPTIONAL_OPERAND,
    OPERANDS,
    REGION,
    ATTRIBUTE
  }

  /** One component of an op's record. */
  public record Part(String name, Role role, Class<?> type, RecordComponent component) {
    public Object of(Op op) {
      try {
        return component.getAccessor().invoke(op);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("reading " + name + " of " + op.getClass().getSimpleName(), e);
      }
    }
  }

  /** How a mnemonic is made into an op: its shape, and the value of its mnemonic attribute if it has one. */
  public record Entry(String mnemonic, OpShape shape, Optional<Mnemonic> kind) {}

  private static final Map<Class<?>, OpShape> SHAPES = new ConcurrentHashMap<>();
  private static final Map<String, Entry> REGISTRY = Collections.unmodifiableMap(register());

  private final Class<? extends Op> type;
  private final String name;
  private final List<Part> parts;
  private final Constructor<?> constructor;

  private OpShape(Class<? extends Op> type) {
    this.type = type;
    this.name = snakeCase(type.getSimpleName());
    List<Part> found = new ArrayList<>();
    List<Class<?>> types = new ArrayList<>();
    for (RecordComponent c : type.getRecordComponents()) {
      found.add(new Part(c.getName(), role(c), c.getType(), c));
      types.add(c.getType());
    }
    this.parts = List.copyOf(found);
    try {
      this.constructor = type.getDeclaredConstructor(types.toArray(Class[]::new));
    } catch (NoSuchMethodException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Role role(RecordComponent c) {
    Type t = c.getGenericType();
    String text = t.getTypeName();
    if (c.getType() == Value.class) {
      return Role.OPERAND;
    }
    if (text.equals("java.util.Optional<" + Value.class.getName() + ">")) {
      return Role.OPTIONAL_OPERAND;
    }
    if (text.equals("java.util.List<" + Value.class.getName() + ">")) {
      return Role.OPERANDS;
    }
    if (c.getType() == Region.class) {
      return Role.REGION;
    }
    return Role.ATTRIBUTE;
  }

  /** {@code SharedLoad} → {@code shared_load}. */
  static String snakeCase(String camel) {
    return camel.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(java.util.Locale.ROOT);
  }

  private static Map<String, Entry> register() {
    Map<String, Entry> all = new TreeMap<>();
    registerUnder(Op.class, all);
    return all;
  }

  private static void registerUnder(Class<?> sealed, Map<String, Entry> all) {
    for (Class<?> sub : sealed.getPermittedSubclasses()) {
      if (sub.isSealed()) {
        registerUnder(sub, all);
        continue;
      }
      OpShape shape = of(sub.asSubclass(Op.class));
      if (shape.kindPart().isEmpty()) {
        add(all, new Entry(shape.name, shape, Optional.empty()));
      } else {
        for (Object constant : shape.kindPart().get().type().getEnumConstants()) {
          Mnemonic kind = (Mnemonic) constant;
          add(all, new Entry(kind.mnemonic(), shape, Optional.of(kind)));
        }
      }
    }
  }

  private static void add(Map<String, Entry> all, Entry entry) {
    if (all.put(entry.mnemonic(), entry) != null) {
      throw new IllegalStateException("two ops are called " + entry.mnemonic());
    }
  }

  public static OpShape of(Class<? extends Op> type) {
    return SHAPES.computeIfAbsent(type, t -> new OpShape(t.asSubclass(Op.class)));
  }

  public static OpShape of(Op op) {
    return of(op.getClass());
  }

  /** Every mnemonic, sorted. */
  public static Collection<Entry> entries() {
    return REGISTRY.values();
  }

  public static Optional<Entry> entry(String mnemonic) {
    return Optional.ofNullable(REGISTRY.get(mnemonic));
  }

  public static String mnemonic(Op op) {
    OpShape shape = of(op);
    return shape.kindPart().map(p -> ((Mnemonic) p.of(op)).mnemonic()).orElse(shape.name);
  }

  /** The operands in component order; absent optional ones are left out. */
  public static List<Value> operands(Op op) {
    List<Value> out = new ArrayList<>();
    for (Part p : of(op).parts) {
      switch (p.role) {
        case OPERAND -> out.add((Value) p.of(op));
        case OPTIONAL_OPERAND -> ((Optional<?>) p.of(op)).ifPresent(v -> out.add((Value) v));
        case OPERANDS -> ((List<?>) p.of(op)).forEach(v -> out.add((Value) v));
        case REGION, ATTRIBUTE -> { }
      }
    }
    return out;
  }

  public static List<Region> regions(Op op) {
    List<Region> out = new ArrayList<>();
    for (Part p : of(op).parts) {
      if (p.role == Role.REGION) {
        out.add((Region) p.of(op));
      }
    }
    return out;
  }

  /** The same op with each operand replaced by {@code map} of it; regions are shared, not copied. */
  public static Op withOperands(Op op, UnaryOperator<Value> map) {
    return rebuild(op, map, r -> r);
  }

  /** The same op with operands and regions replaced. */
  public static Op rebuild(Op op, UnaryOperator<Value> values, UnaryOperator<Region> regions) {
    OpShape shape = of(op);
    Object[] args = new Object[shape.parts.size()];
    for (int i = 0; i < args.length; i++) {
      Part p = shape.parts.get(i);
      Object old = p.of(op);
      args[i] = switch (p.role) {
        case OPERAND -> values.apply((Value) old);
        case OPTIONAL_OPERAND -> ((Optional<?>) old).map(v -> values.apply((Value) v));
        case OPERANDS -> ((List<?>) old).stream().map(v -> values.apply((Value) v)).toList();
        case REGION -> regions.apply((Region) old);
        case ATTRIBUTE -> old;
      };
    }
    return shape.create(args);
  }

  /** Makes an op from all its components in order. */
  public Op create(Object... components) {
    try {
      return (Op) constructor.newInstance(components);
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException(e);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The op with its operands and regions taken out of the comparison: equal keys compute equal results. */
  public static Object key(Op op, Function<Value, Object> operand) {
    OpShape shape = of(op);
    List<Object> key = new ArrayList<>();
    key.add(shape.type);
    for (Part p : shape.parts) {
      Object v = p.of(op);
      key.add(switch (p.role) {
        case OPERAND -> operand.apply((Value) v);
        case OPTIONAL_OPERAND -> ((Optional<?>) v).map(x -> operand.apply((Value) x));
        case OPERANDS -> ((List<?>) v).stream().map(x -> operand.apply((Value) x)).toList();
        case REGION, ATTRIBUTE -> v;
      });
    }
    return key;
  }

  public String name() {
    return name;
  }

  public Class<? extends Op> type() {
    return type;
  }

  public List<Part> parts() {
    return parts;
  }

  /** The attribute that is printed as the op's mnemonic. */
  public Optional<Part> kindPart() {
    return parts.stream().filter(p -> Mnemonic.class.isAssignableFrom(p.type)).findFirst();
  }
}
