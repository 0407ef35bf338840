import {
  MAX_DEFINITION_VALUES,
  MAX_JSON_VALUES,
  MAX_TUPLE_BYTES,
} from '../../lib/backup/limits.js';
import { MAX_FIELDS } from '../../lib/schema/catalog/field-limit.js';
import { MAX_NESTING } from '../../lib/schema/read/validate.js';
import { MAX_SQL_DEPTH, MAX_SQL_TOKENS } from '../../lib/schema/sql/tokens.js';
import { MAX_UNNAMED } from '../../lib/text/layout.js';
import { MAX_DECODED } from '../../lib/tuple/tuple.js';
import {
  archive,
  type Entry,
  jsonEntry,
  manifest,
  manyRowsEntry,
  rowsEntry,
  sealed,
} from '../support/archive-builder.js';
import { coded, type Plain, tuples } from '../support/msgpack.js';
import type { Random } from './mutate.js';

/** An archive at a limit, or just beyond one. */
export interface LimitArchive {
  title: string;
  bytes: Buffer;
  /** The same archive with another last value in its last row, if it has one that can be changed. */
  other: Buffer;
  /** Its largest tuple, which a command may have to hold. */
  tupleBytes: number;
}

/** Definitions and rows that an archive is made of; the space 512 and its primary key are always there. */
interface Content {
  flags?: Plain;
  format?: Plain;
  name?: string;
  /** Rows of other spaces than `_space`, by the id of the system space. */
  spaces?: readonly Plain[][];
  indexes?: readonly Plain[][];
  marks?: readonly Plain[][];
  rows?: Buffer;
  rowCount?: number;
  entries?: number;
  more?: object;
}

type Maker = (random: Random) => [title: string, content: Content];

const MIB = 1024 * 1024;

/** Values that take one byte each, or few, by their bytes. */
export const MEMBERS: readonly Buffer[] = [
  '90',
  '80',
  'c0',
  '01',
  'a0',
  'c400',
  'd40100',
  '9190',
  '81c0c0',
].map((hex) => Buffer.from(hex, 'hex'));

/** A number at a limit: some below it, the limit itself, or some beyond it. */
export function near(limit: number, random: Random): number {
  return Math.max(1, limit + [-1000, -2, -1, 0, 1, 2, 1000][random(7)]!);
}

/** One of a list. */
export const pick = <T>(of: readonly T[], random: Random): T => of[random(of.length)]!;

/** A list of so many members of one kind. */
function listOf(count: number, member: Buffer): Buffer {
  return Buffer.concat([coded(0xdd, 4, count), Buffer.alloc(count * member.length, member)]);
}

/** A list in a list, and so on. */
export const nested = (depth: number): Buffer =>
  Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.of(0xc0)]);

const text = (bytes: number, character: string): Buffer =>
  Buffer.concat([coded(0xdb, 4, bytes), Buffer.alloc(bytes, character)]);

/** A row with the key 1 and a second field. */
const rowWith = (field: Buffer): Content => ({
  rows: Buffer.concat([Buffer.of(0x92, 1), field]),
  rowCount: 1,
});

const field = (i: number): Plain => ({ name: `f${i}`, type: i === 0 ? 'unsigned' : 'any' });
const fields = (count: number): Plain[] => Array.from({ length: count }, (_, i) => field(i));

const MAKERS: readonly Maker[] = [
  (random) => {
    const member = pick(MEMBERS, random);
    const count = pick(
      [near(MAX_DECODED, random), 5_000_000, Math.floor((60 * MIB) / member.length)],
      random,
    );
    return [
      `a row with a list of ${count} times ${member.toString('hex')}`,
      rowWith(listOf(count, member)),
    ];
  },
  (random) => {
    const count = pick(
      [near(MAX_UNNAMED, random), 60_000, near(MAX_DECODED, random), 20_000_000],
      random,
    );
    const rows = listOf(count, Buffer.of(1));
    return [`a row of ${count} fields`, { rows, rowCount: 1 }];
  },
  (random) => {
    const bytes = pick([MIB, 20 * MIB, near(MAX_TUPLE_BYTES - 7, random)], random);
    const character = pick(['a', '"', '\n', '\0', 'ж'[0]!], random);
    return [
      `a row with a text of ${bytes} times ${JSON.stringify(character)}`,
      rowWith(text(bytes, character)),
    ];
  },
  (random) => {
    const depth = pick([near(512, random), near(1100, random), 100_000, 20_000_000], random);
    return [`a row of ${depth} levels`, rowWith(nested(depth))];
  },
  (random) => {
    const count = pick([100_000, 1_000_000], random);
    const row = Buffer.alloc(6, Buffer.from('91ce00000000', 'hex'));
    const rows = Buffer.alloc(6 * count, row);
    for (let i = 0; i < count; i++) rows.writeUInt32BE(i, 6 * i + 2);
    return [`${count} rows`, { rows, rowCount: count }];
  },
  (random) => {
    const count = pick(
      [near(1600, random), near(2000, random), near(MAX_FIELDS, random), 250_000],
      random,
    );
    return [`a format of ${count} fields`, { ...rowWith(Buffer.of(1)), format: fields(count) }];
  },
  (random) => {
    const count = pick([10, 1000, MAX_FIELDS], random);
    const spaces = Array.from(
      { length: Math.floor(pick([20_000, 230_000], random) / count) },
      (_, i): Plain[] => [...[600 + i, 1, `s${i}`, 'memtx', 0, {}, fields(count)]],
    );
    return [`${spaces.length} spaces of ${count} fields`, { ...rowWith(Buffer.of(1)), spaces }];
  },
  (random) => {
    const fieldNo = pick([near(32_767, random), 1e8, 2 ** 31 - 1, 2 ** 32 - 1], random);
    const index = [512, 1, 'second', 'tree', { unique: false }, [[fieldNo, 'unsigned']]];
    return [`an index of field ${fieldNo}`, { ...rowWith(Buffer.of(1)), indexes: [index] }];
  },
  (random) => {
    const count = pick([near(128, random), 5000, 20_000], random);
    const indexes = Array.from({ length: count }, (_, i): Plain[] => [
      ...[512, i + 1, `i${i}`, 'tree', { unique: false }, [[1, 'unsigned']]],
    ]);
    return [`${count} indexes`, { indexes }];
  },
  (random) => {
    const count = pick([near(255, random), 100_000], random);
    const parts = Array.from({ length: count }, (_, i): Plain => [i, 'unsigned']);
    return [`an index of ${count} parts`, { indexes: [[512, 1, 'many', 'tree', {}, parts]] }];
  },
  (random) => {
    const count = pick([1000, 10_000, 16_000], random);
    const spaces = Array.from({ length: count }, (_, i): Plain[] => [
      ...[600 + i, 1, `s${i}`, 'memtx', 0, {}, []],
    ]);
    return [`${count} spaces`, { spaces }];
  },
  (random) => {
    const count = pick([1000, 100_000, near(MAX_DEFINITION_VALUES / 8, random)], random);
    const marks = Array.from({ length: count }, (_, i): Plain[] => [`mark ${i}`, i]);
    return [`${count} marks`, { marks }];
  },
  (random) => {
    const member = pick(MEMBERS, random);
    const count = pick(
      [100_000, near(Math.floor(MAX_DEFINITION_VALUES / pick([1, 3, 5], random)) - 500, random)],
      random,
    );
    const list = listOf(count, member);
    const title = `${count} times ${member.toString('hex')}`;
    return random(2) === 0
      ? [`a mark of ${title}`, { marks: [['mark', list]] }]
      : [`an option of ${title}`, { flags: { option: list } }];
  },
  (random) => {
    const depth = near(MAX_NESTING - 3, random);
    return [`an option of ${depth} levels`, { flags: { option: nested(depth) } }];
  },
  (random) => {
    const words = near(MAX_SQL_TOKENS / 2, random);
    const depth = near(MAX_SQL_DEPTH, random);
    const [title, sql] = pick(
      [
        [`${words} words`, `CREATE VIEW v AS SELECT ${'a,'.repeat(words)}1`],
        [`${depth} levels`, `CREATE VIEW v AS SELECT ${'('.repeat(depth)}1${')'.repeat(depth)}`],
        ['20 MB in one string', `CREATE VIEW v AS SELECT '${'a'.repeat(20e6)}'`],
        ['10 MB of signs', `CREATE VIEW v AS SELECT ${'('.repeat(10e6)}`],
      ],
      random,
    );
    const view: Plain[] = [600, 1, 'v', 'memtx', 0, { view: true, sql: sql! }, [field(0)]];
    return [`SQL of ${title}`, { spaces: [view] }];
  },
  (random) => {
    const name = 'n'.repeat(pick([near(65_000, random), 1e6, 4e6], random));
    return [`a name of ${name.length} bytes`, { name }];
  },
  (random) => {
    const entries = pick([100, 2000, 10_000], random);
    return [`${entries} entries`, { entries }];
  },
  (random) => {
    const count = near(MAX_JSON_VALUES - 1100, random);
    return [`a manifest of ${count} values`, { more: { x: Array(count).fill(1) } }];
  },
];

function entriesOf({ name = 'users', ...content }: Content): Entry[] {
  const { flags = {}, format = [], spaces = [], indexes = [], marks = [], more = {} } = content;
  const first: Plain[] = [512, 1, name, 'memtx', 0, flags, format];
  const all = [first, ...spaces];
  const listed = all.map(([id, , title, engine]) => ({
    ...{ id, name: title, engine, format: [] },
    rowsFrom: id === 512 ? 'snapshot' : 'none',
  }));
  const { rows = tuples([1]), rowCount = 1, entries = 1 } = content;
  const part = (i: number): Entry =>
    entries === 1
      ? { name: '512.dump', body: rows, rows: rowCount }
      : rowsEntry(`512.dump.${String(i).padStart(5, '0')}`, [i]);
  return [
    jsonEntry('manifest.json', manifest({ spaces: listed, ...more })),
    ...(marks.length === 0 ? [] : [manyRowsEntry('272.dump', marks)]),
    manyRowsEntry('280.dump', all),
    manyRowsEntry('288.dump', [
      [512, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]],
      ...indexes,
    ]),
    ...Array.from({ length: entries }, (_, i) => part(i)),
  ];
}

/** Makes an archive at one of the limits. */
export function archiveAtLimit(random: Random): LimitArchive {
  const [title, content] = pick(MAKERS, random)(random);
  const { rows = Buffer.alloc(0), rowCount = 1 } = content;
  const entries = entriesOf(content);
  return {
    title,
    bytes: archive(sealed(entries)),
    other: archive(sealed(changed(entries))),
    tupleBytes: rowCount === 1 ? rows.length : 0,
  };
}

/** Last bytes of rows that are values, and another value of as many bytes for each. */
const OTHERS: ReadonlyMap<number | undefined, number> = new Map([
  ...([
    [0xc0, 0xc2],
    [0x01, 0x02],
    [0x61, 0x62],
  ] as const),
  ...([
    [0x90, 0x80],
    [0x80, 0x90],
    [0xa0, 0x90],
  ] as const),
]);

function changed(entries: readonly Entry[]): Entry[] {
  const last = entries.at(-1)!;
  const body = Buffer.from(last.body);
  body[body.length - 1] = OTHERS.get(body.at(-1)) ?? body.at(-1)!;
  return [...entries.slice(0, -1), { ...last, body }];
}
