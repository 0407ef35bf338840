import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { TupleBatch } from '../../../lib/backup/batch.js';
import { type Cluster, ownersOf, rangesOf } from '../../../lib/backup/cluster.js';
import type { ClusterItem } from '../../../lib/backup/cluster-item.js';
import type { BackupItem } from '../../../lib/backup/item.js';
import { interleaved } from '../../../lib/flow/interleave.js';
import { clusterArchiveSink } from '../../../lib/sinks/cluster-archive.js';
import { archiveSource } from '../../../lib/sources/archive.js';
import { shell } from '../../support/cli.js';
import { chunked, isArchiveError, readItems } from './reading.js';

const FIXTURE = readFileSync(
  fileURLToPath(new URL('../../../../test/fixtures/2.11.9-plain.tar.zst', import.meta.url)),
);

const CLUSTER: Cluster = {
  tool: 'tntar 0.1.0',
  created: '2026-12-01T10:00:00.000Z',
  shards: [1, 2, 3].map((n) => ({
    replicaset: `replicaset-${n}`,
    instance: `instance-${n}`,
    role: n === 1 ? 'master' : 'replica',
    openedAfter: n,
    buckets: 10,
  })),
  bucketCount: 30,
  owners: [1, 2, 3].map((n) => ({ first: 10 * n - 9, last: 10 * n, shard: n })),
  sharded: [{ name: 'orders', field: 1 }],
  refs: false,
  skew: 2,
};

const DEFINITIONS = 511;

async function itemsOf(bytes: Buffer, shard?: number): Promise<BackupItem[]> {
  const { items, error } = await readItems(archiveSource(chunked(bytes), { shard }));
  if (error !== undefined) throw error;
  return items;
}

const isDefinition = (item: BackupItem): boolean =>
  item.kind === 'start' || (item.kind === 'tuples' && item.space.id <= DEFINITIONS);

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** The items of a cluster whose shards are all the same database. */
async function clusterItems(shards: readonly BackupItem[][]): Promise<ClusterItem[]> {
  const items: ClusterItem[] = [{ kind: 'cluster', cluster: CLUSTER }];
  for (const [i, shard] of shards.entries()) {
    for (const item of shard.filter(isDefinition))
      items.push({ kind: 'shard', shard: i + 1, item });
  }
  const rows = shards.map((shard) => each(shard.filter((item) => !isDefinition(item))));
  for await (const { index, item } of interleaved(rows)) {
    items.push({ kind: 'shard', shard: index + 1, item });
  }
  items.push({ kind: 'end', equal: ['empty'], different: ['typed'] });
  return items;
}

async function written(items: readonly ClusterItem[]): Promise<Buffer> {
  const sink = clusterArchiveSink();
  const chunks: Buffer[] = [];
  await pipeline(Readable.from(items), sink, async (bytes: AsyncIterable<Buffer>) => {
    for await (const chunk of bytes) chunks.push(chunk);
  });
  return Buffer.concat(chunks);
}

/** Every 401st place; SWEEP=all: every place. */
function places(length: number): number[] {
  const step = process.env['SWEEP'] === 'all' ? 1 : 401;
  return Array.from({ length: Math.ceil(length / step) }, (_, i) => i * step);
}

/** Rows by the name of their space, joined. */
function rowsOf(items: readonly BackupItem[]): Map<string, Buffer> {
  const rows = new Map<string, Buffer>();
  for (const item of items) {
    if (item.kind !== 'tuples') continue;
    const before = rows.get(item.space.name) ?? Buffer.alloc(0);
    rows.set(item.space.name, Buffer.concat([before, item.bytes]));
  }
  return rows;
}

describe('an archive of a cluster', () => {
  let source: BackupItem[];
  let items: ClusterItem[];
  let archive: Buffer;

  before(async () => {
    source = await itemsOf(FIXTURE);
    items = await clusterItems([source, source, source]);
    archive = await written(items);
  });

  for (const shard of [1, 2, 3]) {
    it(`gives shard ${shard} as it was`, async () => {
      const read = await itemsOf(archive, shard);
      deepEqual(read[0], source[0]);
      deepEqual(read.at(-1), source.at(-1));
      deepEqual(rowsOf(read), rowsOf(source));
    });
  }

  it('is one database: the rows of all shards of a sharded space, and of any other space once', async () => {
    const read = await itemsOf(archive);
    const [start] = read;
    ok(start?.kind === 'start');
    deepEqual(start.cluster, CLUSTER);
    const rows = rowsOf(read);
    const one = rowsOf(source);
    for (const [name, bytes] of one) {
      equal(rows.get(name)!.length, name === 'orders' ? 3 * bytes.length : bytes.length, name);
    }
  });

  it('has the definitions of all shards before the first row, and each shard as an archive of one instance', async () => {
    const { stdout } = await shell('tar --zstd -tf -', { input: archive });
    const names = String(stdout).trim().split('\n');
    equal(names[0], 'cluster.json');
    equal(names.at(-1), 'trailer.json');
    const isRow = (name: string): boolean =>
      Number(/^\d{4}\/(\d+)\.dump/.exec(name)?.[1] ?? 0) > DEFINITIONS;
    const firstRow = names.findIndex(isRow);
    for (const shard of ['0001', '0002', '0003']) {
      ok(names.indexOf(`${shard}/manifest.json`) < firstRow);
      ok(
        names.indexOf(`${shard}/trailer.json`) >
          names.findLastIndex((name) => name.startsWith(`${shard}/5`)),
      );
    }
  });

  it('can be unpacked by tar, and a folder of a shard is a backup', async () => {
    const script =
      'd=$(mktemp -d) && tar --zstd -xf - -C "$d" && tntar verify "$d/0002"; rm -r "$d"';
    const { code, stderr } = await shell(script, { input: archive });
    equal(code, 0, stderr);
    match(stderr, /343 rows/);
  });

  it('is refused if it is cut anywhere', async () => {
    for (const end of places(archive.length)) {
      const { error } = await readItems(archiveSource(chunked(archive.subarray(0, end))));
      ok(isArchiveError(error), `${end}: ${error}`);
    }
  });

  it('is refused if a byte of it is wrong, or has the same rows all the same', async () => {
    const whole = rowsOf(await itemsOf(archive));
    for (const at of places(archive.length - 20)) {
      const wrong = Buffer.from(archive);
      wrong[at]! ^= 0x10;
      const reading = archiveSource(chunked(wrong), { isStrict: true });
      const { items: read, error } = await readItems(reading);
      if (error === undefined) deepEqual(rowsOf(read), whole);
      else ok(isArchiveError(error), `${at}: ${error}`);
    }
  });

  it('has no shard that it does not have, and an archive of one instance has none', async () => {
    await rejects(itemsOf(archive, 4), { kind: 'usage', message: 'the archive has no shard 4' });
    await rejects(itemsOf(FIXTURE, 1), { kind: 'usage', message: /of one instance/ });
  });

  const at = (shard: number, kind: BackupItem['kind']): number =>
    items.findIndex(
      (each) => each.kind === 'shard' && each.shard === shard && each.item.kind === kind,
    );
  const without = (i: number): ClusterItem[] => items.filter((_, n) => n !== i);

  for (const [title, change, message] of [
    ['without its beginning', () => items.slice(1), /has no shard 1/],
    ['without its end', () => items.slice(0, -1), /stopped before its end/],
    ['without the end of a shard', () => without(at(2, 'end')), /ends before shard 2/],
    ['without the definitions of a shard', () => without(at(2, 'start')), /before shard 2/],
    ['in which something follows the end', () => [...items, items[1]!], /continues after its end/],
    ['that begins twice', () => [items[0]!, ...items], /begins twice/],
    [
      'in which a row is lost',
      () =>
        items.map((each): ClusterItem => {
          const isLost = each.kind === 'shard' && each.shard === 3 && each.item.kind === 'tuples';
          if (!isLost || each.item.kind !== 'tuples') return each;
          return { ...each, item: { ...(each.item as TupleBatch), count: each.item.count + 1 } };
        }),
      /rows of shard 3 were lost/,
    ],
  ] as [string, () => ClusterItem[], RegExp][]) {
    it(`is not written from a source ${title}`, async () => {
      await rejects(written(change()), { kind: 'failure', message });
    });
  }

  it('cannot be one database if the shards have other definitions', async () => {
    const other = await itemsOf(
      readFileSync(
        fileURLToPath(new URL('../../../../test/fixtures/2.11.9-full.tar.zst', import.meta.url)),
      ),
    );
    const mixed = await written(await clusterItems([source, other, source]));
    await rejects(itemsOf(mixed), {
      kind: 'target',
      message: /shard 1 and shard 2 differ: .*here_only/,
    });
    deepEqual(rowsOf(await itemsOf(mixed, 2)), rowsOf(other));
  });
});

describe('the owners of buckets', () => {
  it('are the same as ranges and as a table', () => {
    for (const owners of [[1], [1, 1, 2], [2, 1, 2, 2], [0, 1, 0, 3, 3], [], [0, 0]]) {
      const table = Uint16Array.from([0, ...owners]);
      deepEqual(ownersOf(rangesOf(table), owners.length), table);
    }
    deepEqual(rangesOf(Uint16Array.from([0, 1, 1, 2])), [
      { first: 1, last: 2, shard: 1 },
      { first: 3, last: 3, shard: 2 },
    ]);
  });
});
