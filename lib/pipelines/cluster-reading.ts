import { pipeline as connect } from 'node:stream';
import type { Cluster, ClusterEnd } from '../backup/cluster.js';
import type { ClusterItem, ShardItem } from '../backup/cluster-item.js';
import type { BackupItem } from '../backup/item.js';
import { asTntarError, TntarError } from '../base/errors.js';
import { counted, longListOf, type Report } from '../base/report.js';
import { BUCKET_SPACE } from '../cluster/buckets.js';
import type { Cut } from '../cluster/cut.js';
import type { ReadyMember } from '../cluster/members.js';
import { OwnedRows } from '../cluster/owned-rows.js';
import { decideOwners } from '../cluster/owners.js';
import { RowSet } from '../cluster/row-set.js';
import { type Filter, filterStages } from '../filters/filter.js';
import { compose, type Stage } from '../flow/compose.js';
import { Moment } from '../flow/consistency.js';
import { interleaved } from '../flow/interleave.js';
import type { Observer } from '../flow/totals.js';
import { SYSTEM_ID_MAX } from '../schema/server/system-spaces.js';
import type { expectedRows } from '../server/row-estimate.js';
import { withExpected } from '../sources/server.js';

/** The parts of a reading of connected shards. */
export interface ClusterReadingOptions {
  filters: () => readonly Filter[];
  strict: boolean;
  report: Report;
}

const shardName = (shard: number, { guard }: ReadyMember): string =>
  `shard ${shard} (${guard.where})`;

/** One shard while it is read. */
interface Lane {
  items: AsyncIterator<BackupItem>;
  owned: OwnedRows | undefined;
  moment: Moment;
}

/**
 * Reads the shards of a cut, and makes one backup of them.
 *
 * @example
 * const reading = new ClusterReading(members, cut, cluster, totals, options, expected);
 * await pipeline(reading.items(), clusterArchiveSink(), output);
 */
export class ClusterReading {
  readonly #members: readonly ReadyMember[];
  readonly #cut: Cut;
  readonly #cluster: Cluster;
  readonly #lanes: readonly Lane[];
  readonly #report: Report;
  different: string[] = [];

  constructor(
    members: readonly ReadyMember[],
    cut: Cut,
    cluster: Cluster,
    totals: Observer,
    { filters, strict, report }: ClusterReadingOptions,
    expected: readonly Awaited<ReturnType<typeof expectedRows>>[],
  ) {
    this.#members = members;
    this.#cut = cut;
    this.#cluster = cluster;
    this.#report = report;
    this.#lanes = cut.views.map((view, i) => {
      const shard = i + 1;
      const isSharded = members[i]!.bucketSpace !== undefined;
      const owned = isSharded ? new OwnedRows(shard, cut.owners, cluster.sharded) : undefined;
      const own = owned === undefined ? [] : [owned];
      const moment = new Moment('dump', strict, report);
      const estimate: Stage = (item) =>
        item.kind === 'start'
          ? { ...item, manifest: withExpected(item.manifest, expected[i]) }
          : item;
      const stages = [
        estimate,
        ...filterStages([...own, ...filters()], report),
        moment.hear,
        totals.see,
      ];
      // its error is that of the last stage, which is read
      const output = connect(view, compose(stages), () => {}) as AsyncIterable<BackupItem>;
      return { items: this.#placed(shard, output), owned, moment };
    });
  }

  get isConsistent(): boolean {
    return this.#lanes.every(({ moment }) => moment.consistent);
  }

  /** The items of the whole cluster, in the order of an archive. */
  async *items(): AsyncGenerator<ClusterItem> {
    yield { kind: 'cluster', cluster: this.#cluster };
    const rests: AsyncIterable<BackupItem>[] = [];
    for (const [i, { items }] of this.#lanes.entries()) {
      const first = yield* this.#definitions(i + 1, items);
      rests.push(continued(first, items));
    }
    for await (const { index, item } of interleaved(rests)) {
      yield { kind: 'shard', shard: index + 1, item };
    }
    this.#checkOwners();
    this.#warnOfHomeless();
    const end = this.#compareOthers();
    this.different = end.different;
    yield { kind: 'end', ...end };
  }

  /** Yields the definitions of a shard. Returns the first item after them. */
  async *#definitions(
    shard: number,
    items: AsyncIterator<BackupItem>,
  ): AsyncGenerator<ShardItem, BackupItem> {
    for (;;) {
      const { done, value: item } = await items.next();
      if (done === true) throw new Error(`shard ${shard} ended before its end`);
      if (item.kind === 'end' || (item.kind === 'tuples' && item.space.id > SYSTEM_ID_MAX)) {
        return item;
      }
      yield { kind: 'shard', shard, item };
    }
  }

  /** Says of an error which shard it is of. */
  async *#placed(shard: number, items: AsyncIterable<BackupItem>): AsyncGenerator<BackupItem> {
    try {
      yield* items;
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') throw error;
      const known = asTntarError(error);
      const where = shardName(shard, this.#members[shard - 1]!);
      throw TntarError.wrap(known, { message: `${where}: ${known.message}` });
    }
  }

  /** Compares what the shards said of their buckets with what their read views have. */
  #checkOwners(): void {
    const views = this.#lanes.map(({ owned }) => owned?.buckets ?? new Map());
    const { owners } = decideOwners(
      views.map((buckets) => ({ before: buckets, after: buckets })),
      this.#cluster.bucketCount,
    );
    const other = this.#cut.owners.findIndex((owner, bucket) => owners[bucket] !== owner);
    if (other < 0) return;
    throw new TntarError(
      'failure',
      `bucket ${other} moved there and back while the read views were opened`,
      { hint: 'dump again' },
    );
  }

  #warnOfHomeless(): void {
    for (const [i, { owned }] of this.#lanes.entries()) {
      for (const [space, rows] of owned?.homeless ?? []) {
        this.#report.warn(
          `${shardName(i + 1, this.#members[i]!)}: ${counted(rows, 'row')} of space '${space}' ${rows === 1 ? 'is' : 'are'} in no bucket of the cluster; they are in the backup, and no restore into other shards takes them`,
        );
      }
    }
  }

  /** Finds out which spaces that are not sharded are the same on all shards. */
  #compareOthers(): ClusterEnd {
    const shards = this.#lanes.flatMap(({ owned }) => (owned === undefined ? [] : [owned]));
    const sharded = new Set([BUCKET_SPACE, ...this.#cluster.sharded.map(({ name }) => name)]);
    const names = new Set(shards.flatMap(({ others }) => [...others.keys()]));
    const end: ClusterEnd = { equal: [], different: [] };
    const empty = new RowSet();
    for (const name of names) {
      if (sharded.has(name)) continue;
      const [first = empty, ...rest] = shards.map(({ others }) => others.get(name) ?? empty);
      end[rest.every((rows) => rows.equals(first)) ? 'equal' : 'different'].push(name);
    }
    if (end.different.length > 0) {
      this.#report.warn(
        `spaces without buckets that are not the same on all shards: ${longListOf(end.different)}; a restore into another number of shards has to choose (--local-spaces)`,
      );
    }
    return end;
  }
}

/** A stream, with its first item that has already arrived. */
async function* continued(
  first: BackupItem,
  rest: AsyncIterator<BackupItem>,
): AsyncGenerator<BackupItem> {
  yield first;
  for (;;) {
    const { done, value } = await rest.next();
    if (done === true) return;
    yield value;
  }
}
