import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { pathToFileURL } from 'node:url';
import type { ArchiveFile } from '../../../lib/archive/input.js';
import type { EntryRecord } from '../../../lib/archive/trailer.js';
import type { BackupItem, Size } from '../../../lib/backup/item.js';
import type { Report } from '../../../lib/base/report.js';
import { archiveSource } from '../../../lib/sources/archive.js';
import { fixturePath, readFixture } from '../../fixtures/folder.js';
import {
  archive,
  contents,
  framed,
  goodEntries,
  jsonEntry,
  rowsEntry,
  sealed,
  seekable,
  trailer,
} from '../../support/archive-builder.js';
import { sweep } from '../../support/sweep.js';
import { isArchiveError, type Outcome, readArchive, readItems } from '../archive/reading.js';

const GOOD = goodEntries();
const WHOLE = seekable(sealed(GOOD));
const PLAIN = archive(sealed(GOOD));
const users = (space: string): boolean => space === 'users';

interface Read extends Outcome {
  warnings: string[];
  /** How many times the file was opened, and read from its start. */
  fromStart: number;
  bytes: number;
  /** What the start says of the rows that will come. */
  sizes: ReadonlyMap<number, Size> | undefined;
}

async function read(bytes: Buffer, wants: (space: string) => boolean, chunk = 64): Promise<Read> {
  const warnings: string[] = [];
  const report: Report = { note() {}, warn: (line) => warnings.push(line), progress() {} };
  let fromStart = 0;
  const file: ArchiveFile = {
    size: bytes.length,
    async *open(start) {
      if (start === 0) fromStart++;
      for (let at = start; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
    },
  };
  let counted = 0;
  const through = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const each of chunks) {
      counted += each.length;
      yield each;
    }
  };
  const { items, ...outcome } = await readItems(archiveSource(file, { wants, through, report }));
  const [start, ...rest] = items;
  if (start?.kind !== 'start')
    return { ...outcome, items, warnings, fromStart, bytes: counted, sizes: undefined };
  const { sizes: ask, ...plain } = start;
  const sizes = await ask?.();
  return { ...outcome, items: [plain, ...rest], warnings, fromStart, bytes: counted, sizes };
}

/** What those who want `users` only are to get. */
async function expected(): Promise<BackupItem[]> {
  const { items } = await readArchive(WHOLE);
  return items
    .filter((item) => item.kind !== 'tuples' || item.space.id !== 513)
    .map((item) => {
      if (item.kind !== 'end') return item;
      return { ...item, counts: new Map([...item.counts].filter(([id]) => id !== 513)) };
    });
}

describe('an archive in a file', () => {
  it('is read by its path, its URL, a Blob or a stream', async () => {
    const path = fixturePath('2.6.0-plain.tar.zst');
    const bytes = readFixture('2.6.0-plain.tar.zst');
    const { items } = await readArchive(bytes);
    const plain = (each: BackupItem): BackupItem =>
      each.kind === 'start' ? { kind: 'start', manifest: each.manifest } : each;
    for (const input of [
      path,
      pathToFileURL(path),
      new Blob([bytes]),
      new Blob([bytes]).stream(),
    ]) {
      const read = await readItems(archiveSource(input));
      deepEqual(read.items.map(plain), items);
    }
  });

  it('is read completely if everything is selected, and its trailer is verified', async () => {
    const { items, warnings, bytes } = await read(WHOLE, () => true);
    deepEqual(items, (await readArchive(WHOLE)).items);
    deepEqual(warnings, []);
    equal(bytes, WHOLE.length);
  });

  it('gives definitions and the selected spaces, and reads no other', async () => {
    const log = rowsEntry('513.dump.00001', [3, 'x'.repeat(50)]);
    const parts = Array.from({ length: 50 }, (_, i) => ({
      ...log,
      name: `513.dump.${String(i + 1).padStart(5, '0')}`,
    }));
    const entries = [...GOOD.slice(0, 4), ...parts, GOOD.at(-1)!];
    const whole = seekable(sealed(entries));
    const { items, error, warnings, bytes } = await read(whole, users);
    equal(error, undefined);
    deepEqual(items, await expected());
    deepEqual(warnings, []);
    ok(bytes < framed(contents(GOOD)).length, `${bytes} bytes were read`);
  });

  it('gives the number and size of the rows of each space before the first row', async () => {
    const entries = trailer(GOOD)['entries'] as EntryRecord[];
    const known = entries.map((each) =>
      each.name.startsWith('513.') ? { ...each, largest: each.rows * 7 } : each,
    );
    const list = seekable([...GOOD, jsonEntry('trailer.json', trailer([], {}, known))]);
    for (const wants of [users, () => true]) {
      const { sizes } = await read(list, wants);
      deepEqual(sizes?.get(512), { rows: 2, bytes: 24 });
      deepEqual(sizes?.get(513), { rows: 3, bytes: 20, largest: 14 });
    }
    equal((await read(PLAIN, users)).sizes, undefined);
  });

  it('gives definitions if no space is selected', async () => {
    const { items } = await read(WHOLE, () => false);
    deepEqual(
      items.map((item) => (item.kind === 'tuples' ? item.space.name : item.kind)),
      ['start', '_space', '_index', 'end'],
    );
  });

  it('is read completely without a seek table, for every selection', async () => {
    const { items, warnings } = await read(PLAIN, users);
    deepEqual(items, (await readArchive(PLAIN)).items);
    deepEqual(warnings, []);
  });

  it('is read completely if its seek table is wrong, and reports why', async () => {
    const other = seekable(sealed(GOOD.slice(0, -1))).subarray(
      archive(sealed(GOOD.slice(0, -1))).length,
    );
    const { items, warnings } = await read(Buffer.concat([PLAIN, other]), users);
    deepEqual(items, (await readArchive(PLAIN)).items);
    equal(warnings.length, 1);
    match(warnings[0]!, /^the seek table is wrong: .*; the whole archive is read instead$/);
  });

  it('is refused if another archive follows it', async () => {
    for (const [bytes, warned] of [
      [Buffer.concat([WHOLE, WHOLE]), 1],
      [Buffer.concat([WHOLE, PLAIN]), 0],
    ] as const) {
      const { error, warnings } = await read(bytes, users);
      match(String(error), /another frame follows the end of the archive/);
      equal(warnings.length, warned);
    }
  });

  it('is refused if its entries are out of order, selected or not', async () => {
    const [start, spaces, indexes, part0, part1, last] = GOOD;
    for (const entries of [
      [start!, spaces!, indexes!, part1!, part0!, last!],
      [start!, spaces!, indexes!, part0!, start!, last!],
      [start!, spaces!, part0!, indexes!, last!],
      [start!, spaces!, indexes!, { ...part0!, name: '599.dump' }, last!],
    ]) {
      const { error } = await read(seekable(sealed(entries)), users);
      ok(isArchiveError(error), String(error));
    }
  });

  it('is refused if a selected entry differs from the trailer', async () => {
    const changed = GOOD.map((entry) =>
      entry.name === '512.dump'
        ? { ...entry, body: Buffer.from(entry.body).fill(0xa3, 3, 4) }
        : entry,
    );
    const end = jsonEntry('trailer.json', trailer(GOOD));
    const bytes = seekable([...changed, end]);
    const { items, error } = await read(bytes, users);
    ok(isArchiveError(error), String(error));
    ok(
      items.every((item) => item.kind !== 'end' && (item.kind !== 'tuples' || item.space.id < 512)),
    );
    equal((await read(bytes, (name) => name === 'log')).error, undefined);
  });

  it('gives the same rows or an error after a bit flip at any byte', async function () {
    this.timeout(120_000);
    const whole = (await readArchive(WHOLE)).items;
    const part = await expected();
    for (const at of sweep(WHOLE.length)) {
      const bytes = Buffer.from(WHOLE);
      bytes[at]! ^= 1 << (at % 8);
      const { items, error, warnings } = await read(bytes, users, 1000);
      const isWhole = items.some((item) => item.kind === 'tuples' && item.space.id === 513);
      const right = (isWhole ? whole : part).slice(0, items.length);
      deepEqual(items, right, `byte ${at}: ${warnings} ${error}`);
      if (error !== undefined) ok(isArchiveError(error), `byte ${at}: ${error}`);
      else equal(items.at(-1)?.kind, 'end');
    }
  });

  const EDGES = [PLAIN.length - 1, PLAIN.length, PLAIN.length + 1, WHOLE.length - 1];

  it('is refused or read to its end after truncation at any byte', async () => {
    for (const cut of sweep(WHOLE.length, EDGES)) {
      const { error, items } = await read(WHOLE.subarray(0, cut), users, 1000);
      if (cut === PLAIN.length) equal(items.at(-1)?.kind, 'end');
      else ok(isArchiveError(error), `cut at ${cut}`);
    }
  });
});
