import { isOlder, type Release, type SchemaVersion } from './release.js';
import { Privilege, SystemSpace } from './system-spaces.js';

/**
 * Names that servers know, each with the first release that has it. They are from the tables of the server's source
 * at each release's tag from 2.6.0 on. A name that is not listed is from a newer server or another edition.
 */
export type Known = ReadonlyMap<string, Release>;

/**
 * The release of names without another one. All targets have what 2.6 has, the oldest release that is restored into.
 * Only the options of fields are listed back to 1.10, because they are custom keys of applications there.
 */
const FIRST: Release = [1, 10];

function known(base: string, later: readonly [names: string, since: Release][]): Known {
  const entries = [[base, FIRST] as const, ...later];
  return new Map(
    entries.flatMap(([names, since]) => names.split(' ').map((name) => [name, since])),
  );
}

/** Types of fields: `field_type_strs` of `src/box/field_def.c`, and the names of 1.6 that are still accepted. */
export const FIELD_TYPES = known(
  'any unsigned string number double integer boolean varbinary scalar decimal uuid array map str num *',
  [
    ['datetime interval', [2, 10]],
    ['int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64', [3, 1]],
    ['decimal32 decimal64 decimal128 decimal256', [3, 5]],
  ],
);

/** Options of fields: `field_def_reg` of `src/box/field_def.c`. Servers ignore keys that they do not know. */
export const FIELD_OPTIONS = known('type name is_nullable', [
  ['nullable_action collation default', [2, 1]],
  ['compression constraint foreign_key', [2, 10]],
  ['default_func', [3, 0]],
  ['scale', [3, 5]],
  ['layout', [3, 6]],
]);

/** Options of spaces: `space_opts_reg` of `src/box/space_def.c`. */
export const SPACE_OPTIONS = known('group_id temporary view is_sync sql checks', [
  ['defer_deletes constraint foreign_key upgrade', [2, 10]],
  ['type', [3, 0]],
]);

/** Engines: the names in `engine_register()` calls in `src/box/box.cc`. */
export const ENGINES = known('memtx vinyl blackhole sysview service', []);

/** Types of indexes: `index_type_strs` of `src/box/index_def.c`. */
export const INDEX_TYPES = known('tree hash rtree bitset', []);

/** Options of indexes: `index_opts_reg` of `src/box/index_def.c`. */
export const INDEX_OPTIONS = known(
  'unique dimension distance range_size page_size run_count_per_level run_size_ratio bloom_fpr lsn func sql',
  [
    ['hint', [2, 6, 1]],
    ['covers layout', [3, 4]],
    ['aggregates', [3, 5]],
  ],
);

/** Options of parts: `part_def_reg` of `src/box/key_def.c`. */
export const PART_OPTIONS = known(
  'type field collation is_nullable nullable_action sort_order path',
  [
    ['exclude_null', [2, 8, 1]],
    ['scale', [3, 5]],
  ],
);

/** Languages of functions: `func_language_strs` of `src/box/func_def.c`. */
export const LANGUAGES = known('LUA C SQL SQL_BUILTIN', [['SQL_EXPR', [2, 11]]]);

/** Options of functions: `func_opts_reg` of `src/box/func_def.c`. 2.6 crashes on a name that it does not know. */
export const FUNCTION_OPTIONS = known('is_multikey', [['takes_raw_args', [2, 10]]]);

/** Types of objects: `object_type_strs` of `src/box/schema_def.c`. */
export const OBJECT_TYPES = known('universe space function user role sequence collation', [
  ['lua_call lua_eval sql', [3, 0]],
]);

/**
 * Authentication methods: the names in `src/box/authentication.c`. The second one is in the Enterprise Edition only.
 */
export const AUTH_METHODS = known('chap-sha1', [['pap-sha256', [2, 11]]]);

/** Types and functions of SQL that older releases do not have. */
export const SQL_TYPES = known('', [['ANY ARRAY DATETIME DECIMAL INTERVAL MAP UUID', [2, 10]]]);
export const SQL_FUNCTIONS = known('', [['DATE_PART NOW UUID', [2, 10]]]);
/** The first characters of literals of arrays and maps. */
export const SQL_LITERALS = known('', [['[ {', [2, 10]]]);

/** From this release on, an index may be in descending order; before, the option is ignored. */
export const DESCENDING: Release = [3, 0];
/** Before this release, the function of an index had to be sandboxed. */
export const UNBOXED_INDEX_FUNCTIONS: Release = [3, 2];
/** From this release on, functions name the events that they are triggers of. */
export const EVENT_TRIGGERS: Release = [3, 1];
/** The schema with a field for these events. */
export const EVENT_TRIGGER_SCHEMA: SchemaVersion = [3, 1, 0];
/** Before this release, nobody could grant the privilege to grant, and its bits had no meaning. */
export const GRANTED_GRANTS: Release = [3, 6];
export const GRANTING = Privilege.GRANT | Privilege.REVOKE;
/** All bits, as the role `super` has them, those of future privileges included. */
export const ALL_PRIVILEGES = 0xffffffff;
/** The largest number of fields of a row of each system space on known servers. */
export const WIDTHS: ReadonlyMap<number, number> = new Map([
  [SystemSpace.COLLATION, 6],
  [SystemSpace.SPACE, 7],
  [SystemSpace.SEQUENCE, 9],
  [SystemSpace.INDEX, 6],
  [SystemSpace.FUNC, 20],
  [SystemSpace.USER, 7],
  [SystemSpace.PRIV, 5],
  [SystemSpace.TRIGGER, 3],
  [SystemSpace.SPACE_SEQUENCE, 5],
  [SystemSpace.FUNC_INDEX, 3],
]);

/** The first release that is not covered by the tables here. */
const UNREAD_RELEASE: Release = [3, 10];

/** Returns false for a name that a server of this release refuses as unknown. */
export function isKnownTo(release: Release, table: Known, name: string): boolean {
  if (!isOlder(release, UNREAD_RELEASE)) return true;
  const since = table.get(name);
  return since !== undefined && !isOlder(release, since);
}
