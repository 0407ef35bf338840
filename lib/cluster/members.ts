import type { ShardedSpace } from '../backup/cluster.js';
import { TntarError } from '../base/errors.js';
import { quoted, type Report } from '../base/report.js';
import type { Connection } from '../iproto/connection.js';
import type { Catalog } from '../schema/catalog/catalog.js';
import { unequalDefinitions } from '../schema/describe/differences.js';
import { greatHangRisk } from '../server/hang-risk.js';
import { checkSource, hasReadView } from '../server/releases.js';
import { hangError } from '../sources/snapshot.js';
import { BUCKET_SPACE, shardedSpaces } from './buckets.js';
import type { Member } from './cut.js';

/** The facts about a shard that its archive notes. */
export interface MemberFacts {
  /** The uuid of the replica set. */
  replicaset: string;
  title?: string | undefined;
  /** The uuid of the instance. */
  instance: string;
  role: 'master' | 'replica';
}

/** A shard that is connected, and fit for a dump. */
export interface ReadyMember extends Member {
  facts: MemberFacts;
  catalog: Catalog;
}

/** Options of {@link readyMember}. */
export interface MemberOptions {
  /** Take a snapshot even if it can hang the server. */
  forceSnapshot: boolean;
  report: Report;
}

/**
 * Checks that an instance can be dumped as a part of a cluster.
 *
 * @param catalog - its definitions
 * @throws TntarError of kind `usage` for a server without a read view, or with one that may hang it
 */
export async function readyMember(
  guard: Connection,
  catalog: Catalog,
  facts: MemberFacts,
  { forceSnapshot, report }: MemberOptions,
): Promise<ReadyMember> {
  checkSource(guard, report);
  const { version } = guard.greeting;
  if (!hasReadView(version)) {
    throw new TntarError(
      'usage',
      `${guard.where} runs ${version}, which cannot send a snapshot over the network`,
      { hint: 'a cluster can be dumped from snapshots only: update its servers to 2.6 or newer' },
    );
  }
  const risk = forceSnapshot ? undefined : await greatHangRisk(guard);
  if (risk !== undefined) throw hangError(`${guard.where}: ${risk}`);
  const bucketSpace = catalog.spaces.find(({ name }) => name === BUCKET_SPACE);
  return { guard, facts, catalog, bucketSpace };
}

/**
 * The spaces of a cluster whose rows are distributed by buckets.
 *
 * @throws TntarError of kind `failure` if the bucket stands in different fields
 */
export function shardedOf(members: readonly ReadyMember[]): ShardedSpace[] {
  const fields = new Map<string, number>();
  for (const { catalog, bucketSpace, guard } of members) {
    if (bucketSpace === undefined) continue;
    for (const { space, field } of shardedSpaces(catalog)) {
      const known = fields.get(space.name) ?? field;
      if (known !== field) {
        const message = `space ${quoted(space.name)} has its bucket in field ${field + 1} on ${guard.where}, and in field ${known + 1} on another shard`;
        throw new TntarError('failure', message, {
          hint: 'make the schema the same on all shards first',
        });
      }
      fields.set(space.name, known);
    }
  }
  return [...fields].map(([name, field]) => ({ name, field }));
}

/** Warns of definitions that are not the same on all shards: a restore into other shards refuses them. */
export function warnOfDifferences(members: readonly ReadyMember[], report: Report): void {
  const sharded = members.filter(({ bucketSpace }) => bucketSpace !== undefined);
  const [first, ...others] = sharded;
  if (first === undefined) return;
  for (const { catalog, guard } of others) {
    const names = unequalDefinitions(first.catalog, catalog);
    if (names.length === 0) continue;
    report.warn(
      `the definitions of ${first.guard.where} and ${guard.where} differ: ${names.join(', ')}; the backup can be restored into the same number of shards only`,
    );
  }
}
