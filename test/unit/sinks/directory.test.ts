import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackupItem } from '../../../lib/backup/item.js';
import { ReportEvents, silent } from '../../../lib/base/report.js';
import { extract } from '../../../lib/pipelines/extract.js';
import { verifyFrom } from '../../../lib/pipelines/verify.js';
import { directorySink } from '../../../lib/sinks/directory.js';
import { archiveSource } from '../../../lib/sources/archive.js';
import { directoryOrigin } from '../../../lib/sources/directory.js';
import { archive, goodEntries, rowsEntry, sealed } from '../../support/archive-builder.js';
import { Folders, filesOf } from '../../support/directories.js';

/** The entries of an archive, with a user, a grant to it, and what the module keeps. */
const ENTRIES = goodEntries();
ENTRIES.splice(
  3,
  0,
  rowsEntry('304.dump', [32, 1, 'app', 'user', {}]),
  rowsEntry('312.dump', [1, 32, 'space', 512, 1]),
);
const ARCHIVE = archive(sealed(ENTRIES));
const bodyOf = (...names: string[]): Buffer =>
  Buffer.concat(ENTRIES.filter(({ name }) => names.includes(name)).map(({ body }) => body));

const items = (): Promise<BackupItem[]> => archiveSource(Readable.from([ARCHIVE])).toArray();

describe('directorySink', () => {
  let folders: Folders;
  before(() => {
    folders = new Folders();
  });
  after(() => folders.remove());

  const write = async (path: string, given?: readonly BackupItem[]): Promise<void> =>
    pipeline(Readable.from(given ?? (await items())), directorySink(path));

  it('writes one file for each space, parts joined, and nothing that the Lua module would not write', async () => {
    const path = folders.path();
    await write(path);
    deepEqual(
      filesOf(path).map(({ name, body }) => [name, String(body)]),
      [
        ['280.dump', String(bodyOf('280.dump'))],
        ['288.dump', String(bodyOf('288.dump'))],
        ['512.dump', String(bodyOf('512.dump'))],
        ['513.dump', String(bodyOf('513.dump.00000', '513.dump.00001'))],
      ],
    );
  });

  it('writes no trailer if nothing proves that all rows are there', async () => {
    const given = (await items()).map((item) =>
      item.kind === 'end' ? { ...item, unvouched: true as const } : item,
    );
    const path = folders.path();
    const written = pipeline(Readable.from(given), directorySink(path, { all: true }));
    await rejects(written, { kind: 'archive', message: /nothing proves that it is complete/ });
    equal(existsSync(path), false);
    await write(path, given);
  });

  it('writes files that only the owner can read', async () => {
    const path = folders.path();
    await write(path);
    equal(statSync(path).mode & 0o777, 0o700);
    for (const { name } of filesOf(path)) equal(statSync(join(path, name)).mode & 0o777, 0o600);
  });

  it('lists what the format cannot hold', async () => {
    const warnings: string[] = [];
    const report = new ReportEvents();
    report.on('warning', (line) => warnings.push(line));
    await extract(Readable.from([ARCHIVE]), folders.path(), { report });
    deepEqual(warnings, [
      'left out, because the format of the Lua module cannot hold them: 1 users and roles; 1 grants',
    ]);
  });

  it('with `all` writes everything, so that the directory can be verified', async () => {
    const path = folders.path();
    await extract(Readable.from([ARCHIVE]), path, { all: true });
    deepEqual(
      filesOf(path).map(({ name }) => name),
      ['280', '288', '304', '312', '512', '513']
        .map((id) => `${id}.dump`)
        .concat('manifest.json', 'trailer.json'),
    );
    const { totals, consistent, vclock } = await verifyFrom(directoryOrigin(path, silent));
    deepEqual([totals.rows, consistent, vclock], [5, true, { 1: 43 }]);
    writeFileSync(join(path, '512.dump'), bodyOf('512.dump').subarray(1));
    await rejects(verifyFrom(directoryOrigin(path, silent)), { kind: 'archive' });
  });

  it('replaces an empty directory, and nothing else', async () => {
    const path = folders.path();
    mkdirSync(path);
    await write(path);
    equal(filesOf(path).length, 4);
    await rejects(write(path), { kind: 'usage', message: /is not empty/ });
    const file = join(path, '280.dump');
    await rejects(write(file), { kind: 'usage', message: /is not a directory/ });
    const link = folders.path();
    symlinkSync(folders.with([]), link);
    await rejects(write(link), { kind: 'usage', message: /is not a directory/ });
  });

  it('does not touch a directory that another run is writing', async () => {
    const path = folders.path();
    const stream = directorySink(path);
    stream.write((await items())[0]);
    while (!existsSync(`${path}.partial`)) await sleep(5);
    await rejects(write(path), {
      kind: 'usage',
      message: `another tntar, process ${process.pid}, is writing ${path}`,
    });
    ok(existsSync(`${path}.partial`));
    stream.destroy();
    await once(stream, 'close');
    await write(path);
  });

  it('replaces the partial directory of a killed run', async () => {
    const path = folders.path();
    mkdirSync(`${path}.partial`);
    writeFileSync(join(`${path}.partial`, '280.dump'), 'cut');
    writeFileSync(join(`${path}.partial`, '9999.dump'), '');
    await write(path);
    equal(filesOf(path).length, 4);
    deepEqual(
      readdirSync(folders.root).filter((name) => /partial/.test(name)),
      [],
    );
  });

  it('refuses to remove anything that no run has left', async () => {
    const path = folders.path();
    mkdirSync(`${path}.partial`);
    writeFileSync(join(`${path}.partial`, 'x'), '');
    await rejects(write(path), {
      kind: 'usage',
      message: /partial already exists, and tntar did not create it/,
    });
    ok(existsSync(join(`${path}.partial`, 'x')));
    ok(!existsSync(`${path}.partial.lock`));
    rmSync(`${path}.partial`, { recursive: true });
  });

  for (const [title, change, message] of [
    ['stops before its end', (all) => all.slice(0, -1), /stopped before its end/],
    ['loses rows', (all) => all.filter((_, i) => i !== 5), /rows were lost/],
    ['has rows of a space in two places', (all) => [...all.slice(0, -1), all[5]!], /EEXIST/],
  ] as [string, (items: BackupItem[]) => BackupItem[], RegExp][]) {
    it(`leaves no directory if the source ${title}`, async () => {
      const path = folders.path();
      await rejects(write(path, change(await items())), { message });
      ok(!existsSync(path));
    });
  }

  it('leaves no directory if an extraction fails, also if it was stopped', async () => {
    const path = folders.path();
    const cut = ARCHIVE.subarray(0, -100);
    await rejects(extract(Readable.from([cut]), path), { kind: 'archive' });
    const signal = AbortSignal.timeout(50);
    const endless = Readable.from(
      (async function* () {
        yield cut;
        await new Promise(() => {});
      })(),
    );
    await rejects(extract(endless, path, { signal }), { name: 'TimeoutError' });
    ok(!existsSync(path) && !existsSync(`${path}.partial`));
  });
});
