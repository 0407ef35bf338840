import { mapTokens } from './tokens.js';

/** Words after the tables that a SELECT reads from. */
const BEHIND_TABLES: ReadonlySet<string> = new Set(
  'WHERE GROUP HAVING ORDER LIMIT UNION EXCEPT INTERSECT'.split(' '),
);

/** The state of the statement, or of a parenthesis in it, at the current token. */
interface Level {
  /** True if FROM belongs to a SELECT, and not to a DELETE or to `TRIM(x FROM y)`. */
  isSelect: boolean;
  /** True if a comma or a JOIN is followed by another table. */
  inTables: boolean;
}

/** Replaces each table, view or common table expression that a SELECT reads from. */
function mapTables(sql: string, change: (table: string) => string): string {
  const around: Level[] = [];
  let level: Level = { isSelect: false, inTables: false };
  let isTableNext = false;
  return mapTokens(sql, (token) => {
    const isTable = isTableNext;
    isTableNext = false;
    const word = token.toUpperCase();
    switch (word) {
      case '(':
        around.push(level);
        level = { isSelect: false, inTables: isTable };
        isTableNext = isTable;
        return token;
      case ')':
        level = around.pop() ?? level;
        return token;
      case 'SELECT':
        level = { isSelect: true, inTables: false };
        return token;
      case 'VALUES':
      case 'WITH':
      case ';':
        level = { isSelect: false, inTables: false };
        return token;
      case 'FROM':
        if (level.isSelect) level.inTables = true;
        isTableNext = level.isSelect;
        return token;
      case ',':
      case 'JOIN':
        isTableNext = level.inTables;
        return token;
      case 'SEQSCAN':
        return token;
      default:
        if (BEHIND_TABLES.has(word)) level.inTables = false;
        return isTable ? change(token) : token;
    }
  });
}

/**
 * Allows a statement to read whole tables, which servers from 3.0 on refuse by default: puts `SEQSCAN` before each
 * table, view or common table expression that a SELECT in it reads from. Indexes are used as before.
 *
 * Source: `seqscan` and `source_list` in the server's `src/box/sql/parse.y`.
 *
 * @param sql - a whole statement
 * @example
 * allowScans('SELECT * FROM "a" JOIN "b"'); // 'SELECT * FROM SEQSCAN "a" JOIN SEQSCAN "b"'
 */
export function allowScans(sql: string): string {
  return mapTables(sql, (table) => `SEQSCAN ${table}`);
}

/**
 * Lists the tables that the SELECTs of a statement read from, as they are written there. The list is empty for a
 * statement with common table expressions, because their names may be those of tables.
 *
 * @example
 * tablesOf('CREATE VIEW v AS SELECT * FROM "a" JOIN b'); // ['"a"', 'b']
 */
export function tablesOf(sql: string): string[] {
  const tables: string[] = [];
  let hasOwn = false;
  mapTables(sql, (table) => {
    tables.push(table);
    return table;
  });
  mapTokens(sql, (token) => {
    hasOwn ||= token.toUpperCase() === 'WITH';
    return token;
  });
  return hasOwn ? [] : tables;
}
