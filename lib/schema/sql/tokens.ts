import { TntarError } from '../../base/errors.js';
import { shorten } from '../../base/report.js';
import { isOlder, type Release } from '../server/release.js';

/**
 * The limit of tokens in all SQL of a database together. Each takes some 100 bytes while a text is rewritten. It
 * allows a row of 1 MiB, a server's largest by default (`memtx_max_tuple_size`), with words of two letters.
 */
export const MAX_SQL_TOKENS = 2 ** 19;

/**
 * The limit of nested parentheses. Each takes a place on the stack of a server's parser, which has 100.
 *
 * Source: `YYSTACKDEPTH` of the server's `extra/lempar.c` and `extra/lemon.c`.
 */
export const MAX_SQL_DEPTH = 100;

/**
 * Words that are not identifiers in the text of a view, a trigger or an expression, on any server.
 *
 * Source: keywords from the server's `extra/mkkeywordhash.c` of 2.6.0, without those that its
 * `src/box/sql/parse.y` takes as identifiers (`%fallback`) and that have no other use in such a text.
 */
const KEYWORDS: ReadonlySet<string> = new Set(
  `ABORT AFTER ALL ALTER ANALYZE AND ANY AS ASC ASENSITIVE BEFORE BEGIN BETWEEN BINARY BLOB BOOL
  BOOLEAN BOTH BY CALL CASE CAST CHAR CHARACTER CHECK COLLATE COLUMN COMMIT CONDITION CONFLICT CONNECT
  CONSTRAINT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER CURSOR DATE
  DATETIME DECIMAL DECLARE DEFAULT DEFERRABLE DELETE DENSE_RANK DESC DESCRIBE DETERMINISTIC DISTINCT
  DOUBLE DROP EACH ELSE ELSEIF END ESCAPE EXCEPT EXISTS EXPLAIN FAIL FALSE FETCH FLOAT FOR FOREIGN FROM
  FULL FUNCTION GET GRANT GROUP HAVING IF IGNORE IMMEDIATE IN INDEX INDEXED INNER INOUT INSENSITIVE
  INSERT INSTEAD INT INTEGER INTERSECT INTO IS ITERATE JOIN LEADING LEAVE LEFT LIKE LIMIT LOCALTIME
  LOCALTIMESTAMP LOOP MATCH NATURAL NOT NULL NUM NUMBER NUMERIC OF OFFSET ON OR ORDER OUT OUTER OVER
  PARTIAL PARTITION PRAGMA PRECISION PRIMARY PROCEDURE RAISE RANGE RANK READS REAL RECURSIVE REFERENCES
  REGEXP REPEAT REPLACE RESIGNAL RETURN REVOKE RIGHT ROLLBACK ROW ROWS ROW_NUMBER SAVEPOINT SCALAR
  SELECT SENSITIVE SESSION SET SIGNAL SIMPLE SMALLINT SPECIFIC SQL START STRING SYSTEM TABLE TEXT THEN
  TO TRAILING TRANSACTION TRIGGER TRIM TRUE TRUNCATE UNION UNIQUE UNKNOWN UNSIGNED UPDATE USER USING
  VALUES VARBINARY VARCHAR VIEW WHEN WHENEVER WHERE WHILE WITH`.split(/\s+/),
);

/** Words that became keywords later; before, they could be names. */
const LATER_KEYWORDS: ReadonlyMap<string, Release> = new Map([
  ['COLUMN_REF', [2, 7, 1]],
  ['ARRAY', [2, 10]],
  ['DEC', [2, 10]],
  ['INTERVAL', [2, 10]],
  ['MAP', [2, 10]],
  ['UUID', [2, 10]],
  ['WILDCARD', [2, 10]],
  ['SEQSCAN', [2, 11]],
  ['SHOW', [3, 0]],
]);

/**
 * Returns true for a keyword.
 *
 * @param word - in upper case
 */
export function isKeyword(word: string, release: Release): boolean {
  const since = LATER_KEYWORDS.get(word);
  return since === undefined ? KEYWORDS.has(word) : !isOlder(release, since);
}

const WORD = /^[\p{L}_][\p{L}\p{N}_$]*$/u;
const WORD_START = /[\p{L}_]/u;
const WORD_END = /[^\p{L}\p{N}_$]/gu;
const PLAIN_END = /\W/g;
const NUMBER_END = /[^\w.]/g;
const LINE_END = /\n/g;
const BLANK_END = /\S/g;
const BLANK = /^(?:\s|--|\/\*)/u;

/** Returns the position of the first match of a global pattern from `start` on, or the end of the text. */
function search(end: RegExp, sql: string, start: number): number {
  end.lastIndex = start;
  return end.exec(sql)?.index ?? sql.length;
}

/** Returns the position after the next `closer`, or the end of the text if there is none. */
function behind(closer: string, sql: string, start: number): number {
  const at = sql.indexOf(closer, start);
  return at < 0 ? sql.length : at + closer.length;
}

/** Returns the position after the quote that closes the one at `start`. A doubled quote does not close. */
function behindQuote(mark: string, sql: string, start: number): number {
  let end = behind(mark, sql, start + 1);
  while (sql[end] === mark) end = behind(mark, sql, end + 1);
  return end;
}

/** Returns the end of the token at `start`: a string, a comment, blanks, a number, a word, or one character. */
function endOf(sql: string, start: number): number {
  const first = String.fromCodePoint(sql.codePointAt(start)!);
  const next = start + first.length;
  const second = sql[next];
  if (first === "'" || first === '"') return behindQuote(first, sql, start);
  if (first === '-' && second === '-') return search(LINE_END, sql, next);
  if (first === '/' && second === '*') return behind('*/', sql, next + 1);
  if (/\s/.test(first)) return search(BLANK_END, sql, next);
  if (/\d/.test(first)) return search(NUMBER_END, sql, next);
  if (/[:@$#]/.test(first)) return search(PLAIN_END, sql, next);
  if (/x/i.test(first) && second === "'") return behind("'", sql, next + 1);
  return WORD_START.test(first) ? search(WORD_END, sql, next) : next;
}

/**
 * Cuts a text into strings, quoted identifiers, comments, blanks, numbers, bound names, words, and single characters.
 * One regular expression for all of them would search for the end of an unclosed comment again and again, and run out
 * of stack in a long string.
 */
function cut(sql: string): string[] {
  const tokens: string[] = [];
  for (let start = 0, end = 0; start < sql.length; start = end) {
    end = endOf(sql, start);
    tokens.push(sql.slice(start, end));
    if (tokens.length > 2 * MAX_SQL_TOKENS) {
      throw new TntarError(
        'failure',
        `SQL has more than ${MAX_SQL_TOKENS} tokens: ${shorten(sql)}`,
      );
    }
  }
  return tokens;
}

/** The size of an SQL text. */
export interface SqlSize {
  /** The number of tokens, without blanks and comments. */
  tokens: number;
  /** The depth of nested parentheses. */
  depth: number;
}

/** Measures a text without memory for its tokens. It stops soon after `most` tokens. */
export function sizeOf(sql: string, most: number): SqlSize {
  let [tokens, open, depth] = [0, 0, 0];
  for (let start = 0, end = 0; start < sql.length && tokens <= most; start = end) {
    end = endOf(sql, start);
    const first = sql[start]!;
    if (first === '(') depth = Math.max(depth, ++open);
    else if (first === ')') open = Math.max(0, open - 1);
    if (!BLANK.test(sql.slice(start, Math.min(end, start + 2)))) tokens++;
  }
  return { tokens, depth };
}

/** Returns the tokens of a text, without blanks and comments. */
export function tokensOf(sql: string): string[] {
  return cut(sql).filter((token) => !BLANK.test(token));
}

export function isWord(token: string): boolean {
  return WORD.test(token);
}

/** Returns the name in a quoted identifier; undefined if it has no quotes. */
export function unquote(token: string): string | undefined {
  return token.startsWith('"') ? token.slice(1, -1).replaceAll('""', '"') : undefined;
}

/** Returns an identifier that means exactly this name on any server. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Words after `AS`, and after the columns of a view or of a common table expression. */
const DEFINES: readonly string[] = ['(', 'SELECT', 'VALUES', 'WITH'];

/**
 * Returns the positions of words that are followed by a parenthesis and name functions. A parenthesis also follows
 * the name of a table in `INSERT INTO t (a)`, of a view in `VIEW v (a) AS SELECT` and of a common table expression in
 * `WITH w (a) AS (`.
 *
 * @param tokens - without blanks and comments
 */
function callsIn(tokens: readonly string[]): ReadonlySet<number> {
  const calls = new Set<number>();
  const open: number[] = [];
  const upper = (at: number): string => tokens[at]?.toUpperCase() ?? '';
  for (const [at, token] of tokens.entries()) {
    if (token === '(') open.push(at);
    if (token !== ')') continue;
    const name = (open.pop() ?? 0) - 1;
    const isDefined = upper(at + 1) === 'AS' && DEFINES.includes(upper(at + 2));
    const isCall = isWord(tokens[name] ?? '') && upper(name - 1) !== 'INTO' && !isDefined;
    if (isCall) calls.add(name);
  }
  return calls;
}

/**
 * Replaces each word that is neither quoted nor part of a string or comment.
 *
 * @param change - called with the word, and with true for the name of a called function
 */
export function mapWords(sql: string, change: (word: string, isCalled: boolean) => string): string {
  const calls = callsIn(tokensOf(sql));
  let at = -1;
  return mapTokens(sql, (token) => {
    at++;
    return isWord(token) ? change(token, calls.has(at)) : token;
  });
}

/** Replaces each token; blanks and comments are kept. */
export function mapTokens(sql: string, change: (token: string) => string): string {
  return cut(sql)
    .map((token) => (BLANK.test(token) ? token : change(token)))
    .join('');
}

/** Returns the identifiers in a statement as 2.x reads them: quoted ones as they are, others in upper case. */
export function identifiersOf(sql: string): Set<string> {
  const found = new Set<string>();
  for (const token of tokensOf(sql)) {
    const name = unquote(token);
    if (name !== undefined) found.add(name);
    else if (isWord(token)) found.add(token).add(token.toUpperCase());
  }
  return found;
}

/**
 * Returns an expression about one table without the name of that table before its columns, because a function in SQL
 * cannot have it.
 *
 * @example
 * withoutTable('T.a > t . "b"', 'T'); // 'a >   "b"'
 */
export function withoutTable(sql: string, table: string): string {
  const tokens = tokensOf(sql);
  const isTable = (i: number): boolean => {
    const token = tokens[i] ?? '';
    const name = unquote(token) ?? token.toUpperCase();
    return name === table && tokens[i + 1] === '.' && tokens[i - 1] !== '.';
  };
  let at = -1;
  return mapTokens(sql, (token) => {
    at++;
    return isTable(at) || isTable(at - 1) ? '' : token;
  });
}
