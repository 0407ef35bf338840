import type { ManifestSpace } from '../../backup/manifest.js';
import { indexBy } from '../../base/collections.js';
import { TntarError } from '../../base/errors.js';
import { quoted } from '../../base/report.js';
import { joinFields, splitFields } from '../../tuple/fields.js';
import { isString, isUint, nestsDeeper, readUint, stringBytes } from '../../tuple/msgpack.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { showKey } from '../catalog/keys.js';
import { SHAPES, type Shape } from '../catalog/row-shapes.js';
import { Field, SYSTEM_SPACE_NAMES, SystemSpace } from '../server/system-spaces.js';
import { sqlOf } from '../sql/dialect.js';
import { MAX_SQL_DEPTH, MAX_SQL_TOKENS, sizeOf } from '../sql/tokens.js';

/**
 * Checks that a server can have had the rows of system spaces, as far as this package reads them. An archive may hold
 * anything.
 */

/**
 * The limit of the nesting of a row of a system space. Lua writes 128 levels by default (`encode_max_depth` of the
 * server's `third_party/lua-cjson/lua_cjson.h`). The decoder runs out of stack at some thousands.
 */
export const MAX_NESTING = 1000;

function wrong(problem: string): TntarError {
  return new TntarError('archive', problem, {
    hint: 'the archive was not made by tntar, or was changed later; do not trust any of it',
  });
}

function nameOf(spaceId: number): string {
  return SYSTEM_SPACE_NAMES.get(spaceId) ?? `system space ${spaceId}`;
}

/**
 * Checks the nesting of a row.
 *
 * @param raw - a row of a system space that was not decoded yet
 * @throws TntarError of kind `archive` if decoding would take too much stack
 */
export function checkNesting(spaceId: number, raw: Buffer): void {
  if (!nestsDeeper(raw, MAX_NESTING)) return;
  throw wrong(`${nameOf(spaceId)}: a row nests deeper than ${MAX_NESTING} levels`);
}

/** Returns a text that is equal for equal values in any encoding, and for no others. */
function identity(raw: Buffer): string {
  const code = raw[0]!;
  if (isUint(code)) return `${readUint(raw, 0)}`;
  const bytes = isString(code) ? Buffer.from(stringBytes(raw, 0)) : raw;
  return `${bytes.length}:${bytes.toString('latin1')}`;
}

/** Checks the rows of one system space against its shape. */
function checkRows(spaceId: number, shape: Shape, rows: readonly SystemRow[]): void {
  const { kinds, least, unique, problem } = shape;
  const seen = unique.map(() => new Set<string>());
  for (const { raw, fields } of rows) {
    const split = splitFields(raw);
    const pick = (key: readonly number[]): Buffer[] => key.flatMap((i) => split[i] ?? []);
    const refuse = (what: string): TntarError =>
      wrong(`${nameOf(spaceId)}: row ${showKey(joinFields(pick(unique[0]!)))}: ${what}`);
    if (split.length < least)
      throw refuse(`it has ${split.length} fields, and at least ${least} are required`);
    for (const [i, kind] of kinds.entries()) {
      const field = split[i];
      if (field === undefined) break;
      if (!kind.fits(field, fields[i]!)) throw refuse(`field ${i + 1} is not ${kind.what}`);
    }
    const found = problem?.(fields);
    if (found !== undefined) throw refuse(found);
    for (const [i, key] of unique.entries()) {
      const value = pick(key);
      const text = value.map(identity).join(' ');
      if (seen[i]!.has(text)) throw refuse(`${showKey(joinFields(value))} occurs twice`);
      seen[i]!.add(text);
    }
  }
}

/** Texts in SQL in the rows of system spaces. */
const SQL_TEXTS: readonly (readonly [
  spaceId: number,
  name: number,
  textOf: (row: SystemRow) => unknown,
])[] = [
  [SystemSpace.SPACE, Field.space.name, (row) => sqlOf(row, Field.space.flags)],
  [SystemSpace.TRIGGER, Field.trigger.name, (row) => sqlOf(row, Field.trigger.options)],
  [
    SystemSpace.CK_CONSTRAINT,
    Field.ckConstraint.name,
    ({ fields }) => fields[Field.ckConstraint.code],
  ],
  [
    SystemSpace.FUNC,
    Field.func.name,
    ({ fields }) =>
      fields[Field.func.language] === 'SQL_EXPR' ? fields[Field.func.body] : undefined,
  ],
];

/** Refuses SQL that no server can parse, or that would take too much memory to read. */
function checkSql(catalog: Catalog): void {
  let left = MAX_SQL_TOKENS;
  for (const [spaceId, name, textOf] of SQL_TEXTS) {
    for (const row of catalog.rows(spaceId)) {
      const text = textOf(row);
      if (typeof text !== 'string') continue;
      const where = `${nameOf(spaceId)}: SQL of ${quoted(row.fields[name])}`;
      const { tokens, depth } = sizeOf(text, left);
      if (depth > MAX_SQL_DEPTH) {
        throw wrong(`${where} has more than ${MAX_SQL_DEPTH} nested parentheses`);
      }
      left -= tokens;
      if (left < 0) {
        throw new TntarError(
          'archive',
          `${where} is too long: all SQL together has more than ${MAX_SQL_TOKENS} tokens`,
          {
            hint: 'leave views and triggers out when you dump: --exclude, --filter, or --data-only',
          },
        );
      }
    }
  }
}

/** Compares the spaces with rows in the manifest with `_space`. */
function checkSpaces(listed: readonly ManifestSpace[], catalog: Catalog): void {
  const defined = indexBy(catalog.spaces, ({ id }) => id);
  for (const { id, name, engine, rowsFrom } of listed) {
    const space = defined.get(id);
    const where = `manifest.json: space ${id}`;
    if (space === undefined) throw wrong(`${where} ('${name}') is not in _space`);
    if (space.name !== name)
      throw wrong(`${where} is named '${name}' here, but '${space.name}' in _space`);
    if (space.engine !== engine) {
      throw wrong(
        `${where} ('${name}') has the engine ${engine} here, but ${space.engine} in _space`,
      );
    }
    if (rowsFrom !== 'none' && space.primaryKey === undefined) {
      throw wrong(`${where} ('${name}') has rows here, but no primary index in _index`);
    }
    defined.delete(id);
  }
  for (const { id, name } of defined.values()) {
    throw wrong(`_space: space ${id} ('${name}') is not in the manifest`);
  }
}

/**
 * Checks each row of system spaces, alone and against the others of its space.
 *
 * @throws TntarError of kind `archive` that names the first row that no server can have had
 */
export function validateRows(catalog: Catalog): void {
  for (const [spaceId, shape] of SHAPES) checkRows(spaceId, shape, catalog.rows(spaceId));
  checkSql(catalog);
}

/**
 * Checks the definitions of an archive.
 *
 * @param listed - the spaces of the manifest
 * @param catalog - the rows of the archive's system spaces
 * @throws TntarError of kind `archive` that names the first row that no server can have had, or the first difference
 * between the manifest and `_space`
 * @example
 * validate(manifest.spaces, catalog);
 */
export function validate(listed: readonly ManifestSpace[], catalog: Catalog): void {
  validateRows(catalog);
  checkSpaces(listed, catalog);
}
