import { deepEqual } from 'node:assert/strict';
import { Readable } from 'node:stream';
import { diffFrom } from '../../../lib/pipelines/diff.js';
import { archiveOrigin } from '../../../lib/sources/origin.js';
import { LONG_BYTES, TURN_VALUES } from '../../../lib/tuple/walk.js';
import { crafted } from '../../support/crafted.js';
import { coded, type Plain, pack } from '../../support/msgpack.js';

/** Longer than rows that are copied or walked at once. */
const LONG = LONG_BYTES + 100;

const longText = (letter: string): Buffer =>
  Buffer.concat([coded(0xdb, 4, LONG), Buffer.alloc(LONG, letter)]);
const ONE = longText('a');
const OTHER = longText('b');
/** More values than are walked in one turn. */
const MANY = Buffer.concat([coded(0xdd, 4, TURN_VALUES + 1), Buffer.alloc(TURN_VALUES + 1, 1)]);

type Row = readonly [key: number, value: Plain];

/** Rows of the left side: some are missing on the right, changed, or equal, and each is short or long. */
const LEFT: readonly Row[] = [
  ...([
    [1, 'a'],
    [2, ONE],
    [3, ONE],
    [5, 'a'],
    [7, ONE],
    [8, ONE],
  ] as const),
  ...([
    [9, 'a'],
    [11, ONE],
    [12, 'a'],
    [13, ONE],
    [14, 'a'],
  ] as const),
];
const RIGHT: readonly Row[] = [
  ...([
    [1, 'a'],
    [2, ONE],
    [4, ONE],
    [6, 'a'],
    [7, OTHER],
    [8, 'a'],
  ] as const),
  ...([
    [9, ONE],
    [10, ONE],
    [12, 'b'],
    [13, ONE],
    [14, 'a'],
  ] as const),
];
const COUNTS = { removed: 3, added: 3, changed: 4, equal: 4 };
const CHANGED = ['-3', '-5', '-11', '+4', '+6', '+10', '~7', '~8', '~9', '~12'];

interface Shape {
  version: string;
  index: string;
  /** The field of the key; a path leads into it. */
  field: number;
  path?: string;
  isReversed?: boolean;
}

const keyed = (key: number, { field, path }: Shape): Plain[] => {
  const value: Plain = path === undefined ? key : { [path]: key };
  return field === 0 ? [value] : [MANY, value];
};

function origin(rows: readonly Row[], shape: Shape) {
  const { field, path, index, version, isReversed } = shape;
  const part = { field, type: 'unsigned', ...(path === undefined ? {} : { path }) };
  const list = rows.map(([key, value]) => [...keyed(key, shape), value]);
  const bytes = crafted(
    {
      280: [[512, 1, 'users', 'memtx', 0, {}, []]],
      288: [[512, 0, 'pk', index, { unique: true }, [part]]],
    },
    version,
    { 512: isReversed === true ? list.reverse() : list },
  );
  return archiveOrigin(Readable.from([bytes]));
}

/** Returns the key of a reported row. */
function keyOf(row: Buffer, shape: Shape): string | undefined {
  const found = [...LEFT, ...RIGHT].find(([key]) => {
    const start = pack(keyed(key, shape)).subarray(1);
    return row.compare(start, 0, start.length, 1, 1 + start.length) === 0;
  });
  return found && String(found[0]);
}

describe('long rows', function () {
  this.timeout(30_000);

  const shapes: readonly [title: string, shape: Shape][] = [
    ['in the order of their keys', { version: '3.4.0', index: 'tree', field: 0 }],
    ['in an uncertain order', { version: '2.6.0', index: 'tree', field: 0 }],
    ['in no order', { version: '2.6.0', index: 'tree', field: 0, isReversed: true }],
    ['that have to be sorted', { version: '2.6.0', index: 'hash', field: 0 }],
    ['with keys after a long field', { version: '3.4.0', index: 'tree', field: 1 }],
    ['with keys in a map', { version: '3.4.0', index: 'tree', field: 0, path: 'id' }],
  ];
  for (const [title, shape] of shapes) {
    it(`${title} are paired with long and short ones`, async () => {
      const heard: string[] = [];
      const { spaces } = await diffFrom(origin(LEFT, shape), origin(RIGHT, shape), {
        onRow: ({ before, after }) => {
          const sign = before === undefined ? '+' : after === undefined ? '-' : '~';
          heard.push(`${sign}${keyOf((before ?? after)!, shape)}`);
        },
      });
      deepEqual(spaces, [{ name: 'users', ...COUNTS }]);
      deepEqual(heard.sort(), [...CHANGED].sort());
    });
  }

  it('without a common key are compared as whole rows', async () => {
    const some = LEFT.slice(0, 3);
    const [left, right] = [0, 1].map((field) => ({ version: '3.4.0', index: 'tree', field }));
    const { spaces } = await diffFrom(origin(some, left!), origin(some, right!));
    const { length } = some;
    deepEqual(spaces, [{ name: 'users', removed: length, added: length, changed: 0, equal: 0 }]);
  });
});
