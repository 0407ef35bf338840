import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { Pool } from '../../lib/base/memory.js';
import { forEachPacket, PacketSplitter } from '../../lib/iproto/packets.js';
import { RowsReader } from '../../lib/iproto/select-reader.js';
import { archiveSource } from '../../lib/sources/archive.js';
import { archive, sealed } from '../support/archive-builder.js';
import { coded } from '../support/msgpack.js';
import { isArchiveError } from '../unit/archive/reading.js';
import { packet, rowsPacket } from '../unit/iproto/fake-server.js';
import { entries, mutated, mutation } from './archives.js';
import { chunksOf, cuts, edit, editedBytes } from './edits.js';
import { holds } from './runs.js';
import { mapOf, text, tuple, unsigned, value } from './values.js';

/** What came of some bytes: all that was handed out, and whether an error ended it. */
interface Outcome {
  parts: Buffer[];
  failed: boolean;
}

/** Packets of any body, with the header of a reply or any other. */
const anyPacket = fc.oneof(
  fc
    .tuple(fc.nat(0xffff), fc.nat(), mapOf(unsigned, value))
    .map(([type, sync, body]) => packet(type, sync, body.raw)),
  fc.tuple(mapOf(text, value), mapOf(unsigned, value)).map(([header, body]) => {
    const whole = Buffer.concat([header.raw, body.raw]);
    return Buffer.concat([coded(0xce, 4, whole.length), whole]);
  }),
);

/** The packets that a splitter hands out, by their lengths. */
function packetsOf(chunks: Iterable<Buffer>): Outcome {
  const parts: Buffer[] = [];
  const splitter = new PacketSplitter();
  try {
    for (const chunk of chunks) {
      splitter.push(chunk, (block) => {
        for (let pos = 0; pos < block.length; ) {
          const end = pos + 5 + block.readUInt32BE(pos + 1);
          parts.push(Buffer.from(block.subarray(pos, end)));
          pos = end;
        }
        block.fill(0xff); // its receiver may write to it
      });
      chunk.fill(0xff); // it was valid during the call only
    }
    return { parts, failed: false };
  } catch {
    return { parts, failed: true };
  }
}

/** The rows of a reply, in whatever pieces they came. */
function rowsOf(chunks: Iterable<Buffer>, pieceBytes: number): Outcome {
  const parts: Buffer[] = [];
  const reader = new RowsReader('read', new Pool(pieceBytes, 2), ({ bytes, release }) => {
    parts.push(Buffer.from(bytes));
    release();
  });
  try {
    let isEnd = false;
    for (const chunk of chunks) {
      ok(!isEnd || chunk.length === 0, 'at the end before the last chunk');
      if (!isEnd) isEnd = reader.push(chunk);
      chunk.fill(0xff);
    }
    reader.flush();
    return { parts: [Buffer.concat(parts)], failed: !isEnd };
  } catch {
    return { parts: [], failed: true };
  }
}

async function* eachOf(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
}

async function itemsOf(chunks: Iterable<Buffer>): Promise<unknown[]> {
  const items: unknown[] = [];
  try {
    for await (const { ...item } of archiveSource(eachOf(chunks))) {
      if (item.kind === 'tuples') delete item.release;
      items.push(item);
    }
  } catch (error) {
    ok(isArchiveError(error), `${error}`);
    items.push('refused');
  }
  return items;
}

describe('however bytes are cut into chunks,', () => {
  holds(
    'packets are the same',
    1000,
    fc.property(fc.array(anyPacket, { maxLength: 12 }), cuts, (packets, sizes) => {
      const stream = Buffer.concat(packets);
      deepEqual(packetsOf(chunksOf(stream, sizes)), { parts: packets, failed: false });
      let count = 0;
      forEachPacket(stream, ({ body, end }) => {
        ok(body <= end);
        count++;
      });
      equal(count, packets.length);
    }),
  );

  holds(
    'errors in packets are found after the same packets',
    1000,
    fc.property(
      fc.array(anyPacket, { minLength: 1, maxLength: 6 }),
      edit(8),
      cuts,
      (packets, change, sizes) => {
        const stream = editedBytes(Buffer.concat(packets), change);
        deepEqual(packetsOf(chunksOf(stream, sizes)), packetsOf([Buffer.from(stream)]));
      },
    ),
  );

  holds(
    'rows are the same',
    1000,
    fc.property(
      fc.array(tuple, { maxLength: 20 }),
      cuts,
      fc.integer({ min: 1, max: 5000 }),
      (rows, sizes, pieceBytes) => {
        const raw = rows.map((row) => row.raw);
        const outcome = rowsOf(chunksOf(rowsPacket(1, raw), sizes), pieceBytes);
        deepEqual(outcome, { parts: [Buffer.concat(raw)], failed: false });
      },
    ),
  );

  holds(
    'an invalid reply is refused, or gives the same rows',
    1000,
    fc.property(
      fc.array(tuple, { maxLength: 8 }),
      edit(8),
      cuts,
      fc.integer({ min: 1, max: 5000 }),
      (rows, change, sizes, pieceBytes) => {
        const reply = rowsPacket(
          1,
          rows.map((row) => row.raw),
        );
        const bytes = Buffer.concat([reply.subarray(0, 5), editedBytes(reply.subarray(5), change)]);
        bytes.writeUInt32BE(bytes.length - 5, 1);
        deepEqual(
          rowsOf(chunksOf(bytes, sizes), pieceBytes),
          rowsOf([Buffer.from(bytes)], pieceBytes),
        );
      },
    ),
  );

  holds(
    'archives are the same, and are refused at the same place',
    150,
    fc.asyncProperty(
      entries,
      entries,
      fc.option(mutation),
      cuts,
      async (given, other, change, sizes) => {
        const bytes = change === null ? archive(sealed(given)) : mutated(given, other, change);
        deepEqual(await itemsOf(chunksOf(bytes, sizes)), await itemsOf([bytes]));
      },
    ),
  );
});
