import { equal, ok } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Running } from '../cli/running.js';
import { archive, jsonEntry, manifest, rowsEntry, sealed } from '../support/archive-builder.js';
import { tntar } from '../support/cli.js';

const LONGEST_TURN = new URL('../support/longest-turn.js', import.meta.url).href;
const VALUES = 100_000_000;
/** On a machine with nothing else to do it is a tenth of that; a walk over the row in one turn takes two seconds. */
const TURN_MS = 800;
/** A signal takes no longer than this, on a machine that has much else to do. */
const SIGNAL_MS = 3000;

/** A row of as many numbers, and almost as many bytes. */
function row(last = 1): Buffer {
  const bytes = Buffer.alloc(5 + VALUES, 1);
  bytes[bytes.length - 1] = last;
  bytes[0] = 0xdd;
  bytes.writeUInt32BE(VALUES, 1);
  return bytes;
}

describe('a row of 100 million values', function () {
  this.timeout(120_000);

  let folder: string;
  let file: string;
  let other: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-turns-'));
    file = join(folder, 'archive.tar.zst');
    other = join(folder, 'other.tar.zst');
    const space = { id: 512, name: 'users', engine: 'memtx', format: [], rowsFrom: 'snapshot' };
    const entries = (last: number) => [
      jsonEntry('manifest.json', manifest({ spaces: [space] })),
      rowsEntry('280.dump', [512, 1, 'users', 'memtx', 0, {}, []]),
      rowsEntry('288.dump', [512, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]]),
      { name: '512.dump', body: row(last), rows: 1 },
    ];
    writeFileSync(file, archive(sealed(entries(1))));
    writeFileSync(other, archive(sealed(entries(2))));
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const [name, args, exit] of [
    ['verify', () => ['-q', '-i', file], 0],
    ['cat', () => ['users', '--fields', `1,${VALUES}`, '-i', file], 0],
    ['diff', () => [file, other, '-q'], 1],
  ] as const) {
    it(`lets ${name} react to signals`, async () => {
      const TNTAR_LONGEST_TURN = join(folder, 'turn');
      const env = { NODE_OPTIONS: `--import=${LONGEST_TURN}`, TNTAR_LONGEST_TURN };
      const { code, stderr } = await tntar([name, ...args()], { env, timeoutMs: 100_000 });
      equal(code, exit, stderr);
      const longest = Number(readFileSync(TNTAR_LONGEST_TURN, 'utf8'));
      ok(longest < TURN_MS, `${longest} ms`);
    });
  }

  it('lets a signal end cat at once', async () => {
    const cat = new Running(['cat', 'users', '-i', file]);
    await cat.until(() => cat.bytes > 1_000_000, 60_000);
    cat.kill('SIGTERM');
    equal((await cat.end(SIGNAL_MS)).code, 143);
  });
});
