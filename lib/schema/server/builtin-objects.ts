import type { Value } from '../../tuple/codec.js';
import { LUA_FUNCTIONS } from './builtin-grants.js';
import { isOlder, type SchemaVersion } from './release.js';
import { Field, SYSTEM_ID_MAX } from './system-spaces.js';

/**
 * System spaces that were added after 2.6, by their ids: `_vspace_sequence` and `_gc_consumers`.
 *
 * Source: the server's `src/box/lua/upgrade.lua`.
 */
const LATER_SPACES: ReadonlyMap<Value | undefined, SchemaVersion> = new Map([
  [341, [2, 10, 5]],
  [388, [3, 3, 0]],
]);

/** From this version on, functions of SQL have no rows in `_func`: `remove_sql_builtin_functions_from_func()`. */
const NO_SQL_FUNCTIONS: SchemaVersion = [2, 9, 1];

const LUA_FUNCTION_IDS: readonly (Value | undefined)[] = Object.values(LUA_FUNCTIONS);

/**
 * Returns true if the object of a grant can exist in a database with this schema: it was created by a user, or it is
 * built in.
 *
 * @param fields - a row of `_priv`
 * @param functions - ids of the functions of users
 * @param schema - version of the database
 */
export function canGrant(
  fields: readonly Value[],
  functions: ReadonlySet<Value | undefined>,
  schema: SchemaVersion,
): boolean {
  const id = fields[Field.priv.objectId];
  if (typeof id !== 'number') return true;
  switch (fields[Field.priv.objectType]) {
    case 'space': {
      const since = id <= SYSTEM_ID_MAX ? LATER_SPACES.get(id) : undefined;
      return since === undefined || !isOlder(schema, since);
    }
    case 'function':
      return (
        functions.has(id) || LUA_FUNCTION_IDS.includes(id) || isOlder(schema, NO_SQL_FUNCTIONS)
      );
    default:
      return true;
  }
}
