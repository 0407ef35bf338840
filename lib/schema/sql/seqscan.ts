import { mapTokens } from './tokens.js';

/** Words behind the tables that a SELECT reads from. */
const BEHIND_TABLES: ReadonlySet<string> = new Set(
  'WHERE GROUP HAVING ORDER LIMIT UNION EXCEPT INTERSECT'.split(' '),
);

/** Where in a statement, or in a parenthesis inside of one, a token stands. */
interface Level {
  /** FROM belongs to a SELECT, and not to a DELETE or to `TRIM(x FROM y)`. */
  isSelect: boolean;
  /** A comma, or a JOIN, is followed by one more table. */
  inTables: boolean;
}

/** Puts another text in the place of each table, view or common table expression that a SELECT reads from. */
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
 * Allows a statement to read whole tables, which servers from 3.0 on refuse unless it says so: puts
 * `SEQSCAN` before each table, view or common table expression that a SELECT in it reads from. Indexes
 * are used as before.
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
 * Lists what the SELECTs of a statement read from, as it is written there. A statement with common table
 * expressions, whose names may be those of tables, has none.
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
