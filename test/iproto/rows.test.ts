import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { MAX_TUPLE_BYTES } from '../../lib/archive/limits.js';
import { RowsReply } from '../../lib/iproto/rows.js';
import { bin, coded, type Plain, pack } from '../support/msgpack.js';
import { errorPacket, packet, rowsPacket } from './fake-server.js';

const DOING = "read space 'users'";

interface Result {
  rows: Buffer;
  count: number;
  last: Buffer | undefined;
}

/** Feeds a reply and gathers what comes out; the rows are checked at each step. */
function feed(chunks: Iterable<Buffer>): Result {
  const reply = new RowsReply(DOING);
  const pieces: Buffer[] = [];
  let count = 0;
  let last: Buffer | undefined;
  for (const chunk of chunks) {
    ok(!reply.complete, 'complete before its end');
    const rows = reply.push(Buffer.from(chunk));
    if (rows === undefined) continue;
    ok(rows.count > 0);
    equal(rows.last.buffer, rows.bytes.buffer);
    count += rows.count;
    pieces.push(Buffer.from(rows.bytes));
    last = Buffer.from(rows.last);
    rows.bytes.fill(0xff); // its receiver may write to it
  }
  ok(reply.complete, 'not complete at its end');
  equal(reply.count, count);
  return { rows: Buffer.concat(pieces), count, last };
}

function* chunksOf(bytes: Buffer, size: number): Generator<Buffer> {
  for (let pos = 0; pos < bytes.length; pos += size) yield bytes.subarray(pos, pos + size);
}

const REPLIES: [string, Plain[][]][] = [
  ['one row', [[1]]],
  ['an empty row', [[]]],
  ['rows of many sizes', [[1, 'one'], [], [3, 'x'.repeat(200), { a: [null] }], [4], [5, [[[]]]]]],
  ['rows whose bytes look like packets', [[0xcecececece], [bin(packet(0, 1))], ['\u00ce']]],
];

describe('RowsReply', () => {
  for (const [title, rows] of REPLIES) {
    const bytes = rowsPacket(7, rows);
    const expected: Result = {
      rows: Buffer.concat(rows.map(pack)),
      count: rows.length,
      last: pack(rows.at(-1)!),
    };

    it(`takes ${title} out of a reply, in chunks of any size`, () => {
      for (let size = 1; size <= bytes.length; size++) {
        deepEqual(feed(chunksOf(bytes, size)), expected, `chunks of ${size}`);
      }
    });

    it(`takes ${title} out of a reply cut at every byte`, () => {
      for (let cut = 1; cut < bytes.length; cut++) {
        const chunks = [bytes.subarray(0, cut), bytes.subarray(cut)];
        deepEqual(feed(chunks), expected, `cut at ${cut}`);
      }
    });
  }

  it('is complete without rows where there are none, however it is cut', () => {
    const bytes = rowsPacket(7, []);
    for (let size = 1; size <= bytes.length; size++) {
      deepEqual(feed(chunksOf(bytes, size)), { rows: Buffer.alloc(0), count: 0, last: undefined });
    }
  });

  it('takes arrays of rows in each form of their count', () => {
    for (const head of [Buffer.of(0x91), coded(0xdc, 2, 1), coded(0xdd, 4, 1)]) {
      const data = Buffer.concat([head, pack([1, 'one'])]);
      const bytes = packet(0, 7, new Map([[0x30, data]]));
      for (const size of [1, bytes.length]) equal(feed(chunksOf(bytes, size)).count, 1);
    }
  });

  it('hands rows out as soon as they are whole', () => {
    const rows = Array.from({ length: 50 }, (_, i) => [i, 'x'.repeat(50)]);
    const bytes = rowsPacket(7, rows);
    const reply = new RowsReply(DOING);
    const first = reply.push(bytes.subarray(0, -1));
    equal(first?.count, 49);
    equal(reply.complete, false);
    const second = reply.push(bytes.subarray(-1));
    deepEqual(second?.bytes, pack(rows[49]!));
    equal(reply.complete, true);
  });

  it('gathers a large row from many chunks, between small ones', () => {
    const rows: Plain[][] = [[1], [2, 'x'.repeat(3_000_000)], [3], [4, 'y'.repeat(1_000_000)]];
    const { rows: bytes, count, last } = feed(chunksOf(rowsPacket(7, rows), 997));
    equal(count, 4);
    ok(bytes.equals(Buffer.concat(rows.map(pack))));
    ok(last?.equals(pack(rows[3]!)));
  });

  it('fails with the error that the server replied, however it is cut', () => {
    for (const text of ['no', 'x'.repeat(500)]) {
      const bytes = errorPacket(7, 42, text);
      for (let cut = 0; cut < bytes.length; cut++) {
        const reply = new RowsReply(DOING);
        equal(cut > 0 ? reply.push(bytes.subarray(0, cut)) : undefined, undefined);
        throws(() => reply.push(bytes.subarray(cut)), {
          kind: 'access',
          message: `${DOING}: ${text} (server error 42)`,
        });
      }
    }
  });

  describe('refuses a reply', () => {
    const framed = (body: Buffer): Buffer => Buffer.concat([coded(0xce, 4, body.length), body]);
    const header = pack(new Map([[0, 0]]));
    const data = (value: Plain): Buffer => packet(0, 7, new Map([[0x30, value]]));
    const good = rowsPacket(7, [[1], [2, 'x'.repeat(200)]]);
    const claiming = (bytes: Buffer, difference: number): Buffer => {
      const changed = Buffer.from(bytes);
      changed.writeUInt32BE(bytes.readUInt32BE(1) + difference, 1);
      return changed;
    };

    for (const [title, bytes, message] of [
      ['without a length', Buffer.from('HTTP/1.1 400 Bad Request'), /starts with byte 0x48/],
      ['without a header', framed(Buffer.alloc(0)), /without a header/],
      ['whose header is no map', framed(pack([1])), /without a header/],
      ['without a body', framed(header), /a body without rows/],
      ['with another body', packet(0, 7, new Map([[0x26, new Map()]])), /a body without rows/],
      [
        'with more than rows',
        packet(
          0,
          7,
          new Map<Plain, Plain>([
            [0x30, []],
            [0x31, 1],
          ]),
        ),
        /without rows/,
      ],
      ['whose rows are a map', data({}), /rows that are no array/],
      ['whose rows are nil', data(null), /rows that are no array/],
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
        'with half a row',
        data(Buffer.concat([Buffer.of(0x91), pack([1, 'x']).subarray(0, -1)])),
        /do not fill it/,
      ],
      [
        'with a row of 2^32 - 1 fields',
        data(Buffer.concat([Buffer.of(0x91), coded(0xdd, 4, -1)])),
        /do not fill it/,
      ],
      [
        'with one byte more than it says',
        claiming(good, -1),
        /more bytes than its length says|do not fill it/,
      ],
      [
        'with another reply behind it',
        Buffer.concat([good, good]),
        /more bytes than its length says/,
      ],
    ] as [string, Buffer, RegExp][]) {
      it(`${title}, in chunks of any size`, () => {
        for (let size = 1; size <= bytes.length; size++) {
          const reply = new RowsReply(DOING);
          throws(
            () => {
              for (const chunk of chunksOf(bytes, size)) {
                reply.push(chunk);
                // what follows a complete reply in a chunk of its own belongs to the next one
                if (reply.complete) throw new Error('more bytes than its length says: not fed');
              }
            },
            (error: Error) => message.test(error.message),
            `chunks of ${size}`,
          );
        }
      });
    }

    it('with bytes behind its end as soon as they come, though a row is not whole', () => {
      const bytes = claiming(rowsPacket(7, [[1, 'x'.repeat(1000)]]), -500);
      const reply = new RowsReply(DOING);
      equal(reply.push(bytes.subarray(0, 500)), undefined);
      throws(() => reply.push(bytes.subarray(500, 600)), /more bytes than its length says/);
    });

    it('with a row over the limit, before all of it has come', () => {
      const bytes = packet(
        0,
        7,
        new Map([[0x30, Buffer.concat([Buffer.of(0x91, 0x91), coded(0xdb, 4, -1)])]]),
      );
      bytes.writeUInt32BE(0xffffffff, 1);
      const reply = new RowsReply(DOING);
      equal(reply.push(bytes), undefined);
      const chunk = Buffer.alloc(1024 * 1024);
      let fed = 0;
      throws(
        () => {
          for (; fed <= 3 * MAX_TUPLE_BYTES; fed += chunk.length)
            equal(reply.push(chunk), undefined);
        },
        { kind: 'failure', message: `${DOING}: a tuple of over ${MAX_TUPLE_BYTES} bytes` },
      );
      ok(fed >= MAX_TUPLE_BYTES - chunk.length && fed <= 2 * MAX_TUPLE_BYTES, String(fed));
    });
  });

  it('takes a page of more than 4 GiB by its claim, for it is never held', () => {
    const bytes = rowsPacket(7, [[1], [2], ['x'.repeat(200)]]);
    bytes.writeUInt32BE(0xffffffff, 1);
    const reply = new RowsReply(DOING);
    const rows = reply.push(bytes);
    equal(rows?.count, 3);
    equal(reply.complete, false);
  });
});
