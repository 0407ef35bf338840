import type { TupleBatch } from '../backup/batch.js';
import type { Cluster, ClusterEnd } from '../backup/cluster.js';
import { partBytes } from '../backup/limits.js';
import type { Manifest } from '../backup/manifest.js';
import { encodeCluster, encodeClusterTrailer } from './cluster-json.js';
import { CLUSTER, MANIFEST, shardEntry, TRAILER, tuplesEntry } from './entries.js';
import { EntryWriter, type WriterOptions } from './entry-writer.js';
import { encodeManifest } from './manifest-json.js';
import { type EntryRecord, encodeTrailer, type Trailer } from './trailer.js';
import { checkFits, SpacesWritten } from './writer.js';

/** The rows of one shard that wait for their part to be full. */
class Lane {
  readonly shard: number;
  /** The records of its entries, with the names that they have within the shard. */
  readonly records: EntryRecord[] = [];
  readonly #entries: EntryWriter;
  readonly #spaces = new SpacesWritten();
  #batches: TupleBatch[] = [];
  #bytes = 0;
  #spaceId = 0;
  /** Parts of this space that are written already. */
  #index = 0;

  constructor(shard: number, entries: EntryWriter) {
    this.shard = shard;
    this.#entries = entries;
  }

  async small(name: string, body: Buffer): Promise<void> {
    await this.#entries.small(shardEntry(this.shard, name), body);
    this.#note(name);
  }

  async add(batch: TupleBatch): Promise<void> {
    const { id } = batch.space;
    if (this.#batches.length > 0) {
      if (this.#spaceId !== id) await this.close();
      else if (this.#bytes >= partBytes(this.#entries.records.length)) await this.#write(false);
    }
    if (this.#spaceId !== id) {
      this.#spaces.open(id);
      [this.#spaceId, this.#index] = [id, 0];
    }
    checkFits(this.#bytes, batch);
    this.#batches.push(batch);
    this.#bytes += batch.bytes.length;
  }

  /** Writes the last part of a space. */
  async close(): Promise<void> {
    if (this.#batches.length === 0) return;
    await this.#write(true);
    this.#spaces.close(this.#spaceId);
  }

  async #write(last: boolean): Promise<void> {
    const batches = this.#batches;
    let [rows, largest] = [0, 0];
    for (const batch of batches) {
      this.#entries.write(batch.bytes);
      batch.release?.();
      rows += batch.count;
      largest = Math.max(largest, batch.largest ?? Number.NaN);
    }
    const name = tuplesEntry(this.#spaceId, last && this.#index === 0 ? undefined : this.#index);
    const known = Number.isNaN(largest) ? {} : { largest };
    await this.#entries.closePart({ name: shardEntry(this.shard, name), rows, ...known });
    this.#note(name);
    this.#index++;
    this.#batches = [];
    this.#bytes = 0;
  }

  #note(name: string): void {
    this.records.push({ ...this.#entries.records.at(-1)!, name });
  }
}

/**
 * Writes an archive of a cluster as compressed bytes; see docs/reference/archive-format.md. The rows of the shards come
 * in any order: those of a shard wait until they are a part, so a shard takes the memory of one part.
 *
 * @example
 * const writer = new ClusterWriter({ level: 1 }, (chunk) => out.write(chunk));
 * await writer.start(cluster);
 * await writer.startShard(1, manifest);
 * await writer.add(1, batch);
 * await writer.endShard(1, { vclock, consistent: true });
 * await writer.end({ equal: [], different: [] });
 */
export class ClusterWriter {
  readonly #entries: EntryWriter;
  #lanes: Lane[] = [];

  constructor(options: WriterOptions, emit: (chunk: Buffer) => void) {
    this.#entries = new EntryWriter(options, emit);
  }

  async start(cluster: Cluster): Promise<void> {
    this.#entries.modified = new Date(cluster.created);
    this.#lanes = cluster.shards.map((_, i) => new Lane(i + 1, this.#entries));
    await this.#entries.small(CLUSTER, encodeCluster(cluster));
  }

  /** Begins the definitions of a shard. Those of the shard before it are written. */
  async startShard(shard: number, manifest: Manifest): Promise<void> {
    await this.endDefinitions();
    await this.#laneOf(shard).small(MANIFEST, encodeManifest(manifest));
  }

  /** Writes the definitions that wait: no row of any shard comes before. */
  async endDefinitions(): Promise<void> {
    for (const lane of this.#lanes) await lane.close();
  }

  /** Takes rows of a shard. It gives their memory back when they are written. */
  async add(shard: number, batch: TupleBatch): Promise<void> {
    await this.#laneOf(shard).add(batch);
  }

  async endShard(shard: number, closing: Omit<Trailer, 'entries'>): Promise<void> {
    const lane = this.#laneOf(shard);
    await lane.close();
    await lane.small(TRAILER, encodeTrailer({ ...closing, entries: lane.records }));
  }

  async end(end: ClusterEnd): Promise<void> {
    const entries = this.#entries;
    await entries.last(TRAILER, encodeClusterTrailer({ ...end, entries: entries.records }));
  }

  #laneOf(shard: number): Lane {
    return this.#lanes[shard - 1]!;
  }
}
