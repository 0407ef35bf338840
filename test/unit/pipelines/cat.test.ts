import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { PassThrough, Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setImmediate } from 'node:timers/promises';
import chain from 'stream-chain';
import type { TupleBatch } from '../../../lib/backup/batch.js';
import type { BackupItem } from '../../../lib/backup/item.js';
import { type CatOptions, catFrom } from '../../../lib/pipelines/cat.js';
import { textSink } from '../../../lib/sinks/text.js';
import { archiveSource } from '../../../lib/sources/archive.js';
import { archiveOrigin, type Origin } from '../../../lib/sources/origin.js';
import { archive, keyedEntries, sealed } from '../../support/archive-builder.js';
import { pack } from '../../support/msgpack.js';

const GOOD = archive(sealed(keyedEntries()));

async function textOf(options: CatOptions, begin: Origin = archiveOrigin(Readable.from([GOOD]))) {
  const chunks: Buffer[] = [];
  const output = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      chunks.push(chunk);
      callback();
    },
  });
  const summary = await catFrom(begin, output, options);
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
  it('is a stream that chain takes like the other stages', async () => {
    const text = chain([
      archiveSource(Readable.from([GOOD])),
      textSink({ space: 'users', format: 'csv' }),
    ]);
    equal((await buffer(text)).toString(), '1,2,3\n1,alice,\n2,bob,1.5\n');
  });

  it('waits for a reader that is slow, and ends when the reader goes away', async () => {
    const items: BackupItem[] = [];
    for await (const item of archiveSource(Readable.from([GOOD]))) items.push(item);
    const at = items.findIndex((item) => item.kind === 'tuples' && item.space.name === 'log');
    const log = items[at] as TupleBatch;
    const long = Array.from({ length: 50 }, (_, i): TupleBatch => {
      return { ...log, count: 1, bytes: pack([i, 'x'.repeat(300_000)]) };
    });
    let taken = 0;
    const source = Readable.from(
      (function* () {
        for (const item of [...items.slice(0, at), ...long]) {
          taken++;
          yield item;
        }
      })(),
      { highWaterMark: 1 },
    );
    const sink = textSink({ space: 'log' });
    let bytes = 0;
    for await (const chunk of source.pipe(sink)) {
      bytes += (chunk as Buffer).length;
      ok(sink.readableLength < 1024 * 1024, `${sink.readableLength} bytes wait`);
      await setImmediate();
      if (bytes > 2_000_000) break;
    }
    ok(taken < 20, `${taken} items were taken, though nobody wanted them`);
    equal(sink.destroyed, true);
  });

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
