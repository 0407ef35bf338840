import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { extract } from 'tar-stream';
import { decompress } from 'zstd-napi';
import { MAX_LEVEL } from '../../../lib/archive/compression.js';
import { decodeTrailer } from '../../../lib/archive/trailer.js';
import { ArchiveWriter } from '../../../lib/archive/writer.js';
import type { TupleBatch } from '../../../lib/backup/batch.js';
import {
  MAX_ENTRIES,
  MAX_JSON_BYTES,
  MAX_JSON_VALUES,
  PART_BYTES,
  partBytes,
} from '../../../lib/backup/limits.js';
import type { Manifest } from '../../../lib/backup/manifest.js';
import { manifest, trailer } from '../../support/archive-builder.js';
import { bin, type Plain, tuples } from '../../support/msgpack.js';
import { readArchive } from './reading.js';

const MIB = 1024 * 1024;
const CLOSING = { vclock: { 1: 43 }, consistent: true };
const NAMES: Record<number, [string, string]> = {
  280: ['_space', 'memtx'],
  288: ['_index', 'memtx'],
  312: ['_priv', 'memtx'],
  512: ['users', 'memtx'],
  513: ['log', 'vinyl'],
};
const { format: _, version: __, ...rest } = manifest();
const MANIFEST = rest as unknown as Manifest;

function batch(id: number, ...rows: Plain[][]): TupleBatch {
  const [name, engine] = NAMES[id]!;
  return {
    kind: 'tuples',
    space: { id, name, engine },
    count: rows.length,
    bytes: tuples(...rows),
  };
}

/** One tuple of `size` bytes in all. */
function large(id: number, size: number, filling = Buffer.alloc(size, 7)): TupleBatch {
  return batch(id, [bin(filling.subarray(0, size - 6))]);
}

async function write(batches: TupleBatch[], level = 1): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const writer = new ArchiveWriter({ level }, (chunk) => chunks.push(chunk));
  await writer.start(MANIFEST);
  for (const each of batches) await writer.add(each);
  await writer.end(CLOSING);
  return Buffer.concat(chunks);
}

interface Unpacked {
  name: string;
  body: Buffer;
}

/** The entries as other programs see them: zstd, and a tar reader. */
async function unpack(bytes: Buffer): Promise<Unpacked[]> {
  const entries: Unpacked[] = [];
  const reading = extract();
  reading.end(decompress(bytes));
  for await (const entry of reading) {
    const pieces: Buffer[] = [];
    for await (const piece of entry) pieces.push(piece as Buffer);
    const { name, size, mode, type, uid, mtime } = entry.header;
    const body = Buffer.concat(pieces);
    deepEqual([size, mode, type, uid], [body.length, 0o600, 'file', 0]);
    // seconds is all that tar has
    equal(mtime?.getTime(), Math.floor(Date.parse(MANIFEST.created) / 1000) * 1000);
    entries.push({ name, body });
  }
  return entries;
}

/** Bytes by space, in the order in which they came. */
function bySpace(batches: readonly TupleBatch[]): Map<number, { rows: number; bytes: Buffer }> {
  const spaces = new Map<number, { rows: number; bytes: Buffer }>();
  for (const { space, count, bytes } of batches) {
    const before = spaces.get(space.id) ?? { rows: 0, bytes: Buffer.alloc(0) };
    spaces.set(space.id, {
      rows: before.rows + count,
      bytes: Buffer.concat([before.bytes, bytes]),
    });
  }
  return spaces;
}

interface Case {
  title: string;
  batches: TupleBatch[];
  names: string[];
}

const row = (size: number): TupleBatch => large(512, size);
const CASES: Case[] = [
  { title: 'an empty database', batches: [], names: [] },
  { title: 'one row', batches: [batch(512, [1])], names: ['512.dump'] },
  {
    title: 'system spaces and users’ spaces in any order',
    batches: [
      batch(280, [512, 1, 'users']),
      batch(288, [512, 0, 'pk']),
      batch(288, [513, 0, 'pk']),
      batch(312, [1, 0, 'universe', 0, 31]),
      batch(513, [1, 'x'], [2, 'y']),
      batch(512, [1, null, 1.5]),
      batch(512, []),
    ],
    names: ['280.dump', '288.dump', '312.dump', '513.dump', '512.dump'],
  },
  {
    title: 'a space that fills its part to the byte',
    batches: [row(PART_BYTES), batch(513, [1])],
    names: ['512.dump', '513.dump'],
  },
  {
    title: 'a space with one byte over a part, in two batches',
    batches: [row(PART_BYTES - 1), row(100), batch(513, [1])],
    names: ['512.dump', '513.dump'],
  },
  {
    title: 'a space of two parts',
    batches: [row(PART_BYTES), batch(512, [1]), batch(513, [1])],
    names: ['512.dump.00000', '512.dump.00001', '513.dump'],
  },
  {
    title: 'a space of parts at the end of the archive',
    batches: [row(PART_BYTES + 5), row(2 * PART_BYTES), batch(512, [1], [2])],
    names: ['512.dump.00000', '512.dump.00001', '512.dump.00002'],
  },
  {
    title: 'two spaces of parts',
    batches: [
      ...Array.from({ length: 19 }, () => row(PART_BYTES / 8)),
      ...Array.from({ length: 9 }, () => large(513, PART_BYTES / 8)),
    ],
    names: [
      '512.dump.00000',
      '512.dump.00001',
      '512.dump.00002',
      '513.dump.00000',
      '513.dump.00001',
    ],
  },
  {
    title: 'what cannot be compressed',
    batches: [large(512, 3 * MIB, randomBytes(3 * MIB))],
    names: ['512.dump'],
  },
];

describe('an archive that was written', () => {
  for (const { title, batches, names } of CASES) {
    it(`of ${title} is a tar of the right entries, and is read as it was written`, async () => {
      const bytes = await write(batches);

      const entries = await unpack(bytes);
      deepEqual(
        entries.map(({ name }) => name),
        ['manifest.json', ...names, 'trailer.json'],
      );
      for (const [id, { bytes: expected }] of bySpace(batches)) {
        const parts = entries.filter(({ name }) => name.startsWith(`${id}.dump`));
        ok(Buffer.concat(parts.map(({ body }) => body)).equals(expected));
      }

      const { items, error } = await readArchive(bytes, 100_000);
      equal(error, undefined);
      const read = items.filter((item) => item.kind === 'tuples');
      deepEqual(items.at(0), { kind: 'start', manifest: MANIFEST });
      deepEqual(read.length, names.length);
      deepEqual([...bySpace(read).keys()], [...bySpace(batches).keys()]);
      const counts = new Map<number, object>();
      for (const [id, { rows, bytes: expected }] of bySpace(batches)) {
        counts.set(id, { rows, bytes: expected.length });
        equal(bySpace(read).get(id)?.rows, rows);
        ok(bySpace(read).get(id)?.bytes.equals(expected));
        const [name, engine] = NAMES[id]!;
        const ours = read.filter(({ space }) => space.id === id);
        for (const { space } of ours) deepEqual(space, { id, name, engine });
      }
      deepEqual(items.at(-1), { kind: 'end', ...CLOSING, counts });
    });
  }

  it('has the trailer that docs/reference/archive-format.md describes', async () => {
    const rows = batch(512, [1, 'a'], [2, 'b']);
    const [first, , last] = await unpack(await write([rows]));
    const entries = [
      { name: 'manifest.json', body: first!.body, rows: 0 },
      { name: '512.dump', body: rows.bytes, rows: 2 },
    ];
    deepEqual(JSON.parse(String(last!.body)), trailer(entries, CLOSING));
    deepEqual(JSON.parse(String(first!.body)), { format: 'tntar', version: 1, ...MANIFEST });
  });

  it('is the same for the same input', async () => {
    const { batches } = CASES[2]!;
    deepEqual(await write(batches), await write(batches));
  });

  it('is read at every level', async () => {
    for (const level of [1, 2, 3, 5, 9, 15, MAX_LEVEL]) {
      const { items, error } = await readArchive(await write(CASES[2]!.batches, level));
      equal(error, undefined, `level ${level}`);
      equal(items.length, CASES[2]!.names.length + 2, `level ${level}`);
    }
  });
});

describe('the writer', () => {
  it('refuses rows of a space that it has closed', async () => {
    const message = /rows of space 512 came in two parts of the stream/;
    await rejects(write([batch(512, [1]), batch(513, [1]), batch(512, [2])]), {
      kind: 'failure',
      message,
    });
    const long = [row(PART_BYTES), batch(512, [1]), batch(513, [1]), batch(512, [2])];
    await rejects(write(long), { kind: 'failure', message });
  });

  it('emits a part as soon as the next one is full, because it is compressed by then', async () => {
    const chunks: Buffer[] = [];
    const emitted = () => decompress(Buffer.concat(chunks)).length;
    const writer = new ArchiveWriter({ level: 1 }, (chunk) => chunks.push(chunk));
    await writer.start(MANIFEST);
    const manifestBytes = emitted();
    ok(manifestBytes > 0);
    for (let parts = 0; parts < 4; parts++) {
      await writer.add(row(PART_BYTES));
      equal(emitted(), manifestBytes + Math.max(0, parts - 1) * (512 + PART_BYTES));
    }
  });

  it('makes parts larger if there are many, so that the trailer has room for all', () => {
    const sizes = [0, 19_999, 20_000, 40_000, 60_000, MAX_ENTRIES].map(partBytes);
    deepEqual(
      sizes.map((bytes) => bytes / PART_BYTES),
      [1, 1, 2, 4, 8, 8],
    );
    const all = Array.from({ length: 125_000 }, (_, i) => partBytes(i));
    ok(all.reduce((sum, bytes) => sum + bytes, 0) > 2 ** 40);
  });

  it('refuses to write a manifest that is too large for a reader', async () => {
    const format = [{ name: 'x'.repeat(MAX_JSON_BYTES), type: 'any' }];
    const space = { id: 512, name: 's', engine: 'memtx', format, rowsFrom: 'none' as const };
    const writer = new ArchiveWriter({ level: 1 }, () => {});
    await rejects(writer.start({ ...MANIFEST, spaces: [space] }), { name: 'TntarError' });
    const partial = Array<string>(MAX_JSON_VALUES).fill('');
    await rejects(writer.start({ ...MANIFEST, partial }), { name: 'TntarError' });
  });
});

describe('the trailer of an archive', () => {
  const largestOf = async (...batches: TupleBatch[]): Promise<unknown[]> => {
    const entries = await unpack(await write(batches));
    return decodeTrailer(entries.at(-1)!.body).entries.map(({ name, largest }) => [name, largest]);
  };

  it('says how large the largest tuple of a part is, if each batch of it says so', async () => {
    const [first, second] = [batch(512, [1], [2]), batch(512, [3])];
    deepEqual(await largestOf({ ...first, largest: 2 }, { ...second, largest: 9 }), [
      ['manifest.json', undefined],
      ['512.dump', 9],
    ]);
    deepEqual(await largestOf({ ...first, largest: 2 }, second), [
      ['manifest.json', undefined],
      ['512.dump', undefined],
    ]);
  });

  it('says so of each part by itself', async () => {
    const parts = [2 * MIB, 10].map((size) => ({ ...large(512, size), largest: size }));
    deepEqual(await largestOf(...parts), [
      ['manifest.json', undefined],
      ['512.dump.00000', 2 * MIB],
      ['512.dump.00001', 10],
    ]);
  });
});
