import { deepEqual, equal, rejects } from 'node:assert/strict';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { BackupItem } from '../../../lib/backup/item.js';
import { TntarError } from '../../../lib/base/errors.js';
import { itemReadable } from '../../../lib/flow/item-readable.js';
import { archiveSource } from '../../../lib/sources/archive.js';
import { archive, goodEntries, sealed } from '../../support/archive-builder.js';

const START = { kind: 'start', manifest: {} } as BackupItem;

/** Items that count how many were asked for, and say when they were let go. */
function counted(total: number) {
  const state = { given: 0, isClosed: false, interrupts: 0 };
  const items = async function* (): AsyncGenerator<BackupItem> {
    try {
      for (; state.given < total; ) {
        state.given++;
        yield START;
      }
    } finally {
      state.isClosed = true;
    }
  };
  const stream = itemReadable(items(), () => {
    state.interrupts++;
  });
  return { state, stream };
}

describe('a source as a stream', () => {
  it('gives all items and ends, without an interruption', async () => {
    const { state, stream } = counted(20);
    equal((await stream.toArray()).length, 20);
    deepEqual(state, { given: 20, isClosed: true, interrupts: 0 });
  });

  it('is one item ahead of its reader, and no more', async () => {
    const { state, stream } = counted(20);
    await once(stream, 'readable');
    for (let i = 0; i < 10; i++) await turn();
    equal(state.given, 1);
    stream.read();
    for (let i = 0; i < 10; i++) await turn();
    equal(state.given, 2);
    stream.destroy();
  });

  it('interrupts and releases a source that is destroyed before its end', async () => {
    const { state, stream } = counted(20);
    for await (const _ of stream) break;
    await turn();
    equal(state.isClosed, true);
    equal(state.interrupts, 1);
  });

  it('is closed at once while it waits for the next item', async () => {
    const items = (async function* (): AsyncGenerator<BackupItem> {
      yield await new Promise<BackupItem>(() => {});
    })();
    const stream = itemReadable(items, () => {});
    stream.resume();
    await turn();
    const closed = once(stream, 'close');
    stream.destroy();
    await closed;
  });

  it('fails with the same error that its items throw', async () => {
    const error = new TntarError('access', 'no', { hint: 'ask', serverCode: 42 });
    let interrupts = 0;
    const items = (async function* (): AsyncGenerator<BackupItem> {
      yield START;
      throw error;
    })();
    const stream = itemReadable(items, () => {
      interrupts++;
    });
    await rejects(stream.toArray(), (thrown) => thrown === error);
    equal(interrupts, 0);
  });
});

describe('archiveSource', () => {
  const bytes = archive(sealed(goodEntries()));

  it('fails with the error of its input', async () => {
    const error = new Error('the disk is gone');
    const input = new PassThrough();
    input.write(bytes.subarray(0, 10));
    const reading = archiveSource(input).toArray();
    input.destroy(error);
    await rejects(reading, (thrown) => thrown === error);
  });

  it('destroys its input if its reader stops', async () => {
    const input = Readable.from(
      (async function* () {
        yield bytes.subarray(0, 10);
        await new Promise(() => {});
      })(),
    );
    const source = archiveSource(input);
    source.resume();
    await turn();
    source.destroy();
    equal(input.destroyed, true);
  });
});
