import { deepEqual, equal, ok } from 'node:assert/strict';
import { ArchiveWriter } from '../../../lib/archive/writer.js';
import type { BackupItem } from '../../../lib/backup/item.js';
import type { Manifest } from '../../../lib/backup/manifest.js';
import { archive, goodEntries, manifest, sealed } from '../../support/archive-builder.js';
import { type Plain, tuples } from '../../support/msgpack.js';
import { sweep } from '../../support/sweep.js';
import { isArchiveError, readArchive } from './reading.js';

/** What a seek table begins with. */
const TABLE = Buffer.of(0x5e, 0x2a, 0x4d, 0x18);

/** As `tntar dump` makes it: two system spaces, two spaces of a user. */
async function written(): Promise<Buffer> {
  const { format: _, version: __, ...start } = manifest();
  const chunks: Buffer[] = [];
  const writer = new ArchiveWriter({ level: 1 }, (chunk) => chunks.push(chunk));
  await writer.start(start as unknown as Manifest);
  const add = (id: number, name: string, ...rows: Plain[][]): Promise<void> =>
    writer.add({
      kind: 'tuples',
      space: { id, name, engine: 'memtx' },
      count: rows.length,
      bytes: tuples(...rows),
    });
  await add(
    280,
    '_space',
    [512, 1, 'users', 'memtx', 0, {}, []],
    [513, 1, 'log', 'vinyl', 0, {}, []],
  );
  await add(288, '_index', [512, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]]);
  await add(512, 'users', [1, 'alice', null], [2, 'bob', 1.5]);
  await add(513, 'log', [1, 'x'.repeat(300)]);
  await writer.end({ vclock: { 1: 43 }, consistent: true });
  return Buffer.concat(chunks);
}

/** Items that differ from what the whole archive has at the same place. */
function foreign(items: readonly BackupItem[], whole: readonly BackupItem[]): BackupItem[] {
  return items.filter((item, i) => {
    try {
      deepEqual(item, whole[i]);
      return false;
    } catch {
      return true;
    }
  });
}

for (const [title, make] of [
  ['an archive of the writer', written],
  ['an archive with a space in two parts', async () => archive(sealed(goodEntries()))],
] as const) {
  describe(title, function () {
    this.timeout(120_000);

    let bytes: Buffer;
    let whole: BackupItem[];
    /** Without a table an archive is one of before there were any. */
    let tableStart: number;
    before(async () => {
      bytes = await make();
      tableStart = bytes.lastIndexOf(TABLE);
      const { items, error } = await readArchive(bytes);
      equal(error, undefined);
      equal(items.at(-1)?.kind, 'end');
      whole = items;
    });

    it('is refused when it is cut, at every byte but in front of its seek table', async () => {
      for (const cut of sweep(bytes.length, [tableStart - 1, tableStart + 1, bytes.length - 1])) {
        if (cut === tableStart) continue;
        const { items, error } = await readArchive(bytes.subarray(0, cut));
        ok(isArchiveError(error), `cut at ${cut} of ${bytes.length}: ${error}`);
        deepEqual(foreign(items, whole), [], `cut at ${cut}`);
        ok(items.length < whole.length, `cut at ${cut}`);
      }
    });

    it('is refused when a bit is flipped, at every byte, or gives the very same rows', async () => {
      let refused = 0;
      const places = sweep(bytes.length);
      for (const at of places) {
        const flipped = Buffer.from(bytes);
        flipped[at]! ^= 1 << (at % 8);
        const { items, error } = await readArchive(flipped, undefined, true);
        deepEqual(foreign(items, whole), [], `byte ${at}`);
        if (error === undefined) equal(items.length, whole.length, `byte ${at}`);
        else {
          ok(isArchiveError(error), `byte ${at}: ${error}`);
          refused++;
        }
      }
      ok(refused > places.length * 0.95, `${refused} of ${places.length} flips were refused`);
    });
  });
}
