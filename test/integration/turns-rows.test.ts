import { equal, ok } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archive, jsonEntry, manifest, rowsEntry, sealed } from '../support/archive-builder.js';
import { tntar } from '../support/cli.js';
import { coded } from '../support/msgpack.js';
import type { TestServer } from '../support/server.js';
import { mayHang, startTarget } from './fidelity/roundtrip.js';

const LONGEST_TURN = new URL('../support/longest-turn.js', import.meta.url).href;
const VALUES = 40_000_000;
/** Three times what it is on a machine with nothing else to do. A walk over the row in one turn takes 400 ms at least. */
const TURN_MS = 350;

const FORMAT = [
  { name: 'id', type: 'unsigned' },
  { name: 'doc', type: 'any' },
  { name: 'last', type: 'unsigned' },
];

/** The row `[1, doc, 7]`, where `doc` has as many values, of one byte each. */
const ROWS = {
  list: [coded(0xdd, 4, VALUES), Buffer.alloc(VALUES, 0x90)],
  map: [coded(0xdf, 4, VALUES / 2), Buffer.alloc(VALUES, 1)],
  'list of lists': [Buffer.alloc(VALUES, 0x91), Buffer.of(1)],
} as const;

const FILTER = `export default (space, tuple) =>
  space.isSystem ? tuple : tuple.set('last', Number(tuple.get('last')) + 1);`;

describe('a row of 40 million values in one field', function () {
  this.timeout(120_000);

  let folder: string;
  let target: TestServer;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-turns-'));
    writeFileSync(join(folder, 'filter.mjs'), FILTER);
    const MIB = 1024 * 1024;
    const cfg = { memtx_max_tuple_size: 160 * MIB, memtx_memory: 1024 * MIB };
    target = await startTarget({ cfg });
  });
  after(async () => {
    await target.stop();
    rmSync(folder, { recursive: true });
  });

  /** Checks a run, and how long a signal would have waited at the most. */
  const runs = async (args: readonly string[]): Promise<void> => {
    const TNTAR_LONGEST_TURN = join(folder, 'turn');
    const env = { NODE_OPTIONS: `--import=${LONGEST_TURN}`, TNTAR_LONGEST_TURN };
    const { code, stderr } = await tntar(args, { env, timeoutMs: 100_000 });
    equal(code, 0, stderr);
    const longest = Number(readFileSync(TNTAR_LONGEST_TURN, 'utf8'));
    ok(longest < TURN_MS, `${args[0]}: ${longest} ms`);
  };

  for (const [what, doc] of Object.entries(ROWS)) {
    describe(`that is a ${what}`, () => {
      let file: string;
      before(() => {
        file = join(folder, 'archive.tar.zst');
        const space = {
          ...{ id: 512, name: 'users', engine: 'memtx', format: FORMAT },
          rowsFrom: 'snapshot',
        };
        const body = Buffer.concat([Buffer.of(0x93, 1), ...doc, Buffer.of(7)]);
        const entries = [
          jsonEntry('manifest.json', manifest({ spaces: [space] })),
          rowsEntry('280.dump', [512, 1, 'users', 'memtx', 0, {}, FORMAT]),
          // the key is after all values, so that who looks for it has to walk
          rowsEntry('288.dump', [512, 0, 'pk', 'tree', { unique: true }, [[2, 'unsigned']]]),
          { name: '512.dump', body, rows: 1 },
        ];
        writeFileSync(file, archive(sealed(entries)));
      });

      it('lets a condition react to signals', () =>
        runs(['cat', 'users', '-i', file, '--fields', 'last', '--where', 'last == 7']));

      // the rest goes over all kinds of rows by the same walk
      if (what !== 'list') return;

      it('lets a run react to signals while it writes or reads a directory', async () => {
        const directory = join(folder, what);
        await runs(['extract', '-i', file, '--all', '-C', directory]);
        await runs(['verify', '-q', '-i', directory]);
        await runs(['cat', 'users', '-i', directory, '--fields', 'last']);
      });

      it('lets a dry run be stopped', () =>
        runs(['restore', target.uri, '-i', file, '--dry-run', '--existing', 'drop']));

      for (const changing of [
        [],
        ['--mask', 'users.last=hash'],
        ['--filter', 'filter.mjs'],
      ] as const) {
        it(`lets a restore be stopped ${changing.join(' ')}`, () => {
          const options = changing.map((option) => option.replace('filter.mjs', `${folder}/$&`));
          return runs(['restore', target.uri, '-i', file, '--existing', 'drop', ...options]);
        });
      }

      for (const source of ['select', 'snapshot']) {
        it(`lets a dump by ${source} be stopped`, function () {
          if (source === 'snapshot' && mayHang(target)) this.skip();
          return runs([
            ...[
              'dump',
              target.uri,
              '--source',
              source,
              '-o',
              join(folder, `${what} by ${source}`),
              '-q',
            ],
            ...['--where', 'users: last > 0'],
          ]);
        });
      }
    });
  }
});
