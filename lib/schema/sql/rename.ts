import { TntarError } from '../../base/errors.js';
import { quoted } from '../../base/report.js';
import { decode } from '../../tuple/codec.js';
import { editMap } from '../../tuple/edit.js';
import { str } from '../../tuple/msgpack.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { editField } from '../catalog/rows.js';
import { CASE_SENSITIVE, isOlder, type Release, releaseOf } from '../server/release.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import { otherNamesOf } from './dialect.js';
import { identifiersOf, isKeyword, isWord, mapTokens, quote, tokensOf, unquote } from './tokens.js';

/** Words that come before the name of a table and before nothing else. */
const BEFORE_TABLES: readonly string[] = ['JOIN', 'INTO', 'SEQSCAN', 'UPDATE', 'VIEW'];

type Place = 'table' | 'other' | 'unclear';

/** Returns the kind of name at the position of a token. */
function placeOf(tokens: readonly string[], at: number, isTrimmed: boolean): Place {
  const before = tokens[at - 1]?.toUpperCase() ?? '';
  const after = tokens[at + 1];
  // It is a column of a table, or a function.
  if (before === '.' || (after === '(' && before !== 'INTO')) return 'other';
  if (after === '.' || BEFORE_TABLES.includes(before)) return 'table';
  // FROM is also a word of TRIM.
  return before === 'FROM' && !isTrimmed ? 'table' : 'unclear';
}

function unclear(name: string, next: string, what: string, why: string): TntarError {
  return new TntarError(
    'usage',
    `space ${quoted(name)} cannot be renamed to ${quoted(next)}: ${what} uses ${quoted(why)}, possibly as the name of something else`,
    { hint: `leave ${what} out, or choose another name` },
  );
}

/**
 * Renames spaces in the SQL of views, triggers and checks. An identifier that may also mean something else, such as a
 * column, is refused.
 *
 * Functions in SQL (`SQL_EXPR`) are not changed, because they cannot use a space: the server refuses both a dot and a
 * subselect, `TK_DOT` and `TK_SELECT` in `sqlExprCodeTarget()` of its `src/box/sql/expr.c`. It accepts a subselect
 * after `IN`, but then no row passes.
 *
 * @example
 * new SpaceNames(new Map([['T', 'u']]), catalog, '2.11.9').text('SELECT * FROM t', false, "view 'v'");
 * // 'SELECT * FROM "u"'
 */
export class SpaceNames {
  readonly #renames: ReadonlyMap<string, string>;
  readonly #source: Release;
  readonly #spaces: ReadonlySet<string>;
  readonly #others: ReadonlySet<string>;

  /** @param version - of the backup's server */
  constructor(renames: ReadonlyMap<string, string>, catalog: Catalog, version: string) {
    this.#renames = renames;
    this.#source = releaseOf(version);
    this.#spaces = new Set(catalog.spaces.map(({ name }) => name));
    this.#others = otherNamesOf(catalog);
  }

  /** Returns the row with renamed spaces in its SQL, if it has any. */
  row(spaceId: number, row: SystemRow): SystemRow {
    const { fields } = row;
    switch (spaceId) {
      case SystemSpace.SPACE:
        return this.#option(row, Field.space.flags, `view ${quoted(fields[Field.space.name])}`);
      case SystemSpace.TRIGGER: {
        const what = `trigger ${quoted(fields[Field.trigger.name])}`;
        return this.#option(row, Field.trigger.options, what);
      }
      case SystemSpace.CK_CONSTRAINT: {
        const what = `check ${quoted(fields[Field.ckConstraint.name])}`;
        return editField(row, Field.ckConstraint.code, (code) => this.#raw(code, true, what));
      }
      default:
        return row;
    }
  }

  /**
   * Renames spaces in a text.
   *
   * @param isExpression - true for a check, where a table can only stand before a dot
   * @param what - the object with the SQL, for messages
   * @throws TntarError of kind `usage` if the meaning of an identifier is not certain
   */
  text(sql: string, isExpression: boolean, what: string): string {
    const tokens = tokensOf(sql);
    const found = identifiersOf(sql);
    let at = -1;
    return mapTokens(sql, (token) => {
      at++;
      const name = this.#spaceOf(token);
      const next = name === undefined ? undefined : this.#renames.get(name);
      if (name === undefined || next === undefined) return token;
      const place = placeOf(tokens, at, found.has('TRIM'));
      if (place === 'other' || (isExpression && place !== 'table')) return token;
      if (found.has(next) && !this.#renames.has(next)) throw unclear(name, next, what, next);
      const isOther = this.#others.has(name) || this.#others.has(token);
      if (isOther && place !== 'table') throw unclear(name, next, what, name);
      return quote(next);
    });
  }

  /** Returns the space that an identifier means, if it means one. */
  #spaceOf(token: string): string | undefined {
    const name = unquote(token);
    if (name !== undefined) return name;
    const upper = token.toUpperCase();
    if (!isWord(token) || isKeyword(upper, this.#source)) return undefined;
    return isOlder(this.#source, CASE_SENSITIVE) || !this.#spaces.has(token) ? upper : token;
  }

  #raw(raw: Buffer, isExpression: boolean, what: string): Buffer {
    const sql = decode(raw);
    if (typeof sql !== 'string') return raw;
    const edited = this.text(sql, isExpression, what);
    return edited === sql ? raw : str(edited);
  }

  #option(row: SystemRow, fieldNo: number, what: string): SystemRow {
    return editField(row, fieldNo, (options) =>
      editMap(options, (key, value) => (key === 'sql' ? this.#raw(value, false, what) : value)),
    );
  }
}
