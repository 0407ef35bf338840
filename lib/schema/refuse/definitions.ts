import { indexBy } from '../../base/collections.js';
import { quoted } from '../../base/report.js';
import type { Value } from '../../tuple/codec.js';
import type { Catalog, SystemRow } from '../catalog/catalog.js';
import { foreignKeysOf } from '../catalog/foreign-keys.js';
import { arrayOf, isTable, type Table, tableOf } from '../catalog/rows.js';
import { Describer } from '../describe/describe.js';
import {
  ENGINES,
  FIELD_TYPES,
  FUNCTION_OPTIONS,
  isKnownTo,
  LANGUAGES,
  SPACE_OPTIONS,
} from '../server/capabilities.js';
import { isOlder, type Release } from '../server/release.js';
import { Field, MAX_NAME_BYTES, SystemSpace } from '../server/system-spaces.js';
import { hashesIn } from '../trust/passwords.js';
import { filledProblem, type IndexedSpace, indexProblem } from './indexes.js';
import { viewsInCircles } from './views.js';

/**
 * Finds definitions that a server is certain to refuse, before anything is written or dropped.
 *
 * Source: the functions `…_new_from_tuple()` of the server's `src/box/alter.cc` and what they call.
 */

/** `BOX_FUNCTION_MAX` of the server's `src/box/schema_def.h`. */
const MAX_FUNCTION = 32_000;

/**
 * Returns the reason why a server refuses a name. Source: `identifier_check()` of the server's
 * `src/box/identifier.c`.
 */
function nameProblem(name: Value | undefined): string | undefined {
  const text = String(name);
  if (text === '') return 'its name is empty';
  if (Buffer.byteLength(text) > MAX_NAME_BYTES) {
    return `its name has more than ${MAX_NAME_BYTES} bytes`;
  }
  return /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text)
    ? 'its name has a character that is not printable'
    : undefined;
}

/** The context of a row. */
interface Around {
  /** The release of the target. */
  release: Release;
  /** Ids of the collations that the target will have. */
  collations: ReadonlySet<Value>;
  spaces: ReadonlyMap<Value, IndexedSpace>;
  /** Rows of `_index` of primary indexes, by the id of the space. */
  primaryKeys: ReadonlyMap<Value, readonly Value[]>;
  sequences: ReadonlyMap<Value, readonly Value[]>;
}

type Check = (fields: readonly Value[], around: Around) => string | undefined;

/** Engines that users can create spaces with. The last one is in the Enterprise Edition. */
const USER_ENGINES: ReadonlySet<string> = new Set([
  ...['memtx', 'vinyl', 'blackhole', 'sysview', 'memcs'],
]);

const FLAG_TYPES: Readonly<Record<string, string>> = {
  ...{ temporary: 'boolean', view: 'boolean', is_sync: 'boolean', defer_deletes: 'boolean' },
  ...{ group_id: 'number', sql: 'string', type: 'string' },
};

function flagsProblem(flags: Table, release: Release): string | undefined {
  for (const [key, value] of Object.entries(flags)) {
    if (!isKnownTo(release, SPACE_OPTIONS, key))
      return `servers do not know the option '${key}' of a space`;
    const type = Object.hasOwn(FLAG_TYPES, key) ? FLAG_TYPES[key] : undefined;
    if (type !== undefined && typeof value !== type) return `its option '${key}' is not a ${type}`;
  }
  const group = flags['group_id'] ?? 0;
  if (group !== 0 && group !== 1) return `group ${group} does not exist`;
  if (flags['view'] === true && flags['sql'] === undefined) return 'it is a view without SQL';
  return group === 1 && flags['is_sync'] === true ? 'it is both local and synchronous' : undefined;
}

const ACTIONS: ReadonlySet<Value> = new Set([
  ...['none', 'rollback', 'abort', 'fail', 'ignore', 'replace', 'default'],
]);
const COLLATED: ReadonlySet<string> = new Set(['string', 'str', 'scalar', 'any', '*']);

function fieldProblem(field: Value, { release, collations }: Around): string | undefined {
  if (!isTable(field)) return 'a field of its format is not a map';
  const name = field['name'];
  if (typeof name !== 'string') return 'a field of its format has no name';
  const problem = nameProblem(name);
  if (problem !== undefined) return `field ${quoted(name)}: ${problem}`;
  const type = String(field['type'] ?? 'any').toLowerCase();
  if (!isKnownTo(release, FIELD_TYPES, type)) return `servers do not know the field type '${type}'`;
  const nullable = field['is_nullable'];
  if (nullable !== undefined && typeof nullable !== 'boolean') {
    return `option 'is_nullable' of field ${quoted(name)} is neither true nor false`;
  }
  const action = field['nullable_action'];
  if (action !== undefined && !ACTIONS.has(String(action).toLowerCase())) {
    return `nullable_action '${action}' of field ${quoted(name)} does not exist`;
  }
  const collation = field['collation'];
  if (typeof collation !== 'number' || collation === 0) return undefined;
  if (!collations.has(collation)) return `collation ${collation} does not exist`;
  return COLLATED.has(type)
    ? undefined
    : `field ${quoted(name)} has a collation and the type '${type}'`;
}

const space: Check = (fields, around) => {
  const { name, engine, fieldCount, flags, format } = Field.space;
  const used = String(fields[engine]);
  if (!USER_ENGINES.has(used) && (ENGINES.has(used) || !isKnownTo(around.release, ENGINES, used))) {
    return `a space with the engine '${used}' cannot be created`;
  }
  const columns = arrayOf(fields[format]);
  const count = Number(fields[fieldCount]);
  if (count !== 0 && count < columns.length) {
    return `its rows have ${count} fields, but its format has ${columns.length}`;
  }
  const problem = nameProblem(fields[name]) ?? flagsProblem(tableOf(fields[flags]), around.release);
  if (problem !== undefined) return problem;
  const names = new Set<Value>();
  for (const column of columns) {
    const wrong = fieldProblem(column, around);
    if (wrong !== undefined) return wrong;
    const own = (column as Table)['name']!;
    if (names.has(own)) return `two of its fields have the name ${quoted(own)}`;
    names.add(own);
  }
  return undefined;
};

const index: Check = (fields, { spaces, release, collations, primaryKeys }) => {
  const of = spaces.get(fields[Field.index.spaceId]!);
  // Such an index is left out.
  if (of === undefined) return undefined;
  if (fields[Field.index.id] !== 0 && !primaryKeys.has(fields[Field.index.spaceId]!)) {
    return 'its space has no primary index';
  }
  const problem = nameProblem(fields[Field.index.name]);
  return problem ?? indexProblem(fields, of, release, collations);
};

const MOST = 2n ** 63n - 1n;
const LEAST = -(2n ** 63n);

const sequence: Check = (fields) => {
  const { name, step, min, max, start } = Field.sequence;
  const [by, least, most, first] = [step, min, max, start].map((at) =>
    BigInt(fields[at] as number | bigint),
  ) as [bigint, bigint, bigint, bigint];
  if ([by, least, most, first].some((value) => value > MOST || value < LEAST)) {
    return 'one of its numbers does not fit into 64 bits';
  }
  if (by === 0n) return 'its step is 0';
  if (least > most) return `its minimum ${least} is greater than its maximum ${most}`;
  if (first < least || first > most)
    return `its start ${first} is not between ${least} and ${most}`;
  return nameProblem(fields[name]);
};

const sequenceData: Check = (fields, { sequences }) => {
  const of = sequences.get(fields[Field.sequenceData.id]!);
  const value = BigInt(fields[Field.sequenceData.value] as number | bigint);
  if (of === undefined) return undefined;
  return value > MOST || value < LEAST ? 'its value does not fit into 64 bits' : undefined;
};

/** From this release on, a server checks how an aggregate is called. */
const CHECKED_AGGREGATES: Release = [2, 10];
const AGGREGATES: ReadonlySet<Value> = new Set(['none', 'group']);

/** Positions of fields of `_func` that are not in {@link Field}. */
const { routineType, aggregate, sqlDataAccess, isNullCall } = {
  ...{ routineType: 6, aggregate: 9, sqlDataAccess: 10, isNullCall: 13 },
};

function functionFieldProblem(fields: readonly Value[], release: Release): string | undefined {
  const { body, parameters, returns, exports, options } = Field.func;
  if (fields.length <= body) return undefined;
  const lower = (at: number): string => String(fields[at]).toLowerCase();
  if (lower(routineType) !== 'function') return `its routine type is '${fields[routineType]}'`;
  if (lower(sqlDataAccess) !== 'none') return `its access to SQL is '${fields[sqlDataAccess]}'`;
  if (fields[isNullCall] !== true) return 'it is not called with null arguments';
  if (!AGGREGATES.has(lower(aggregate))) return `aggregate '${fields[aggregate]}' does not exist`;
  const exported = arrayOf(fields[exports]);
  const language = exported.find((each) => !['lua', 'sql'].includes(String(each).toLowerCase()));
  if (language !== undefined) return `it is exported to '${language}'`;
  const isGroup = lower(aggregate) === 'group';
  const isInLua = exported.some((each) => String(each).toLowerCase() === 'lua');
  const isChecked = isGroup && !isOlder(release, CHECKED_AGGREGATES);
  if (isChecked && (isInLua || arrayOf(fields[parameters]).length === 0)) {
    return 'an aggregate must be exported to SQL only and take an argument';
  }
  const types = [...arrayOf(fields[parameters]), fields[returns]!];
  const type = types.find((each) => !isKnownTo(release, FIELD_TYPES, String(each).toLowerCase()));
  if (type !== undefined)
    return `servers do not know the type '${type}' of an argument or a result`;
  const option = Object.entries(tableOf(fields[options])).find(
    ([key, value]) => !isKnownTo(release, FUNCTION_OPTIONS, key) || typeof value !== 'boolean',
  );
  return option === undefined ? undefined : `servers do not know its option '${option[0]}'`;
}

const func: Check = (fields, { release }) => {
  const { id, name, language } = Field.func;
  const number = Number(fields[id]);
  if (number > MAX_FUNCTION) return `its id ${number} is larger than ${MAX_FUNCTION}`;
  const spoken = String(fields[language] ?? 'LUA').toUpperCase();
  if (!isKnownTo(release, LANGUAGES, spoken) || spoken === 'SQL' || spoken === 'SQL_BUILTIN') {
    return `a function in '${spoken}' cannot be created`;
  }
  return nameProblem(fields[name]) ?? functionFieldProblem(fields, release);
};

/** The length of a hash of `chap-sha1`: `SCRAMBLE_BASE64_SIZE` of the server's `src/scramble.h`. */
const HASH_LENGTH = 28;
/** Before this release, an empty hash means that there is none, and nobody can log in with it. */
const AUTH_METHODS: Release = [2, 11];

const user: Check = (fields, { release }) => {
  const { name, type, auth } = Field.user;
  const kind = fields[type];
  if (kind !== 'user' && kind !== 'role') return `it is neither a user nor a role, but a '${kind}'`;
  const methods = Object.entries(tableOf(fields[auth]));
  if (kind === 'role' && methods.length > 0) return 'a role cannot have a password';
  const isHash = (hash: Value): boolean =>
    typeof hash === 'string' &&
    (hash.length === HASH_LENGTH || (hash === '' && isOlder(release, AUTH_METHODS)));
  if (!hashesIn(fields[auth]).every(isHash)) return 'its password is not a hash';
  return nameProblem(fields[name]);
};

const STRENGTHS: ReadonlySet<Value> = new Set([
  ...['primary', 'secondary', 'tertiary', 'quaternary', 'identical', 'default'],
]);
/** Options of collations: `coll_icu_opts_reg` of the server's `src/lib/coll/coll_def.c`. */
const COLLATION_OPTIONS: ReadonlySet<string> = new Set([
  ...['french_collation', 'alternate_handling', 'case_first', 'case_level'],
  ...['normalization_mode', 'strength', 'numeric_collation'],
]);

const collation: Check = (fields) => {
  const { name, type, options } = Field.collation;
  const kind = String(fields[type]).toUpperCase();
  if (kind !== 'ICU' && kind !== 'BINARY')
    return `servers do not know the type '${fields[type]}' of a collation`;
  const given = tableOf(fields[options]);
  const option = Object.keys(given).find((key) => !COLLATION_OPTIONS.has(key));
  if (option !== undefined) return `servers do not know the option '${option}' of a collation`;
  const strength = given['strength'];
  if (strength !== undefined && !STRENGTHS.has(String(strength).toLowerCase())) {
    return `strength '${strength}' does not exist`;
  }
  return nameProblem(fields[name]);
};

const trigger: Check = (fields) => {
  const options = fields[Field.trigger.options];
  return typeof tableOf(options)['sql'] === 'string' ? undefined : 'it has no SQL';
};

const check: Check = (fields) => {
  const language = String(fields[Field.ckConstraint.code - 1]);
  return language.toUpperCase() === 'SQL' ? undefined : `its language is '${language}'`;
};

const KEY_ACTIONS: ReadonlySet<Value> = new Set([
  ...['no_action', 'set_null', 'restrict', 'set_default', 'cascade'],
]);

const foreignKey: Check = (fields, { spaces }) => {
  const { childId, parentId, onDelete, onUpdate, childColumns, parentColumns } = Field.fkConstraint;
  const action = [onDelete, onUpdate].find(
    (at) => !KEY_ACTIONS.has(String(fields[at]).toLowerCase()),
  );
  if (action !== undefined) return `action '${fields[action]}' does not exist`;
  for (const [id, at] of [
    [childId, childColumns],
    [parentId, parentColumns],
  ] as const) {
    const columns = spaces.get(fields[id]!)?.format.length;
    const beyond = arrayOf(fields[at]).find(
      (each) => columns !== undefined && Number(each) >= columns,
    );
    if (beyond !== undefined) return `field ${Number(beyond) + 1} does not exist`;
  }
  return arrayOf(fields[childColumns]).length === 0 ? 'it has no fields' : undefined;
};

const spaceSequence: Check = (fields, { primaryKeys }) => {
  const [id, , , field, path] = fields;
  const primaryKey = primaryKeys.get(id!);
  if (primaryKey === undefined || typeof field !== 'number') return undefined;
  return filledProblem(primaryKey, field, typeof path === 'string' ? path : '');
};

const CHECKS: ReadonlyMap<number, Check> = new Map<number, Check>([
  [SystemSpace.COLLATION, collation],
  [SystemSpace.USER, user],
  [SystemSpace.FUNC, func],
  [SystemSpace.SEQUENCE, sequence],
  [SystemSpace.SEQUENCE_DATA, sequenceData],
  [SystemSpace.SPACE, space],
  [SystemSpace.INDEX, index],
  [SystemSpace.SPACE_SEQUENCE, spaceSequence],
  [SystemSpace.TRIGGER, trigger],
  [SystemSpace.CK_CONSTRAINT, check],
  [SystemSpace.FK_CONSTRAINT, foreignKey],
]);

function aroundOf(backup: Catalog, target: Catalog, release: Release): Around {
  const ids = (catalog: Catalog, spaceId: number): Value[] =>
    catalog.rows(spaceId).map(({ fields }) => fields[0]!);
  return {
    release,
    collations: new Set([
      ...ids(backup, SystemSpace.COLLATION),
      ...ids(target, SystemSpace.COLLATION),
    ]),
    spaces: indexBy(backup.spaces, ({ id }) => id),
    primaryKeys: new Map(
      backup
        .rows(SystemSpace.INDEX)
        .filter(({ fields }) => fields[Field.index.id] === 0)
        .map(({ fields }) => [fields[Field.index.spaceId]!, fields]),
    ),
    sequences: new Map(backup.rows(SystemSpace.SEQUENCE).map(({ fields }) => [fields[0]!, fields])),
  };
}

/** Before this release, a foreign key in the format of a space is a custom key without effect. */
const KEYS_OF_TUPLES: Release = [2, 10];

/** Lists foreign keys that refer to spaces that are neither in the backup nor on the target. */
function lostParents(rows: readonly SystemRow[], backup: Catalog, target: Catalog): string[] {
  const there = new Set([...backup.spaces, ...target.spaces].map(({ id }) => id));
  const keys = rows.flatMap(({ fields }) => foreignKeysOf(fields));
  return keys.flatMap(({ name, parentId, fields }) => {
    if (!there.has(parentId))
      return `foreign key ${quoted(name)}: space ${parentId} does not exist`;
    return fields.length === 0 ? `foreign key ${quoted(name)} has no fields` : [];
  });
}

/**
 * Lists definitions that the target is certain to refuse, one line each.
 *
 * @param backup - in the form for the target, except for ids
 * @param target - all rows of the target's system spaces
 * @param rowsOf - returns the rows of a system space that the restore writes
 * @example
 * refusedDefinitions(backup, target, [2, 6], (id) => backup.userRows(id)); // ["sequence 'ids': its step is 0"]
 */
export function refusedDefinitions(
  backup: Catalog,
  target: Catalog,
  release: Release,
  rowsOf: (spaceId: number) => readonly SystemRow[],
): string[] {
  const around = aroundOf(backup, target, release);
  const describer = new Describer(backup, target);
  const refused: string[] = [];
  for (const [spaceId, problemOf] of CHECKS) {
    for (const row of rowsOf(spaceId)) {
      const problem = problemOf(row.fields, around);
      if (problem !== undefined) refused.push(`${describer.row(spaceId, row)}: ${problem}`);
    }
  }
  const spaces = rowsOf(SystemSpace.SPACE);
  const keys = isOlder(release, KEYS_OF_TUPLES) ? [] : lostParents(spaces, backup, target);
  return [...refused, ...keys, ...viewsInCircles(spaces, release)];
}
