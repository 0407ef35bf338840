import type { Value } from '../../tuple/codec.js';

/**
 * Ids of the system spaces that hold objects of users, ascending.
 *
 * Source: the server's `src/box/schema_def.h`, the same from 1.10 to 3.x; 1.10 lacks some of them.
 */
export const SystemSpace = {
  SCHEMA: 272,
  COLLATION: 276,
  SPACE: 280,
  SEQUENCE: 284,
  SEQUENCE_DATA: 285,
  INDEX: 288,
  FUNC: 296,
  USER: 304,
  PRIV: 312,
  TRIGGER: 328,
  SPACE_SEQUENCE: 340,
  FK_CONSTRAINT: 356,
  CK_CONSTRAINT: 364,
  FUNC_INDEX: 372,
} as const;

/** Names of these spaces, for messages and for the entries of an archive. */
export const SYSTEM_SPACE_NAMES: ReadonlyMap<number, string> = new Map([
  [SystemSpace.SCHEMA, '_schema'],
  [SystemSpace.COLLATION, '_collation'],
  [SystemSpace.SPACE, '_space'],
  [SystemSpace.SEQUENCE, '_sequence'],
  [SystemSpace.SEQUENCE_DATA, '_sequence_data'],
  [SystemSpace.INDEX, '_index'],
  [SystemSpace.FUNC, '_func'],
  [SystemSpace.USER, '_user'],
  [SystemSpace.PRIV, '_priv'],
  [SystemSpace.TRIGGER, '_trigger'],
  [SystemSpace.SPACE_SEQUENCE, '_space_sequence'],
  [SystemSpace.FK_CONSTRAINT, '_fk_constraint'],
  [SystemSpace.CK_CONSTRAINT, '_ck_constraint'],
  [SystemSpace.FUNC_INDEX, '_func_index'],
]);

/** The ids of all these spaces, in the order of an archive. */
export const SYSTEM_SPACES: readonly number[] = [...SYSTEM_SPACE_NAMES.keys()];

/**
 * The id of `_truncate`, which counts how often each space was emptied: to increase a count empties the space. Any
 * user may write to it.
 */
export const TRUNCATE_ID = 330;

/** The last id of a system space, `BOX_SYSTEM_ID_MAX`. Larger ids belong to users. */
export const SYSTEM_ID_MAX = 511;

/** Zero-based positions of the fields that this package reads, by `box.space._x:format()`. */
export const Field = {
  schema: { key: 0, value: 1 },
  collation: { id: 0, name: 1, owner: 2, type: 3, options: 5 },
  space: { id: 0, owner: 1, name: 2, engine: 3, fieldCount: 4, flags: 5, format: 6 },
  sequence: { id: 0, owner: 1, name: 2, step: 3, min: 4, max: 5, start: 6, isCycle: 8 },
  sequenceData: { id: 0, value: 1 },
  index: { spaceId: 0, id: 1, name: 2, type: 3, options: 4, parts: 5 },
  func: {
    id: 0,
    owner: 1,
    name: 2,
    setuid: 3,
    language: 4,
    body: 5,
    parameters: 7,
    returns: 8,
    isSandboxed: 12,
    exports: 14,
    options: 15,
    created: 17,
    lastAltered: 18,
    trigger: 19,
  },
  user: { id: 0, owner: 1, name: 2, type: 3, auth: 4, authHistory: 5, lastModified: 6, options: 7 },
  priv: { grantor: 0, grantee: 1, objectType: 2, objectId: 3, bits: 4, options: 5 },
  trigger: { name: 0, spaceId: 1, options: 2 },
  spaceSequence: { spaceId: 0, sequenceId: 1, generated: 2 },
  fkConstraint: {
    name: 0,
    childId: 1,
    parentId: 2,
    isDeferred: 3,
    onDelete: 5,
    onUpdate: 6,
    childColumns: 7,
    parentColumns: 8,
  },
  ckConstraint: { spaceId: 0, name: 1, code: 4, isEnabled: 5 },
  funcIndex: { spaceId: 0, indexId: 1, functionId: 2 },
} as const;

/** Positions of the fields of the primary keys of these spaces, from `box.space._x.index[0].parts`. */
const PRIMARY_KEYS: Readonly<Record<number, readonly number[]>> = {
  [SystemSpace.SCHEMA]: [Field.schema.key],
  [SystemSpace.COLLATION]: [Field.collation.id],
  [SystemSpace.SPACE]: [Field.space.id],
  [SystemSpace.SEQUENCE]: [Field.sequence.id],
  [SystemSpace.SEQUENCE_DATA]: [Field.sequenceData.id],
  [SystemSpace.INDEX]: [Field.index.spaceId, Field.index.id],
  [SystemSpace.FUNC]: [Field.func.id],
  [SystemSpace.USER]: [Field.user.id],
  [SystemSpace.PRIV]: [Field.priv.grantee, Field.priv.objectType, Field.priv.objectId],
  [SystemSpace.TRIGGER]: [Field.trigger.name],
  [SystemSpace.SPACE_SEQUENCE]: [Field.spaceSequence.spaceId],
  [SystemSpace.FK_CONSTRAINT]: [Field.fkConstraint.name, Field.fkConstraint.childId],
  [SystemSpace.CK_CONSTRAINT]: [Field.ckConstraint.spaceId, Field.ckConstraint.name],
  [SystemSpace.FUNC_INDEX]: [Field.funcIndex.spaceId, Field.funcIndex.indexId],
};

/**
 * Returns the primary key of a row of a system space.
 *
 * @example
 * keyOf(SystemSpace.INDEX, row.fields); // [512, 0]
 */
export function keyOf(spaceId: number, fields: readonly Value[]): Value[] {
  return (PRIMARY_KEYS[spaceId] ?? []).map((field) => fields[field]!);
}

/** The longest name in bytes: `BOX_NAME_MAX` of the server's `src/box/schema_def.h`. */
export const MAX_NAME_BYTES = 65_000;

/** Ids of built-in users and roles, from `src/box/user_def.h`. */
export const BuiltinUser = { GUEST: 0, ADMIN: 1, PUBLIC: 2, REPLICATION: 3, SUPER: 31 } as const;

export function isBuiltinUser(id: number): boolean {
  return (Object.values(BuiltinUser) as number[]).includes(id);
}

/** Bits of privileges, from `enum priv_type` of `src/box/user_def.h`. */
export const Privilege = {
  READ: 1,
  WRITE: 2,
  EXECUTE: 4,
  SESSION: 8,
  USAGE: 16,
  CREATE: 32,
  DROP: 64,
  ALTER: 128,
  GRANT: 8192,
  /** The privilege to revoke grants; from 3.6 on, to grant `grant` and `revoke`. */
  REVOKE: 16384,
} as const;

/** Names of the bits, from the lowest. */
export const PRIVILEGE_NAMES: readonly string[] = [
  ...['read', 'write', 'execute', 'session', 'usage', 'create', 'drop', 'alter'],
  ...['reference', 'trigger', 'insert', 'update', 'delete', 'grant', 'metagrant'],
];
