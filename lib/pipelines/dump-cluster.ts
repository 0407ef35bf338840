import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Cluster, rangesOf } from '../backup/cluster.js';
import { defined } from '../base/defined.js';
import { unlessAborted } from '../base/errors.js';
import {
  aBoolean,
  aFunction,
  aReport,
  aSignal,
  aWritable,
  checkOptions,
  checkValue,
  type Kinds,
  listOfEach,
  oneOf,
} from '../base/option-checks.js';
import { type Report, silent } from '../base/report.js';
import { onAbort } from '../base/signals.js';
import { VERSION } from '../base/version.js';
import { connectMembers, type ReadFrom } from '../cluster/connect.js';
import { type Cut, openCut } from '../cluster/cut.js';
import { type ReadyMember, shardedOf, warnOfDifferences } from '../cluster/members.js';
import { type Filter, wantedBy } from '../filters/filter.js';
import { warnOfStalls } from '../flow/stall-warning.js';
import { observe, type Totals } from '../flow/totals.js';
import type { Connection } from '../iproto/connection.js';
import { SERVER, type Server } from '../iproto/options.js';
import { expectedRows } from '../server/row-estimate.js';
import { LEVEL } from '../sinks/archive.js';
import { clusterArchiveSink } from '../sinks/cluster-archive.js';
import { ClusterReading, type ClusterReadingOptions } from './cluster-reading.js';

/** Options of a dump of a cluster. */
export interface ClusterDumpOptions {
  /** The instance of each shard that is read. Default: a replica that has all of its master, else the master. */
  from?: ReadFrom;
  /** Take snapshots even if they can hang a server. Default false. */
  forceSnapshot?: boolean;
  /** zstd level, 1 to 19. Default 1. */
  level?: number;
  /** Fail, without a trailer, if the rows of a shard are not from one moment. Default false. */
  strict?: boolean;
  /** Makes the filters of one shard, in their order: each shard has its own. */
  filters?: () => readonly Filter[];
  /** Hears of progress, notes and warnings; by default, nothing does. */
  report?: Report;
  /** Stops the dump; the output is then not a backup. */
  signal?: AbortSignal;
}

const READ_FROM: readonly ReadFrom[] = ['replica', 'master'];

const KINDS: Kinds<ClusterDumpOptions> = {
  from: oneOf(READ_FROM),
  forceSnapshot: aBoolean,
  level: LEVEL,
  strict: aBoolean,
  filters: aFunction,
  report: aReport,
  signal: aSignal,
};

/** What a dump of connected shards needs. */
interface MembersDump extends ClusterReadingOptions, Pick<ClusterDumpOptions, 'level' | 'signal'> {
  /** Connections to the masters, for storage refs. */
  masters: readonly Connection[];
}

/** The result of a dump of a cluster. */
export interface ClusterDumpResult extends Totals {
  /** The number of shards. */
  shards: number;
  bucketCount?: number;
  /** Milliseconds between the first and the last read view. */
  skew: number;
  /** True if storage refs kept all buckets in their places while the read views were opened. */
  refs: boolean;
  /** True if the rows of each shard are from one moment. */
  consistent: boolean;
  /** Spaces that are not sharded, and have other rows on another shard. */
  different: string[];
}

/** The first entry of the archive. */
function describe(members: readonly ReadyMember[], { owners, openedAfter, refs }: Cut): Cluster {
  const counts = new Map<number, number>();
  for (const shard of owners) counts.set(shard, (counts.get(shard) ?? 0) + 1);
  const hasBuckets = members.some(({ bucketSpace }) => bucketSpace !== undefined);
  return {
    tool: `tntar ${VERSION}`,
    created: new Date().toISOString(),
    shards: members.map(({ facts, bucketSpace }, i) => {
      const { replicaset, title, instance, role } = facts;
      const buckets = bucketSpace === undefined ? undefined : (counts.get(i + 1) ?? 0);
      const openedAt = { openedAfter: openedAfter[i]! };
      return { replicaset, instance, role, ...openedAt, ...defined({ title, buckets }) };
    }),
    ...(hasBuckets ? { bucketCount: owners.length - 1 } : {}),
    owners: rangesOf(owners),
    sharded: shardedOf(members),
    refs,
    skew: Math.max(...openedAfter) - Math.min(...openedAfter),
  };
}

/** Dumps connected shards, in their order. */
async function dumpMembers(
  members: readonly ReadyMember[],
  output: Writable,
  options: MembersDump,
): Promise<ClusterDumpResult> {
  const { masters, filters, level, report, signal } = options;
  warnOfDifferences(members, report);
  const expected = await Promise.all(members.map(({ guard }) => expectedRows(guard)));
  const totals = observe(report);
  const wants = wantedBy(filters());
  const cut = await openCut(members, { masters, wants, report, signal });
  const cluster = describe(members, cut);
  const reading = new ClusterReading(members, cut, cluster, totals, options, expected);
  const { idleTimeout } = members[0]!.guard;
  try {
    await pipeline(
      reading.items(),
      clusterArchiveSink({ level }),
      (chunks: AsyncIterable<Buffer>) => totals.countBytes(chunks),
      (chunks: AsyncIterable<Buffer>) => warnOfStalls(chunks, idleTimeout, report),
      output,
      defined({ signal }),
    );
  } finally {
    cut.close();
  }
  return {
    ...totals.sums(),
    shards: members.length,
    ...defined({ bucketCount: cluster.bucketCount }),
    skew: cluster.skew,
    refs: cluster.refs,
    consistent: reading.isConsistent,
    different: reading.different,
  };
}

/**
 * Dumps a cluster into `output`, which is ended: the read views of all shards are opened together, and a row of a sharded
 * space is taken from the shard that has its bucket.
 *
 * @param servers - at least one instance of each shard; several of one replica set are one shard
 * @param output - takes the bytes of the archive; only a call that resolves made a backup
 * @throws TntarError of kind `failure` for buckets without an owner, or a shard that is lost; of kind `access` or `usage`
 *   for a server that cannot be read; the reason of `signal`; the error of `output`
 * @example
 * const file = createWriteStream('shop.tar.zst');
 * const { shards, rows } = await dumpCluster(['db1:3301', 'db2:3301', 'db3:3301'], file);
 */
export async function dumpCluster(
  servers: readonly Server[],
  output: Writable,
  options: ClusterDumpOptions = {},
): Promise<ClusterDumpResult> {
  checkOptions('dumpCluster', options, KINDS);
  checkValue('dumpCluster: the servers', servers, listOfEach(SERVER));
  checkValue('dumpCluster: the output', output, aWritable);
  const { report = silent, filters = () => [], strict = false, signal } = options;
  const { from, forceSnapshot = false, level } = options;
  return unlessAborted(signal, async () => {
    const connecting = { from, forceSnapshot, report, signal };
    const { members, masters, close } = await connectMembers(servers, connecting);
    const release = onAbort(signal, close);
    try {
      const dumping = { masters, filters, strict, report, ...defined({ level, signal }) };
      return await dumpMembers(members, output, dumping);
    } finally {
      release();
      close();
    }
  });
}
