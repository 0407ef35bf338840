import fc from 'fast-check';
import * as values from './values.js';
import { array, arrayOf, mapOf, type Node, nil } from './values.js';

/** A space as Lua makes it, and its rows. */
export interface Space {
  name: string;
  engine: 'memtx' | 'vinyl';
  /** Absent: the space has none. */
  format?: Field[];
  /** The first one is the primary. */
  indexes: Index[];
  rows: Node[];
}

interface Field {
  name: string;
  type: string;
  is_nullable: boolean;
}

interface Index {
  name: string;
  type: 'tree' | 'hash' | 'bitset';
  unique: boolean;
  parts: Part[];
  sequence?: true;
}

interface Part {
  field: number;
  type: string;
  is_nullable: boolean;
  path?: string;
  collation?: string;
}

/** What a field may be of. */
interface Kind {
  /** In the format. */
  type: string;
  value: fc.Arbitrary<Node>;
  /** How an index may look into it; absent where it cannot. */
  key?: Pick<Part, 'type' | 'path' | 'collation'>;
  /** Whether it may be in a primary key. */
  identifies?: true;
}

const simple = (type: string, value: fc.Arbitrary<Node>): Kind => ({
  type,
  value,
  key: { type },
  identifies: true,
});

const KEY = new values.Node(Buffer.from('a16b', 'hex'));

const KINDS: readonly Kind[] = [
  simple('unsigned', values.unsigned),
  simple('integer', values.integer),
  simple('string', values.string),
  { type: 'string', value: values.text, key: { type: 'string', collation: 'unicode_ci' } },
  simple('varbinary', values.varbinary),
  simple('number', values.number),
  simple('double', values.double),
  simple('decimal', values.decimal),
  simple('boolean', values.boolean),
  simple('scalar', values.scalar),
  simple('uuid', values.uuid),
  { type: 'any', value: values.fieldValue },
  { type: 'array', value: arrayOf(values.value) },
  { type: 'array', value: arrayOf(values.unsigned), key: { type: 'unsigned', path: '[*]' } },
  { type: 'map', value: mapOf(values.value, values.value) },
  {
    type: 'map',
    value: values.string.chain((found) => mapOf(values.integer, values.value, [KEY, found])),
    key: { type: 'string', path: 'k' },
  },
];
const IDENTIFYING = KINDS.filter(({ identifies }) => identifies);

/** What a space is made of, in numbers: each pick is among as many as there then are. */
const draft = fc.record({
  name: fc.string({
    unit: fc.constantFrom(...'ab/.\\ \'"%я表🚀_-[]'),
    maxLength: 8,
  }),
  engine: fc.constantFrom('memtx' as const, 'vinyl' as const),
  hasFormat: fc.boolean(),
  first: fc.constantFrom(...IDENTIFYING),
  others: fc.array(fc.record({ kind: fc.constantFrom(...KINDS), isNullable: fc.boolean() }), {
    maxLength: 5,
  }),
  primary: fc.record({ more: fc.array(fc.nat(9), { maxLength: 3 }), isHash: fc.boolean() }),
  secondaries: fc.array(
    fc.record({
      picks: fc.array(fc.nat(9), { minLength: 1, maxLength: 3 }),
      type: fc.constantFrom('tree' as const, 'tree' as const, 'hash' as const, 'bitset' as const),
      isUnique: fc.boolean(),
    }),
    { maxLength: 3 },
  ),
  isCounted: fc.boolean(),
});
type Draft = typeof draft extends fc.Arbitrary<infer T> ? T : never;

interface Column extends Field {
  kind: Kind;
}

const columnsOf = ({ first, others }: Draft): Column[] =>
  [{ kind: first, isNullable: false }, ...others].map(({ kind, isNullable }, i) => ({
    name: `field ${i}`,
    type: kind.type,
    // 'any' may be null, and null has no path inside of it
    is_nullable: kind.type === 'any' || (isNullable && kind.key?.path === undefined),
    kind,
  }));

/** The parts that `picks` choose, each field once. */
function partsOf(columns: readonly Column[], picks: readonly number[]): Part[] {
  const possible = columns.flatMap(({ kind: { key }, is_nullable }, i) =>
    key === undefined ? [] : [{ field: i + 1, ...key, is_nullable }],
  );
  if (possible.length === 0) return [];
  return [...new Set(picks.map((pick) => possible[pick % possible.length]!))];
}

function primaryOf({ primary, engine }: Draft, columns: readonly Column[]): Index {
  const able = columns.map((column) =>
    column.kind.identifies && !column.is_nullable
      ? column
      : { ...column, kind: { ...column.kind, key: undefined } },
  );
  const parts = partsOf(able as Column[], [0, ...primary.more]);
  const type = primary.isHash && engine === 'memtx' ? 'hash' : 'tree';
  return { name: 'primary', type, unique: true, parts };
}

function secondaryOf(
  { engine }: Draft,
  columns: readonly Column[],
  { picks, type, isUnique }: Draft['secondaries'][number],
  name: string,
): Index {
  const parts = partsOf(columns, picks);
  const [first] = parts;
  const isPlain = parts.every(({ is_nullable, path }) => !is_nullable && path === undefined);
  if (engine === 'memtx' && isPlain) {
    if (type === 'hash') return { name, type, unique: true, parts };
    const isBits = first?.type === 'unsigned' || first?.type === 'string';
    if (type === 'bitset' && isBits && first.collation === undefined) {
      return { name, type, unique: false, parts: [first] };
    }
  }
  // two fields with many keys each have too many in common
  const isMany = ({ path }: Part): boolean => path === '[*]';
  const single = parts.filter((part) => !isMany(part) || part === parts.find(isMany));
  return { name, type: 'tree', unique: isUnique, parts: single };
}

function indexesOf(of: Draft, columns: readonly Column[]): Index[] {
  const primary = primaryOf(of, columns);
  const secondaries = of.secondaries.map((each, i) => secondaryOf(of, columns, each, `index ${i}`));
  const counts = of.isCounted && ['unsigned', 'integer'].includes(of.first.type);
  return [
    counts ? { ...primary, sequence: true } : primary,
    ...secondaries.filter(({ parts }) => parts.length > 0),
  ];
}

/** Fields by the columns, and any values behind them; of what may be missing at the end some is. */
function rowOf(columns: readonly Column[], isCounted: boolean): fc.Arbitrary<Node> {
  const fields = columns.map(({ kind, is_nullable }) =>
    is_nullable ? fc.oneof({ arbitrary: kind.value, weight: 3 }, fc.constant(nil)) : kind.value,
  );
  if (isCounted) fields[0] = fc.constant(nil); // the sequence gives the value
  const least = columns.findLastIndex(({ is_nullable }) => !is_nullable) + 1;
  return fc
    .tuple(
      fc.tuple(...fields),
      fc.array(values.value, { maxLength: 3 }),
      fc.nat(columns.length),
      fc.nat(3),
    )
    .map(([known, more, cut, pick]) =>
      cut < columns.length && cut >= least
        ? array(known.slice(0, cut), pick)
        : array([...known, ...more], pick),
    );
}

const space: fc.Arbitrary<Space> = draft.chain((of) => {
  const columns = columnsOf(of);
  const indexes = indexesOf(of, columns);
  const isCounted = indexes[0]!.sequence === true;
  return fc.array(rowOf(columns, isCounted), { maxLength: 12, size: 'max' }).map((rows) => ({
    name: of.name,
    engine: of.engine,
    ...(of.hasFormat ? { format: columns.map(({ kind: _, ...field }) => field) } : {}),
    indexes,
    rows,
  }));
});

/** Spaces of different names. */
export const spaces: fc.Arbitrary<Space[]> = fc
  .array(space, { minLength: 1, maxLength: 16, size: 'max' })
  .map((all) => all.map((each, i) => ({ ...each, name: `space ${i} ${each.name}` })));

/** Lua that makes the spaces of its argument, and returns their ids. */
export const MAKE = `
local ids = {}
for _, given in ipairs(...) do
    local space = box.schema.space.create(given.name, {engine = given.engine, format = given.format})
    for _, index in ipairs(given.indexes) do
        local name = index.name
        index.name = nil
        space:create_index(name, index)
    end
    table.insert(ids, space.id)
end
return ids
`;

/** Lua that makes a server as empty as it was. */
export const EMPTY = `
for _, definition in box.space._space:pairs(511, {iterator = 'GT'}) do
    box.space[definition.id]:drop()
end
`;
