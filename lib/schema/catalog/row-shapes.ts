import type { Value } from '../../tuple/codec.js';
import { parsePath } from '../../tuple/fields.js';
import { isArray, isInteger, isMap, isString, isUint, readUint } from '../../tuple/msgpack.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import { isTable } from './rows.js';

/** The shapes of rows of system spaces on all servers, as far as this package reads them. */

/** A check of a field, and the expected value in words. */
interface Kind {
  what: string;
  fits(raw: Buffer, value: Value): boolean;
}

type Options = Readonly<Record<string, (value: Value) => boolean>>;

/** Returns true if each of these options is missing or fits. Other options are allowed. */
function hasOptions(value: Value, options: Options): boolean {
  if (!isTable(value)) return false;
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
/** For all objects of a type it is an empty string, and for what Lua may call it is a name. */
const object: Kind = {
  what: 'an id or a name',
  fits: (raw, value) => isText(value) || id.fits(raw, value),
};
/** A user without a password may have an empty array or nothing: `user_def_fill_auth_data()` of `alter.cc`. */
const auth: Kind = {
  what: 'a map',
  fits: (raw, value) => value === null || Array.isArray(value) || map.fits(raw, value),
};
const texts = listOf('an array of strings', isText);
const columns = listOf('an array of whole numbers from 0 on', isCount);
const sql = mapOf("a map with a string as its 'sql'", { sql: isText });

/** On 1.10 it is a custom key of an application, and may be a name. */
const isCollation = (value: Value): boolean => isCount(value) || isText(value);
const spaceFlags = mapOf('a map of options of a space', {
  sql: isText,
  constraint: isTable,
  foreign_key: (keys) =>
    isTable(keys) && Object.values(keys).every((key) => hasOptions(key, { space: isCount })),
});
/** Members that are not maps, and options that a server does not know, are custom keys of an application. */
const format = listOf(
  "an array of fields, each with strings as its 'name' and 'type'",
  (field) =>
    !isTable(field) || hasOptions(field, { name: isText, type: isText, collation: isCollation }),
);
const indexOptions = mapOf('a map of options of an index', { func: isCount });
/** In spaces that 1.x created, a part is `[field, type]`. */
const indexParts = listOf('an array of parts, each with a field', (part) =>
  Array.isArray(part)
    ? isCount(part[0]) && (part.length < 2 || isText(part[1]))
    : isTable(part) &&
      isCount(part['field']) &&
      hasOptions(part, { type: isText, path: isText, collation: isCount }),
);

/** The shape of the rows of a system space. */
export interface Shape {
  /** The checks by field. Rows of older servers are shorter, and rows of newer servers are longer. */
  kinds: readonly Kind[];
  /** The number of fields that each row must have. */
  least: number;
  /** The fields of unique indexes, the primary index first. */
  unique: readonly (readonly number[])[];
  /** Returns anything else that is wrong with a row. */
  problem?: (fields: readonly Value[]) => string | undefined;
}

function problemOfIndex(fields: readonly Value[]): string | undefined {
  // Only keys of a primary index are followed. Other keys may lead to many values, by `[*]`.
  if (fields[Field.index.id] !== 0) return undefined;
  for (const part of fields[Field.index.parts] as Value[]) {
    if (!isTable(part) || typeof part['path'] !== 'string') continue;
    try {
      parsePath(part['path']);
    } catch {
      return 'it has a part with an invalid path';
    }
  }
  return undefined;
}

function problemOfForeignKey(fields: readonly Value[]): string | undefined {
  const { childColumns, parentColumns } = Field.fkConstraint;
  const [child, parent] = [fields[childColumns] as Value[], fields[parentColumns] as Value[]];
  return child.length === parent.length
    ? undefined
    : 'its two lists of columns have different lengths';
}

/**
 * Kinds and unique indexes are from `box.space._x:format()` and `box.space._x.index` of 2.6 to 3.x. The least numbers
 * of fields are from the `…_new_from_tuple()` functions of the server's `src/box/alter.cc`.
 */
export const SHAPES: ReadonlyMap<number, Shape> = new Map<number, Shape>([
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
