import { equal, rejects } from 'node:assert/strict';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BackupItem } from '../../../lib/backup/item.js';
import { archiveSink } from '../../../lib/sinks/archive.js';
import { archiveSource } from '../../../lib/sources/archive.js';
import { archive, goodEntries, sealed } from '../../support/archive-builder.js';

const GOOD = archive(sealed(goodEntries()));

/** Changes the items of a whole backup by `change`, writes them, and returns the size of the archive. */
async function write(change: (items: BackupItem[]) => BackupItem[]): Promise<number> {
  const items: BackupItem[] = [];
  for await (const item of archiveSource(Readable.from([GOOD]))) items.push(item as BackupItem);
  let bytes = 0;
  await pipeline(Readable.from(change(items)), archiveSink(), async (output) => {
    for await (const chunk of output as AsyncIterable<Buffer>) bytes += chunk.length;
  });
  return bytes;
}

describe('archiveSink', () => {
  it('accepts a start, batches and an end', async () => {
    equal((await write((items) => items)) > 0, true);
  });

  for (const [title, change, message] of [
    ['an end without a start', (items) => items.slice(-1), /begins with an item of kind 'end'/],
    ['rows without a start', (items) => items.slice(1), /begins with an item of kind 'tuples'/],
    [
      'a value that is not an item',
      () => ['x' as never],
      /begins with an item of kind 'undefined'/,
    ],
    ['a second start', (items) => [...items.slice(0, 1), ...items], /begins twice/],
    ['a second end', (items) => [...items, ...items.slice(-1)], /continues after its end/],
    ['rows after the end', (items) => [...items, items[1]!], /continues after its end/],
    ['no end', (items) => items.slice(0, -1), /stopped before its end/],
    ['nothing', () => [], /stopped before its end/],
  ] as [string, (items: BackupItem[]) => BackupItem[], RegExp][]) {
    it(`refuses ${title}`, () => rejects(write(change), { kind: 'failure', message }));
  }
});
