import { deepEqual, equal, rejects, throws } from 'node:assert/strict';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BackupItem } from '../../../lib/backup/item.js';
import { excludeRows } from '../../../lib/filters/exclude-rows.js';
import { filterStage, listedSpaces, wantedBy } from '../../../lib/filters/filter.js';
import type { Head } from '../../../lib/schema/catalog/preamble.js';
import { archiveSource } from '../../../lib/sources/archive.js';
import {
  archive,
  goodEntries,
  manifest,
  rowsEntry,
  sealed,
} from '../../support/archive-builder.js';
import { indexRow, type SystemRows, spaceRow } from '../schema/catalogs.js';
import { headOf } from './heads.js';

const ROWS: SystemRows = {
  280: [
    spaceRow(512, 'users'),
    spaceRow(513, 'log.1'),
    spaceRow(514, 'log.2', { flags: { temporary: true } }),
    spaceRow(515, 'log.view', { flags: { view: true, sql: 'SELECT 1' } }),
    spaceRow(516, 'orders', {
      flags: { foreign_key: { of_user: { space: 512, field: { 1: 0 } } } },
    }),
  ],
  288: [512, 513, 514, 516].map((id) => indexRow(id, 0, 'pk')),
};

function whole(): Head {
  const head = headOf(ROWS);
  const spaces = listedSpaces(head).map((space) => ({
    ...space,
    rowsFrom: space.id === 514 ? ('none' as const) : ('snapshot' as const),
    expectedRows: 10,
  }));
  return { ...head, manifest: { ...head.manifest, spaces } };
}

const excluded = async (...patterns: string[]) => excludeRows(patterns).head(whole());

describe('excludeRows', () => {
  it('keeps all definitions, and records the spaces whose rows are left out', async () => {
    const before = whole();
    const { head } = await excludeRows(['log*']).head(before);
    equal(head.catalog, before.catalog);
    deepEqual(
      head.manifest.spaces.filter(({ rowsExcluded }) => rowsExcluded),
      [
        {
          id: 513,
          name: 'log.1',
          engine: 'memtx',
          format: [],
          rowsFrom: 'none',
          rowsExcluded: true,
        },
      ],
    );
    deepEqual(head.manifest.omitted, [
      { what: "rows of 'log.1'", why: 'left out on purpose; its definition is kept' },
    ]);
  });

  it('records each space once, however often its rows are left out', async () => {
    const { head } = await excluded('log*');
    const { head: again } = await excludeRows(['log.1', 'users']).head(head);
    deepEqual(
      again.manifest.omitted.map(({ what }) => what),
      ["rows of 'log.1'", "rows of 'users'"],
    );
  });

  it('requests no rows of such spaces from a source', () => {
    const wants = wantedBy([excludeRows(['log*', '*s'])]);
    deepEqual(['users', 'log.1', 'log', 'other'].map(wants), [false, false, false, true]);
  });

  it('lists the foreign keys of rows that refer to excluded rows', async () => {
    deepEqual((await excluded('users')).warnings, [
      "foreign key 'of_user' of 'orders' refers to 'users'; rows of 'users' are excluded, and a restore refuses rows of 'orders' that refer to missing rows",
    ]);
    for (const patterns of [['orders'], ['users', 'orders'], ['log*']]) {
      deepEqual((await excluded(...patterns)).warnings, [], String(patterns));
    }
  });

  it('refuses patterns that match no space, unless that is allowed', async () => {
    await rejects(async () => excluded('users', 'user'), {
      kind: 'usage',
      message: "no space matches 'user'",
      hint: /there are users; log\.1/,
    });
    deepEqual((await excludeRows(['user'], { mayLack: true }).head(whole())).warnings, []);
    throws(() => excludeRows(['']), { kind: 'usage' });
  });

  it('hands on the rows of other spaces, and counts what is left', async () => {
    const pk = (id: number) => [id, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]];
    const entries = goodEntries().map((entry) =>
      entry.name === '288.dump' ? rowsEntry(entry.name, pk(512), pk(513)) : entry,
    );
    const items: BackupItem[] = [];
    await pipeline(
      archiveSource(Readable.from([archive(sealed(entries))])),
      filterStage(excludeRows(['log'])),
      async (all: AsyncIterable<BackupItem>) => {
        for await (const item of all) items.push(item);
      },
    );
    const rows = items.flatMap((item) => (item.kind === 'tuples' ? item.space.name : []));
    deepEqual(rows, ['_space', '_index', 'users']);
    const end = items.at(-1);
    deepEqual(end?.kind === 'end' && [...end.counts.keys()], [280, 288, 512]);
  });

  it('treats an archive as damaged if it has such rows anyway', async () => {
    const spaces = [
      { id: 512, name: 'users', engine: 'memtx', format: [], rowsFrom: 'snapshot' },
      { id: 513, name: 'log', engine: 'vinyl', format: [], rowsFrom: 'none', rowsExcluded: true },
    ];
    const [, ...rest] = goodEntries();
    const entries = [
      { ...goodEntries()[0]!, body: Buffer.from(JSON.stringify(manifest({ spaces }))) },
    ];
    const pk = (id: number) => [id, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]];
    const all = [...entries, ...rest].map((entry) =>
      entry.name === '288.dump' ? rowsEntry(entry.name, pk(512), pk(513)) : entry,
    );
    await rejects(
      pipeline(
        archiveSource(Readable.from([archive(sealed(all))])),
        filterStage(excludeRows(['users'])),
        async (items: AsyncIterable<BackupItem>) => {
          for await (const _ of items);
        },
      ),
      {
        kind: 'archive',
        message: "space 'log' has rows, but the manifest says that they are excluded",
      },
    );
  });
});
