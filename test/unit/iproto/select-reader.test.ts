import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { Pool } from '../../../lib/base/memory.js';
import { type Rows, RowsReader } from '../../../lib/iproto/select-reader.js';
import { bin, coded, type Plain, pack, tuples } from '../../support/msgpack.js';
import { chunksOf } from './cutting.js';
import { errorPacket, packet, rowsPacket } from './fake-server.js';

const DOING = "read space 'users'";
const KIB = 1024;
/** Of pieces: a small one makes them end everywhere, and most tuples larger than one. */
const SIZES = [64, 1000, 256 * KIB];

interface Feeding {
  /** Of the pieces of the pool. */
  size: number;
  /** How each reply is cut into chunks. */
  cut: (reply: Buffer) => Iterable<Buffer>;
  /** Flush behind each chunk. */
  flushing?: boolean;
}

/** The rows of one reply. */
type Page = readonly (readonly Plain[])[];

interface Expected {
  packed: Buffer[];
  replies: Buffer[];
}

function expectedOf(pages: readonly Page[]): Expected {
  return {
    packed: pages.flat().map(pack),
    replies: pages.map((rows, i) => rowsPacket(i, rows)),
  };
}

/** Checks pieces against the tuples that are due, and that nobody writes to those that are kept. */
class Receiver {
  readonly #due: Buffer[];
  readonly #kept: { bytes: Buffer; copy: Buffer }[] = [];
  #pieces = 0;
  #seen = 0;

  constructor(due: Buffer[]) {
    this.#due = due;
  }

  take({ count, bytes, release }: Rows): void {
    ok(count > 0);
    const due = this.#due.slice(this.#seen, this.#seen + count);
    ok(bytes.equals(Buffer.concat(due)), `${count} tuples behind ${this.#seen} differ`);
    this.#seen += count;
    if (this.#pieces++ % 2 === 0) {
      this.#kept.push({ bytes, copy: Buffer.from(bytes) });
    } else {
      bytes.fill(0xff); // they are the receiver's own
      release();
    }
  }

  end(): void {
    equal(this.#seen, this.#due.length);
    for (const { bytes, copy } of this.#kept) ok(bytes.equals(copy), 'a kept piece was written to');
  }
}

/** Feeds replies to one reader, one after the other, and checks all that it says and emits. */
function check({ packed, replies }: Expected, pages: readonly Page[], feeding: Feeding): void {
  const receiver = new Receiver(packed);
  const reader = new RowsReader(DOING, new Pool(feeding.size, 2), (rows) => receiver.take(rows));
  for (const [i, reply] of replies.entries()) {
    let isEnd = false;
    for (const chunk of feeding.cut(reply)) {
      ok(!isEnd, 'at the end before the last chunk');
      const given = Buffer.from(chunk);
      isEnd = reader.push(given);
      given.fill(0xff); // it was valid during the call only
      if (isEnd) checkEnd(reader, pages[i]!);
      if (feeding.flushing) reader.flush();
    }
    ok(isEnd, 'not at the end with the last chunk');
  }
  reader.flush();
  receiver.end();
}

function checkEnd({ count, bytes, last }: RowsReader, rows: Page): void {
  deepEqual({ count, bytes }, { count: rows.length, bytes: tuples(...rows).length });
  const lastRow = rows.at(-1);
  if (lastRow !== undefined) ok(last.equals(pack(lastRow)), 'another last tuple');
}

const MIXED: Page = [[1, 'one'], [], [3, 'x'.repeat(200), { a: [null] }], [4], [5, [[[]]]]];
const LOOK_ALIKE: Page = [[0xcecececece], [bin(packet(0, 1))], ['\u00ce']];
const PAGES: [string, Page[]][] = [
  ['one row', [[[1]]]],
  ['an empty row', [[[]]]],
  ['no row', [[]]],
  ['rows of many sizes', [MIXED]],
  ['rows whose bytes look like packets', [LOOK_ALIKE]],
  ['several replies in a row', [[[1]], MIXED, [], [[]], LOOK_ALIKE, [], MIXED]],
];

describe('RowsReader', () => {
  for (const size of SIZES) {
    for (const [title, pages] of PAGES) {
      const expected = expectedOf(pages);
      const longest = Math.max(...expected.replies.map(({ length }) => length));

      it(`takes ${title}, in chunks of any size, into pieces of ${size}`, () => {
        for (let chunk = 1; chunk <= longest; chunk++) {
          const cut = (reply: Buffer) => chunksOf(reply, chunk);
          check(expected, pages, { size, cut });
          check(expected, pages, { size, cut, flushing: true });
        }
      });

      it(`takes ${title}, cut at every byte, into pieces of ${size}`, () => {
        for (let at = 1; at < longest; at++) {
          const cut = (reply: Buffer) =>
            [reply.subarray(0, at), reply.subarray(at)].filter(({ length }) => length > 0);
          check(expected, pages, { size, cut });
          check(expected, pages, { size, cut, flushing: true });
        }
      });
    }

    it(`gathers large rows from many chunks, between small ones, into pieces of ${size}`, () => {
      const pages: Page[] = [
        [[1], [2, 'x'.repeat(1_200_000)], [3], [4, 'y'.repeat(400_000)]],
        [[5], new Array(80_000).fill(1), [6]],
        [['z'.repeat(256 * KIB)], ['z'.repeat(256 * KIB - 6)], ['z'.repeat(256 * KIB - 7)], [7]],
      ];
      const expected = expectedOf(pages);
      for (const chunk of [997, 64 * KIB, 8 * KIB * KIB]) {
        check(expected, pages, { size, cut: (reply) => chunksOf(reply, chunk) });
      }
    });
  }

  it('is not moved by empty chunks', () => {
    const pages = [MIXED];
    function* cut(reply: Buffer): Generator<Buffer> {
      for (const chunk of chunksOf(reply, 10)) yield* [Buffer.alloc(0), chunk];
    }
    check(expectedOf(pages), pages, { size: 64, cut });
  });

  it('takes arrays of rows in each form of their count', () => {
    for (const head of [Buffer.of(0x91), coded(0xdc, 2, 1), coded(0xdd, 4, 1)]) {
      const data = Buffer.concat([head, pack([1, 'one'])]);
      const reply = packet(0, 7, new Map([[0x30, data]]));
      const expected = { packed: [pack([1, 'one'])], replies: [reply] };
      for (const size of [1, reply.length]) {
        check(expected, [[[1, 'one']]], { size: 64, cut: (bytes) => chunksOf(bytes, size) });
      }
    }
  });

  it('takes a page that claims more than 4 GiB, because it never holds a whole page', () => {
    const bytes = rowsPacket(7, [[1], [2], ['x'.repeat(200)]]);
    bytes.writeUInt32BE(0xffffffff, 1);
    const counts: number[] = [];
    const reader = new RowsReader(DOING, new Pool(1000, 2), ({ count }) => counts.push(count));
    equal(reader.push(bytes), false);
    reader.flush();
    deepEqual(counts, [3]);
  });

  it('fails with the error of the server, split at any byte and also after rows', () => {
    for (const text of ['no', 'x'.repeat(500)]) {
      const bytes = errorPacket(7, 42, text);
      for (let cut = 0; cut < bytes.length; cut++) {
        const reader = new RowsReader(DOING, new Pool(64, 2), () => {});
        if (cut % 2 === 0) equal(reader.push(rowsPacket(6, MIXED)), true);
        equal(reader.push(bytes.subarray(0, cut)), false);
        throws(() => reader.push(bytes.subarray(cut)), {
          kind: 'access',
          message: `${DOING}: ${text} (server error 42)`,
        });
      }
    }
  });
});

describe('the pieces that RowsReader emits', () => {
  const ROW_BYTES = 54;
  /** 18 of them fill a piece of 1000. */
  const rows = Array.from({ length: 50 }, (_, i) => [i, 'x'.repeat(50)]);

  function read(pool: Pool, onRows: (rows: Rows) => void): RowsReader {
    const reader = new RowsReader(DOING, pool, onRows);
    equal(reader.push(rowsPacket(7, rows)), true);
    return reader;
  }

  it('are nearly full, except for the last one, which is flushed', () => {
    const counts: number[] = [];
    const reader = read(new Pool(1000, 4), ({ count, bytes }) => {
      equal(bytes.length, count * ROW_BYTES);
      counts.push(count);
    });
    deepEqual(counts, [18, 18]);
    reader.flush();
    deepEqual(counts, [18, 18, 14]);
    reader.flush();
    deepEqual(counts, [18, 18, 14]);
  });

  it('go on from one reply to the next', () => {
    const counts: number[] = [];
    const reader = read(new Pool(1000, 4), ({ count }) => counts.push(count));
    for (const page of [rows.slice(0, 2), [], rows.slice(2, 12)]) {
      equal(reader.push(rowsPacket(7, page)), true);
      equal(reader.count, page.length);
    }
    reader.flush();
    deepEqual(counts, [18, 18, 18, 8]);
  });

  it('are used again when they are released', () => {
    const memories = new Set<ArrayBufferLike>();
    const pool = new Pool(1000, 4);
    for (let i = 0; i < 20; i++) {
      const reader = read(pool, ({ bytes, release }) => {
        memories.add(bytes.buffer);
        release();
      });
      reader.flush();
    }
    ok(memories.size <= 2, `${memories.size} pieces for one at a time`);
  });

  it('are never written to again when they are not', () => {
    const seen: Buffer[] = [];
    const pool = new Pool(1000, 4);
    for (let i = 0; i < 20; i++) read(pool, ({ bytes }) => seen.push(bytes)).flush();
    equal(new Set(seen.map(({ buffer }) => buffer)).size, 60);
    ok(Buffer.concat(seen).equals(Buffer.concat(new Array(20).fill(tuples(...rows)))));
  });

  it('return to the pool, except for the larger ones', () => {
    const pool = new Pool(1000, 8);
    const first = pool.take();
    pool.give(first);
    const pieces: Rows[] = [];
    const reader = new RowsReader(DOING, pool, (piece) => pieces.push(piece));
    equal(reader.push(rowsPacket(7, [['x'.repeat(5000)], [1]])), true);
    // that in which the large row began is free as soon as it is outgrown
    equal(pool.take().buffer, first.buffer);
    reader.flush();
    for (const { release } of pieces) release();
    for (let i = 0; i < 8; i++) equal(pool.take().length, 1000);
  });
});
