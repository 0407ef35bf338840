import { deepEqual, equal, ok } from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { BackupItem } from '../../lib/backup/item.js';
import { archive, type Entry, sealed } from '../support/archive-builder.js';
import { isArchiveError, readArchive } from '../unit/archive/reading.js';
import { entries, mutated, mutation } from './archives.js';
import { holds } from './runs.js';

/** What an archive says, as far as its rows and their spaces go. */
interface Content {
  spaces: unknown;
  /** By space id. */
  rows: Map<number, Buffer>;
}

/** What an archive of these entries has to say. */
function expected(of: readonly Entry[]): Content {
  const rows = new Map<number, Buffer>();
  for (const { name, body } of of.slice(1)) add(rows, Number.parseInt(name, 10), body);
  return { spaces: JSON.parse(String(of[0]?.body)).spaces, rows };
}

function contentOf(items: readonly BackupItem[]): Content {
  const rows = new Map<number, Buffer>();
  let spaces: unknown;
  for (const item of items) {
    if (item.kind === 'start') spaces = item.manifest.spaces;
    if (item.kind === 'tuples') add(rows, item.space.id, item.bytes);
  }
  return { spaces, rows };
}

function add(rows: Map<number, Buffer>, id: number, bytes: Buffer): void {
  rows.set(id, Buffer.concat([rows.get(id) ?? Buffer.alloc(0), bytes]));
}

/** What the checksum of its frame let pass is a part of the archive, whatever stands around it. */
function areParts(items: readonly BackupItem[], of: readonly Entry[]): void {
  for (const item of items) {
    if (item.kind !== 'tuples') continue;
    const { id } = item.space;
    const same = of.find(
      ({ name, body }) => Number.parseInt(name, 10) === id && body.equals(item.bytes),
    );
    ok(same !== undefined, `a part of space ${id} that is not in the archive`);
  }
}

describe('any archive', () => {
  holds(
    'is read with the same content',
    150,
    fc.asyncProperty(entries, async (given) => {
      const { items, error } = await readArchive(archive(sealed(given)));
      equal(error, undefined);
      deepEqual(contentOf(items), expected(given));
    }),
  );

  const outcomes = { refused: 0, same: 0 };
  holds(
    'is refused or has exactly the same rows after any change',
    1000,
    fc.asyncProperty(
      entries,
      entries,
      mutation,
      fc.integer({ min: 1, max: 3000 }),
      async (given, other, change, chunkSize) => {
        const { items, error } = await readArchive(mutated(given, other, change), chunkSize);
        if (change.of === 'bytes') areParts(items, given);
        outcomes[error === undefined ? 'same' : 'refused']++;
        if (error !== undefined) {
          ok(isArchiveError(error), `${error}`);
          return;
        }
        equal(items.at(-1)?.kind, 'end');
        // so much may come in from the other archive that it is all of that
        const content = contentOf(items);
        if (!isDeepStrictEqual(content, expected(other))) deepEqual(content, expected(given));
      },
    ),
    () => ok(outcomes.refused > 4 * outcomes.same, JSON.stringify(outcomes)),
  );
});
