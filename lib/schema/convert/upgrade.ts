import { decode, encode, type Value } from '../../tuple/codec.js';
import { addPair, editMap } from '../../tuple/edit.js';
import { joinFields, splitFields } from '../../tuple/fields.js';
import { str } from '../../tuple/msgpack.js';
import type { SystemRow } from '../catalog/catalog.js';
import { editField, isTable, withoutKeys } from '../catalog/rows.js';
import { isOlder, type SchemaVersion } from '../server/release.js';
import { BuiltinUser, Field, Privilege, SystemSpace } from '../server/system-spaces.js';
import type { CatalogEditor } from './catalog-editor.js';

/**
 * Upgrades the definitions of users from an older schema to the one that servers from 2.6 on start with, as
 * `box.schema.upgrade()` does in place. `constraints.ts` converts constraints of SQL later. `fitter()` adds the
 * fields that newer servers add to a row.
 *
 * Source: the functions `upgrade_to_…` of the server's `src/box/lua/upgrade.lua`.
 */

function rowOf(fields: Value[]): SystemRow {
  const raw = encode(fields);
  return { raw, fields: decode(raw) as Value[] };
}

/** Returns the row with fields added after the last one. */
function lengthened(row: SystemRow, more: Value[]): SystemRow {
  const raw = joinFields([...splitFields(row.raw), ...more.map((value) => encode(value))]);
  return { raw, fields: [...row.fields, ...more] };
}

const LOG_IN = Privilege.SESSION | Privilege.USAGE;
const READ_AND_WRITE = Privilege.READ | Privilege.WRITE;
const UNIVERSE = 'universe';

const hasBits = ({ fields }: SystemRow, bits: number): boolean =>
  (Number(fields[Field.priv.bits]) & bits) === bits;

function withBits(row: SystemRow, bits: number): SystemRow {
  return editField(row, Field.priv.bits, (raw) => {
    const all = (Number(row.fields[Field.priv.bits]) | bits) >>> 0;
    return Number(row.fields[Field.priv.bits]) === all ? raw : encode(all);
  });
}

/** Grants login. Before 1.7.7, everybody could log in, and users with read and write could create. */
function grantLogin(editor: CatalogEditor): void {
  const { objectType, grantee } = Field.priv;
  const isOnUniverse = ({ fields }: SystemRow): boolean => fields[objectType] === UNIVERSE;
  const users = new Set<Value>([
    BuiltinUser.GUEST,
    ...editor
      .rows(SystemSpace.USER)
      .filter(({ fields }) => fields[Field.user.type] !== 'role')
      .map(({ fields }) => fields[Field.user.id]!),
  ]);
  editor.map(SystemSpace.PRIV, (row) => {
    if (!isOnUniverse(row)) return row;
    const isUser = users.delete(row.fields[grantee]!);
    const created = hasBits(row, READ_AND_WRITE) ? Privilege.CREATE : 0;
    return withBits(row, (isUser ? LOG_IN : 0) | created);
  });
  // Every target already has the grant to guest.
  users.delete(BuiltinUser.GUEST);
  const added = [...users].map((id) => rowOf([BuiltinUser.ADMIN, id, UNIVERSE, 0, LOG_IN]));
  editor.replace(SystemSpace.PRIV, [...editor.rows(SystemSpace.PRIV), ...added]);
}

/**
 * Grants the privileges on definitions. Before 2.1.0, users with read and write could alter and drop, and could
 * create if the grant was on all objects.
 */
function grantDefinitions(editor: CatalogEditor): void {
  const { objectType, objectId } = Field.priv;
  editor.map(SystemSpace.PRIV, (row) => {
    const { [objectType]: type, [objectId]: id } = row.fields;
    if (type === 'sequence' || !hasBits(row, READ_AND_WRITE)) return row;
    const created = type === UNIVERSE || id === '' ? Privilege.CREATE : 0;
    return withBits(row, Privilege.ALTER | Privilege.DROP | created);
  });
}

/** Writes the strength of collations. Before 2.1.2, a collation without a strength was tertiary. */
function nameStrength(editor: CatalogEditor): void {
  const { type, options } = Field.collation;
  editor.map(SystemSpace.COLLATION, (row) => {
    const { [type]: kind, [options]: known } = row.fields;
    if (kind !== 'ICU' || (isTable(known) && known['strength'] !== undefined)) return row;
    return editField(row, options, (raw) => addPair(raw, 'strength', str('tertiary')));
  });
}

/**
 * Moves checks to `_ck_constraint`. Before 2.2.1, SQL kept them among the options of a space: a list of
 * `{expr, name}`.
 */
function moveChecks(editor: CatalogEditor): void {
  const moved: SystemRow[] = [];
  editor.map(SystemSpace.SPACE, (row) => {
    const {
      [Field.space.id]: id,
      [Field.space.name]: space,
      [Field.space.flags]: flags,
    } = row.fields;
    const checks = isTable(flags) ? flags['checks'] : undefined;
    if (!Array.isArray(checks)) return row;
    for (const [i, check] of checks.entries()) {
      if (!isTable(check) || typeof check['expr'] !== 'string') continue;
      const name = check['name'] ?? `CK_CONSTRAINT_${i + 1}_${space}`;
      moved.push(rowOf([id!, name, false, 'SQL', check['expr'], true]));
    }
    return editField(row, Field.space.flags, (raw) => withoutKeys(raw, ['checks']));
  });
  if (moved.length === 0) return;
  editor.replace(SystemSpace.CK_CONSTRAINT, [...editor.rows(SystemSpace.CK_CONSTRAINT), ...moved]);
}

/** The fields of a Lua or C function from `body` on, as 2.2.1 fills them if they are missing. */
const FUNCTION_DEFAULTS: readonly Value[] = [
  ...['', 'function', [], 'any', 'none', 'none', false, false, true, ['LUA'], {}, '', '', ''],
];

/** Completes functions. Before 2.2.1, a function was a name, and its code was somewhere else. */
function completeFunctions(editor: CatalogEditor): void {
  editor.map(SystemSpace.FUNC, (row) => {
    const { setuid, body } = Field.func;
    if (row.fields.length > body) return row;
    const first: Value[] = [0, 'LUA'].slice(row.fields.length - setuid);
    return lengthened(row, [...first, ...FUNCTION_DEFAULTS]);
  });
}

/** Writes the field that a sequence fills. Before 2.2.1, it was the first part of the primary key. */
function nameFilledFields(editor: CatalogEditor): void {
  const { spaceId, id, parts } = Field.index;
  const primary = new Map(
    editor
      .rows(SystemSpace.INDEX)
      .filter(({ fields }) => fields[id] === 0)
      .map(({ fields }) => [fields[spaceId], fields[parts]]),
  );
  editor.map(SystemSpace.SPACE_SEQUENCE, (row) => {
    if (row.fields.length > Field.spaceSequence.generated + 1) return row;
    const [part] = (primary.get(row.fields[Field.spaceSequence.spaceId]) as Value[]) ?? [];
    const field = Array.isArray(part) ? part[0] : isTable(part) ? part['field'] : 0;
    const path = isTable(part) ? part['path'] : undefined;
    return lengthened(row, [field ?? 0, path ?? '']);
  });
}

/** Enables checks. Before 2.3.0, every check was enabled. */
function enableChecks(editor: CatalogEditor): void {
  editor.map(SystemSpace.CK_CONSTRAINT, (row) =>
    row.fields.length > Field.ckConstraint.isEnabled ? row : lengthened(row, [true]),
  );
}

/** Removes statements. Before 2.1.1, an index of an SQL table had its statement among its options. */
function forgetStatements(editor: CatalogEditor): void {
  editor.map(SystemSpace.INDEX, (row) =>
    editField(row, Field.index.options, (raw) =>
      editMap(raw, (key, value) => (key === 'sql' ? undefined : value)),
    ),
  );
}

/** The steps of the server's upgrade in their order, each with its version. */
const STEPS: readonly (readonly [version: SchemaVersion, step: (editor: CatalogEditor) => void])[] =
  [
    [[1, 7, 7], grantLogin],
    [[2, 1, 0], grantDefinitions],
    [[2, 1, 1], forgetStatements],
    [[2, 1, 2], nameStrength],
    [[2, 2, 1], nameFilledFields],
    [[2, 2, 1], moveChecks],
    [[2, 2, 1], completeFunctions],
    [[2, 3, 0], enableChecks],
  ];

/**
 * Upgrades the definitions of an older schema; does nothing for those of {@link OLDEST_TARGET} and newer.
 *
 * @param schema - the version of the definitions
 */
export function upgradeRows(editor: CatalogEditor, schema: SchemaVersion): void {
  for (const [version, step] of STEPS) if (isOlder(schema, version)) step(editor);
}
