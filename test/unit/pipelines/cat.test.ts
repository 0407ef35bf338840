import { deepEqual, equal, rejects } from 'node:assert/strict';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BackupItem } from '../../../lib/backup/item.js';
import { type CatOptions, cat } from '../../../lib/pipelines/cat.js';
import { textSink } from '../../../lib/sinks/text.js';
import { archiveSource } from '../../../lib/sources/archive.js';
import { archiveOrigin, type Origin } from '../../../lib/sources/origin.js';
import { archive, goodEntries, rowsEntry, sealed } from '../../support/archive-builder.js';

const PRIMARY = [0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]] as const;
const GOOD = archive(
  sealed(
    goodEntries().map((entry) =>
      entry.name === '288.dump'
        ? rowsEntry(entry.name, [512, ...PRIMARY], [513, ...PRIMARY])
        : entry,
    ),
  ),
);

async function textOf(options: CatOptions, begin: Origin = archiveOrigin(Readable.from([GOOD]))) {
  const chunks: Buffer[] = [];
  const output = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      chunks.push(chunk);
      callback();
    },
  });
  const summary = await cat(begin, output, options);
  equal(output.writableFinished, true);
  return { text: String(Buffer.concat(chunks)), ...summary };
}

describe('cat', () => {
  it('writes the rows of one space, and ends its output', async () => {
    const { text, rows, bytes, isVerified } = await textOf({ space: 'log' });
    equal(text, '[1,"one"]\n[2,"two"]\n[3,"three"]\n');
    deepEqual([rows, bytes, isVerified], [3, text.length, true]);
  });

  it('tells its source which space it wants', async () => {
    const asked: boolean[] = [];
    const begin: Origin = (reading) => {
      asked.push(reading.wants('users'), reading.wants('log'));
      return archiveOrigin(Readable.from([GOOD]))(reading);
    };
    await textOf({ space: 'log' }, begin);
    deepEqual(asked, [false, true]);
  });

  it('leaves its source where there is enough, and closes it', async () => {
    const input = new PassThrough();
    input.write(GOOD.subarray(0, -100));
    const begin = archiveOrigin(input);
    const { text, isVerified } = await textOf({ space: 'log', limit: 2 }, begin);
    equal(text, '[1,"one"]\n[2,"two"]\n');
    deepEqual([isVerified, input.destroyed], [false, true]);
  });

  it('counts what a condition lets through against the limit', async () => {
    const where = ['field(0) != 2'];
    const { text } = await textOf({ space: 'log', limit: 2, where, fields: ['2'] });
    equal(text, '["one"]\n["three"]\n');
  });

  it('refuses a limit that is none', async () => {
    for (const limit of [-1, 1.5, Number.NaN]) {
      await rejects(textOf({ space: 'log', limit }), {
        kind: 'usage',
        message: /'limit' is .*a whole number from 0/,
      });
    }
  });

  it('stops with the reason of a signal', async () => {
    const reason = new Error('enough');
    const begin = archiveOrigin(new PassThrough());
    const signal = AbortSignal.any([AbortSignal.timeout(20)]);
    await rejects(textOf({ space: 'log', signal }, begin), { name: 'TimeoutError' });
    await rejects(textOf({ space: 'log', signal: AbortSignal.abort(reason) }), reason);
  });
});

describe('the sink of text', () => {
  it('is a stage of a pipeline, and refuses a source without an end', async () => {
    const items: BackupItem[] = [];
    for await (const item of archiveSource(Readable.from([GOOD]))) items.push(item);
    let text = '';
    const collect = async (chunks: AsyncIterable<Buffer>): Promise<void> => {
      for await (const chunk of chunks) text += chunk;
    };
    const write = (all: BackupItem[]) =>
      pipeline(Readable.from(all), textSink({ space: 'users', format: 'csv' }), collect);
    await write(items);
    equal(text, '1,2,3\n1,alice,\n2,bob,1.5\n');
    await rejects(write(items.slice(0, -1)), { message: 'the source stopped before its end' });
  });
});
