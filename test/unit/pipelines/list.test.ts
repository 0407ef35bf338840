import { deepEqual, equal, rejects } from 'node:assert/strict';
import { Readable } from 'node:stream';
import type { ArchiveFile } from '../../../lib/archive/input.js';
import { chooseSpaces } from '../../../lib/filters/choose.js';
import { list } from '../../../lib/pipelines/list.js';
import { type VerifyResult, verify } from '../../../lib/pipelines/verify.js';
import {
  archive,
  type Entry,
  jsonEntry,
  keyedEntries,
  sealed,
  seekable,
  trailer,
} from '../../support/archive-builder.js';

const ENTRIES: Entry[] = keyedEntries();
const WHOLE = seekable(sealed(ENTRIES));
const FILTERED = { filter: 'by hand', space: 'users', in: 5, changed: 1, skipped: 3, out: 2 };

const fileOf = (bytes: Buffer): ArchiveFile => ({
  size: bytes.length,
  open: (start) => Readable.from([bytes.subarray(start)]),
});

/** But for what differs from one run to the next. */
function comparable({ totals, verified: _, ...contents }: VerifyResult): object {
  return { ...contents, totals: { ...totals, seconds: 0 } };
}

describe('list', () => {
  const choice = { filters: [chooseSpaces({ only: ['users'] })] };
  for (const [title, options] of [
    ['all', {}],
    ['all with definitions', { definitions: true }],
    ['some spaces', choice],
    ['some spaces with definitions', { ...choice, definitions: true }],
  ] as const) {
    it(`tells of ${title} what verify does, without having verified it`, async () => {
      const told = await list(fileOf(WHOLE), options);
      const inspected = await verify(Readable.from([WHOLE]), options);
      deepEqual(comparable(told), comparable(inspected));
      deepEqual([told.verified, inspected.verified], [false, true]);
      equal('definitions' in told, 'definitions' in options);
    });
  }

  it('gives what filters made of rows', async () => {
    const end = jsonEntry('trailer.json', trailer(ENTRIES, { filtered: [FILTERED] }));
    const { filtered } = await list(fileOf(seekable([...ENTRIES, end])));
    deepEqual(filtered, [FILTERED]);
  });

  it('reads no rows, so that they may be damaged', async () => {
    const damaged = Buffer.from(WHOLE);
    damaged[archive(ENTRIES).length - 40]! ^= 1;
    equal((await list(fileOf(damaged), { definitions: true })).totals.rows, 5);
    await rejects(verify(fileOf(damaged)), { kind: 'archive' });
  });

  it('verifies all of an archive without a seek table', async () => {
    const plain = archive(sealed(ENTRIES));
    equal((await list(fileOf(plain))).verified, true);
    await rejects(list(fileOf(plain.subarray(0, -1))), { kind: 'archive' });
  });

  it('ends with the reason of a signal', async () => {
    const reason = new Error('enough');
    await rejects(list(fileOf(WHOLE), { signal: AbortSignal.abort(reason) }), reason);
  });
});

describe('verify of a file', () => {
  it('reads all of it, and refuses a seek table that is wrong', async () => {
    equal((await verify(fileOf(WHOLE))).totals.archiveBytes, WHOLE.length);
    const wrong = Buffer.from(WHOLE);
    wrong[archive(sealed(ENTRIES)).length + 8]! ^= 1;
    await rejects(verify(fileOf(wrong)), { kind: 'archive', message: /seek table is wrong/ });
  });

  it('reads of some spaces no others', async () => {
    const damaged = Buffer.from(WHOLE);
    damaged[archive(ENTRIES).length - 40]! ^= 1;
    const only = (name: string) => ({ filters: [chooseSpaces({ only: [name] })] });
    const { spaces, verified } = await verify(fileOf(damaged), only('log'));
    deepEqual([spaces.map(({ rows }) => rows), verified], [[3], true]);
    await rejects(verify(fileOf(damaged), only('users')), { kind: 'archive' });
  });
});
