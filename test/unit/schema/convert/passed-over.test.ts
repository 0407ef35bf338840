import { deepEqual, equal } from 'node:assert/strict';
import { withoutIgnoredOptions } from '../../../../lib/schema/convert/passed-over.js';
import { planRestore } from '../../../../lib/schema/plan/plan.js';
import type { Release } from '../../../../lib/schema/server/release.js';
import { catalogOf, EMPTY, indexRow, type SystemRows, spaceRow } from '../catalogs.js';

const HINT = { unique: true, hint: true };
const PART = { field: 0, type: 'unsigned', sort_order: 'asc' };
const BACKUP: SystemRows = {
  280: [spaceRow(512, 'm'), spaceRow(513, 'v', { engine: 'vinyl' })],
  288: [
    indexRow(512, 0, 'tree', { options: HINT, parts: [PART] }),
    indexRow(512, 1, 'hash', { type: 'HASH', options: HINT, parts: [PART] }),
    indexRow(512, 2, 'off', { type: 'hash', options: { hint: false } }),
    indexRow(513, 0, 'pk', { options: HINT, parts: [PART] }),
  ],
};

const found = (release: Release) =>
  withoutIgnoredOptions(catalogOf(BACKUP), catalogOf(EMPTY), release);

describe('options that a server ignores when it starts, and refuses in a statement', () => {
  it('include hints of indexes other than memtx trees', () => {
    const { backup, hints } = found([2, 11]);
    deepEqual(hints, [
      { spaceId: 512, what: "index 'hash' of space 'm'" },
      { spaceId: 513, what: "index 'pk' of space 'v'" },
    ]);
    deepEqual(
      backup.rows(288).map(({ fields }) => fields[4]),
      [HINT, { unique: true }, { hint: false }, { unique: true }],
    );
  });

  it('include, from 3.0 on, the order of indexes without an order', () => {
    const orders = (release: Release): unknown[] =>
      found(release)
        .backup.rows(288)
        .map(({ fields }) => (fields[5] as Record<string, unknown>[])[0]?.['sort_order']);
    deepEqual(orders([2, 11]), ['asc', 'asc', undefined, 'asc']);
    deepEqual(orders([3, 0]), ['asc', undefined, undefined, 'asc']);
  });

  it('do not change a backup without them', () => {
    const backup = catalogOf({ ...BACKUP, 288: [BACKUP[288]![0]!] });
    equal(withoutIgnoredOptions(backup, catalogOf(EMPTY), [3, 2]).backup, backup);
  });

  it('are listed in one line, without those of kept spaces', () => {
    const notes = (existing?: 'skip'): string[] =>
      planRestore(catalogOf(BACKUP), catalogOf({ ...EMPTY, 280: [spaceRow(900, 'v')] }), {
        existing,
      }).notes.filter((line) => line.includes('hint'));
    const left = "the option 'hint' is left out, because only memtx trees use it:";
    deepEqual(notes(), [`${left} index 'hash' of space 'm'; index 'pk' of space 'v'`]);
    deepEqual(notes('skip'), [`${left} index 'hash' of space 'm'`]);
  });
});
