package dev.tkc.grammar.lower;

import dev.tkc.grammar.syntax.Item;
import dev.tkc.grammar.syntax.Name;
import dev.tkc.grammar.syntax.Parsed;
import dev.tkc.grammar.syntax.Program;
import dev.tkc.grammar.syntax.SyntaxReader;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Source;
import dev.tkc.ir.diag.Span;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The items a file can name: its own, those of the files it imports (and they import), and behind them the standard
 * library, whose names a file may take for itself.
 */
public final class Library {
  private final Program program;
  private final Map<String, Item.Const> constants = new LinkedHashMap<>();
  private final Map<String, Item.Fn> functions = new LinkedHashMap<>();
  private final Map<String, Item.Kernel> kernels = new LinkedHashMap<>();
  private final Map<String, Span> declared = new LinkedHashMap<>();
  private final Set<String> ambiguous = new HashSet<>();
  private final List<Item.Schedule> schedules = new ArrayList<>();
  private final List<Diagnostic> diagnostics = new ArrayList<>();

  private Library(Program program) {
    this.program = program;
  }

  /** Links a file with what it imports; what is wrong with the linking itself is among {@link #diagnostics}. */
  public static Library link(Program program, ImportResolver resolver) {
    Library library = new Library(program);
    Set<String> visited = new HashSet<>();
    Set<String> open = new LinkedHashSet<>();
    open.add(resolver.identity(program.span().source()));
    library.addAll(program, resolver, visited, open);
    return library;
  }

  /** A file that imports nothing. */
  public static Library of(Program program) {
    return link(program, ImportResolver.NONE);
  }

  private void addAll(Program p, ImportResolver resolver, Set<String> visited, Set<String> open) {
    for (Item item : p.items()) {
      switch (item) {
        case Item.Import i -> follow(i, resolver, visited, open);
        case Item.Const c -> add(c.name(), constants, c);
        case Item.Fn f -> add(f.name(), functions, f);
        case Item.Kernel k -> add(k.name(), kernels, k);
        case Item.Schedule s -> schedules.add(s);
        case Item.Test _ -> { }
      }
    }
  }

  private <T extends Item> void add(Name name, Map<String, T> map, T item) {
    String word = name.text();
    if (Builtins.TABLE.containsKey(word)) {
      diagnostics.add(Diagnostic.error(Code.DUPLICATE_NAME, "`" + word + "` is a built-in function")
          .label(name.span(), "this name is taken")
          .help("choose another name"));
      ambiguous.add(word);
      return;
    }
    Span before = declared.putIfAbsent(word, name.span());
    if (before != null) {
      diagnostics.add(Diagnostic.error(Code.DUPLICATE_NAME, "`" + word + "` is declared twice")
          .label(name.span(), "declared again here")
          .label(before, "first declared here"));
      ambiguous.add(word);
      return;
    }
    map.put(word, item);
  }

  private void follow(Item.Import item, ImportResolver resolver, Set<String> visited, Set<String> open) {
    Optional<Source> source = resolver.resolve(item.path(), item.span().source());
    if (source.isEmpty()) {
      diagnostics.add(Diagnostic.error(Code.IMPORT, "the file \"" + item.path() + "\" cannot be read")
          .label(item.pathSpan(), "imported here")
          .note("the path is taken from the folder of the importing file"));
      return;
    }
    String identity = resolver.identity(source.get());
    if (open.contains(identity)) {
      diagnostics.add(Diagnostic.error(Code.IMPORT, "files import each other in a circle")
          .label(item.pathSpan(), "this file is being imported already")
          .note("the circle: " + String.join(" → ", open) + " → " + identity));
      return;
    }
    if (!visited.add(identity)) {
      return;
    }
    Parsed parsed = SyntaxReader.read(source.get());
    diagnostics.addAll(parsed.diagnostics());
    open.add(identity);
    addAll(parsed.program(), resolver, visited, open);
    open.remove(identity);
  }

  /** The file itself. */
  public Program program() {
    return program;
  }

  public List<Diagnostic> diagnostics() {
    return List.copyOf(diagnostics);
  }

  /** A function of the file or its imports, else one of the standard library. */
  public Optional<Item.Fn> function(String name) {
    return Optional.ofNullable(functions.get(name)).or(() -> Prelude.function(name));
  }

  public Optional<Item.Const> constant(String name) {
    return Optional.ofNullable(constants.get(name));
  }

  public Optional<Item.Kernel> kernel(String name) {
    return Optional.ofNullable(kernels.get(name));
  }

  /** The kernels of the file and its imports, in order. */
  public List<Item.Kernel> kernels() {
    return List.copyOf(kernels.values());
  }

  /** The schedules of the file and its imports, in order. */
  public List<Item.Schedule> schedules() {
    return List.copyOf(schedules);
  }

  /** Whether a name is declared by the file or an import. */
  boolean declares(String name) {
    return declared.containsKey(name);
  }

  /**
   * Whether a name is declared more than once, or is a built-in function's as well, so that nothing can be said of its
   * uses.
   */
  boolean isAmbiguous(String name) {
    return ambiguous.contains(name);
  }

  List<String> constantNames() {
    return List.copyOf(constants.keySet());
  }

  List<String> callable() {
    List<String> names = new ArrayList<>(functions.keySet());
    names.addAll(Builtins.TABLE.keySet());
    names.addAll(Prelude.names());
    return names;
  }

  List<String> kernelNames() {
    return List.copyOf(kernels.keySet());
  }
}
