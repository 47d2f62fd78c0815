package dev.tkc.grammar.syntax;

import dev.tkc.grammar.TkParser;
import dev.tkc.ir.diag.Code;
import dev.tkc.ir.diag.Diagnostic;
import dev.tkc.ir.diag.Span;
import dev.tkc.ir.type.Element;
import java.util.Map;
import java.util.Set;
import org.antlr.v4.runtime.Token;

/** The common slips behind a syntax error, each with its own message and what to write instead. */
final class Slips {
  /** Words other languages begin a statement or item with. */
  private static final Map<String, String> FOREIGN =
      Map.ofEntries(
          Map.entry("while", "loops have bounds: `for i in lo..hi { … }`"),
          Map.entry("loop", "loops have bounds: `for i in lo..hi { … }`"),
          Map.entry("foreach", "loops are written `for x in … { … }`"),
          Map.entry("elif", "write `else if`"),
          Map.entry("elseif", "write `else if`"),
          Map.entry("break", "a loop runs to its bound; give it a smaller one, or use `if` in its body"),
          Map.entry("continue", "use `if` around the rest of the body"),
          Map.entry("switch", "use `if`, `else if`, `else`"),
          Map.entry("match", "use `if`, `else if`, `else`"),
          Map.entry("def", "functions are declared by `fn`, kernels by `kernel`"),
          Map.entry("func", "functions are declared by `fn`, kernels by `kernel`"),
          Map.entry("function", "functions are declared by `fn`, kernels by `kernel`"),
          Map.entry("void", "functions are declared by `fn`, kernels by `kernel`"),
          Map.entry("global", "kernels are declared by `kernel`"),
          Map.entry("__global__", "kernels are declared by `kernel`"),
          Map.entry("__device__", "functions are declared by `fn`"),
          Map.entry("__shared__", "the compiler places tiles in shared memory by itself"),
          Map.entry("include", "files are included by `import \"file.tk\"`"),
          Map.entry("from", "files are included by `import \"file.tk\"`"),
          Map.entry("use", "files are included by `import \"file.tk\"`"),
          Map.entry("auto", "declare with `let`, or `var` for what changes"),
          Map.entry("val", "declare with `let`, or `var` for what changes"),
          Map.entry("mut", "declare with `let`, or `var` for what changes"),
          Map.entry("int", "declare with `let`, or `var` for what changes"),
          Map.entry("float", "declare with `let`, or `var` for what changes"),
          Map.entry("double", "declare with `let`, or `var` for what changes"),
          Map.entry("bool", "declare with `let`, or `var` for what changes"),
          Map.entry("struct", "there are no structures; a function may have several results"),
          Map.entry("print", "there is no output; `tkc run` prints what a kernel computes"),
          Map.entry("pass", "an empty block is written `{}`"));

  private static final Set<String> CONDITIONS = Set.of("if", "assert", "expect", "return");
  private static final Set<String> COMPOUND = Set.of("%", "**", "@", "&", "|", "^", "<<", ">>");

  private final SyntaxError error;
  private final Token found;
  private final Token before;
  private final String word;
  private final String last;

  Slips(SyntaxError error) {
    this.error = error;
    this.found = error.found;
    this.before = error.previous(found);
    this.word = found.getText();
    this.last = before == null ? "" : before.getText();
  }

  /** The slip, or null if this is none of those known. */
  Diagnostic find() {
    Diagnostic d = reserved();
    d = d != null ? d : cutOff();
    d = d != null ? d : foreignSign();
    d = d != null ? d : equalSigns();
    d = d != null ? d : alone();
    d = d != null ? d : declarations();
    d = d != null ? d : parameters();
    d = d != null ? d : members();
    d = d != null ? d : trailingComma();
    d = d != null ? d : settings();
    d = d != null ? d : emptyBrackets();
    d = d != null ? d : choice();
    d = d != null ? d : within();
    d = d != null ? d : foreignWord();
    d = d != null ? d : items();
    return d != null ? d : keyword();
  }

  private Diagnostic reserved() {
    boolean several = word.equals("sym") || word.equals("across");
    return several ? ExprBuilder.reserved(error.at(found), word) : null;
  }

  private boolean touchesBefore() {
    return before != null && before.getStopIndex() + 1 == found.getStartIndex();
  }

  private Span both() {
    return error.at(before).to(error.at(found));
  }

  private static Diagnostic foreign(Span at, String sign, String instead) {
    return Diagnostic.error(Code.FOREIGN_WORD, "`" + sign + "` is not part of the language").label(at, instead);
  }

  private Diagnostic foreignSign() {
    if (touchesBefore()) {
      Diagnostic d = foreignPair();
      if (d != null) {
        return d;
      }
    }
    Token next = error.next(found);
    boolean touches = next.getStartIndex() == found.getStopIndex() + 1;
    Span pair = touches ? error.at(found).to(error.at(next)) : null;
    boolean doubled = touches && (word.equals("+") || word.equals("-")) && next.getText().equals(word);
    if (doubled && (before == error.start || error.expects("="))) {
      String place = error.at(error.start).to(error.at(before)).text();
      return foreign(pair, word + word, "write `" + place + " " + word + "= 1`");
    }
    if (touches && COMPOUND.contains(word) && next.getText().equals("=")) {
      return compound(pair, word);
    }
    if (touches && error.expects("=") && Set.of(":=", "<-").contains(word + next.getText())) {
      return foreign(pair, word + next.getText(), "`=` binds and stores").help("write `=`", pair, "=");
    }
    boolean range = word.equals(":") && Set.of("for", "parallel").contains(error.start.getText())
        && next.getLine() == found.getLine() && !next.getText().equals("{");
    if (range) {
      return foreign(error.at(found), ":", "ranges are written `lo..hi`").help("write `..`", error.at(found), "..");
    }
    if (word.equals("/") && next.getText().equals("*")) {
      return foreign(error.at(found).to(error.at(next)), "/*", "comments begin with `//` and end with the line");
    }
    if (word.equals(",") && error.expects("{") && isInFact()) {
      return foreign(error.at(found), ",", "several facts are joined by `and`")
          .help("use the word", error.at(before).to(error.at(found)), last + " and");
    }
    if (word.equals(":") && error.expects("{")) {
      return foreign(error.at(found), ":", "blocks are written between `{` and `}`");
    }
    return null;
  }

  /** Whether the word stands in what follows a `where`, outside all brackets. */
  private boolean isInFact() {
    for (Token t = before; t != null && !Set.of("{", "}").contains(t.getText()); t = error.previous(t)) {
      if (t.getText().equals("where")) {
        return true;
      }
    }
    return false;
  }

  private Diagnostic foreignPair() {
    return switch (last + word) {
      case "&&" -> foreign(both(), "&&", "write `and`").help("use the word", both(), "and");
      case "||" -> foreign(both(), "||", "write `or`").help("use the word", both(), "or");
      case "/*" -> foreign(both(), "/*", "comments begin with `//` and end with the line");
      case "=>" -> foreign(both(), "=>", "function results are written after `->`, `>=` compares");
      case ":=" -> foreign(both(), ":=", "write `let " + error.start.getText() + " = …`");
      default -> COMPOUND.contains(last) && word.equals("=")
          ? compound(both(), last)
          : null;
    };
  }

  private static Diagnostic compound(Span at, String operator) {
    return foreign(at, operator + "=", "write the operation out: `x = x " + operator + " …`");
  }

  /** {@code y[i] =} with nothing behind it, so that the next line is taken for the value. */
  private Diagnostic cutOff() {
    Token first = found;
    while (error.previous(first) != null && error.previous(first).getLine() == found.getLine()) {
      first = error.previous(first);
    }
    Token lead = error.previous(first);
    boolean cut = word.equals("=") && !error.expects("=") && first != found && lead != null
        && Words.in(first, Words.STATEMENT_START) && !Words.in(lead, Words.MAY_END) && !Set.of("{", ",", "(", "[")
        .contains(lead.getText());
    return cut
        ? Diagnostic.error(Code.SYNTAX, "nothing follows `" + lead.getText() + "`")
            .label(error.at(lead), "an expression is expected after this")
        : null;
  }

  private Diagnostic equalSigns() {
    Span at = error.at(found);
    if (word.equals("=") && error.atList() && last.equals(")")) {
      return Diagnostic.error(Code.EQUALS, "a call cannot be assigned")
          .label(at, "`=` binds or stores a value")
          .help("the elements of a tensor are written in brackets: `y[i, j] = …`; to compare, write `==`");
    }
    if (word.equals("=") && !error.expects("=")) {
      boolean condition = CONDITIONS.contains(error.start.getText()) || afterWhere();
      if (condition || error.atList()) {
        Diagnostic d = Diagnostic.error(Code.EQUALS, "`=` cannot stand in an expression")
            .label(at, "`=` binds or stores a value");
        return d.help("to compare, write `==`", at, "==");
      }
    }
    boolean assignment = error.previous(found) == error.start && !error.atList();
    if (word.equals("==") && (error.expects("=") || assignment)) {
      return Diagnostic.error(Code.EQUALS, "`==` cannot bind or store a value")
          .label(at, "`==` compares")
          .help("to bind or store, write `=`", at, "=");
    }
    return null;
  }

  /** In or right behind the facts of an item's head. */
  private boolean afterWhere() {
    Token token = found;
    while (token != null && token != error.start && !Words.is(token, "where")) {
      token = error.previous(token);
    }
    return token != null && Words.is(token, "where") && Words.in(error.start, Words.ITEM_START);
  }

  /** A name, an element or a number alone on its line. */
  private Diagnostic alone() {
    boolean begun = error.within(TkParser.RULE_stmt) && Words.in(error.start, Words.NAMES)
        && (error.expects("=") || error.expected.isEmpty());
    return begun && before != null && found != error.start && found.getLine() > before.getLine()
        ? Diagnostic.error(Code.SYNTAX, "an expression is no statement")
            .label(error.at(error.start).to(error.at(before)), "nothing is done with this")
            .help("bind it, `let x = …`, or store it")
        : null;
  }

  /** A type in a {@code let}, or a declaration without its word. */
  private Diagnostic declarations() {
    if (word.equals(":") && error.start.getText().equals("let")) {
      return Diagnostic.error(Code.SYNTAX, "`let` takes no type")
          .label(error.at(found), "a `let` has the type of its value")
          .help("declare it by `var`, or convert the value with `as`");
    }
    boolean labelled = last.equals(":") && error.expects("parallel");
    Token ahead = error.previous(error.start);
    boolean leads = ahead == null || ahead.getLine() < error.start.getLine()
        || Set.of("{", ";").contains(ahead.getText());
    if (labelled && leads && Words.in(found, Words.NAMES)) {
      return Diagnostic.error(Code.SYNTAX, "a declaration begins with `var`")
          .label(error.at(error.start), "`var` is missing before this")
          .help("declare it", error.at(error.start), "var " + error.start.getText());
    }
    return null;
  }

  /** {@code fn f(x)}. */
  private Diagnostic parameters() {
    return error.inRule(TkParser.RULE_param) && error.expects(":") && Set.of(",", ")", "=").contains(word)
        ? Diagnostic.error(Code.SYNTAX, "the parameter `" + last + "` has no type")
            .label(error.at(before), "`:` and a type are expected after this")
            .help(word.equals("=") ? "parameters have no default values; a kernel's constants `<…>` do"
                : "say its type: `" + last + ": f32[M, N]`; in a `fn`, `" + last
                    + ": T[...]` is a tile of any type and "
                    + "rank")
        : null;
  }

  /** {@code x.start = 3}, {@code x.f()}: a statement that begins with a member. */
  private Diagnostic members() {
    Token dot = error.next(error.start);
    boolean leads = Words.in(error.start, Words.NAMES) && Words.is(dot, ".") && error.within(TkParser.RULE_stmt);
    if (!leads || found.getTokenIndex() < dot.getTokenIndex()) {
      return null;
    }
    Token member = error.next(dot);
    return Diagnostic.error(Code.SYNTAX, "a statement cannot begin with a member")
        .label(error.at(member), "members cannot be called or assigned");
  }

  private Diagnostic trailingComma() {
    if (!last.equals(",") || !Set.of(")", "]", "}", ">").contains(word)) {
      return null;
    }
    return Diagnostic.error(Code.SYNTAX, "a list does not end with a comma")
        .label(error.at(before), "nothing follows this comma")
        .help("remove it", error.at(before), "");
  }

  /** {@code BM = 128, BN = 64}; the values of roles have commas, so the settings cannot. */
  private Diagnostic settings() {
    if (!error.betweenSettings()) {
      return null;
    }
    return Diagnostic.error(Code.SYNTAX, "settings are not separated by commas")
        .label(error.at(found), "a setting ends before this")
        .help("begin a new line, or write `;`", error.at(found), ";");
  }

  /** {@code f32[]}, for a scalar. */
  private Diagnostic emptyBrackets() {
    Token type = last.equals("[") && word.equals("]") ? error.previous(before) : null;
    if (type == null || Element.byText(type.getText()).isEmpty()) {
      return null;
    }
    return Diagnostic.error(Code.SYNTAX, "the type of a scalar has no brackets")
        .label(both(), "no dimension stands here")
        .help("write the element alone", error.at(type).to(error.at(found)), type.getText());
  }

  /** {@code a if c else b}, as Python has it. */
  private Diagnostic choice() {
    Token first = error.previous(error.start);
    boolean behind = word.equals("else") && error.start.getText().equals("if") && error.expects("{")
        && first != null && first.getLine() == error.start.getLine();
    return behind
        ? Diagnostic.error(Code.SYNTAX, "the condition of a choice stands first")
            .label(error.at(error.start), "this begins a statement")
            .help("write `if condition then a else b`")
        : null;
  }

  /** {@code expect x ~ y} with nothing behind it, or with an absolute bound alone. */
  private Diagnostic within() {
    if (last.equals("within") && error.expects("rel")) {
      Token value = word.equals("abs") ? error.next(found) : found;
      boolean known = Set.of(TkParser.FLOAT, TkParser.INT, TkParser.NAME).contains(value.getType());
      return Diagnostic.error(Code.SYNTAX, "`within` begins with a relative bound")
          .label(error.at(found), "`rel` is expected here")
          .note("`within rel R` allows |x − y| ≤ R·max(|y|, rms(y)), `within rel R abs A` adds A to that")
          .help("write `within rel " + (word.equals("abs") ? "0 abs " : "")
              + (known ? value.getText() : "1e-2") + "`");
    }
    return error.expects("within") && error.start.getText().equals("expect") && !word.equals("~")
        ? Diagnostic.error(Code.SYNTAX, "`~` does not say how close")
            .label(error.at(before), "`within` is expected after this")
            .help("give a bound: `expect x ~ y within rel 1e-2`")
        : null;
  }

  private Diagnostic foreignWord() {
    boolean leads = found == error.start || before == error.start;
    String lead = error.start.getText();
    if (leads && error.start.getType() == TkParser.NAME && FOREIGN.containsKey(lead)) {
      return foreign(error.at(error.start), lead, FOREIGN.get(lead));
    }
    if (error.atList() && word.equals("else")) {
      return Diagnostic.error(Code.SYNTAX, "`else` without an `if`")
          .label(error.at(found), "no `if` block ends right before this");
    }
    return null;
  }

  private Diagnostic items() {
    if (error.atList() && error.within(TkParser.RULE_block) && Set.of("const", "fn").contains(word)) {
      Diagnostic d = Diagnostic.error(Code.SYNTAX, "`" + word + "` has no place in a block")
          .label(error.at(found), "it stands outside of kernels, functions and tests");
      return word.equals("const") ? d.help("bind a value", error.at(found), "let") : d;
    }
    if (error.inRule(TkParser.RULE_program) && Words.in(found, Words.STATEMENT_START)) {
      Diagnostic d =
          Diagnostic.error(Code.SYNTAX, "a statement cannot stand outside of a kernel, function or test")
              .label(error.at(found), "expected `fn`, `kernel`, `schedule`, `test`, `const` or `import`");
      return word.equals("let") || word.equals("var") ? d.help("declare a constant", error.at(found), "const") : d;
    }
    if (error.start.getText().equals("import") && before == error.start) {
      return Diagnostic.error(Code.SYNTAX, "expected a text in quotes, found " + SyntaxError.describe(found))
          .label(error.at(found), "the file's path is expected")
          .help("write `import \"file.tk\"`");
    }
    return null;
  }

  private Diagnostic keyword() {
    if (!Words.isKeyword(found) || Words.in(found, Words.NAMES) || Set.of("and", "or").contains(word)) {
      return null;
    }
    boolean begins = Words.in(found, Words.STATEMENT_WORDS) || Words.in(found, Words.ITEM_START);
    boolean name = error.expected.get(TkParser.NAME) && !(error.expectsExpression() && begins);
    boolean assigned = error.atList() && error.next(found).getText().equals("=");
    return name || assigned
        ? Diagnostic.error(Code.KEYWORD, "`" + word + "` is a keyword and cannot be a name")
            .label(error.at(found), error.expectsExpression() ? "expected an expression" : "expected a name")
            .help("choose another name")
        : null;
  }
}
