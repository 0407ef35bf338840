import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { TntarError } from '../../../lib/base/errors.js';
import { diffFrom } from '../../../lib/pipelines/diff.js';
import type { DiffOptions } from '../../../lib/pipelines/diff-options.js';
import { archiveOrigin } from '../../../lib/sources/origin.js';
import { tntar } from '../../support/cli.js';
import { crafted, type SystemRows } from '../../support/crafted.js';
import type { Plain } from '../../support/msgpack.js';

const DEFINITIONS: SystemRows = {
  280: [
    [512, 1, 'users', 'memtx', 0, {}, []],
    [513, 1, 'log', 'memtx', 0, {}, []],
  ],
  288: [
    [512, 0, 'pk', 'tree', { unique: true }, [[0, 'string']]],
    [513, 0, 'pk', 'hash', { unique: true }, [[0, 'string']]],
  ],
};

const rows = (count: number): Plain[][] =>
  Array.from({ length: count }, (_, i) => [String(i).padStart(8, '0'), `value ${i * 7919}`]);
const made = (definitions: SystemRows, users = rows(3000)): Buffer =>
  crafted(definitions, '2.11.9', { 512: users, 513: rows(2000) });

const GOOD = made(DEFINITIONS);
const OTHER = made(DEFINITIONS, rows(2900));

const changedAt = (share: number): Buffer => {
  const bytes = Buffer.from(GOOD);
  bytes[Math.floor(GOOD.length * share)]! ^= 0x55;
  return bytes;
};
const MODES: readonly [title: string, options: () => DiffOptions][] = [
  ['', () => ({})],
  [' with --rows', () => ({ onRow: () => new Promise(setImmediate) })],
  [' with --sort', () => ({ sort: true })],
  [' with --schema-only', () => ({ only: 'schema' })],
  [' with --data-only', () => ({ only: 'data' })],
];
const WRONG: readonly [what: string, bytes: Buffer, message: RegExp, modes: typeof MODES][] = [
  [
    'an invalid definition',
    made({ ...DEFINITIONS, 304: [[40, 1]] }),
    /_user: row \[40\]: it has 2 fields/,
    MODES,
  ],
  ['a damaged definition', changedAt(0.01), /./, MODES],
  ['rows that are damaged', changedAt(0.6), /checksum|SHA-256|frame/i, without('--schema-only')],
  [
    'a missing end',
    GOOD.subarray(0, -300),
    /the archive ends|trailer|cut/,
    without('--schema-only'),
  ],
];

function without(option: string): typeof MODES {
  return MODES.filter(([title]) => !title.includes(option));
}

/** Yields the bytes in small chunks, so that one side is read while the other still arrives. */
function* chunks(bytes: Buffer): Generator<Buffer> {
  for (let pos = 0; pos < bytes.length; pos += 700) yield bytes.subarray(pos, pos + 700);
}
const origins = (sides: readonly Buffer[]) =>
  sides.map((bytes) => archiveOrigin(Readable.from(chunks(bytes)))) as [
    ReturnType<typeof archiveOrigin>,
    ReturnType<typeof archiveOrigin>,
  ];

const bothWays = (bytes: Buffer): [name: string, sides: [Buffer, Buffer]][] => [
  ['the first', [bytes, OTHER]],
  ['the second', [OTHER, bytes]],
];

describe('a damaged archive', () => {
  for (const [what, bytes, message, modes] of WRONG) {
    for (const [title, options] of modes) {
      it(`with ${what} is named by diff${title}, whichever side it is`, async () => {
        for (const [name, sides] of bothWays(bytes)) {
          await rejects(diffFrom(...origins(sides), options()), (error) => {
            ok(error instanceof TntarError, String(error));
            deepEqual([error.kind, error.message.split(':')[0]], ['archive', name], error.message);
            match(error.message, message);
            return true;
          });
        }
      });
    }
  }

  it('with rows in another order is named by diff, whichever side it is', async () => {
    const bytes = made(DEFINITIONS, rows(3000).reverse());
    for (const [name, sides] of bothWays(bytes)) {
      await rejects(diffFrom(...origins(sides)), {
        message: `${name}: rows of 'users' are not in the order of the primary key`,
      });
    }
  });

  it('is reported while the other side is silent', async () => {
    const silent = Readable.from(
      (async function* () {
        yield OTHER.subarray(0, 2000);
        await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
      })(),
    );
    const { 0: damaged } = origins([GOOD.subarray(0, 3000), OTHER]);
    await rejects(
      diffFrom(damaged, archiveOrigin(silent)),
      /^TntarError: the first: the archive ends/,
    );
  });

  it('ends tntar diff with exit code 3', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tntar-diff-damage-'));
    try {
      const [bad, good] = ['bad', 'good'].map((name) => join(folder, name)) as [string, string];
      writeFileSync(bad, changedAt(0.6));
      writeFileSync(good, OTHER);
      for (const [sides, name] of [
        [[bad, good], 'A'],
        [[good, bad], 'B'],
      ] as const) {
        const { code, stdout, stderr } = await tntar(['diff', ...sides, '--sort', '--rows']);
        equal(code, 3, stderr);
        ok(stderr.startsWith(`tntar: ${name} (${bad}): `), stderr);
        ok(!String(stdout).includes('equal: '), String(stdout));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
