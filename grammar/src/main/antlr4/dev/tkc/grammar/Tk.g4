/*
 * The text form of the tile language. There is no production per operation: `name(args)` is resolved by the checker.
 *
 * Position rules (no `parallel` inside a block, `temp` only in a kernel, `expect` only in a test) and "comparisons do not
 * chain" belong to the checker, which can say more about them. Newlines are white space; a statement starts with a word,
 * so it cannot be taken for the continuation of the one before. Every decision but those in `stmt` (two tokens) and the
 * operators of `expr` is made on one token. The lexer never fails: what fits nothing becomes MALFORMED, UNTERMINATED or BAD.
 */
grammar Tk;

program  : item* EOF ;

item     : 'import' STRING                                                             # importItem
         | 'const' name (':' type)? '=' expr                                           # constItem
         | 'fn' name params ('->' type (',' type)*)? where? block                      # fnItem
         | 'deterministic'? 'kernel' name consts? params where? block                  # kernelItem
         | 'schedule' name 'for' name where? '{' (setting ';'?)* '}'                   # scheduleItem
         | 'test' STRING block                                                         # testItem
         ;
consts   : '<' constant (',' constant)* '>' ;
constant : name (':' name)? ('=' expr)? ;
params   : '(' (param (',' param)*)? ')' ;
param    : 'sym'? (dir=('out' | 'inout') name | name) ':' type ('strides' '[' expr (',' expr)* ']')? ;
type     : name ('[' (expr (',' expr)* | any='...') ']')? ;
where    : 'where' expr ;
setting  : name '=' value                                                              # plainSetting
         | name role (',' role)*                                                       # roleSetting
         | name '{' (setting ';'?)* '}'                                                # phaseSetting
         ;
role     : name '=' expr ;
value    : expr | '{' expr (',' expr)* '}' ;

block    : '{' (stmt ';'?)* '}' ;
stmt     : 'let' names '=' exprs                                                       # letStmt
         | 'var' names (':' type)? '=' exprs                                           # varStmt
         | 'temp' name ':' type                                                        # tempStmt
         | place (',' place)* assign exprs                                             # assignStmt
         | name args ('across' expr)?                                                  # runStmt
         | (name ':')? 'parallel' domain (',' domain)* block                           # parallelStmt
         | 'for' domain (',' domain)* block                                            # forStmt
         | 'if' expr block ('else' 'if' expr block)* ('else' block)?                   # ifStmt
         | 'return' exprs                                                              # returnStmt
         | 'assert' expr (',' STRING)?                                                 # assertStmt
         | 'expect' expr ('~' expr 'within' 'rel' expr ('abs' expr)?)?                 # expectStmt
         ;
binder   : name | '_' ;
names    : binder (',' binder)* ;
exprs    : expr (',' expr)* ;
place    : '_' | name ('.' name args)? ('[' index (',' index)* ']')? ;
domain   : names 'in' expr (dots='..' expr)? (by='by' expr)? reversed='reversed'? ;
assign   : '=' | '+=' | '-=' | '*=' | '/=' | 'min' '=' | 'max' '=' ;

expr     : expr '[' index (',' index)* ']'                                             # atExpr
         | expr '.' name args?                                                         # memberExpr
         | name args?                                                                  # nameExpr
         | '(' expr (',' expr)* ')'                                                    # groupExpr
         | '[' (expr (',' expr)*)? ']'                                                 # listExpr
         | expr op='pad' expr                                                          # padExpr
         | <assoc=right> expr op='**' expr                                             # binaryExpr
         | op=('-' | '~') expr                                                         # unaryExpr
         | expr 'as' name 'wrap'?                                                      # castExpr
         | expr op=('*' | '/' | '%' | '@') expr                                        # binaryExpr
         | expr op=('+' | '-') expr                                                    # binaryExpr
         | expr op=('<<' | '>>') expr                                                  # binaryExpr
         | expr op='&' expr                                                            # binaryExpr
         | expr op='^' expr                                                            # binaryExpr
         | expr op='|' expr                                                            # binaryExpr
         | expr op=('==' | '!=' | '<' | '<=' | '>' | '>=') expr                        # binaryExpr
         | op='not' expr                                                               # unaryExpr
         | expr op='and' expr                                                          # binaryExpr
         | expr op='or' expr                                                           # binaryExpr
         | 'if' expr 'then' expr 'else' expr                                           # chooseExpr
         | (INT | FLOAT | STRING | 'true' | 'false')                                   # literalExpr
         ;
index    : '_' | expr (colon=':' expr?)? | colon=':' expr? ;
args     : '(' (arg (',' arg)*)? ')' ;
arg      : ((name | 'fn') '=')? expr ;
// Words that have a meaning in one place only stay usable as names; RESERVED ones parse as names and are then refused.
name     : NAME | RESERVED | 'min' | 'max' | 'abs' | 'where' | 'rel' | 'out' ;

RESERVED : 'signal' | 'rank' | 'world' | 'notify' | 'wait' ;
INT      : [0-9] [0-9_]* | '0x' [0-9a-fA-F_]+ ;
FLOAT    : [0-9] [0-9_]* '.' [0-9] [0-9_]* EXP? | [0-9] [0-9_]* EXP ;
fragment EXP : [eE] [+-]? [0-9]+ ;
STRING   : '"' (~["\\\r\n] | '\\' ~[\r\n])* '"' ;
NAME     : [A-Za-z_] [A-Za-z0-9_]* ;
DOC      : '///' ~[\r\n]* -> channel(HIDDEN) ;
COMMENT  : '//' ~[\r\n]* -> channel(HIDDEN) ;
SPACE    : [ \t\r\n\uFEFF]+ -> skip ;
MALFORMED : [0-9] [0-9_]* ('.' [0-9] [0-9_]*)? [A-Za-z_] [A-Za-z0-9_]* ;   // 2x, 0x, 1.5f: longer than the number in it
UNTERMINATED : '"' (~["\\\r\n] | '\\' ~[\r\n])* '\\'? ;
BAD      : . ;
