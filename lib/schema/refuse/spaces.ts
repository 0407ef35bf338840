import { quoted } from '../../base/report.js';
import type { Value } from '../../tuple/codec.js';
import { arrayOf, isTable, type Table, tableOf } from '../catalog/rows.js';
import { ENGINES, FIELD_TYPES, isKnownTo, SPACE_OPTIONS } from '../server/capabilities.js';
import type { Release } from '../server/release.js';
import { Field } from '../server/system-spaces.js';
import { type Around, type Check, nameProblem } from './checks.js';

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

/** Checks a row of `_space`. Source: `space_def_new_from_tuple()` of the server's `src/box/alter.cc`. */
export const spaceProblem: Check = (fields, around) => {
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
