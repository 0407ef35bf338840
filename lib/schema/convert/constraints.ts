import { quoted } from '../../base/report.js';
import { decode, encode } from '../../tuple/codec.js';
import { addPair, addPairs, editArray, editMap } from '../../tuple/edit.js';
import { mapHeader, str, uint } from '../../tuple/msgpack.js';
import type { SystemRow } from '../catalog/catalog.js';
import { editField, functionsOf, isTable } from '../catalog/rows.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import { withoutTable } from '../sql/tokens.js';
import type { CatalogEditor } from './catalog-editor.js';

/**
 * Moves constraints of SQL tables: they are in `_fk_constraint` and `_ck_constraint` before 2.11, and in the space
 * itself from then on; see {@link TUPLE_CONSTRAINTS}.
 */

/** Constraints to be moved into spaces: raw, by name, by the id of the space. */
class Gathered {
  readonly #bySpace = new Map<unknown, Map<string, Buffer>>();

  get spaceIds(): Iterable<unknown> {
    return this.#bySpace.keys();
  }

  add(spaceId: unknown, name: string, raw: Buffer): void {
    const named = this.#bySpace.get(spaceId) ?? new Map<string, Buffer>();
    this.#bySpace.set(spaceId, named.set(name, raw));
  }

  /** Adds the constraints of a space under `key` of its flags. They replace others with the same names. */
  intoFlags(flags: Buffer, key: string, spaceId: unknown): Buffer {
    const added = this.#bySpace.get(spaceId);
    if (added === undefined) return flags;
    let others = NONE;
    const without = editMap(flags, (each, raw) => {
      if (each !== key) return raw;
      others = editMap(raw, (name, value) => (added.has(name ?? '') ? undefined : value));
      return undefined;
    });
    const all = addPairs(isTable(decode(others)) ? others : NONE, [...added]);
    return addPair(without, key, all);
  }
}

const NONE = mapHeader(0);

/** Returns `{space: parent id, field: {child column: parent column}}` with columns from 0. */
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

/** Returns the properties of a foreign key of SQL that a foreign key of a space cannot have. */
function lostOf({ fields }: SystemRow): string[] {
  const { isDeferred, onDelete, onUpdate } = Field.fkConstraint;
  const action = (what: string, field: number): string[] =>
    fields[field] === 'no_action'
      ? []
      : [`${what} ${String(fields[field]).replace('_', ' ').toUpperCase()}`];
  return [
    ...action('ON DELETE', onDelete),
    ...action('ON UPDATE', onUpdate),
    ...(fields[isDeferred] === true ? ['DEFERRED'] : []),
  ];
}

function columnsKey(spaceId: unknown, columns: readonly number[]): string {
  return `${spaceId} ${[...columns].sort((a, b) => a - b)}`;
}

/**
 * Returns the columns of each index. From 2.11 on, a row of a parent can be deleted only if the child has an index
 * over exactly the columns of the foreign key.
 *
 * Source: `fkey_update_local_index()` in the server's `src/box/tuple_constraint_fkey.c`.
 */
function indexedColumns(editor: CatalogEditor): Set<string> {
  return new Set(
    editor.rows(SystemSpace.INDEX).map(({ fields }) => {
      const parts = fields[Field.index.parts];
      const columns = (Array.isArray(parts) ? parts : []).map((part) =>
        Number(Array.isArray(part) ? part[0] : isTable(part) ? part['field'] : -1),
      );
      return columnsKey(fields[Field.index.spaceId], columns);
    }),
  );
}

function gatherForeignKeys(editor: CatalogEditor, names: ReadonlyMap<unknown, string>): Gathered {
  const indexed = indexedColumns(editor);
  const gathered = new Gathered();
  const notes: string[] = [];
  const { childId, parentId, childColumns } = Field.fkConstraint;
  for (const row of editor.rows(SystemSpace.FK_CONSTRAINT)) {
    const id = row.fields[childId];
    const name = String(row.fields[Field.fkConstraint.name]);
    if (!names.has(id)) continue;
    gathered.add(id, name, foreignKey(row));
    const where = `foreign key ${quoted(name)} of space ${quoted(names.get(id))}`;
    for (const lost of lostOf(row)) {
      notes.push(`${where}: ${lost} is left out, because servers from 2.11 on do not support it`);
    }
    if (!indexed.has(columnsKey(id, row.fields[childColumns] as number[]))) {
      notes.push(
        `${where}: no index covers its columns; servers from 2.11 on refuse to delete from ${quoted(names.get(row.fields[parentId]))} until one does`,
      );
    }
  }
  for (const id of gathered.spaceIds) {
    editor.notes.push(
      `foreign keys of space ${quoted(names.get(id))}: all of its rows will be checked, because Lua could bypass the keys before 2.11`,
    );
  }
  for (const note of notes) editor.notes.push(note);
  return gathered;
}

/** Collects checks, which are functions in SQL. */
function gatherChecks(editor: CatalogEditor, names: ReadonlyMap<unknown, string>): Gathered {
  const gathered = new Gathered();
  for (const { fields } of editor.rows(SystemSpace.CK_CONSTRAINT)) {
    const { code, isEnabled } = Field.ckConstraint;
    const spaceId = fields[Field.ckConstraint.spaceId];
    const name = String(fields[Field.ckConstraint.name]);
    const spaceName = names.get(spaceId);
    if (spaceName === undefined) continue;
    if (fields[isEnabled] === false) {
      editor.notes.push(
        `check ${quoted(name)} of space ${quoted(spaceName)} is disabled and left out, because servers from 2.11 on would enforce it`,
      );
      continue;
    }
    const sql = withoutTable(String(fields[code]), spaceName);
    const id = editor.addExpression(`check_${spaceName}_${name}`, sql);
    gathered.add(spaceId, name, uint(id));
  }
  return gathered;
}

/** Moves constraints of SQL into their spaces, as the server's own upgrade does. */
export function moveIntoSpaces(editor: CatalogEditor): void {
  const names = editor.spaceNames();
  const foreignKeys = gatherForeignKeys(editor, names);
  const checks = gatherChecks(editor, names);
  editor.map(SystemSpace.SPACE, (row) => {
    const id = row.fields[Field.space.id];
    return editField(row, Field.space.flags, (flags) =>
      checks.intoFlags(foreignKeys.intoFlags(flags, 'foreign_key', id), 'constraint', id),
    );
  });
  editor.replace(SystemSpace.FK_CONSTRAINT, []);
  editor.replace(SystemSpace.CK_CONSTRAINT, []);
}

/** Receives the name and the function of a constraint, and returns true if it moves. */
type Take = (name: string, functionId: unknown) => boolean;

/** Returns the map without the constraints that move, and without an empty list of them. */
function takeFrom(options: Buffer, take: Take): Buffer {
  return editMap(options, (key, constraints) => {
    if (key !== 'constraint') return constraints;
    let left = 0;
    const edited = editMap(constraints, (name, id) => {
      if (take(name ?? '', decode(id))) return undefined;
      left++;
      return id;
    });
    return left === 0 ? undefined : edited;
  });
}

/** Returns the ids of SQL functions that only a constraint can use. */
function expressionsOf(editor: CatalogEditor): Map<unknown, string> {
  const { objectType, objectId } = Field.priv;
  const granted = new Set(
    editor
      .rows(SystemSpace.PRIV)
      .filter(({ fields }) => fields[objectType] === 'function')
      .map(({ fields }) => fields[objectId]),
  );
  const { id, language, body } = Field.func;
  return new Map(
    editor
      .rows(SystemSpace.FUNC)
      .filter(({ fields }) => fields[language] === 'SQL_EXPR' && !granted.has(fields[id]))
      .map(({ fields }) => [fields[id], String(fields[body])]),
  );
}

/**
 * Moves checks in SQL to rows of `_ck_constraint`, as the server's own downgrade does. Foreign keys are not moved:
 * before 2.11, those of SQL apply to SQL only, and Lua can bypass them.
 */
export function moveOutOfSpaces(editor: CatalogEditor): void {
  const expressions = expressionsOf(editor);
  const checks: SystemRow[] = [];
  editor.map(SystemSpace.SPACE, (row) => {
    const spaceId = row.fields[Field.space.id] as number;
    const taken = new Set<string>();
    const take: Take = (name, functionId) => {
      const code = expressions.get(functionId);
      if (code === undefined || taken.has(name)) return false;
      taken.add(name);
      const fields = [spaceId, name, false, 'SQL', code, true];
      checks.push({ raw: encode(fields), fields });
      return true;
    };
    const flagged = editField(row, Field.space.flags, (flags) => takeFrom(flags, take));
    return editField(flagged, Field.space.format, (format) =>
      editArray(format, (field) => takeFrom(field, take)),
    );
  });
  if (checks.length === 0) return;
  editor.replace(SystemSpace.CK_CONSTRAINT, [...editor.rows(SystemSpace.CK_CONSTRAINT), ...checks]);
  const used = new Set<unknown>(editor.rows(SystemSpace.SPACE).flatMap(functionsOf));
  editor.replace(
    SystemSpace.FUNC,
    editor.rows(SystemSpace.FUNC).filter(({ fields }) => {
      const id = fields[Field.func.id];
      return !expressions.has(id) || used.has(id);
    }),
  );
}
