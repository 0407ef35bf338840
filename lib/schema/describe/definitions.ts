import { defined } from '../../base/defined.js';
import type { Value } from '../../tuple/codec.js';
import { type Catalog, rowlessReason, type SystemRow } from '../catalog/catalog.js';
import { allForeignKeys, type ForeignKey } from '../catalog/foreign-keys.js';
import { showValue } from '../catalog/keys.js';
import { isTable, rowsBy, type Table } from '../catalog/rows.js';
import { Field, SystemSpace } from '../server/system-spaces.js';
import { sqlOf } from '../sql/dialect.js';
import { Names } from './name-lookup.js';

/** A field of a space, as its format has it. */
export interface FieldDefinition {
  name: string;
  /** The type; `any` if the format does not say. */
  type: string;
  isNullable: boolean;
  collation?: string;
  /** The default as JSON, or the function that computes it. */
  default?: string;
}

/** A part of a key. */
export interface PartDefinition {
  /** The name if the format has one; otherwise the number, from 1. */
  field: string;
  /** The path to the value inside of the field. */
  path?: string;
  type: string;
  isNullable: boolean;
  collation?: string;
  /** Absent if values ascend. */
  order?: 'desc';
}

/** An index of a space. */
export interface IndexDefinition {
  id: number;
  name: string;
  /** Lower case, e.g. `tree`. */
  type: string;
  isUnique: boolean;
  parts: PartDefinition[];
  /** The name of the function of a functional index. */
  function?: string;
}

/** A condition on rows or fields. */
export interface CheckDefinition {
  name: string;
  /** The SQL expression or the name of the function. */
  code: string;
}

/** A reference from the fields of one space to those of another. */
export interface ForeignKeyDefinition {
  name: string;
  /** The name of the parent space. */
  space: string;
  /** Pairs of fields: one of this space, one of the parent. */
  fields: [string, string][];
}

/** The definition of a space, with names instead of ids. */
export interface SpaceDefinition {
  id: number;
  name: string;
  engine: string;
  /** The text of a view. */
  sql?: string;
  /** The reason why it stores no rows. */
  rowless?: string;
  /** The name of the sequence that fills a field of the primary key. */
  sequence?: string;
  fields: FieldDefinition[];
  /** The indexes, ascending by id. */
  indexes: IndexDefinition[];
  checks: CheckDefinition[];
  foreignKeys: ForeignKeyDefinition[];
}

/** A sequence. Numbers are decimal strings, because they may have 64 bits. */
export interface SequenceDefinition {
  id: number;
  name: string;
  step: string;
  min: string;
  max: string;
  start: string;
  isCycle: boolean;
  /** The last value; absent if it was never used. */
  value?: string;
}

/** The spaces of an archive, and the sequences that fill them. */
export interface Definitions {
  spaces: SpaceDefinition[];
  sequences: SequenceDefinition[];
}

/** Groups values by their key. */
function grouped<T>(all: readonly T[], keyOf: (each: T) => Value): Map<Value, T[]> {
  const groups = new Map<Value, T[]>();
  for (const each of all) {
    const key = keyOf(each);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  return groups;
}

const typeOf = (type: Value | undefined): string =>
  typeof type === 'string' ? type.toLowerCase() : 'any';

function fieldOf(field: Table, i: number, names: Names): FieldDefinition {
  const { name = String(i + 1), type, is_nullable, collation, default: value } = field;
  const made = field['default_func'];
  return {
    name: String(name),
    type: typeOf(type),
    isNullable: is_nullable === true,
    ...names.collation(collation),
    ...(value === undefined ? {} : { default: showValue(value) }),
    ...(made === undefined ? {} : { default: names.code(made) }),
  };
}

function partOf(part: Value, spaceId: number, names: Names): PartDefinition {
  if (Array.isArray(part)) {
    const [field, type] = part;
    return { field: names.field(spaceId, Number(field)), type: typeOf(type), isNullable: false };
  }
  const { field, type, path, is_nullable, collation, sort_order } = part as Table;
  return {
    field: names.field(spaceId, Number(field)),
    ...(typeof path === 'string' ? { path } : {}),
    type: typeOf(type),
    isNullable: is_nullable === true,
    ...names.collation(collation),
    ...(sort_order === 'desc' ? { order: 'desc' } : {}),
  };
}

function indexOf({ fields }: SystemRow, names: Names): IndexDefinition {
  const { id, name, type, options, parts } = Field.index;
  const { unique, func } = fields[options] as Table;
  return {
    id: Number(fields[id]),
    name: String(fields[name]),
    type: String(fields[type]).toLowerCase(),
    isUnique: fields[id] === 0 || unique !== false,
    parts: (fields[parts] as Value[]).map((part) =>
      partOf(part, Number(fields[Field.index.spaceId]), names),
    ),
    ...(func === undefined ? {} : { function: names.function(func) }),
  };
}

/** Returns the checks under `constraint`: the number of a function, or numbers by name. */
function checksUnder(place: Value | undefined, what: string, names: Names): CheckDefinition[] {
  const given = isTable(place) ? place['constraint'] : undefined;
  if (given === undefined) return [];
  const named = isTable(given) ? Object.entries(given) : [[what, given] as const];
  return named.map(([name, id]) => ({ name, code: names.code(id) }));
}

function foreignKeyOf(key: ForeignKey, names: Names): ForeignKeyDefinition {
  const { name, childId, parentId } = key;
  return {
    name,
    space: names.space(parentId)?.name ?? `number ${parentId}`,
    fields: key.fields.map(([own, other]) => [
      names.field(childId, own),
      names.field(parentId, other),
    ]),
  };
}

function sequenceOf({ fields }: SystemRow, data: Map<Value, SystemRow>): SequenceDefinition {
  const { id, name, step, min, max, start, isCycle } = Field.sequence;
  const value = data.get(fields[id]!)?.fields[Field.sequenceData.value];
  return {
    id: Number(fields[id]),
    name: String(fields[name]),
    step: String(fields[step]),
    min: String(fields[min]),
    max: String(fields[max]),
    start: String(fields[start]),
    isCycle: fields[isCycle] === true,
    ...(value === undefined ? {} : { value: String(value) }),
  };
}

/**
 * Returns the definitions of spaces and sequences, with names instead of numbers.
 *
 * @param catalog - that `validate` has accepted
 * @example
 * definitionsOf(catalog).spaces[0]?.indexes;
 */
export function definitionsOf(catalog: Catalog): Definitions {
  const names = new Names(catalog);
  const rows = rowsBy(catalog.rows(SystemSpace.SPACE), Field.space.id);
  const indexes = grouped(
    catalog.rows(SystemSpace.INDEX),
    ({ fields }) => fields[Field.index.spaceId]!,
  );
  const checks = grouped(
    catalog.rows(SystemSpace.CK_CONSTRAINT),
    ({ fields }) => fields[Field.ckConstraint.spaceId]!,
  );
  const keys = grouped(allForeignKeys(catalog), ({ childId }) => childId);
  const filled = rowsBy(catalog.rows(SystemSpace.SPACE_SEQUENCE), Field.spaceSequence.spaceId);
  const sequences = rowsBy(catalog.rows(SystemSpace.SEQUENCE), Field.sequence.id);
  const data = rowsBy(catalog.rows(SystemSpace.SEQUENCE_DATA), Field.sequenceData.id);
  const spaces = catalog.spaces.map((space): SpaceDefinition => {
    const { id, name, engine, format } = space;
    const row = rows.get(id)!;
    const sql = sqlOf(row, Field.space.flags);
    const rowless = rowlessReason(space);
    const sequence = sequences.get(filled.get(id)?.fields[Field.spaceSequence.sequenceId] ?? null);
    return {
      id,
      name,
      engine,
      ...defined({ sql, rowless }),
      ...(sequence === undefined ? {} : { sequence: String(sequence.fields[Field.sequence.name]) }),
      fields: format.flatMap((field, i) => (isTable(field) ? fieldOf(field, i, names) : [])),
      indexes: (indexes.get(id) ?? [])
        .map((index) => indexOf(index, names))
        .sort((a, b) => a.id - b.id),
      checks: [
        ...checksUnder(row.fields[Field.space.flags], name, names),
        ...format.flatMap((field, i) => checksUnder(field, names.field(id, i), names)),
        ...(checks.get(id) ?? []).map(({ fields }) => ({
          name: String(fields[Field.ckConstraint.name]),
          code: String(fields[Field.ckConstraint.code]),
        })),
      ],
      foreignKeys: (keys.get(id) ?? []).map((key) => foreignKeyOf(key, names)),
    };
  });
  return {
    spaces,
    sequences: [...sequences.values()].map((row) => sequenceOf(row, data)),
  };
}
