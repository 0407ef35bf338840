import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { startsTar } from '../../../lib/archive/tar.js';
import type { BackupItem } from '../../../lib/backup/item.js';
import { ReportEvents } from '../../../lib/base/report.js';
import { holdsTar, streamOrigin } from '../../../lib/sources/stream.js';
import {
  archive,
  frame,
  goodEntries,
  octalSize,
  rowsEntry,
  sealed,
  skippableFrame,
  tarHeader,
} from '../../support/archive-builder.js';
import { type NamedBody, tarEntry, tarOf } from '../../support/directories.js';

const END = Buffer.alloc(1024);
const WHOLE = sealed(goodEntries());
const MODULE: NamedBody[] = [
  rowsEntry('512.dump', [1, 'alice'], [2, 'bob']),
  rowsEntry('288.dump', [512, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]]),
  rowsEntry('280.dump', [512, 1, 'users', 'memtx', 0, {}, []]),
];
const under = (folder: string, files: readonly NamedBody[]): NamedBody[] =>
  files.map(({ name, body }) => ({ name: `${folder}${name}`, body }));

/** `bytes` in chunks of `size`. */
function* chunked(bytes: Buffer, size: number): Generator<Buffer> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}

async function read(bytes: Buffer, size = bytes.length): Promise<BackupItem[]> {
  const origin = streamOrigin(Readable.from(chunked(bytes, size)), new ReportEvents());
  const source = await origin({ wants: () => true, countBytes: (chunks) => chunks });
  return (await source.toArray()) as BackupItem[];
}

/** Names of the spaces whose rows came, in their order. */
const namesIn = (items: readonly BackupItem[]): string[] =>
  items.flatMap((item) => (item.kind === 'tuples' ? item.space.name : []));

describe('a stream as a source', () => {
  /** Of this test alone, so that what is left behind is seen. */
  let temporary: string;
  const usual = process.env['TMPDIR'];
  before(() => {
    temporary = mkdtempSync(join(tmpdir(), 'tntar-stream-'));
    process.env['TMPDIR'] = temporary;
  });
  after(() => {
    if (usual === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = usual;
    rmSync(temporary, { recursive: true });
  });
  afterEach('nothing is left behind', () => deepEqual(readdirSync(temporary), []));

  const expected = ['_space', '_index', 'log', 'log', 'users'];

  for (const [title, bytes] of [
    ['an archive', archive(WHOLE)],
    ['an archive behind a skippable frame', Buffer.concat([skippableFrame(END), archive(WHOLE)])],
    ['an archive without its compression', tarOf(WHOLE)],
    ['the same with other compression', frame(tarOf(WHOLE))],
    ['the same with gzip', gzipSync(tarOf(WHOLE))],
    ['an archive whose entries were put into another order', tarOf([...WHOLE].reverse())],
  ] as const) {
    it(`may be ${title}`, async () => {
      for (const size of [bytes.length, 1000, startsTar(bytes) ? 512 : 7]) {
        deepEqual(namesIn(await read(bytes, size)), expected);
      }
    });
  }

  for (const [title, files] of [
    ['in any order', MODULE],
    ['from a folder', under('var/dump/', MODULE)],
    ['from here', under('./', MODULE)],
    ['with a path that leads elsewhere', under('../../etc/', MODULE)],
  ] as const) {
    it(`may be a tar of a directory of the Lua module, ${title}`, async () => {
      deepEqual(namesIn(await read(tarOf(files))), ['_space', '_index', 'users']);
    });
  }

  it('has folders in it, and files that are no dumps', async () => {
    const folder = tarHeader({ name: 'dump/', type: '5' });
    const other = tarEntry({ name: 'dump/._512.dump', body: Buffer.from('of a Mac') });
    const files = MODULE.map((file) => tarEntry(file));
    const items = await read(Buffer.concat([folder, other, ...files, END]));
    deepEqual(namesIn(items), ['_space', '_index', 'users']);
  });

  const older = rowsEntry('old/513.dump', [1]);
  const good = MODULE.map((file) => tarEntry(file));
  const entry = (name: string, type: string, linkName = ''): Buffer =>
    tarHeader({ name, type, linkName });
  for (const [title, bytes, message] of [
    ['a link', [entry('513.dump', '2', '/etc/passwd')], /is not a regular file/],
    ['a hard link', [entry('513.dump', '1', '280.dump')], /is not a regular file/],
    ['a device', [entry('513.dump', '3')], /is not a regular file/],
    ['a pipe', [entry('pipe', '6')], /is not a regular file/],
    ['a file twice', [good[0]!], /512\.dump occurs twice/],
    ['a file twice, in two folders', [tarEntry(under('a/', MODULE)[0]!)], /occurs twice/],
    ['a file of another dump in a folder', [tarEntry(older)], /in two folders, '\.' and 'old'/],
    ['a name that is no id', [tarEntry({ name: 'x.dump', body: END })], /'x\.dump'/],
    [
      'a manifest larger than any',
      [tarHeader({ name: 'manifest.json', size: octalSize(100_000_000) })],
      /manifest\.json claims 100000000 bytes/,
    ],
  ] as [string, Buffer[], RegExp][]) {
    it(`is refused with ${title}`, () =>
      rejects(read(Buffer.concat([...good, ...bytes, END])), { kind: 'archive', message }));
  }

  it('is refused before it takes a file that does not fit on the disk', async () => {
    const huge = Buffer.from(tarHeader({ name: '513.dump' }));
    // a number in base 256, as GNU tar writes what octal digits cannot hold
    huge.fill(0, 124, 136);
    huge.writeUInt8(0x80, 124);
    huge.writeBigUInt64BE(1n << 52n, 128);
    huge.write(' '.repeat(8), 148);
    const sum = huge.reduce((total, byte) => total + byte, 0);
    huge.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    await rejects(read(Buffer.concat([huge, ...good, END])), {
      kind: 'failure',
      message: /claims 4503599627370496 bytes.*not have enough space/,
    });
  });

  it('is refused if a tar is truncated at any place', async () => {
    const tar = tarOf(MODULE);
    for (let length = 512; length < tar.length; length += 256) {
      await rejects(read(tar.subarray(0, length)), { kind: 'archive' }, `cut at ${length}`);
    }
  });

  it('is refused if gzip data is damaged', async () => {
    const bytes = gzipSync(tarOf(MODULE));
    bytes.writeUInt32LE(7, bytes.length - 8);
    await rejects(read(bytes), { kind: 'archive', message: /cannot decompress/ });
  });

  for (const [title, bytes] of [
    ['nothing', Buffer.alloc(0)],
    ['something else', Buffer.from('something else')],
    ['frames with something else', frame(Buffer.alloc(2000))],
  ] as const) {
    it(`is refused if it is ${title}, with the message for a bad archive`, () =>
      rejects(read(bytes), { kind: 'archive', message: /empty input|not a/ }));
  }

  it('stops when it is destroyed while no data arrives', async () => {
    const input = new PassThrough();
    const origin = streamOrigin(input, new ReportEvents());
    const source = await origin({ wants: () => true, countBytes: (chunks) => chunks });
    source.resume();
    source.destroy();
    await new Promise((resolve) => input.once('close', resolve));
    ok(input.destroyed);
  });

  it('is told from a tar', async () => {
    equal(await holdsTar(Readable.from([archive(WHOLE)])), false);
    equal(await holdsTar(Readable.from([tarOf(WHOLE)])), true);
    equal(await holdsTar(Readable.from([frame(tarOf(WHOLE))])), true);
  });
});
