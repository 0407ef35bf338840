import { shorten } from '../base/report.js';
import type { TextColumn } from './layout.js';
import { Unrepresentable } from './unrepresentable.js';

/** Limits of a database on tables and their names. */
export interface TableLimits {
  /** The name of the database for messages. */
  database: string;
  columns: number;
  /** The number of columns of one index, the primary key included. */
  keyColumns: number;
  /** The length of a name in bytes. */
  nameBytes: number;
  /** Returns the same text for all names that the database treats as equal. */
  fold(name: string): string;
  /** Matches names that no table may have. */
  reservedTable: RegExp;
  /** Matches names that no column may have. */
  reservedColumn: RegExp;
  /** Matches names that the program that loads the text would change. */
  changedName: RegExp;
}

const NONE = /(?!)/;

/**
 * Limits of unknown databases. The standard has none, and databases differ. In the standard, names in double quotes
 * are case-sensitive; in DuckDB, MySQL and SQL Server columns are not, and this text is for any of them.
 */
export const SQL_LIMITS: TableLimits = {
  database: 'a database such as DuckDB',
  columns: Number.POSITIVE_INFINITY,
  keyColumns: Number.POSITIVE_INFINITY,
  nameBytes: Number.POSITIVE_INFINITY,
  fold: (name) => name.toLowerCase(),
  reservedTable: NONE,
  reservedColumn: NONE,
  changedName: NONE,
};

/**
 * Limits of SQLite: `SQLITE_MAX_COLUMN` of `src/sqliteLimit.h`, `sqlite3CheckObjectName()` of `src/build.c`, and
 * `sqlite3StrICmp()` of `src/util.c`, which only knows letters of ASCII.
 */
export const SQLITE_LIMITS: TableLimits = {
  ...SQL_LIMITS,
  database: 'SQLite',
  columns: 2000,
  fold: (name) => name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  reservedTable: /^sqlite_/i,
  // Source: `local_getline()` of the shell's `shell.c`.
  changedName: /\r\n/,
};

/**
 * Limits of PostgreSQL: `MaxHeapAttributeNumber` of `src/include/access/htup_details.h`; `INDEX_MAX_KEYS` and
 * `NAMEDATALEN` of `src/include/pg_config_manual.h`, which cuts longer names; the columns that
 * `src/backend/catalog/heap.c` adds to each table. A table such as `pg_class` can be created, but its name then means
 * the system's.
 */
export const POSTGRES_LIMITS: TableLimits = {
  ...SQL_LIMITS,
  database: 'PostgreSQL',
  columns: 1600,
  keyColumns: 32,
  nameBytes: 63,
  fold: (name) => name,
  reservedTable: /^pg_/,
  reservedColumn: /^(ctid|xmin|cmin|xmax|cmax|tableoid)$/,
};

const FIELDS = 'leave the field out with --fields, or use --format csv';
const NO_TABLE = 'use --format csv, and load it into a table with another name';

const shown = (name: string): string => JSON.stringify(shorten(name));

/**
 * Refuses columns and names that a database would refuse, or change silently, before the first row.
 *
 * @throws Unrepresentable for too many columns, and for a name that the database cannot have
 */
export function checkLimits(
  table: string,
  columns: readonly TextColumn[],
  limits: TableLimits,
): void {
  const { database } = limits;
  if (columns.length > limits.columns) {
    throw new Unrepresentable(
      `there are ${columns.length} columns, and a table of ${database} can have at most ${limits.columns}`,
      `choose up to ${limits.columns} of them with --fields, or use --format ndjson or csv`,
    );
  }
  checkName(table, limits, NO_TABLE);
  if (limits.reservedTable.test(table)) {
    throw new Unrepresentable(
      `${database} does not allow a table with the name ${shown(table)}`,
      NO_TABLE,
    );
  }
  const seen = new Map<string, string>();
  for (const { name } of columns) {
    checkName(name, limits, FIELDS);
    if (limits.reservedColumn.test(name)) {
      throw new Unrepresentable(
        `every table of ${database} already has a column ${shown(name)}`,
        FIELDS,
      );
    }
    const other = seen.get(limits.fold(name));
    if (other !== undefined) {
      throw new Unrepresentable(
        `${database} cannot tell the columns ${shown(other)} and ${shown(name)} apart`,
        'leave one of the fields out with --fields, or use --format csv',
      );
    }
    seen.set(limits.fold(name), name);
  }
}

/**
 * Checks one name of a table, a column or an index.
 *
 * Readers such as `sqlite3` end a line at a zero byte, and the quote after it: the rest of the name would be run as a
 * command. Servers refuse such names, so somebody made it on purpose.
 *
 * @throws Unrepresentable for a name that the database, or the program that loads the text, does not keep unchanged
 */
export function checkName(
  name: string,
  { database, nameBytes, changedName }: TableLimits,
  hint: string,
): void {
  if (name === '') throw new Unrepresentable('a name is empty', hint);
  if (name.includes('\0')) {
    throw new Unrepresentable(
      `the name ${shown(name)} has a zero byte`,
      'use --format ndjson or csv; do not trust anything else in this archive',
    );
  }
  if (changedName.test(name)) {
    throw new Unrepresentable(
      `the name ${shown(name)} has a line end of two characters, which ${database} changes`,
      hint,
    );
  }
  const bytes = Buffer.byteLength(name);
  if (bytes <= nameBytes) return;
  throw new Unrepresentable(
    `the name ${shown(name)} has ${bytes} bytes, and the limit of ${database} is ${nameBytes}`,
    hint,
  );
}
