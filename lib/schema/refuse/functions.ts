import type { Value } from '../../tuple/codec.js';
import { arrayOf, tableOf } from '../catalog/rows.js';
import { FIELD_TYPES, FUNCTION_OPTIONS, isKnownTo, LANGUAGES } from '../server/capabilities.js';
import { isOlder, type Release } from '../server/release.js';
import { Field } from '../server/system-spaces.js';
import { type Check, nameProblem } from './checks.js';

/** `BOX_FUNCTION_MAX` of the server's `src/box/schema_def.h`. */
const MAX_FUNCTION = 32_000;

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

/** Checks a row of `_func`. Source: `func_def_new_from_tuple()` of the server's `src/box/alter.cc`. */
export const functionProblem: Check = (fields, { release }) => {
  const { id, name, language } = Field.func;
  const number = Number(fields[id]);
  if (number > MAX_FUNCTION) return `its id ${number} is larger than ${MAX_FUNCTION}`;
  const spoken = String(fields[language] ?? 'LUA').toUpperCase();
  if (!isKnownTo(release, LANGUAGES, spoken) || spoken === 'SQL' || spoken === 'SQL_BUILTIN') {
    return `a function in '${spoken}' cannot be created`;
  }
  return nameProblem(fields[name]) ?? functionFieldProblem(fields, release);
};
