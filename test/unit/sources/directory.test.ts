import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BackupEnd, BackupItem } from '../../../lib/backup/item.js';
import { ReportEvents } from '../../../lib/base/report.js';
import { verifyFrom } from '../../../lib/pipelines/verify.js';
import { directoryOrigin, directorySource } from '../../../lib/sources/directory.js';
import { goodEntries, rowsEntry, sealed } from '../../support/archive-builder.js';
import { Folders, type NamedBody } from '../../support/directories.js';
import { tuples } from '../../support/msgpack.js';

/** Definitions of two spaces, one of them in vinyl, and of one that is temporary. */
const DEFINITIONS: NamedBody[] = [
  rowsEntry(
    '280.dump',
    [512, 1, 'users', 'memtx', 0, {}, []],
    [513, 1, 'log', 'vinyl', 0, {}, []],
    [514, 1, 'cache', 'memtx', 0, { temporary: true }, []],
  ),
  rowsEntry(
    '288.dump',
    ...[512, 513, 514].map((id) => [id, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]]),
  ),
];
const USERS = rowsEntry('512.dump', [1, 'alice'], [2, 'bob']);
const LOG = rowsEntry('513.dump', [1], [2], [3]);

describe('a directory as a source', () => {
  let folders: Folders;
  before(() => {
    folders = new Folders();
  });
  after(() => folders.remove());

  /** All items of a directory, and what was said. */
  async function read(path: string): Promise<{ items: BackupItem[]; warnings: string[] }> {
    const warnings: string[] = [];
    const report = new ReportEvents();
    report.on('warning', (line) => warnings.push(line));
    const items = (await directorySource(path, { report }).toArray()) as BackupItem[];
    return { items, warnings };
  }

  const refusal = (files: readonly NamedBody[], message: RegExp, kind = 'archive') =>
    rejects(read(folders.with(files)), { kind, message });

  describe('of the Lua module', () => {
    const module = [...DEFINITIONS, USERS, LOG];

    it('gives a manifest, definitions, and rows by ascending ids', async () => {
      const { items } = await read(folders.with(module));
      const [start, ...rest] = items;
      ok(start?.kind === 'start');
      equal(start.manifest.server.version, 'unknown');
      deepEqual(
        start.manifest.spaces.map(({ name, rowsFrom }) => [name, rowsFrom]),
        [
          ['users', 'select'],
          ['log', 'select'],
          ['cache', 'none'],
        ],
      );
      const batches = rest.flatMap((item) => (item.kind === 'tuples' ? item : []));
      deepEqual(
        batches.map(({ space, count, bytes }) => [space.id, count, String(bytes)]),
        [DEFINITIONS[0]!, DEFINITIONS[1]!, USERS, LOG].map(({ name, body }, i) => [
          Number.parseInt(name, 10),
          [3, 3, 2, 3][i],
          String(body),
        ]),
      );
    });

    it('warns that it cannot be verified, in the report and at its end', async () => {
      const { items, warnings } = await read(folders.with([...DEFINITIONS, USERS]));
      const { unvouched, consistent } = items.at(-1) as BackupEnd;
      deepEqual({ unvouched, consistent }, { unvouched: true, consistent: false });
      ok(warnings[0]?.includes('nothing proves that all rows are there'));
      ok(warnings[1]?.endsWith("without a file, which were empty, or have lost it: 'log'"));
    });

    it('leaves out, and names, rows of a temporary space', async () => {
      const { items, warnings } = await read(folders.with([...module, rowsEntry('514.dump', [1])]));
      ok(!items.some((item) => item.kind === 'tuples' && item.space.id === 514));
      ok(warnings.some((line) => line.startsWith("left out: rows of 'cache': temporary")));
    });

    it('skips and names everything that the module skips', async () => {
      const extra = { name: 'README', body: Buffer.from('x') };
      const { warnings } = await read(folders.with([...module, extra]));
      equal(warnings[0], 'passed over: README');
    });

    it('does not read files of spaces that are not selected', async () => {
      const path = folders.with([...module, { name: '513.dump', body: Buffer.of(0xc1) }]);
      const wants = (space: string): boolean => space === 'users';
      const source = directoryOrigin(path, new ReportEvents());
      const items = (await (
        await source({ wants, countBytes: (chunks) => chunks })
      ).toArray()) as BackupItem[];
      ok(items.some((item) => item.kind === 'tuples' && item.space.name === 'users'));
    });

    it('splits a large file between tuples, and holds only a few MiB of it', async () => {
      const rows = Array.from({ length: 60 }, (_, i) => [i, 'x'.repeat(60_000 + i)]);
      const huge = [60, 'y'.repeat(4_500_000)];
      const body = tuples(...rows, huge, [61, 'z'.repeat(3_500_000)]);
      const { items } = await read(
        folders.with([...module.slice(0, 2), { name: '512.dump', body }]),
      );
      const batches = items.flatMap((item) =>
        item.kind === 'tuples' && item.space.id === 512 ? item : [],
      );
      ok(batches.length > 2);
      ok(Buffer.concat(batches.map(({ bytes }) => bytes)).equals(body));
      equal(
        batches.reduce((sum, { count }) => sum + count, 0),
        62,
      );
    });

    for (const [title, files, message, kind] of [
      ['no dump', [], /no dump of a space/, 'usage'],
      ['no definitions', [USERS], /280\.dump is missing/],
      ['rows of a space without a definition', [...DEFINITIONS, rowsEntry('600.dump', [1])], /600/],
      ['a system space that is not restored', [...module, rowsEntry('330.dump', [1, 1])], /330/],
      [
        'a file that is empty',
        [...DEFINITIONS, { name: '512.dump', body: Buffer.alloc(0) }],
        /empty/,
      ],
      [
        'a name that is no id',
        [...module, { name: 'users.dump', body: USERS.body }],
        /'users\.dump'/,
      ],
      [
        'an id with a zero before it',
        [...module, { name: '0512.dump', body: USERS.body }],
        /'0512/,
      ],
      [
        'a part, and no trailer',
        [...module, { name: '513.dump.00000', body: LOG.body }],
        /no trailer/,
      ],
      ['a manifest, and no trailer', [...module, goodEntries()[0]!], /no trailer/],
      [
        'a definition that no server can have had',
        [rowsEntry('280.dump', [512, 1, 7, 'memtx', 0, {}, []]), USERS],
        /_space: row.*field 3 is not a name/,
      ],
      [
        'a space that is defined twice',
        [{ name: '280.dump', body: Buffer.concat([DEFINITIONS[0]!.body, DEFINITIONS[0]!.body]) }],
        /occurs twice/,
      ],
    ] as [string, NamedBody[], RegExp, string?][]) {
      it(`is refused with ${title}`, () => refusal(files, message, kind));
    }

    it('is refused if a file is truncated at any byte inside of a tuple', async () => {
      const wide = rowsEntry('513.dump', [1, 'one'], [2, 'two']);
      const half = wide.body.length / 2;
      for (let length = 1; length < wide.body.length; length++) {
        if (length === half) continue;
        const path = folders.with([...DEFINITIONS, wide]);
        truncateSync(join(path, '513.dump'), length);
        await rejects(read(path), { kind: 'archive', message: /no whole tuple at byte/ });
      }
    });

    it('follows no link, and waits for no pipe', async () => {
      const path = folders.with(DEFINITIONS);
      const other = folders.with([USERS]);
      symlinkSync(join(other, '512.dump'), join(path, '512.dump'));
      await rejects(read(path), { kind: 'archive', message: /512\.dump is a link/ });
      rmSync(join(path, '512.dump'));
      execFileSync('mkfifo', [join(path, '512.dump')]);
      await rejects(read(path), { kind: 'archive', message: /not a regular file/ });
      rmSync(join(path, '512.dump'));
      mkdirSync(join(path, '512.dump'));
      await rejects(read(path), { kind: 'archive', message: /not a regular file/ });
    });

    it('may be reached through a link', async () => {
      const link = folders.path();
      symlinkSync(folders.with(module), link);
      equal((await read(link)).items.length, 6);
    });
  });

  describe('that an archive was unpacked into', () => {
    const whole = sealed(goodEntries());

    it('gives the same items as the archive, in the same order', async () => {
      const { items, warnings } = await read(folders.with(whole));
      deepEqual(warnings, []);
      const bodies = items.flatMap((item) => (item.kind === 'tuples' ? item.bytes : []));
      ok(Buffer.concat(bodies).equals(Buffer.concat(whole.slice(1, -1).map(({ body }) => body))));
      const end = items.at(-1) as BackupEnd;
      deepEqual([end.consistent, end.unvouched, end.vclock], [true, undefined, { 1: 43 }]);
    });

    it('is verified, and counted', async () => {
      const { totals } = await verifyFrom(directoryOrigin(folders.with(whole), new ReportEvents()));
      equal(totals.rows, 5);
    });

    it('is refused before a row of the file that was changed', async () => {
      const path = folders.with(whole);
      writeFileSync(join(path, '513.dump.00001'), tuples([3, 'THREE']));
      const seen: string[] = [];
      const source = directorySource(path);
      const reading = async (): Promise<void> => {
        for await (const item of source) if (item.kind === 'tuples') seen.push(item.space.name);
      };
      await rejects(reading(), { kind: 'archive', message: /513\.dump\.00001: sha256/ });
      deepEqual(seen, ['_space', '_index', 'log']);
    });

    it('is refused if a file is missing or added', async () => {
      const path = folders.with(whole);
      renameSync(join(path, '512.dump'), join(path, '515.dump'));
      await rejects(read(path), {
        kind: 'archive',
        message: /515\.dump exists, but the trailer does not list it/,
      });
      rmSync(join(path, '515.dump'));
      await rejects(read(path), { kind: 'archive', message: /'512\.dump' is missing/ });
    });

    it('is refused without its manifest', () =>
      refusal(whole.slice(1), /'manifest\.json' is missing/));
  });
});
