import type { ManifestSpace } from '../archive/manifest.js';
import { TntarError } from '../errors.js';
import { Extension, type Value } from '../tuple/codec.js';
import { joinFields, parsePath, splitFields } from '../tuple/fields.js';
import {
  isArray,
  isInteger,
  isMap,
  isString,
  isUint,
  nestsDeeper,
  readUint,
  stringBytes,
} from '../tuple/msgpack.js';
import type { Catalog, SystemRow } from './catalog.js';
import { showKey } from './keys.js';
import { Field, SYSTEM_SPACE_NAMES, SystemSpace } from './system.js';

/**
 * Finds out whether rows of system spaces are such that a server can have had them, so far as this
 * package looks into them: an archive may hold anything.
 */

/**
 * How deep a row of a system space may nest. Lua writes 128 levels by default (`encode_max_depth` of
 * the server's `third_party/lua-cjson/lua_cjson.h`); the decoder runs out of stack at some thousands.
 */
export const MAX_NESTING = 1000;

/** What a field has to be, for messages, and whether a value is that. */
interface Kind {
  what: string;
  fits(raw: Buffer, value: Value): boolean;
}

type Options = Readonly<Record<string, (value: Value) => boolean>>;

function isOptions(value: Value | undefined): value is { [key: string]: Value } {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject && !(value instanceof Uint8Array) && !(value instanceof Extension);
}

/** True where each of these options is not there, or fits; there may be others. */
function hasOptions(value: Value, options: Options): boolean {
  if (!isOptions(value)) return false;
  return Object.entries(options).every(([key, fits]) => {
    const option = Object.hasOwn(value, key) ? value[key] : undefined;
    return option === undefined || fits(option);
  });
}

const isText = (value: Value | undefined): boolean => typeof value === 'string';
const isCount = (value: Value | undefined): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0;

function listOf(what: string, fits: (element: Value) => boolean): Kind {
  return { what, fits: (_raw, value) => Array.isArray(value) && value.every(fits) };
}

function mapOf(what: string, options: Options): Kind {
  return { what, fits: (raw, value) => isMap(raw[0]!) && hasOptions(value, options) };
}

const MAX_ID = 0xffffffff;

const id: Kind = { what: 'an id', fits: (raw) => readUint(raw, 0) <= MAX_ID };
const bits: Kind = { what: 'a set of bits', fits: id.fits };
const name: Kind = { what: 'a name', fits: (raw) => isString(raw[0]!) };
const text: Kind = { what: 'a string', fits: name.fits };
const count: Kind = { what: 'a whole number from 0 on', fits: (raw) => isUint(raw[0]!) };
const integer: Kind = { what: 'a whole number', fits: (raw) => isInteger(raw[0]!) };
const bool: Kind = { what: 'true or false', fits: (_raw, value) => typeof value === 'boolean' };
const array: Kind = { what: 'an array', fits: (raw) => isArray(raw[0]!) };
const map = mapOf('a map', {});
const any: Kind = { what: 'anything', fits: () => true };
/** Of all of a kind it is an empty string, and of what Lua calls a name. */
const object: Kind = {
  what: 'an id or a name',
  fits: (raw, value) => isText(value) || id.fits(raw, value),
};
/** Who has no password may have an empty array, or nothing: `user_def_fill_auth_data()` of `alter.cc`. */
const auth: Kind = {
  what: 'a map',
  fits: (raw, value) => value === null || Array.isArray(value) || map.fits(raw, value),
};
const texts = listOf('an array of strings', isText);
const columns = listOf('an array of whole numbers from 0 on', isCount);
const sql = mapOf("a map with a string as its 'sql'", { sql: isText });

const spaceFlags = mapOf('a map of options of a space', {
  sql: isText,
  constraint: isOptions,
  foreign_key: (keys) =>
    isOptions(keys) && Object.values(keys).every((key) => hasOptions(key, { space: isCount })),
});
/** What is no map, and options that a server does not know, are notes of an application. */
const format = listOf(
  "an array of fields, each with strings as its 'name' and 'type'",
  (field) =>
    !isOptions(field) || hasOptions(field, { name: isText, type: isText, collation: isCount }),
);
const indexOptions = mapOf('a map of options of an index', { func: isCount });
/** `[field, type]` in spaces that 1.x made. */
const indexParts = listOf('an array of parts, each of a field', (part) =>
  Array.isArray(part)
    ? isCount(part[0]) && (part.length < 2 || isText(part[1]))
    : isOptions(part) &&
      isCount(part['field']) &&
      hasOptions(part, { type: isText, path: isText, collation: isCount }),
);

/** What the rows of a system space are like. */
interface Shape {
  /** By field. Rows of older servers are shorter, and those of newer ones longer. */
  kinds: readonly Kind[];
  /** Fields that no row can do without. */
  least: number;
  /** Fields of unique indexes, of the primary one first. */
  unique: readonly (readonly number[])[];
  /** What else is wrong, if anything. */
  problem?: (fields: readonly Value[]) => string | undefined;
}

function problemOfIndex(fields: readonly Value[]): string | undefined {
  // Only the keys of a primary index are followed; others may lead to many values, by `[*]`.
  if (fields[Field.index.id] !== 0) return undefined;
  for (const part of fields[Field.index.parts] as Value[]) {
    if (!isOptions(part) || typeof part['path'] !== 'string') continue;
    try {
      parsePath(part['path']);
    } catch {
      return 'it has a part whose path leads nowhere';
    }
  }
  return undefined;
}

function problemOfForeignKey(fields: readonly Value[]): string | undefined {
  const { childColumns, parentColumns } = Field.fkConstraint;
  const [child, parent] = [fields[childColumns] as Value[], fields[parentColumns] as Value[]];
  return child.length === parent.length ? undefined : 'its columns do not pair';
}

/**
 * Kinds and unique indexes are those of `box.space._x:format()` and `box.space._x.index` of 2.6 to 3.x;
 * for the least fields see the `…_new_from_tuple()` of the server's `src/box/alter.cc`.
 */
const SHAPES: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [SystemSpace.SCHEMA, { kinds: [text, any], least: 1, unique: [[0]] }],
  [SystemSpace.COLLATION, { kinds: [id, name, id, text, text, map], least: 6, unique: [[0], [1]] }],
  [
    SystemSpace.SPACE,
    {
      kinds: [id, id, name, text, count, spaceFlags, format],
      least: 7,
      unique: [[0], [2]],
    },
  ],
  [
    SystemSpace.SEQUENCE,
    {
      kinds: [id, id, name, integer, integer, integer, integer, integer, bool],
      least: 9,
      unique: [[0], [2]],
    },
  ],
  [SystemSpace.SEQUENCE_DATA, { kinds: [id, integer], least: 2, unique: [[0]] }],
  [
    SystemSpace.INDEX,
    {
      kinds: [id, id, name, text, indexOptions, indexParts],
      least: 6,
      unique: [
        [0, 1],
        [0, 2],
      ],
      problem: problemOfIndex,
    },
  ],
  [
    SystemSpace.FUNC,
    {
      kinds: [
        ...[id, id, name, count, text, text, text, texts, text, text, text],
        ...[bool, bool, bool, texts, map, text, text, text, array],
      ],
      least: 3,
      unique: [[0], [2]],
    },
  ],
  [
    SystemSpace.USER,
    { kinds: [id, id, name, text, auth, array, count], least: 4, unique: [[0], [2]] },
  ],
  [SystemSpace.PRIV, { kinds: [id, id, text, object, bits], least: 5, unique: [[1, 2, 3]] }],
  [SystemSpace.TRIGGER, { kinds: [name, id, sql], least: 3, unique: [[0]] }],
  [SystemSpace.SPACE_SEQUENCE, { kinds: [id, id, bool, count, text], least: 3, unique: [[0]] }],
  [
    SystemSpace.FK_CONSTRAINT,
    {
      kinds: [name, id, id, bool, text, text, text, columns, columns],
      least: 9,
      unique: [[0, 1]],
      problem: problemOfForeignKey,
    },
  ],
  [
    SystemSpace.CK_CONSTRAINT,
    { kinds: [id, name, bool, text, text, bool], least: 5, unique: [[0, 1]] },
  ],
  [SystemSpace.FUNC_INDEX, { kinds: [id, id, id], least: 3, unique: [[0, 1]] }],
]);

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
  for (const [spaceId, shape] of SHAPES) checkRows(spaceId, shape, catalog.rows(spaceId));
  checkSpaces(listed, catalog);
}
