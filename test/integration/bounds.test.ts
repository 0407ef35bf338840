import { equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_ENTRIES, MAX_JSON_BYTES, MAX_JSON_VALUES } from '../../lib/archive/limits.js';
import {
  archive,
  contents,
  type Entry,
  framed,
  goodEntries,
  jsonEntry,
  manifest,
  rowsEntry,
  sealed,
} from '../support/archive-builder.js';
import type { Result } from '../support/cli.js';
import { coded } from '../support/msgpack.js';
import { tntarMeasured } from '../support/peak.js';
import type { TestServer } from '../support/server.js';
import { startTarget } from './fidelity/roundtrip.js';

const MIB = 1024 * 1024;
/** What a process may take, whatever it is given. */
const PEAK_MIB = 256;

const GOOD = goodEntries();

/** A whole archive, with something more in its manifest. */
function withManifest(more: string): Buffer {
  const body = Buffer.from(`${JSON.stringify(manifest()).slice(0, -1)},${more}}`);
  return archive(sealed([{ name: 'manifest.json', rows: 0, body }, ...GOOD.slice(1)]));
}

const many = (count: number, item: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => item(i)).join(',');

/** As many bytes of empty arrays as this, in one row. */
function emptyArrays(count: number): Buffer {
  const row = Buffer.alloc(6 + count, 0x90);
  row.writeUInt16BE(0x91dd);
  row.writeUInt32BE(count, 2);
  return row;
}

describe('memory stays within bounds', function () {
  this.timeout(120_000);

  let folder: string;
  let target: TestServer;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-bounds-'));
    target = await startTarget();
  });
  after(async () => {
    await target.stop();
    rmSync(folder, { recursive: true });
  });

  /** Runs a command with the archive as its file. */
  const peaks = async (command: readonly string[], bytes: Buffer): Promise<Result> => {
    const file = join(folder, 'archive.tar.zst');
    writeFileSync(file, bytes);
    const result = await tntarMeasured([...command, '-i', file], { timeoutMs: 100_000 });
    ok(result.peakMiB < PEAK_MIB, `${result.peakMiB} MiB: ${result.stderr.slice(0, 300)}`);
    return result;
  };

  const inJson = MAX_JSON_VALUES - 1000;
  for (const [title, make, code] of [
    ['keys', () => withManifest(many(inJson / 2, (i) => `"k${i}":1`)), 0],
    ['objects', () => withManifest(`"x":[${many(inJson / 4, (i) => `{"a${i}":{}}`)}]`), 0],
    ['empty lists', () => withManifest(`"x":[${many(inJson / 2, () => '[]')}]`), 0],
    ['letters', () => withManifest(`"x":"${'ж'.repeat(MAX_JSON_BYTES / 2 - 1000)}"`), 0],
    ['more values', () => withManifest(`"x":[${many(MAX_JSON_VALUES, () => '1')}]`), 3],
    ['nesting', () => withManifest(`"x":${'['.repeat(8 * MIB)}`), 3],
  ] as const) {
    it(`of a manifest that is full of ${title}`, async () => {
      const { code: exit, stderr } = await peaks(['verify', '-q'], make());
      equal(exit, code, stderr);
    });
  }

  it('of a trailer that is full of values', async () => {
    const text = `{"x":[${many(5_000_000, () => '[]')}]}`;
    const trailer = { name: 'trailer.json', rows: 0, body: Buffer.from(text) };
    const { code, stderr } = await peaks(['verify', '-q'], archive([...GOOD, trailer]));
    equal(code, 3, stderr);
    match(stderr, /trailer\.json has over \d+ values/);
  });

  it('of a row of as many values as bytes', async () => {
    const head = jsonEntry('manifest.json', manifest());
    const row = { name: '512.dump', body: emptyArrays(120 * MIB), rows: 1 };
    const { code, stderr } = await peaks(['verify', '-q'], archive(sealed([head, row])));
    equal(code, 0, stderr);
  });

  it('of long definitions', async () => {
    const name = Buffer.concat([coded(0xdb, 4, MIB), Buffer.alloc(MIB, 0x61)]);
    const rows = Array(40).fill(Buffer.concat([Buffer.of(0x92, 1), name]));
    const users: Entry = { name: '304.dump', body: Buffer.concat(rows), rows: 40 };
    const bytes = archive(sealed([...GOOD.slice(0, 3), users, ...GOOD.slice(3)]));
    const { code, stderr } = await peaks(['restore', target.uri, '--dry-run', '-q'], bytes);
    equal(code, 3, stderr);
    match(stderr, /the rows of system spaces are more than/);
  });

  it('of entries without an end, in a damaged archive', async () => {
    const one = framed(contents([rowsEntry('512.dump', [1])]).slice(0, 2));
    const start = archive([jsonEntry('manifest.json', manifest())]);
    const bytes = Buffer.concat([start, ...Array(MAX_ENTRIES + 10).fill(one)]);
    const { code } = await peaks(['verify', '-q'], bytes);
    equal(code, 3);
  });
});
