import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { MAX_TUPLE_BYTES } from '../../../lib/backup/limits.js';
import { Pool } from '../../../lib/base/memory.js';
import { RowsReader } from '../../../lib/iproto/select-reader.js';
import { coded, type Plain, pack } from '../../support/msgpack.js';
import { chunksOf } from './cutting.js';
import { errorPacket, packet, rowsPacket } from './fake-server.js';

const DOING = "read space 'users'";
const MIB = 1024 * 1024;
const SIZES = [64, 1000, 256 * 1024];

function readerWith(size: number): RowsReader {
  return new RowsReader(DOING, new Pool(size, 2), () => {});
}

const framed = (body: Buffer): Buffer => Buffer.concat([coded(0xce, 4, body.length), body]);
const data = (value: Plain): Buffer => packet(0, 7, new Map([[0x30, value]]));

/** A reply as it is, but for what it says of its length. */
function claiming(bytes: Buffer, difference: number): Buffer {
  const changed = Buffer.from(bytes);
  changed.writeUInt32BE(bytes.readUInt32BE(1) + difference, 1);
  return changed;
}

const HEADER = pack(new Map([[0, 0]]));
const GOOD = rowsPacket(7, [[1], [2, 'x'.repeat(200)]]);
const ROWS_AND_MORE = new Map<Plain, Plain>([
  [0x30, []],
  [0x31, 1],
]);

const REFUSED: [string, Buffer, RegExp][] = [
  ['without a length', Buffer.from('HTTP/1.1 400 Bad Request'), /starts with byte 0x48/],
  ['without a header', framed(Buffer.alloc(0)), /without a header/],
  ['whose header is no map', framed(pack([1])), /without a header/],
  ['without a body', framed(HEADER), /a body without rows/],
  ['with another body', packet(0, 7, new Map([[0x26, new Map()]])), /a body without rows/],
  ['with more than rows', packet(0, 7, ROWS_AND_MORE), /without rows/],
  ['whose rows are a map', data({}), /rows that are no array/],
  ['whose rows are nil', data(null), /rows that are no array/],
  ['that ends in front of its rows', data(Buffer.alloc(0)), /rows that are no array/],
  ['that ends in the count of its rows', data(Buffer.of(0xdd, 0, 0)), /rows that are no array/],
  ['with a row that is a number', data([[1], 2]), /a row that is no tuple/],
  ['with a row that is a map', data([{ a: 1 }]), /a row that is no tuple/],
  ['with an unused code in a row', data([[Buffer.of(0xc1)]]), /a row that is no tuple/],
  [
    'with fewer rows than it says',
    data(Buffer.concat([Buffer.of(0x93), pack([1])])),
    /do not fill it/,
  ],
  [
    'with more rows than it says',
    data(Buffer.concat([Buffer.of(0x91), pack([1]), pack([2])])),
    /do not fill it/,
  ],
  [
    'with rows where it says none',
    data(Buffer.concat([Buffer.of(0x90), pack([1])])),
    /not fill it/,
  ],
  [
    'with half a row',
    data(Buffer.concat([Buffer.of(0x91), pack([1, 'x']).subarray(0, -1)])),
    /do not fill it/,
  ],
  [
    'with a row of 2^32 - 1 fields',
    data(Buffer.concat([Buffer.of(0x91), coded(0xdd, 4, -1)])),
    /do not fill it/,
  ],
  ['with 2^32 - 1 rows', data(Buffer.concat([coded(0xdd, 4, -1), pack([1])])), /do not fill it/],
  [
    'with one byte more than it says',
    claiming(GOOD, -1),
    /more bytes than its length says|do not fill it/,
  ],
  ['with another reply behind it', Buffer.concat([GOOD, GOOD]), /more bytes than its length says/],
];

/** Feeds a reply to its end. */
function feed(reader: RowsReader, bytes: Buffer, chunkSize: number): void {
  for (const chunk of chunksOf(bytes, chunkSize)) {
    // What follows a whole reply in a chunk of its own belongs to the next one.
    if (reader.push(chunk)) throw new Error('more bytes than its length says: not fed');
  }
}

describe('RowsReader refuses a reply', () => {
  for (const [title, bytes, message] of REFUSED) {
    it(`${title}, in chunks and pieces of any size, also after a valid reply`, () => {
      for (const size of SIZES) {
        for (let chunkSize = 1; chunkSize <= bytes.length; chunkSize++) {
          for (const isFirst of [true, false]) {
            const reader = readerWith(size);
            if (!isFirst) equal(reader.push(GOOD), true);
            throws(
              () => feed(reader, bytes, chunkSize),
              (error: Error) => message.test(error.message),
              `chunks of ${chunkSize}, pieces of ${size}`,
            );
          }
        }
      }
    });
  }

  it('with an error of an impossible size before all of it arrives', () => {
    const bytes = errorPacket(7, 42, 'no');
    bytes.writeUInt32BE(3_000_000_000, 1);
    throws(() => readerWith(1000).push(Buffer.concat([bytes, Buffer.alloc(200)])), {
      kind: 'failure',
      message: `${DOING}: protocol error: a reply with an error of 3000000005 bytes`,
    });
  });

  it('with bytes after its end as soon as they arrive, even if a row is incomplete', () => {
    const bytes = claiming(rowsPacket(7, [[1, 'x'.repeat(1000)]]), -500);
    for (const size of SIZES) {
      const reader = readerWith(size);
      equal(reader.push(bytes.subarray(0, 500)), false);
      throws(() => reader.push(bytes.subarray(500, 600)), /more bytes than its length says/);
    }
  });
});

describe('RowsReader and a row of some size', () => {
  const LAST = pack([2]);

  /** A reply with a row of `bytes` bytes in all between small ones, up to the content of that row. */
  function startOf(bytes: number): Buffer {
    const row = [Buffer.of(0x91), coded(0xdb, 4, bytes - 6)];
    const start = data(Buffer.concat([Buffer.of(0x93), pack([1]), ...row]));
    return claiming(start, bytes - 6 + LAST.length);
  }

  const overLimit = {
    kind: 'failure',
    message: `${DOING}: a tuple of over ${MAX_TUPLE_BYTES} bytes`,
  };

  for (const size of [64, 256 * 1024]) {
    it(`refuses a row over the limit before all of it arrives, with pieces of ${size}`, () => {
      const reader = readerWith(size);
      equal(reader.push(startOf(0xf0000000)), false);
      const chunk = Buffer.alloc(MIB);
      let fed = 0;
      throws(() => {
        for (; fed <= 3 * MAX_TUPLE_BYTES; fed += MIB) equal(reader.push(chunk), false);
      }, overLimit);
      ok(fed >= MAX_TUPLE_BYTES - MIB && fed <= 2 * MAX_TUPLE_BYTES, String(fed));
    });

    for (const [title, bytes, expected] of [
      ['takes one of the limit', MAX_TUPLE_BYTES, [1, 1, 1]],
      ['refuses one of a byte over the limit', MAX_TUPLE_BYTES + 1, [1]],
    ] as [string, number, number[]][]) {
      it(`${title}, with pieces of ${size}`, () => {
        const counts: number[] = [];
        const reader = new RowsReader(DOING, new Pool(size, 2), ({ count }) => counts.push(count));
        equal(reader.push(startOf(bytes)), false);
        const chunk = Buffer.alloc(MIB);
        const push = (): void => {
          for (let left = bytes - 6; left > 0; left -= MIB) {
            equal(reader.push(chunk.subarray(0, left)), false);
          }
          equal(reader.push(LAST), true);
          reader.flush();
        };
        if (bytes > MAX_TUPLE_BYTES) throws(push, overLimit);
        else push();
        deepEqual(counts, expected);
      });
    }
  }
});
