import { decode } from '../../tuple/codec.js';
import { editMap } from '../../tuple/edit.js';
import { str } from '../../tuple/msgpack.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { editField, isTable } from '../catalog/rows.js';
import {
  CASE_SENSITIVE,
  isGained,
  isLost,
  isOlder,
  type Release,
  SCANS_FORBIDDEN,
  SEQSCAN,
} from '../server/release.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import { BUILTINS } from './functions.js';
import { allowScans } from './seqscan.js';
import { identifiersOf, isKeyword, mapWords, quote, tokensOf, unquote } from './tokens.js';

/** Returns the SQL text of a view or a trigger; undefined if the row has none. */
export function sqlOf(row: SystemRow, fieldNo: number): string | undefined {
  const options = row.fields[fieldNo];
  const sql = isTable(options) ? options['sql'] : undefined;
  return typeof sql === 'string' ? sql : undefined;
}

/** Returns the names, other than those of spaces, that SQL of a backup can use, as the server stores them. */
export function otherNamesOf(backup: Catalog): ReadonlySet<string> {
  const named = [
    [SystemSpace.INDEX, Field.index.name],
    [SystemSpace.FUNC, Field.func.name],
    [SystemSpace.COLLATION, Field.collation.name],
    [SystemSpace.TRIGGER, Field.trigger.name],
  ] as const;
  const names = named.flatMap(([spaceId, field]) =>
    backup.userRows(spaceId).map(({ fields }) => String(fields[field])),
  );
  const columns = backup.spaces.flatMap(({ format }) =>
    format.filter(isTable).map((field) => String(field['name'])),
  );
  return new Set([...names, ...columns]);
}

/** Returns the names of functions that SQL of a backup can call, besides the built-in ones. */
export function functionNamesOf(backup: Catalog): ReadonlySet<string> {
  return new Set(
    backup.userRows(SystemSpace.FUNC).map(({ fields }) => String(fields[Field.func.name])),
  );
}

/** Returns all names that SQL of a backup can use, those of spaces included. */
export function namesOf(backup: Catalog): ReadonlySet<string> {
  const spaces = backup.userRows(SystemSpace.SPACE).map(({ fields }) => fields[Field.space.name]);
  return new Set([...spaces.map(String), ...otherNamesOf(backup)]);
}

/** Returns true if a text is from 2.x: it writes a name in lower case that exists in upper case only. */
export function namesInCapitals(sql: string, names: ReadonlySet<string>): boolean {
  let isFound = false;
  mapWords(sql, (word) => {
    isFound ||= !names.has(word) && names.has(word.toUpperCase());
    return word;
  });
  return isFound;
}

/** The names of the changed row inside of a trigger. */
const PSEUDO_TABLES: readonly string[] = ['NEW', 'OLD'];

/**
 * Filters SQL of one server so that it means the same on another. 2.x converts an identifier without quotes to upper
 * case. 3.x looks it up as written, and then in upper case. Some words became keywords. `SEQSCAN` came with 2.11, and
 * 3.x requires it before a table that is read as a whole.
 *
 * @example
 * const dialect = new Dialect([2, 6], [3, 0], names);
 * dialect.translate('SELECT name FROM t'); // 'SELECT "NAME" FROM SEQSCAN "T"'
 */
export class Dialect {
  readonly #source: Release;
  readonly #target: Release;
  readonly #names: ReadonlySet<string>;
  readonly #functions: ReadonlySet<string>;

  /**
   * @param names - all names that the SQL can use
   * @param functions - the names of functions among them
   */
  constructor(
    source: Release,
    target: Release,
    names: ReadonlySet<string>,
    functions: ReadonlySet<string> = names,
  ) {
    this.#source = source;
    this.#target = target;
    this.#names = names;
    this.#functions = functions;
  }

  translate(sql: string): string {
    const source = this.#source;
    const target = this.#target;
    const sameCase = isOlder(source, CASE_SENSITIVE) === isOlder(target, CASE_SENSITIVE);
    // Names that the text itself defines.
    const given = new Set(tokensOf(sql).flatMap((token) => unquote(token) ?? []));
    const translated = mapWords(sql, (word, isCalled) => {
      const upper = word.toUpperCase();
      if (isKeyword(upper, source)) {
        return upper === 'SEQSCAN' && isLost(SEQSCAN, source, target) ? '' : word;
      }
      if (sameCase && !isKeyword(upper, target)) return word;
      return quote(this.#meaning(word, isCalled, given));
    });
    return isGained(SCANS_FORBIDDEN, source, target) ? allowScans(translated) : translated;
  }

  /** Returns the row with its SQL, if it has any, in the dialect of the target. */
  row(spaceId: number, row: SystemRow): SystemRow {
    switch (spaceId) {
      case SystemSpace.SPACE:
        return this.#option(row, Field.space.flags);
      case SystemSpace.TRIGGER:
        return this.#option(row, Field.trigger.options);
      case SystemSpace.CK_CONSTRAINT:
        return editField(row, Field.ckConstraint.code, (code) => this.#text(code));
      case SystemSpace.FUNC:
        if (row.fields[Field.func.language] !== 'SQL_EXPR') return row;
        return editField(row, Field.func.body, (body) => this.#text(body));
      default:
        return row;
    }
  }

  /** Returns the name that a word stands for on the source. */
  #meaning(word: string, isCalled: boolean, given: ReadonlySet<string>): string {
    const upper = word.toUpperCase();
    if (isOlder(this.#source, CASE_SENSITIVE)) return upper;
    // The server looks up its own functions first.
    if (isCalled) return !BUILTINS.has(upper) && this.#functions.has(word) ? word : upper;
    const isName = (name: string): boolean => this.#names.has(name) || given.has(name);
    if (isName(word)) return word;
    return PSEUDO_TABLES.includes(upper) || isName(upper) ? upper : word;
  }

  #text(raw: Buffer): Buffer {
    const sql = decode(raw);
    if (typeof sql !== 'string') return raw;
    const translated = this.translate(sql);
    return translated === sql ? raw : str(translated);
  }

  #option(row: SystemRow, fieldNo: number): SystemRow {
    return editField(row, fieldNo, (options) =>
      editMap(options, (key, value) => (key === 'sql' ? this.#text(value) : value)),
    );
  }
}

/** Sorts rows so that each comes after those that its SQL uses. */
function sortByNames(
  rows: readonly SystemRow[],
  nameField: number,
  sqlIn: (row: SystemRow) => string | undefined,
): SystemRow[] {
  const byName = new Map(rows.map((row) => [String(row.fields[nameField]), row]));
  const entered = new Set<SystemRow>();
  const sorted: SystemRow[] = [];
  // The rows on the current path, each with its names that are left to visit. Not recursive: a chain may be longer
  // than the stack.
  const under: { row: SystemRow; names: Iterator<string> }[] = [];
  const enter = (row: SystemRow): void => {
    if (entered.has(row)) return;
    entered.add(row);
    under.push({ row, names: identifiersOf(sqlIn(row) ?? '').values() });
  };
  for (const row of rows) {
    enter(row);
    for (let top = under.at(-1); top !== undefined; top = under.at(-1)) {
      const { done, value } = top.names.next();
      if (done) {
        sorted.push(top.row);
        under.pop();
        continue;
      }
      const other = byName.get(value);
      if (other !== undefined) enter(other);
    }
  }
  return sorted;
}

/** Sorts views so that each comes after those that it reads. */
export function sortViews(views: readonly SystemRow[]): SystemRow[] {
  return sortByNames(views, Field.space.name, (row) => sqlOf(row, Field.space.flags));
}

/** Sorts functions so that each comes after those that it calls in SQL, which the server looks up at once. */
export function sortFunctions(functions: readonly SystemRow[]): SystemRow[] {
  return sortByNames(functions, Field.func.name, ({ fields }) =>
    fields[Field.func.language] === 'SQL_EXPR' ? String(fields[Field.func.body]) : undefined,
  );
}
