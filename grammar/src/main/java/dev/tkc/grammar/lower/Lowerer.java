package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Item;
import dev.tkc.ir.Builder;
import dev.tkc.ir.Inst;
import dev.tkc.ir.Loc;
import dev.tkc.ir.Region;
import dev.tkc.ir.Value;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.DiagnosticException;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.interp.Tile;
import dev.tkc.ir.op.Literal;
import dev.tkc.ir.op.Op;
import dev.tkc.ir.op.ShapeOp;
import dev.tkc.ir.type.Element;
import dev.tkc.ir.type.Shapes;
import dev.tkc.ir.type.TileType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The state of one walk: where instructions go, what names mean here, what was found wrong; and the parts of the walk,
 * which share it. A user's error is added to the findings and stands as {@link Val#FAILED}; nothing is thrown for it.
 */
final class Lowerer {
  /** More elements than any tile may have; asked before anything of that size is made. */
  static final long MAX_TILE = 1L << 24;

  /** More instructions than any kernel may become by inlining. */
  private static final int MAX_INSTRUCTIONS = 200_000;

  /** Where the walk is, which decides what statements and accesses mean. */
  enum Place {
    /** Constants, facts, schedules: nothing may be emitted that stays. */
    CONSTANT,
    /** A kernel's own body, between phases. */
    KERNEL,
    /** Inside {@code parallel}. */
    PHASE,
    /** A test. */
    HOST
  }

  /** A function or kernel being inlined. */
  record Frame(Item item, String name, Span call) {}

  final Library library;
  final Findings findings;
  final Promotion promotion = new Promotion(this);
  final Ints ints = new Ints(this);
  final Shaping shaping = new Shaping(this);
  final Operators operators = new Operators(this);
  final Products products = new Products(this);
  final Ranges ranges = new Ranges(this);
  final Accesses accesses = new Accesses(this);
  final Types types = new Types(this);
  final Exprs exprs = new Exprs(this);
  final Branches branches = new Branches(this);
  final Calls calls = new Calls(this);
  final FnCalls fns = new FnCalls(this);
  final Statements statements = new Statements(this);
  final Loops loops = new Loops(this);
  final Assignments assignments = new Assignments(this);

  private final Builder builder;
  private final Host host;
  private final Deque<Frame> frames = new ArrayDeque<>();
  private final Map<String, Long> samples = new LinkedHashMap<>();
  private Optional<Loc> caller = Optional.empty();
  private Scope scope = new Scope(null);
  private Place place;
  private boolean exact;
  private int emitted;
  private boolean toldTiles;
  private boolean deterministic;

  Lowerer(Library library, Findings findings, Builder builder, Place place, Host host) {
    this.library = library;
    this.findings = findings;
    this.builder = builder;
    this.place = place;
    this.host = host;
  }

  /** A walk for values that must be known now; what it emits is dropped. */
  static Lowerer constant(Library library, Findings findings) {
    return new Lowerer(library, findings, new Builder(new Region()), Place.CONSTANT, null);
  }

  // ------------------------------------------------------------------------------------------------ findings

  /** Reports, with the calls that led here, and stands for the value that is missing. */
  Val error(Diagnostic d) {
    Diagnostic out = atCall(d);
    for (Frame f : frames) {
      if (f.call() != null) {
        out = out.note("in `" + f.name() + "`, called at " + f.call());
      }
    }
    findings.add(noteSamples(out));
    return Val.FAILED;
  }

  /** What is found in the standard library is wrong with the call that led there, and mended there. */
  private Diagnostic atCall(Diagnostic d) {
    if (d.labels().isEmpty() || !Prelude.owns(d.labels().getFirst().span())) {
      return d;
    }
    Optional<Frame> call = frames.stream().filter(f -> f.call() != null && !Prelude.owns(f.call())).findFirst();
    if (call.isEmpty()) {
      return d;
    }
    Diagnostic out = Diagnostic.error(d.code(), d.message()).label(call.get().call(), "in this call");
    for (Diagnostic.Label label : d.labels()) {
      out = out.label(label.span(), label.text());
    }
    for (String note : d.notes()) {
      out = out.note(note);
    }
    return out;
  }

  /** Says which of the sizes shown are samples. */
  private Diagnostic noteSamples(Diagnostic d) {
    String shown = d.message() + " " + d.labels().stream().map(Diagnostic.Label::text).collect(Collectors.joining(" "));
    String list = samples.entrySet().stream()
        .filter(s -> Pattern.compile("\\b" + s.getValue() + "\\b").matcher(shown).find())
        .map(s -> s.getKey() + " = " + s.getValue())
        .collect(Collectors.joining(", "));
    return list.isEmpty() ? d : d.note("any size may be given; checked here with " + list);
  }

  /** Values that checking made up, by name. */
  Map<String, Long> samples() {
    return samples;
  }

  Val error(Code code, Span at, String message, String label) {
    return error(Diagnostic.error(code, message).label(at, label));
  }

  // ------------------------------------------------------------------------------------------------ emitting

  Builder builder() {
    return builder;
  }

  Loc loc(Span span) {
    Loc here = Loc.of(span);
    return caller.map(here::inlinedAt).orElse(here);
  }

  Value emit(Span span, Op op) {
    Value v = append(span, op).result();
    if (place == Place.KERNEL && !toldTiles && v.type() instanceof TileType t && !t.isScalar()) {
      toldTiles = true;
      error(Diagnostic.error(Code.POSITION, "tiles are computed inside `parallel` only")
          .label(span, "this is " + t.text() + " between phases")
          .note("between its phases a kernel computes with scalars that are known before it starts"));
    }
    return v;
  }

  Inst append(Span span, Op op) {
    if (!isHost() && ++emitted > MAX_INSTRUCTIONS) {
      throw new DiagnosticException(Diagnostic.error(Code.PROGRAM_SIZE, "this becomes too large a program")
          .label(outermostCall().orElse(span), "inlined from here")
          .note("after inlining it has more than " + MAX_INSTRUCTIONS + " instructions")
          .help("functions that call others several times multiply; keep a result with `let` instead of computing it "
              + "again"));
    }
    return builder.at(loc(span)).append(op);
  }

  private Optional<Span> outermostCall() {
    return frames().reversed().stream().map(Frame::call).filter(c -> c != null).findFirst();
  }

  /** One constant at every place of a tile. */
  Value full(Span span, TileType type, Literal value) {
    Value scalar = constant(span, value);
    return type.isScalar() ? scalar : emit(span, new ShapeOp.Splat(scalar, type.shape()));
  }

  Value constant(Span span, Literal literal) {
    return builder.at(loc(span)).constant(literal);
  }

  /** What was just computed, as a value: a number known now where the host knows it. */
  Val result(Value v) {
    if (host != null && v.type() instanceof TileType t && t.isScalar()) {
      Optional<Literal> known = host.known(v);
      if (known.isPresent() && t.element() == Element.I64) {
        return Val.Int.of(known.get().bits());
      }
      if (known.isPresent() && t.element().isBool()) {
        return new Val.Bool(known.get().asBool());
      }
    }
    return v.type() instanceof TileType t && t.isScalar() && t.element() == Element.I64 ? Val.Int.of(v)
        : new Val.Tile(v);
  }

  /** Like {@link #result}, but an integer scalar of any type becomes an {@code int}. */
  Val scalarResult(Span span, Value v) {
    TileType t = v.tile();
    return t.isScalar() && t.element().isInteger() ? result(builder.at(loc(span)).cast(v, Element.I64)) : result(v);
  }

  // ------------------------------------------------------------------------------------------------ state

  Scope scope() {
    return scope;
  }

  Place place() {
    return place;
  }

  boolean isHost() {
    return place == Place.HOST;
  }

  /** What the size of a shape is one of, in messages. */
  String dimension() {
    return isHost() ? "a dimension of a tensor" : "a tile dimension";
  }

  Host host() {
    return host;
  }

  boolean exact() {
    return exact;
  }

  boolean deterministic() {
    return deterministic;
  }

  void setDeterministic(boolean d) {
    deterministic = d;
  }

  List<Frame> frames() {
    return new ArrayList<>(frames);
  }

  /** Runs {@code body} with a scope of its own inside the current one. */
  <T> T inner(Supplier<T> body) {
    return within(new Scope(scope), body);
  }

  void inner(Runnable body) {
    inner(() -> {
      body.run();
      return null;
    });
  }

  <T> T within(Scope s, Supplier<T> body) {
    Scope before = scope;
    scope = s;
    try {
      return body.get();
    } finally {
      scope = before;
    }
  }

  void at(Place p, Runnable body) {
    Place before = place;
    place = p;
    try {
      body.run();
    } finally {
      place = before;
    }
  }

  <T> T exactly(Supplier<T> body) {
    boolean before = exact;
    exact = true;
    try {
      return body.get();
    } finally {
      exact = before;
    }
  }

  /** Runs {@code body} as the inside of {@code item}, called at {@code call}, with {@code s} as its only scope. */
  <T> T inlined(Item item, String name, Span call, Scope s, Supplier<T> body) {
    Optional<Loc> before = caller;
    if (call != null) {
      caller = Optional.of(loc(call));
    }
    frames.push(new Frame(item, name, call));
    try {
      return within(s, body);
    } finally {
      frames.pop();
      caller = before;
    }
  }

  /** Whether a tensor of a test can have this shape at all; how much memory there is its maker asks. */
  private boolean fitsHost(List<Integer> shape, Element element, Span at) {
    boolean empty = shape.contains(0);
    double count = shape.stream().mapToDouble(d -> d).reduce(1, (a, b) -> a * b);
    if (!empty && count > Tile.MAX_ELEMENTS) {
      error(Diagnostic.error(Code.TEST_TENSOR,
              element.text() + Shapes.text(shape) + " is too large for a tensor of a test")
          .label(at, "more than " + Tile.MAX_ELEMENTS + " elements")
          .help("use smaller sizes"));
    }
    return empty || count <= Tile.MAX_ELEMENTS;
  }

  /** Whether a tile of this shape may exist; reports if not. */
  boolean fits(List<Integer> shape, Element element, Span at) {
    if (isHost()) {
      return fitsHost(shape, element, at);
    }
    if (shape.size() > 4) {
      error(Diagnostic.error(Code.TILE_SIZE, "a tile has at most 4 dimensions")
          .label(at, "this would have " + shape.size() + ": " + element.text() + Shapes.text(shape)));
      return false;
    }
    long count = 1;
    for (int d : shape) {
      if (d < 1) {
        error(Diagnostic.error(Code.TILE_SIZE, "a tile dimension must be at least 1")
            .label(at, "this would be " + element.text() + Shapes.text(shape)));
        return false;
      }
      count = count > MAX_TILE ? count : count * d;
    }
    if (count > MAX_TILE) {
      error(Diagnostic.error(Code.TILE_SIZE, "this tile is too large")
          .label(at, element.text() + Shapes.text(shape) + " has more than " + MAX_TILE + " elements")
          .help("walk the dimension in smaller tiles: `for j in … by …`"));
      return false;
    }
    return true;
  }
}
