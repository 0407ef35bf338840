import { deepEqual, equal, rejects } from 'node:assert/strict';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import chain from 'stream-chain';
import type { BackupItem } from '../../../lib/backup/item.js';
import { TntarError } from '../../../lib/base/errors.js';
import { applyFilter } from '../../../lib/filters/apply.js';
import { setEngine } from '../../../lib/filters/engine.js';
import { filterStage } from '../../../lib/filters/filter.js';
import { compose, type Stage } from '../../../lib/flow/compose.js';
import { archiveSource } from '../../../lib/sources/archive.js';
import {
  archive,
  type Entry,
  goodEntries,
  rowsEntry,
  sealed,
} from '../../support/archive-builder.js';

const PARTS = 200;
const [MANIFEST, SPACES, , ...ROWS] = goodEntries() as [Entry, Entry, Entry, ...Entry[]];
const pk = (space: number) => [space, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]];
const DEFINITIONS = [MANIFEST, SPACES, rowsEntry('288.dump', pk(512), pk(513))];
const GOOD = archive(sealed([...DEFINITIONS, ...ROWS]));
const LONG = archive(
  sealed([
    ...DEFINITIONS,
    ...Array.from({ length: PARTS }, (_, i) =>
      rowsEntry(`512.dump.${String(i).padStart(5, '0')}`, [i]),
    ),
  ]),
);
const source = (bytes = GOOD) => archiveSource(Readable.from([bytes]));
const same: Stage = (item) => item;

/** Returns the items that arrive, one word for each. */
async function wordsOf(items: AsyncIterable<BackupItem>): Promise<string[]> {
  const words: string[] = [];
  for await (const item of items) {
    words.push(item.kind === 'tuples' ? `${item.space.name}:${item.count}` : item.kind);
  }
  return words;
}
const WORDS = ['start', '_space:2', '_index:2', 'log:2', 'log:1', 'users:2', 'end'];

function isShort(words: readonly string[]): void {
  equal(words.length < 12, true, `${words.length} items were taken`);
}

/** Returns a sink that never finishes its first item. */
const stalled = () => new Writable({ objectMode: true, highWaterMark: 1, write() {} });

/** All ways to compose stages. */
const FORMS = {
  'by chain': () => chain([filterStage(setEngine('vinyl')), compose([same])], { highWaterMark: 1 }),
  'by compose': () => compose([filterStage(setEngine('vinyl')), same]),
  'by compose, of none': () => compose([]),
};

describe('stages', () => {
  for (const [form, make] of Object.entries(FORMS)) {
    describe(form, () => {
      it('hand on the items of a source from its start to its end', async () => {
        let words: string[] = [];
        await pipeline(source(), make(), async (items: AsyncIterable<BackupItem>) => {
          words = await wordsOf(items);
        });
        deepEqual(words, WORDS);
      });

      it('hold only a few items if the sink is slow', async () => {
        const taken: string[] = [];
        const counting: Stage = (item) => {
          taken.push(item.kind);
          return item;
        };
        const abort = new AbortController();
        const stages = [compose([counting]), make(), stalled()] as const;
        const running = pipeline(source(LONG), ...stages, { signal: abort.signal });
        for (let i = 0; i < 200; i++) await turn();
        isShort(taken);
        abort.abort();
        await rejects(running, { name: 'AbortError' });
      });

      it('are destroyed with the source if the sink fails', async () => {
        const from = source(LONG);
        const stages = make();
        const error = new TntarError('failure', 'full');
        const sink = new Writable({ objectMode: true, write: (_, __, done) => done(error) });
        await rejects(pipeline(from, stages, sink), (thrown) => thrown === error);
        deepEqual([from.destroyed, stages.destroyed], [true, true]);
      });
    });
  }

  it('work in one chain with a source in front', async () => {
    const counts = (item: BackupItem): number => (item.kind === 'tuples' ? item.count : 0);
    const rows = chain([source(), filterStage(setEngine('memtx')), counts]);
    let sum = 0;
    for await (const count of rows) sum += count;
    equal(sum, 9);
  });

  it('end a chain with the original error of a stage', async () => {
    const error = new TntarError('failure', 'not this one');
    const picky = (item: BackupItem): BackupItem => {
      if (item.kind === 'tuples' && item.space.name === 'log') throw error;
      return item;
    };
    const from = source();
    await rejects(pipeline(chain([from, picky]), greedy()), (thrown) => thrown === error);
    equal(from.destroyed, true);
    const stages = chain([source(), compose([picky])]);
    await rejects(pipeline(stages, greedy()), (thrown) => thrown === error);
  });

  it('work without a report', async () => {
    const skip = applyFilter(() => null, 'skip');
    deepEqual(await wordsOf(source().pipe(filterStage(skip))), ['start', 'end']);
  });

  it('end with the error of a filter', async () => {
    const broken = applyFilter((_, tuple) => tuple.set('nick', 1), 'broken');
    const stage = source().pipe(filterStage(broken));
    const [error] = await once(stage, 'error');
    equal(error.kind, 'failure');
  });
});

/** Returns a sink that accepts everything. */
function greedy(): Writable {
  return new Writable({ objectMode: true, write: (_, __, done) => done() });
}
