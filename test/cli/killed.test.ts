import { deepEqual, equal } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  archive,
  type Entry,
  jsonEntry,
  manifest,
  manyRowsEntry,
  rowsEntry,
  sealed,
  tarHeader,
} from '../support/archive-builder.js';
import { hasNamelessFile } from './nameless.js';
import { Running } from './running.js';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGKILL'] as const;
const EXIT_CODES: Readonly<Record<string, number>> = { SIGTERM: 143, SIGINT: 130 };
/** Parts of 10 MB: more than diff sorts in memory. */
const PARTS = 4;

/** An archive with rows of many MiB, and as much of it as comes before its end. */
function halfComparable(): { whole: Buffer; cut: Buffer } {
  const users = [{ id: 512, name: 'users', engine: 'memtx', format: [], rowsFrom: 'snapshot' }];
  const head = [
    jsonEntry('manifest.json', manifest({ spaces: users })),
    rowsEntry('280.dump', [512, 1, 'users', 'memtx', 0, {}, []]),
    rowsEntry('288.dump', [512, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]]),
  ];
  const parts = (letter: string): Entry[] =>
    Array.from({ length: PARTS }, (_, part) => {
      const rows = Array.from({ length: 100 }, (_row, i): [number, string] => [
        part * 100 + i,
        letter.repeat(100_000),
      ]);
      return manyRowsEntry(`512.dump.0000${part}`, rows);
    });
  return {
    whole: archive(sealed([...head, ...parts('a')])),
    cut: archive([...head, ...parts('b')]).subarray(0, -100),
  };
}

describe('a run that a signal ends', () => {
  let sides: ReturnType<typeof halfComparable>;
  let folder: string;
  let TMPDIR: string;
  before(() => {
    sides = halfComparable();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-killed-'));
    TMPDIR = join(folder, 'tmp');
    mkdirSync(TMPDIR);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Ends the run by a signal when it has a temporary file, and looks for what it leaves. */
  async function leavesNothing(
    args: readonly string[],
    input: Buffer,
    signal: (typeof SIGNALS)[number],
  ): Promise<void> {
    const run = new Running(args, { env: { TMPDIR } });
    run.stdin.write(input); // and nothing after it
    await run.until(() => hasNamelessFile(run.pid, TMPDIR), 30_000);
    run.kill(signal);
    const { code, signal: endedBy, stderr } = await run.end(5000);
    if (signal === 'SIGKILL') equal(endedBy, signal, stderr);
    else equal(code, EXIT_CODES[signal], stderr);
    deepEqual(readdirSync(TMPDIR), []);
  }

  for (const signal of SIGNALS) {
    it(`leaves no file when ${signal} comes while it unpacks a tar`, async () => {
      const header = tarHeader({ name: '280.dump', size: '00000001000' });
      await leavesNothing(['verify'], Buffer.concat([header, Buffer.alloc(300)]), signal);
    });

    it(`leaves no file when ${signal} comes while diff has rows in temporary files`, async () => {
      const { whole, cut } = sides;
      const file = join(folder, 'whole.tar.zst');
      writeFileSync(file, whole);
      await leavesNothing(['diff', '-', file, '--sort'], cut, signal);
      await leavesNothing(['diff', '-', file, '--rows'], cut, signal);
    });
  }
});
