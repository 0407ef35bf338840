import { deepEqual, doesNotThrow, equal, notEqual, ok, rejects, throws } from 'node:assert/strict';
import { countsOf, readIndex } from '../../../lib/archive/archive-file.js';
import type { ArchiveFile } from '../../../lib/archive/input.js';
import { FramePlaces, SeekTable, tableBytesOf } from '../../../lib/archive/seek-table.js';
import { type OpenFrom, survey } from '../../../lib/archive/survey.js';
import { ArchiveWriter } from '../../../lib/archive/writer.js';
import { MAX_FRAMES } from '../../../lib/backup/limits.js';
import type { Manifest } from '../../../lib/backup/manifest.js';
import {
  archive,
  contents,
  type Entry,
  entryContents,
  framed,
  goodEntries,
  jsonEntry,
  manifest,
  rowsEntry,
  sealed,
  seekable,
  seekTable,
  skippableFrame,
  trailer,
} from '../../support/archive-builder.js';
import { tuples } from '../../support/msgpack.js';
import { chunked, readArchive } from './reading.js';

const GOOD = goodEntries();
const PLAIN = archive(sealed(GOOD));
const WHOLE = seekable(sealed(GOOD));
const TABLE = WHOLE.subarray(PLAIN.length);

/** A file of these bytes, and how much was read of it. */
function fileOf(
  bytes: Buffer,
  chunk = 100,
): Omit<ArchiveFile, 'open'> & { read: number; open: OpenFrom } {
  const file = {
    size: bytes.length,
    read: 0,
    async *open(start: number) {
      for await (const piece of chunked(bytes.subarray(start), chunk)) {
        file.read += piece.length;
        yield piece;
      }
    },
  };
  return file;
}

const isWrong = { name: 'TntarError', kind: 'archive', message: /^the seek table is wrong: / };

/** The archive with 32 bits of its table changed, `at` bytes behind the start of the table. */
function patched(at: number, value: number): Buffer {
  const bytes = Buffer.from(WHOLE);
  bytes.writeUInt32LE(value, PLAIN.length + (at < 0 ? TABLE.length + at : at));
  return bytes;
}

describe('a seek table', () => {
  it('follows the Zstandard seekable format', () => {
    const table = new SeekTable();
    table.add(300, 512);
    table.add(0xffffffff, 7);
    equal(
      table.encode().toString('hex'),
      ['5e2a4d18 19000000', '2c010000 00020000', 'ffffffff 07000000', '02000000 00 b1ea928f']
        .join('')
        .replaceAll(' ', ''),
    );
  });

  it('is at the end of every archive that the writer writes, and matches it', async () => {
    const { format: _, version: __, ...start } = manifest();
    const chunks: Buffer[] = [];
    const writer = new ArchiveWriter({ level: 1 }, (chunk) => chunks.push(chunk));
    await writer.start(start as unknown as Manifest);
    for (const id of [280, 512]) {
      const space = { id, name: 'x', engine: 'memtx' };
      await writer.add({ kind: 'tuples', space, count: 1, bytes: tuples([1]) });
    }
    await writer.end({ vclock: { 1: 43 }, consistent: true });
    const bytes = Buffer.concat(chunks);
    const index = await readIndex(fileOf(bytes));
    deepEqual(
      index?.entries.map(({ record: { name } }) => name),
      ['280.dump', '512.dump'],
    );
    equal((await readArchive(bytes, 100, true)).error, undefined);
  });

  it('takes no memory for more frames than an archive can have', () => {
    const footer = Buffer.from(TABLE.subarray(-9));
    equal(tableBytesOf(footer), TABLE.length);
    footer.writeUInt32LE(MAX_FRAMES, 0);
    doesNotThrow(() => tableBytesOf(footer));
    footer.writeUInt32LE(MAX_FRAMES + 1, 0);
    throws(() => tableBytesOf(footer), isWrong);
  });

  it('is rejected if the sizes of its frames do not add up to the bytes before it', () => {
    equal(new FramePlaces(TABLE, PLAIN.length).length, 2 * GOOD.length + 3);
    throws(() => new FramePlaces(TABLE, PLAIN.length + 1), isWrong);
    throws(() => new FramePlaces(TABLE, PLAIN.length - 1), isWrong);
  });
});

describe('the index of an archive', () => {
  it('has the manifest, the trailer and the position of each entry', async () => {
    const index = await readIndex(fileOf(WHOLE));
    const { found, ...surveyed } = await survey(fileOf(WHOLE).open);
    deepEqual(index?.manifest, surveyed.manifest);
    deepEqual(index?.trailer, surveyed.trailer);
    deepEqual(index?.entries, found.slice(1, -1));
    deepEqual(countsOf(index!).get(513), {
      rows: 3,
      bytes: GOOD[3]!.body.length + GOOD[4]!.body.length,
    });
  });

  it('is read from both ends of the archive without the bytes between them', async () => {
    const large = rowsEntry('512.dump', [1, 'x'.repeat(100)]);
    const many = Array.from({ length: 200 }, (_, i) => ({
      ...large,
      name: `${600 + i}.dump`,
    }));
    const file = fileOf(seekable(sealed([GOOD[0]!, ...many])));
    notEqual(await readIndex(file), undefined);
    const ends = [GOOD[0]!, sealed([GOOD[0]!, ...many]).at(-1)!].flatMap(entryContents);
    ok(file.read < framed(ends).length + 8 * 410 + 1000, `${file.read} bytes were read`);
  });

  for (const [title, bytes] of [
    ['without a seek table', PLAIN],
    ['with a truncated seek table', WHOLE.subarray(0, -1)],
    ['with bytes after its seek table', Buffer.concat([WHOLE, skippableFrame(Buffer.alloc(9))])],
    ['that is empty', Buffer.alloc(0)],
  ] as const) {
    it(`is undefined for an archive ${title}`, async () => {
      equal(await readIndex(fileOf(bytes)), undefined);
    });
  }

  const other = seekable(sealed(GOOD.slice(0, -1)));
  const entryMissing = sealed(GOOD).toSpliced(2, 1);
  const otherManifest: Entry[] = sealed(GOOD).with(
    0,
    jsonEntry('manifest.json', manifest({ tool: 'by foot' })),
  );
  const twoManifests = [GOOD[0]!, GOOD[0]!];
  const swapped = Buffer.from(WHOLE);
  // Two neighbors, one byte longer and one shorter: all sums are right.
  swapped.writeUInt32LE(swapped.readUInt32LE(PLAIN.length + 8) + 1, PLAIN.length + 8);
  swapped.writeUInt32LE(swapped.readUInt32LE(PLAIN.length + 24) - 1, PLAIN.length + 24);
  for (const [title, bytes] of [
    ['two archives, one behind the other', Buffer.concat([WHOLE, WHOLE])],
    ['one behind one of before there were tables', Buffer.concat([PLAIN, WHOLE])],
    ['the table of another archive', Buffer.concat([PLAIN, other.subarray(-TABLE.length)])],
    ['a table without frames', Buffer.concat([PLAIN, seekTable([])])],
    ['a table that claims 4 billion frames', patched(-9, 0xffffffff)],
    ['a table that claims one frame more', patched(-9, 2 * GOOD.length + 4)],
    ['a table with checksums', patched(-5, 0x92eab180)],
    ['a table in a frame of another kind', patched(0, 0x184d2a50)],
    ['a table in a frame of another length', patched(4, TABLE.length)],
    ['a trailer that lists another entry', seekable(entryMissing)],
    ['a trailer of another manifest', seekable(otherManifest)],
    ['a trailer that lists nothing', seekable([GOOD[0]!, jsonEntry('trailer.json', trailer([]))])],
    ['frames that begin a byte later', swapped],
    ['no trailer', seekable(GOOD)],
    [
      'a trailer in the place of the manifest',
      seekable([...sealed([sealed([])[0]!]), ...sealed([]).slice(1)]),
    ],
    [
      'an archive hidden in a frame that is passed over',
      Buffer.concat([
        framed(contents([GOOD[0]!]).slice(0, -1)),
        skippableFrame(WHOLE),
        seekTable([{ frame: 1, content: 512 }]),
      ]),
    ],
  ] as const) {
    it(`is refused if there is ${title}`, async () => {
      await rejects(readIndex(fileOf(bytes)), { name: 'TntarError', kind: 'archive' });
    });
  }

  it('follows the trailer even if it lists a manifest twice, because the index does not check the order', async () => {
    const index = await readIndex(fileOf(seekable(sealed(twoManifests))));
    equal(index?.entries[0]?.name.kind, 'manifest');
  });

  it('is refused or undefined after a bit flip at any byte of the seek table', async () => {
    for (const at of TABLE.keys()) {
      const bytes = Buffer.from(WHOLE);
      bytes[PLAIN.length + at]! ^= 1 << (at % 8);
      const isMagic = at >= TABLE.length - 4;
      const reading = readIndex(fileOf(bytes));
      if (isMagic) equal(await reading, undefined, `byte ${at}`);
      else await rejects(reading, { kind: 'archive' }, `byte ${at}`);
    }
  });
});

describe('an archive that is read front to back', () => {
  it('may have a table or not', async () => {
    for (const isStrict of [true, false]) {
      for (const bytes of [PLAIN, WHOLE]) {
        const { items, error } = await readArchive(bytes, 50, isStrict);
        equal(error, undefined);
        equal(items.at(-1)?.kind, 'end');
      }
    }
  });

  it('gives the same rows with a wrong seek table, and fails if the table is verified', async () => {
    const whole = await readArchive(WHOLE);
    for (const at of TABLE.keys()) {
      const bytes = Buffer.from(WHOLE);
      bytes[PLAIN.length + at]! ^= 1 << (at % 8);
      const lenient = await readArchive(bytes);
      if (lenient.error === undefined) deepEqual(lenient.items, whole.items, `byte ${at}`);
      const strict = await readArchive(bytes, undefined, true);
      ok(strict.error !== undefined, `byte ${at}`);
      deepEqual(strict.items, whole.items.slice(0, -1), `byte ${at}`);
    }
  });

  it('has a wrong seek table if the table lists skippable frames', async () => {
    const entries = contents(sealed(GOOD));
    const passed = skippableFrame(Buffer.alloc(3));
    const middle = framed(entries.slice(0, 2)).length;
    const between = Buffer.concat([WHOLE.subarray(0, middle), passed, WHOLE.subarray(middle)]);
    equal((await readArchive(between)).error, undefined);
    ok((await readArchive(between, undefined, true)).error !== undefined);
    const behind = Buffer.concat([PLAIN, passed, TABLE]);
    ok((await readArchive(behind, undefined, true)).error !== undefined);
  });

  it('loses no rows by a wrong seek table, and the table is named as damaged', async () => {
    const bytes = patched(8, 1);
    const { damages, trailer: found, found: entries } = await survey(fileOf(bytes).open);
    deepEqual(
      damages.map(({ start, end }) => [start, end]),
      [[PLAIN.length, undefined]],
    );
    equal(entries.length, sealed(GOOD).length);
    ok(found !== undefined);
  });

  it('is not reported for its seek table if there is damage before it', async () => {
    const bytes = Buffer.from(WHOLE);
    bytes[PLAIN.length >> 1]! ^= 1;
    const { damages } = await survey(fileOf(bytes).open);
    equal(damages.length, 1);
    ok(damages[0]!.start < PLAIN.length >> 1);
  });
});
