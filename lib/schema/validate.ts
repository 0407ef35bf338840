import type { ManifestSpace } from '../archive/manifest.js';
import { TntarError } from '../errors.js';
import { joinFields, splitFields } from '../tuple/fields.js';
import { isString, isUint, nestsDeeper, readUint, stringBytes } from '../tuple/msgpack.js';
import type { Catalog, SystemRow } from './catalog.js';
import { showKey } from './keys.js';
import { SHAPES, type Shape } from './shapes.js';
import { SYSTEM_SPACE_NAMES } from './system.js';

/**
 * Finds out whether rows of system spaces are such that a server can have had them, so far as this
 * package looks into them: an archive may hold anything.
 */

/**
 * How deep a row of a system space may nest. Lua writes 128 levels by default (`encode_max_depth` of
 * the server's `third_party/lua-cjson/lua_cjson.h`); the decoder runs out of stack at some thousands.
 */
export const MAX_NESTING = 1000;

function wrong(problem: string): TntarError {
  return new TntarError('archive', problem, {
    hint: 'the archive was not made by tntar, or was changed since; nothing of it can be trusted',
  });
}

function nameOf(spaceId: number): string {
  return SYSTEM_SPACE_NAMES.get(spaceId) ?? `system space ${spaceId}`;
}

/**
 * @param raw - a row of a system space that was not decoded yet
 * @throws TntarError of kind `archive` where that would take too much stack
 */
export function checkNesting(spaceId: number, raw: Buffer): void {
  if (!nestsDeeper(raw, MAX_NESTING)) return;
  throw wrong(`${nameOf(spaceId)}: a row nests deeper than ${MAX_NESTING} levels`);
}

/** The same for values that are the same, whatever their encoding, and for no others. */
function identity(raw: Buffer): string {
  const code = raw[0]!;
  if (isUint(code)) return `${readUint(raw, 0)}`;
  const bytes = isString(code) ? Buffer.from(stringBytes(raw, 0)) : raw;
  return `${bytes.length}:${bytes.toString('latin1')}`;
}

/** Holds the rows of one system space against its shape. */
function checkRows(spaceId: number, shape: Shape, rows: readonly SystemRow[]): void {
  const { kinds, least, unique, problem } = shape;
  const seen = unique.map(() => new Set<string>());
  for (const { raw, fields } of rows) {
    const split = splitFields(raw);
    const pick = (key: readonly number[]): Buffer[] => key.flatMap((i) => split[i] ?? []);
    const refuse = (what: string): TntarError =>
      wrong(`${nameOf(spaceId)}: row ${showKey(joinFields(pick(unique[0]!)))}: ${what}`);
    if (split.length < least) throw refuse(`it has ${split.length} fields, not ${least} or more`);
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
      if (seen[i]!.has(text)) throw refuse(`${showKey(joinFields(value))} is there twice`);
      seen[i]!.add(text);
    }
  }
}

/** The manifest says of which spaces there are rows, and `_space` what becomes of these. */
function checkSpaces(listed: readonly ManifestSpace[], catalog: Catalog): void {
  const defined = new Map(catalog.spaces.map((space) => [space.id, space]));
  for (const { id, name, engine, rowsFrom } of listed) {
    const space = defined.get(id);
    const where = `manifest.json: space ${id}`;
    if (space === undefined) throw wrong(`${where} ('${name}') is not in _space`);
    if (space.name !== name)
      throw wrong(`${where} is '${name}' here, and '${space.name}' in _space`);
    if (space.engine !== engine) {
      throw wrong(`${where} ('${name}') is of ${engine} here, and of ${space.engine} in _space`);
    }
    if (rowsFrom !== 'none' && space.primaryKey === undefined) {
      throw wrong(`${where} ('${name}') has rows here, and in _index no primary index for them`);
    }
    defined.delete(id);
  }
  for (const { id, name } of defined.values()) {
    throw wrong(`_space: space ${id} ('${name}') is not in the manifest`);
  }
}

/**
 * Checks each row of system spaces by itself and against the others of its space.
 *
 * @throws TntarError of kind `archive` that names the first row that no server can have had
 */
export function validateRows(catalog: Catalog): void {
  for (const [spaceId, shape] of SHAPES) checkRows(spaceId, shape, catalog.rows(spaceId));
}

/**
 * Checks what an archive says about spaces, users, and all else that is defined.
 *
 * @param listed - the spaces of the manifest
 * @param catalog - the rows of the archive's system spaces
 * @throws TntarError of kind `archive` that names the first row that no server can have had, or where
 * the manifest and `_space` differ
 * @example
 * validate(manifest.spaces, catalog);
 */
export function validate(listed: readonly ManifestSpace[], catalog: Catalog): void {
  validateRows(catalog);
  checkSpaces(listed, catalog);
}
