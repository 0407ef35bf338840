import { equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crafted } from '../support/crafted.js';
import type { Plain } from '../support/msgpack.js';
import { tntarMeasured } from '../support/peak.js';
import type { TestServer } from '../support/server.js';
import { startTarget } from './fidelity/roundtrip.js';

/** What a process may take, whatever it is given, and besides for one row that it holds. */
const PEAK_MIB = 256;
const ROW_MIB = 128;

const view = (sql: string): Plain[] => [
  ...[600, 1, 'V', 'memtx', 0, { view: true, sql }, [{ name: 'A', type: 'any' }]],
];

describe('SQL of an archive', function () {
  this.timeout(120_000);

  let folder: string;
  let target: TestServer;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-sql-'));
    target = await startTarget();
  });
  after(async () => {
    await target.stop();
    rmSync(folder, { recursive: true });
  });

  const cases: [title: string, row: Plain[], told: RegExp | undefined][] = [
    [
      'of 30 MB of parentheses',
      view(`CREATE VIEW V AS SELECT ${'('.repeat(30e6)}`),
      /_space: SQL of 'V' has more than 100 nested parentheses/,
    ],
    [
      'of 30 MB of signs',
      view(`CREATE VIEW V AS SELECT ${'1,'.repeat(15e6)}`),
      /SQL of 'V' is too long: all SQL together has more than 524288 tokens/,
    ],
    [
      'of as many words as are read',
      view(`CREATE VIEW V AS SELECT ${'A,'.repeat(260_000)}1`),
      undefined,
    ],
    ['of 30 MB in one string', view(`CREATE VIEW V AS SELECT '${'a'.repeat(30e6)}'`), undefined],
  ];
  for (const [title, row, told] of cases) {
    it(`stays within the bounds of time and memory: ${title}`, async () => {
      const file = join(folder, 'archive.tar.zst');
      writeFileSync(file, crafted({ 280: [row] }, '2.6.0'));
      for (const command of [
        ['restore', target.uri, '-i', file, '--dry-run'],
        ['diff', file, target.uri, '--schema-only'],
      ]) {
        const { code, stderr, peakMiB } = await tntarMeasured(command, { timeoutMs: 100_000 });
        const isDiff = command[0] === 'diff';
        equal(code, told === undefined ? (isDiff ? 1 : 0) : 3, stderr.slice(0, 500));
        if (told !== undefined) match(stderr, told);
        const most = told === undefined ? PEAK_MIB + ROW_MIB : PEAK_MIB;
        ok(peakMiB < most, `${command[0]}: ${peakMiB} MiB`);
      }
    });
  }
});
