import { encode, type Value } from '../tuple/codec.js';
import { addPair, editMap } from '../tuple/edit.js';
import { joinFields } from '../tuple/fields.js';
import { mapHeader, str, uint } from '../tuple/msgpack.js';
import { Catalog, type SystemRow } from './catalog.js';
import { CASE_SENSITIVE, isOlder, type Release } from './release.js';
import { editField } from './rows.js';
import { quoteIdentifiers } from './sql.js';
import { BuiltinUser, Field, SYSTEM_SPACES, SystemSpace } from './system.js';

/**
 * From 2.11 on a server takes rows of `_fk_constraint` and `_ck_constraint`, and does not enforce
 * them: its upgrade turns them into constraints of the space. A backup that moves over this border has
 * to do the same.
 *
 * Source: `convert_sql_constraints_to_tuple_constraints()` in the server's `src/box/lua/upgrade.lua`.
 */
const TUPLE_CONSTRAINTS: Release = [2, 11];

/** Puts `{name: value}` under `key` of a map, beside what stands there. */
function addUnder(map: Buffer, key: string, name: string, value: Buffer): Buffer {
  let found = false;
  const edited = editMap(map, (each, inner) => {
    if (each !== key) return inner;
    found = true;
    return addPair(inner, name, value);
  });
  return found ? edited : addPair(map, key, Buffer.concat([mapHeader(1), str(name), value]));
}

function addToFlags(row: SystemRow, key: string, name: string, value: Buffer): SystemRow {
  return editField(row, Field.space.flags, (flags) => addUnder(flags, key, name, value));
}

/** `{space: parent id, field: {child column: parent column}}`, columns from 0. */
function foreignKey({ fields }: SystemRow): Buffer {
  const { parentId, childColumns, parentColumns } = Field.fkConstraint;
  const columns = fields[childColumns] as number[];
  const parents = fields[parentColumns] as number[];
  const pairs = columns.flatMap((column, i) => [uint(column), uint(parents[i]!)]);
  return Buffer.concat([
    mapHeader(2),
    str('space'),
    uint(Number(fields[parentId])),
    str('field'),
    mapHeader(columns.length),
    ...pairs,
  ]);
}

/** What the server's upgrade writes as the dates of a function. */
const NO_DATE = '';

/** A function of language SQL_EXPR, as `_func` holds it. */
function checkFunction(id: number, name: string, code: string): Buffer {
  const rest: Value[] = [
    ...[1, 'SQL_EXPR', code, 'function', [], 'any', 'none', 'none', true, true, true, ['LUA'], {}],
    ...['', NO_DATE, NO_DATE],
  ];
  return joinFields([
    uint(id),
    uint(BuiltinUser.ADMIN),
    str(name),
    ...rest.map((each) => encode(each)),
  ]);
}

/** `_space` rows by id, changed as constraints move into them. */
type Spaces = Map<Value | undefined, SystemRow>;

function moveForeignKeys(backup: Catalog, spaces: Spaces): void {
  for (const row of backup.userRows(SystemSpace.FK_CONSTRAINT)) {
    const id = row.fields[Field.fkConstraint.childId];
    const name = String(row.fields[Field.fkConstraint.name]);
    const space = spaces.get(id);
    if (space !== undefined)
      spaces.set(id, addToFlags(space, 'foreign_key', name, foreignKey(row)));
  }
}

/** @returns rows of `_func`: a check is a function in SQL */
function moveChecks(backup: Catalog, spaces: Spaces, target: Release): Buffer[] {
  const functions: Buffer[] = [];
  const { id: functionId } = Field.func;
  let id = Math.max(
    1,
    ...backup.userRows(SystemSpace.FUNC).map(({ fields }) => Number(fields[functionId])),
  );
  for (const { fields } of backup.userRows(SystemSpace.CK_CONSTRAINT)) {
    const spaceId = fields[Field.ckConstraint.spaceId];
    const space = spaces.get(spaceId);
    if (space === undefined) continue;
    const name = String(fields[Field.ckConstraint.name]);
    const code = String(fields[Field.ckConstraint.code]);
    const spoken = isOlder(target, CASE_SENSITIVE) ? code : quoteIdentifiers(code);
    id++;
    functions.push(checkFunction(id, `check_${space.fields[Field.space.name]}_${name}`, spoken));
    spaces.set(spaceId, addToFlags(space, 'constraint', name, uint(id)));
  }
  return functions;
}

/** The rows of a backup, with the constraints of SQL tables where the target looks for them. */
export function convertConstraints(backup: Catalog, source: Release, target: Release): Catalog {
  if (!isOlder(source, TUPLE_CONSTRAINTS) || isOlder(target, TUPLE_CONSTRAINTS)) return backup;
  const spaces: Spaces = new Map(
    backup.userRows(SystemSpace.SPACE).map((row) => [row.fields[Field.space.id], row]),
  );
  moveForeignKeys(backup, spaces);
  const functions = moveChecks(backup, spaces, target);
  const converted = new Catalog();
  for (const spaceId of SYSTEM_SPACES) {
    if (spaceId === SystemSpace.FK_CONSTRAINT || spaceId === SystemSpace.CK_CONSTRAINT) continue;
    const rows = spaceId === SystemSpace.SPACE ? spaces.values() : backup.userRows(spaceId);
    for (const { raw } of rows) converted.add(spaceId, raw);
  }
  for (const raw of functions) converted.add(SystemSpace.FUNC, raw);
  return converted;
}
