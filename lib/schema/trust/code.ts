import { defined } from '../../base/defined.js';
import { quoted } from '../../base/report.js';
import { decode, type Value } from '../../tuple/codec.js';
import { editArray, editMap } from '../../tuple/edit.js';
import { Catalog, type SystemRow } from '../catalog/catalog.js';
import { spaceOf } from '../catalog/ownership.js';
import { arrayOf, editField, isTable, spaceIdOf, tableOf, withoutKeys } from '../catalog/rows.js';
import type { Unmakable } from '../convert/expressions.js';
import { Describer, isView } from '../describe/describe.js';
import { DEFAULT_VALUES, isOlder, type Release } from '../server/release.js';
import { Field, SystemSpace } from '../server/system-spaces.js';

/**
 * Decides which parts of a backup are code, that is, text that a server runs or evaluates, now or later. No other
 * file decides this.
 *
 * Source: `func_new()` of the server's `src/box/func.c`; `sql_view_compile()`, `sql_trigger_compile()` and
 * `sql_expr_compile()` of `src/box/sql.c` with their callers in `src/box/alter.cc` and `src/box/field_def.c`.
 */

/** A text that is code. */
export interface Code {
  /** The place in the row; undefined if the whole row is about this code. */
  place?: string;
  text: string;
}

/** Options of a space that are texts in SQL. Servers before 2.2 have `checks`. */
const SPACE_CODE = ['sql', 'checks'];

/** Returns true for a default that is a literal, which needs no evaluation. */
export function isLiteral(sql: string): boolean {
  let text = sql.trim();
  while (text.startsWith('(') && text.endsWith(')')) text = text.slice(1, -1).trim();
  if (text.length > 1 && text.startsWith("'") && text.endsWith("'")) {
    return !text.slice(1, -1).replaceAll("''", '').includes("'");
  }
  return LITERAL.test(text);
}

const LITERAL =
  /^(?:null|true|false|unknown|x'[\da-f]*'|[+-]?\s*(?:0x[\da-f]+|\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?))$/i;

/** Returns the default of a field, if a server of this release evaluates it whenever a row has no value there. */
function defaultCode(field: Value, release: Release): string | undefined {
  // From 3.0 on a default is a value.
  if (!isTable(field) || !isOlder(release, DEFAULT_VALUES)) return undefined;
  const text = Object.hasOwn(field, 'default') ? field['default'] : undefined;
  return typeof text === 'string' && !isLiteral(text) ? text : undefined;
}

function textsIn(value: Value | undefined): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isTable(value) && 'expr' in value ? textsIn(value['expr']) : [];
}

function spaceCode(row: SystemRow, release: Release): Code[] {
  const flags = row.fields[Field.space.flags];
  const options = isTable(flags)
    ? SPACE_CODE.filter((key) => Object.hasOwn(flags, key)).flatMap((key) => textsIn(flags[key]))
    : [];
  const defaults = arrayOf(row.fields[Field.space.format]).flatMap((field, i): Code[] => {
    const text = defaultCode(field, release);
    if (text === undefined) return [];
    return [{ place: `default of ${nameOf(field, i)}`, text }];
  });
  return [...options.map((text) => ({ text })), ...defaults];
}

function nameOf(field: Value, i: number): string {
  const { name } = tableOf(field);
  return `field ${name === undefined ? i + 1 : quoted(name)}`;
}

/**
 * Lists the code in a row of a system space.
 *
 * @param row - in the form for a server of this release
 * @example
 * codeIn(SystemSpace.CK_CONSTRAINT, row, [2, 6]); // [{ text: '"sum" > 0' }]
 */
export function codeIn(spaceId: number, row: SystemRow, release: Release): Code[] {
  const { fields } = row;
  const whole = (value: Value | undefined): Code[] => textsIn(value).map((text) => ({ text }));
  switch (spaceId) {
    case SystemSpace.FUNC:
      return whole(fields[Field.func.body]);
    case SystemSpace.SPACE:
      return spaceCode(row, release);
    case SystemSpace.TRIGGER:
      return whole(tableOf(fields[Field.trigger.options])['sql']);
    case SystemSpace.CK_CONSTRAINT:
      return whole(fields[Field.ckConstraint.code]);
    default:
      return [];
  }
}

/** Returns all code in a row as one text; undefined if there is none. */
export function codeOf(spaceId: number, row: SystemRow, release: Release): string | undefined {
  const codes = codeIn(spaceId, row, release);
  if (codes.length === 0) return undefined;
  return codes
    .map(({ place, text }) => (place === undefined ? text : `${place}: ${text}`))
    .join('\n');
}

/** A backup without code, and the list of what was left out. */
export interface Codeless {
  backup: Catalog;
  left: Unmakable[];
}

const WHY = 'it is code';

/** System spaces whose rows are code only, and belong to a space. The plan leaves out functions. */
const ALL_CODE: readonly number[] = [SystemSpace.TRIGGER, SystemSpace.CK_CONSTRAINT];

/**
 * Leaves out all code except functions: views, checks and triggers of SQL, and defaults that are not literals.
 *
 * @param backup - the user's rows of its system spaces, converted for a server of this release
 * @param target - knows the names of built-in objects
 */
export function withoutCode(backup: Catalog, target: Catalog, release: Release): Codeless {
  const describer = new Describer(backup, target);
  const left: Unmakable[] = [];
  const leave = (spaceId: number | undefined, what: string): void => {
    left.push({ ...defined({ spaceId }), line: `${what}: ${WHY}` });
  };
  const views = new Set<number>();
  const spaces = backup.userRows(SystemSpace.SPACE).flatMap((row) => {
    const what = describer.row(SystemSpace.SPACE, row);
    if (isView(row.fields)) {
      views.add(spaceIdOf(row));
      leave(spaceIdOf(row), what);
      return [];
    }
    const codes = codeIn(SystemSpace.SPACE, row, release);
    if (codes.length === 0) return [row];
    for (const { place = 'SQL' } of codes) leave(spaceIdOf(row), `${place} of ${what}`);
    return [withoutTexts(row, release)];
  });
  const isLeft = (spaceId: number, row: SystemRow): boolean => {
    const space = spaceOf(spaceId, row);
    const isCode = ALL_CODE.includes(spaceId);
    if (isCode) leave(space, describer.row(spaceId, row));
    // The plan leaves out grants, and names them.
    return !isCode && (spaceId === SystemSpace.PRIV || !views.has(space ?? -1));
  };
  return {
    backup: Catalog.of((spaceId) =>
      spaceId === SystemSpace.SPACE
        ? spaces
        : backup.userRows(spaceId).filter((row) => isLeft(spaceId, row)),
    ),
    left,
  };
}

/** Returns a row of `_space` without the texts that a server evaluates. */
function withoutTexts(row: SystemRow, release: Release): SystemRow {
  const plain = editField(row, Field.space.flags, (flags) => withoutKeys(flags, SPACE_CODE));
  return editField(plain, Field.space.format, (format) =>
    editArray(format, (field) =>
      defaultCode(decode(field), release) === undefined
        ? field
        : editMap(field, (key, value) => (key === 'default' ? undefined : value)),
    ),
  );
}
