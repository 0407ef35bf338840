import { deepEqual, equal, ok } from 'node:assert/strict';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import type { BackupItem } from '../../lib/backup/item.js';
import type { Manifest } from '../../lib/backup/manifest.js';
import { TntarError } from '../../lib/base/errors.js';
import { parseGreeting } from '../../lib/iproto/greeting.js';
import { archiveSink } from '../../lib/sinks/archive.js';
import { tuples } from '../support/msgpack.js';
import { readArchive } from '../unit/archive/reading.js';
import { greeting } from '../unit/iproto/fake-server.js';
import { holds } from './runs.js';

/** Numbers that stand where counts, ids and numbers of a log do. */
const number = fc.oneof(
  { weight: 40, arbitrary: fc.maxSafeNat() },
  fc.constantFrom(512, 2 ** 31, -1, 0.5, 2 ** 60, Number.NaN, Infinity),
);
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', '\ud800', ''));
/** What may stand in the greeting of a server after its first two numbers. */
const patch = fc.oneof(
  fc.constantFrom('0', '5-0-gab12cd', '0-entrypoint', '0/x', '0:x', '0 x', '0~rc1+1', '0\\'),
  fc.stringMatching(/^[!-~]{1,30}$/),
);
const version = fc.tuple(fc.nat(12_000), fc.nat(12_000), patch).map((parts) => parts.join('.'));
const mostly = <T>(good: fc.Arbitrary<T>, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 20, arbitrary: good }, other);
const vclock = fc.dictionary(
  mostly(fc.nat(31).map(String), fc.constantFrom('__proto__', 'x', '01', '32')),
  number,
  { maxKeys: 3, noNullPrototype: true },
);
const space = fc.record({
  id: mostly(fc.integer({ min: 512, max: 2 ** 31 - 1 }), number),
  name: text,
  engine: text,
  format: fc.array(fc.dictionary(text, fc.oneof(text, fc.boolean()), { noNullPrototype: true }), {
    maxLength: 2,
  }),
  rowsFrom: fc.constantFrom('snapshot' as const, 'select' as const, 'none' as const),
});

const manifests: fc.Arbitrary<Manifest> = fc.record({
  tool: text,
  created: fc
    .date({ min: new Date(0), max: new Date(Date.UTC(10_200, 0)), noInvalidDate: true })
    .map((date) => date.toISOString()),
  server: fc.record({ version: mostly(fc.constant('2.6.0'), version), uuid: text }),
  source: fc.constantFrom('snapshot' as const, 'select' as const),
  vclock,
  spaces: fc.array(space, { maxLength: 3 }),
  omitted: fc.array(fc.record({ what: text, why: text }), { maxLength: 2 }),
  revoked: fc.array(fc.record({ grantee: number, objectType: text, objectId: number }), {
    maxLength: 2,
  }),
});

const ends = fc.record({
  vclock,
  sequences: fc.array(
    fc.record({
      id: number,
      value: mostly(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).map(String), text),
    }),
    {
      maxLength: 2,
    },
  ),
});

/** A backup as a source hands it out, with a row in each of its spaces. */
function itemsOf(manifest: Manifest, end: { vclock: Manifest['vclock'] }): BackupItem[] {
  const bytes = tuples([1, 'one']);
  const counts = new Map<number, { rows: number; bytes: number }>();
  const rows = manifest.spaces.map(({ id, name, engine }): BackupItem => {
    counts.set(id, { rows: 1, bytes: bytes.length });
    return { kind: 'tuples', space: { id, name, engine }, count: 1, bytes };
  });
  return [{ kind: 'start', manifest }, ...rows, { kind: 'end', ...end, consistent: true, counts }];
}

async function written(items: BackupItem[]): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    await pipeline(Readable.from(items), archiveSink(), async (output) => {
      for await (const chunk of output as AsyncIterable<Buffer>) chunks.push(chunk);
    });
    return Buffer.concat(chunks);
  } catch (error) {
    ok(error instanceof TntarError && error.kind === 'failure', error as Error);
    return undefined;
  }
}

describe('any archive that the writer gets', () => {
  const outcomes = { refused: 0, read: 0 };
  holds(
    'is read back unchanged, or is refused by the writer',
    120,
    fc.asyncProperty(manifests, ends, async (manifest, end) => {
      const items = itemsOf(manifest, end);
      const bytes = await written(items);
      outcomes[bytes === undefined ? 'refused' : 'read']++;
      if (bytes === undefined) return;
      const { items: got, error } = await readArchive(bytes);
      equal(error, undefined, `${error}`);
      const [start, last] = [got[0], got.at(-1)];
      ok(start?.kind === 'start' && last?.kind === 'end');
      deepEqual(start.manifest, JSON.parse(JSON.stringify(manifest)));
      deepEqual(
        { vclock: last.vclock, sequences: last.sequences },
        JSON.parse(JSON.stringify(end)),
      );
    }),
    () => ok(outcomes.refused > 0 && outcomes.read > 0, JSON.stringify(outcomes)),
  );

  holds(
    'has no version that a reader refuses, whatever version a server reports',
    500,
    fc.asyncProperty(version, async (of) => {
      let greeted: string;
      try {
        greeted = parseGreeting(greeting(`Tarantool ${of} (Binary) `), 'here').version;
      } catch (error) {
        ok(error instanceof TntarError, error as Error);
        return;
      }
      const manifest: Manifest = {
        tool: 'tntar',
        created: '2026-01-02T03:04:05.678Z',
        server: { version: greeted, uuid: '' },
        source: 'select',
        vclock: {},
        spaces: [],
        omitted: [],
        revoked: [],
      };
      const bytes = await written(itemsOf(manifest, { vclock: {} }));
      ok(bytes !== undefined, `the writer refuses the version ${greeted}`);
      equal((await readArchive(bytes)).error, undefined);
    }),
  );
});
