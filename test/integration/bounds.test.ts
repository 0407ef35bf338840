import { equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  MAX_DEFINITION_VALUES,
  MAX_ENTRIES,
  MAX_JSON_BYTES,
  MAX_JSON_VALUES,
} from '../../lib/backup/limits.js';
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
    it(`for a manifest full of ${title}`, async () => {
      const { code: exit, stderr } = await peaks(['verify', '-q'], make());
      equal(exit, code, stderr);
    });
  }

  it('for a trailer full of values', async () => {
    const text = `{"x":[${many(5_000_000, () => '[]')}]}`;
    const trailer = { name: 'trailer.json', rows: 0, body: Buffer.from(text) };
    const { code, stderr } = await peaks(['verify', '-q'], archive([...GOOD, trailer]));
    equal(code, 3, stderr);
    match(stderr, /trailer\.json has over \d+ values/);
  });

  it('for a row with as many values as bytes', async () => {
    const head = jsonEntry('manifest.json', manifest());
    const row = { name: '512.dump', body: emptyArrays(120 * MIB), rows: 1 };
    const { code, stderr } = await peaks(['verify', '-q'], archive(sealed([head, row])));
    equal(code, 0, stderr);
  });

  it('for long definitions', async () => {
    const name = Buffer.concat([coded(0xdb, 4, MIB), Buffer.alloc(MIB, 0x61)]);
    const rows = Array(40).fill(Buffer.concat([Buffer.of(0x92, 1), name]));
    const users: Entry = { name: '304.dump', body: Buffer.concat(rows), rows: 40 };
    const bytes = archive(sealed([...GOOD.slice(0, 3), users, ...GOOD.slice(3)]));
    const { code, stderr } = await peaks(['restore', target.uri, '--dry-run', '-q'], bytes);
    equal(code, 3, stderr);
    match(stderr, /the rows of system spaces exceed the limit of/);
  });

  /** Compares an archive with another, which differs in one of the last bytes of the last entry. */
  const compares = async (
    entries: readonly Entry[],
    fromEnd: number,
    option: string,
    peak = PEAK_MIB,
  ): Promise<Result> => {
    const { name, body, rows } = entries.at(-1)!;
    const changed = Buffer.from(body);
    changed[changed.length - fromEnd]! ^= 0x10;
    const files = [entries, [...entries.slice(0, -1), { name, body: changed, rows }]].map(
      (each, i) => {
        const file = join(folder, `side-${i}.tar.zst`);
        writeFileSync(file, archive(sealed(each)));
        return file;
      },
    );
    const result = await tntarMeasured(['diff', ...files, option], { timeoutMs: 100_000 });
    ok(result.peakMiB < peak, `${result.peakMiB} MiB: ${result.stderr.slice(0, 300)}`);
    return result;
  };

  const inDefinitions = MAX_DEFINITION_VALUES - 1000;
  for (const [title, code, weight] of [
    ['arrays', 0x90, 3],
    ['maps', 0x80, 5],
    ['numbers', 0x01, 1],
  ] as const) {
    it(`when both sides have definitions full of ${title}`, async () => {
      const count = Math.floor(inDefinitions / weight);
      const list = Buffer.concat([coded(0xdd, 4, count), Buffer.alloc(count, code)]);
      const flags = Buffer.concat([Buffer.from('81a178', 'hex'), list]);
      const spaces = rowsEntry('280.dump', [512, 1, 'users', 'memtx', 0, flags, []]);
      const one = [{ id: 512, name: 'users', engine: 'memtx', format: [], rowsFrom: 'none' }];
      const head = jsonEntry('manifest.json', manifest({ spaces: one }));
      const { code: exit, stderr } = await compares([head, spaces], 2, '--schema-only');
      ok(exit === 0 || exit === 1, stderr);
    });
  }

  it('when both sides have a row with as many values as bytes', async () => {
    const row = { name: '512.dump', body: emptyArrays(20 * MIB), rows: 1 };
    const users = [{ id: 512, name: 'users', engine: 'memtx', format: [], rowsFrom: 'snapshot' }];
    const head = [
      jsonEntry('manifest.json', manifest({ spaces: users })),
      rowsEntry('280.dump', [512, 1, 'users', 'memtx', 0, {}, []]),
      GOOD[2]!,
    ];
    const { code, stderr } = await compares([...head, row], 1, '--rows');
    equal(code, 1, stderr);
  });

  for (const [what, type, index] of [
    ['keys that are in order', 'string', 'tree'],
    ['keys that may be in none', 'unsigned', 'tree'],
    ['keys that have to be sorted', 'string', 'hash'],
  ] as const) {
    it(`when both sides have a row of 120 MB that is shown, and ${what}`, async () => {
      const bytes = 120 * MIB;
      const text = Buffer.concat([coded(0xdb, 4, bytes), Buffer.alloc(bytes, 0x61)]);
      const key = type === 'string' ? Buffer.from('a161', 'hex') : Buffer.of(1);
      const body = Buffer.concat([Buffer.of(0x92), key, text]);
      const users = [{ id: 512, name: 'users', engine: 'memtx', format: [], rowsFrom: 'snapshot' }];
      const entries = [
        jsonEntry('manifest.json', manifest({ spaces: users })),
        rowsEntry('280.dump', [512, 1, 'users', 'memtx', 0, {}, []]),
        rowsEntry('288.dump', [512, 0, 'pk', index, { unique: true }, [[0, type]]]),
        { name: '512.dump', body, rows: 1 },
      ];
      const { code, stderr } = await compares(entries, 1, '--rows', PEAK_MIB + 2 * 120);
      equal(code, 1, stderr);
    });
  }

  it('for a damaged archive with more entries than the limit', async () => {
    const one = framed(contents([rowsEntry('512.dump', [1])]).slice(0, 2));
    const start = archive([jsonEntry('manifest.json', manifest())]);
    const bytes = Buffer.concat([start, ...Array(MAX_ENTRIES + 10).fill(one)]);
    const { code } = await peaks(['verify', '-q'], bytes);
    equal(code, 3);
  });
});
