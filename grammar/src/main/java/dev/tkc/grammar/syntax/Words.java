package dev.tkc.grammar.syntax;

import dev.tkc.grammar.TkParser;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.Vocabulary;

/** Token types by what they are written as, and the sets of them that recovery and messages ask for. */
final class Words {
  private static final Map<String, Integer> TYPES = new HashMap<>();

  static {
    Vocabulary vocabulary = TkParser.VOCABULARY;
    for (int type = 1; type <= vocabulary.getMaxTokenType(); type++) {
      String literal = vocabulary.getLiteralName(type);
      if (literal != null) {
        TYPES.put(literal.substring(1, literal.length() - 1), type);
      }
    }
  }

  static final BitSet ITEM_START = types("import", "const", "fn", "kernel", "deterministic", "schedule", "test");
  static final BitSet NAMES =
      with(types("min", "max", "abs", "where", "rel", "out"), TkParser.NAME, TkParser.RESERVED);

  /** Keywords that nothing but a statement begins with; {@code if} and {@code else} also stand in expressions. */
  static final BitSet STATEMENT_WORDS =
      types("let", "var", "temp", "parallel", "for", "return", "assert", "expect");

  static final BitSet STATEMENT_START = or(or(STATEMENT_WORDS, types("if", "_")), NAMES);
  static final BitSet EXPRESSION_START =
      with(
          or(types("(", "[", "-", "~", "not", "if", "true", "false"), NAMES),
          TkParser.INT,
          TkParser.FLOAT,
          TkParser.STRING);
  static final BitSet BINARY =
      types("**", "*", "/", "%", "@", "+", "-", "<<", ">>", "&", "^", "|", "==", "!=", "<", "<=", ">", ">=",
          "and", "or");

  /** What an expression, type or statement may end with: the next line may then begin a statement. */
  static final BitSet MAY_END =
      with(
          or(types(")", "]", "}", ":", "_", "true", "false", "wrap", "reversed", ";"), NAMES),
          TkParser.INT,
          TkParser.FLOAT,
          TkParser.STRING);

  private Words() {}

  /** The token type of a word or sign of the grammar. */
  static int type(String literal) {
    Integer type = TYPES.get(literal);
    if (type == null) {
      throw new IllegalStateException("the grammar has no " + literal);
    }
    return type;
  }

  static boolean is(Token token, String literal) {
    return token.getType() == type(literal);
  }

  static boolean in(Token token, BitSet set) {
    return token.getType() >= 0 && set.get(token.getType());
  }

  /** A word the grammar gives a meaning to, usable as a name or not. */
  static boolean isKeyword(Token token) {
    String text = token.getText();
    return TYPES.containsKey(text) && token.getType() == TYPES.get(text) && Character.isLetter(text.charAt(0));
  }

  private static BitSet types(String... literals) {
    BitSet set = new BitSet();
    for (String literal : literals) {
      set.set(type(literal));
    }
    return set;
  }

  private static BitSet or(BitSet a, BitSet b) {
    BitSet set = (BitSet) a.clone();
    set.or(b);
    return set;
  }

  private static BitSet with(BitSet a, int... types) {
    BitSet set = (BitSet) a.clone();
    for (int type : types) {
      set.set(type);
    }
    return set;
  }
}
