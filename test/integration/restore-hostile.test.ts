import { deepEqual, equal, match, ok } from 'node:assert/strict';
import {
  archive,
  type Entry,
  jsonEntry,
  manifest,
  rowsEntry,
  sealed,
} from '../support/archive-builder.js';
import { fingerprint } from '../support/fingerprint.js';
import { type Plain, pack } from '../support/msgpack.js';
import type { TestServer } from '../support/server.js';
import { startTarget, tryRestore } from './fidelity/roundtrip.js';

type Rows = readonly (readonly Plain[])[];

/** One space with a row in it. */
const SPACE: Rows = [[512, 1, 'accounts', 'memtx', 0, {}, []]];
const INDEX: Rows = [[512, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]]];
const LISTED = { id: 512, name: 'accounts', engine: 'memtx', format: [], rowsFrom: 'snapshot' };
const USER: Rows = [[33, 1, 'ann', 'user', {}]];

/** An archive that is whole, and in which some of this is something else. */
function crafted(system: Record<string, Rows | Buffer>, given: object = {}): Buffer {
  const entries = { '280': SPACE, '288': INDEX, '304': USER, ...system };
  const list: Entry[] = Object.entries(entries).map(([id, rows]) =>
    Buffer.isBuffer(rows)
      ? { name: `${id}.dump`, body: rows, rows: 1 }
      : rowsEntry(`${id}.dump`, ...rows),
  );
  const head = jsonEntry('manifest.json', manifest({ spaces: [LISTED], ...given }));
  const data = rowsEntry('512.dump', [1, 'secret']);
  return archive(sealed([head, ...list.filter(({ rows }) => rows > 0), data]));
}

const nested = (depth: number): Buffer =>
  Buffer.concat([
    Buffer.of(0x95),
    ...[33, 1, 'ann', 'user'].map(pack),
    Buffer.alloc(depth, 0x91),
    Buffer.of(0xc0),
  ]);

const server = (version: string): object => ({ server: { version, uuid: '' } });

describe('an archive that was made to do harm', () => {
  let target: TestServer;
  before(async () => {
    target = await startTarget();
  });
  after(() => target.stop());

  it('is restored if nothing in it is harmful', async () => {
    for (const args of [['--dry-run'], []]) {
      const { code, stderr } = await tryRestore(target, crafted({}), args);
      equal(code, 0, stderr);
    }
    await target.eval('box.space.accounts:drop() box.schema.user.drop("ann")');
  });

  const cases: [
    title: string,
    system: Parameters<typeof crafted>[0],
    told: RegExp,
    given?: object,
  ][] = [
    [
      'another name in the manifest',
      {},
      /'harmless' here, but 'accounts' in _space/,
      {
        spaces: [{ ...LISTED, name: 'harmless' }],
      },
    ],
    ['rows of a space that nothing defines', { 280: [], 288: [] }, /space 512 .* is not in _space/],
    ['rows of a space without a key', { 288: [] }, /no primary index/],
    [
      'such rows that the manifest denies',
      { 288: [] },
      /no primary index/,
      {
        spaces: [{ ...LISTED, rowsFrom: 'none' }],
      },
    ],
    ['a fruit as version', {}, /needs the version of a server/, server('banana')],
    ['colors in its date', {}, /needs a date/, { created: '\u001b[31m2026' }],
    ['a grant to nobody', { 312: [[1, null, 'universe', 0, 4]] }, /_priv: row .*: field 2/],
    ['a row that nests deeply', { 304: nested(100_000) }, /_user: a row nests deeper/],
    ['a value that is none', { 285: [[1, 1.5]] }, /_sequence_data: row \[1\]/],
    ['a part that is none', { 288: [[512, 0, 'pk', 'tree', {}, [null]]] }, /_index: row \[512,0\]/],
    ['a name twice', { 304: [...USER, [34, 1, 'ann', 'role', {}]] }, /_user: .*"ann".* twice/],
    ['an empty row', { 304: [[]] }, /_user: row \[\]/],
  ];
  for (const [title, system, told, given] of cases) {
    it(`is refused before the first write: ${title}`, async () => {
      const before = await fingerprint(target, { system: true });
      for (const args of [['--dry-run'], []]) {
        const { code, stderr } = await tryRestore(target, crafted(system, given), args);
        equal(code, 3, stderr);
        match(stderr, told);
        ok(!/INCOMPLETE|\n\s+at /.test(stderr), stderr);
      }
      deepEqual(await fingerprint(target, { system: true }), before);
    });
  }

  // Both kept a restore busy for minutes, or ended it without a word about the archive.
  for (const [title, sqls] of [
    ['SQL of comments that are not closed', ['/*x'.repeat(400_000)]],
    ['a long string', [`CREATE VIEW v AS SELECT '${'a'.repeat(30_000_000)}'`]],
    [
      'a long chain of views',
      Array.from({ length: 20_000 }, (_, i) => `SELECT * FROM "v${i + 1}"`),
    ],
  ] as [string, string[]][]) {
    it(`is read in a short time: ${title}`, async function () {
      this.timeout(120_000);
      const views = sqls.map((sql, i): Plain[] => [
        ...[600 + i, 1, `v${i}`, 'memtx', 0, { view: true, sql }, []],
      ]);
      const spaces = [
        LISTED,
        ...views.map(([id, , name]) => ({ ...LISTED, id, name, rowsFrom: 'none' })),
      ];
      const { code, stderr } = await tryRestore(
        target,
        crafted({ 280: [...SPACE, ...views] }, { spaces }),
        ['--dry-run'],
      );
      equal(code, 0, stderr);
    });
  }
});
