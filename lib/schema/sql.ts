/**
 * Tarantool 2.x reads an unquoted SQL identifier as if it were in upper case; 3.x takes it as it is
 * written. A view or a trigger of 2.x means the same on both when its identifiers are quoted.
 *
 * Source: keywords from the server's `extra/mkkeywordhash.c`, those of 2.6.0 and 3.3.0 together.
 */
const KEYWORDS: ReadonlySet<string> = new Set(
  `ABORT ACTION ADD AFTER ALL ALTER ANALYZE AND ANY ARRAY AS ASC ASENSITIVE AUTOINCREMENT BEFORE BEGIN
  BETWEEN BINARY BLOB BOOL BOOLEAN BOTH BY CALL CASCADE CASE CAST CHAR CHARACTER CHECK COLLATE COLUMN
  COMMIT CONDITION CONFLICT CONNECT CONSTRAINT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME
  CURRENT_TIMESTAMP CURRENT_USER CURSOR DATE DATETIME DEC DECIMAL DECLARE DEFAULT DEFERRABLE DEFERRED
  DELETE DENSE_RANK DESC DESCRIBE DETERMINISTIC DISABLE DISTINCT DOUBLE DROP EACH ELSE ELSEIF ENABLE END
  ENGINE ESCAPE EXCEPT EXISTS EXPLAIN FAIL FALSE FETCH FLOAT FOR FOREIGN FROM FULL FUNCTION GET GRANT
  GROUP HAVING IF IGNORE IMMEDIATE IN INDEX INDEXED INITIALLY INNER INOUT INSENSITIVE INSERT INSTEAD INT
  INTEGER INTERSECT INTERVAL INTO IS ITERATE JOIN KEY LEADING LEAVE LEFT LIKE LIMIT LOCALTIME
  LOCALTIMESTAMP LOOP MAP MATCH NATURAL NO NOT NULL NUM NUMBER NUMERIC OF OFFSET ON OR ORDER OUT OUTER
  OVER PARTIAL PARTITION PLAN PRAGMA PRECISION PRIMARY PROCEDURE QUERY RAISE RANGE RANK READS REAL
  RECURSIVE REFERENCES REGEXP RELEASE RENAME REPEAT REPLACE RESIGNAL RESTRICT RETURN REVOKE RIGHT
  ROLLBACK ROW ROWS ROW_NUMBER SAVEPOINT SCALAR SELECT SENSITIVE SEQSCAN SESSION SET SHOW SIGNAL SIMPLE
  SMALLINT SPECIFIC SQL START STRING SYSTEM TABLE TEXT THEN TO TRAILING TRANSACTION TRIGGER TRIM TRUE
  TRUNCATE UNION UNIQUE UNKNOWN UNSIGNED UPDATE USER USING UUID VALUES VARBINARY VARCHAR VIEW WHEN
  WHENEVER WHERE WHILE WITH`.split(/\s+/),
);

/** A string, a quoted identifier, a comment, a number, a bound name, or a word; else one character. */
const TOKEN =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\d[\w.]*|[:@$#]\w+|[xX]'[^']*'|[\p{L}_][\p{L}\p{N}_$]*|[\s\S]/gu;
const WORD = /^[\p{L}_][\p{L}\p{N}_$]*$/u;

/**
 * Quotes each unquoted identifier, in upper case.
 *
 * @example
 * quoteIdentifiers('SELECT name FROM "t"'); // 'SELECT "NAME" FROM "t"'
 */
export function quoteIdentifiers(sql: string): string {
  return sql.replace(TOKEN, (token) => {
    const upper = token.toUpperCase();
    return WORD.test(token) && !KEYWORDS.has(upper) ? `"${upper}"` : token;
  });
}

/** The identifiers in a statement as 2.x reads them: quoted ones as they are, others in upper case. */
export function identifiersOf(sql: string): Set<string> {
  const found = new Set<string>();
  for (const [token] of sql.matchAll(TOKEN)) {
    if (token.startsWith('"')) found.add(token.slice(1, -1).replaceAll('""', '"'));
    else if (WORD.test(token)) found.add(token).add(token.toUpperCase());
  }
  return found;
}
