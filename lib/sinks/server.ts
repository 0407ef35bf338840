import { Writable } from 'node:stream';
import {
  type BackupEnd,
  type BackupItem,
  type Count,
  Counter,
  countsDiffer,
  type SequenceValue,
} from '../archive/items.js';
import type { Manifest } from '../archive/manifest.js';
import { asTntarError, TntarError } from '../errors.js';
import type { Connection } from '../iproto/connection.js';
import { Key, RequestType } from '../iproto/constants.js';
import { bodyDecoded } from '../iproto/packets.js';
import { evaluate, type Request, remove, store } from '../iproto/requests.js';
import type { Report } from '../report.js';
import { Catalog } from '../schema/catalog.js';
import { extractKey, showKey } from '../schema/keys.js';
import { planRestore, type RestorePlan, type Step } from '../schema/plan.js';
import { releaseOf } from '../schema/release.js';
import { SYSTEM_ID_MAX, SystemSpace } from '../schema/system.js';
import { readCatalog } from '../server/catalog.js';
import { eachTuple, type TupleBatch } from '../tuple/batch.js';
import { encode } from '../tuple/codec.js';
import { Loader } from './loader.js';
import { checkTarget } from './target.js';

export interface ServerSinkOptions {
  /** As whom the connection is logged in. */
  user: string;
  report: Report;
}

/** What was applied by the time it is asked for. */
export interface Applied {
  /** Rows of system spaces that were sent: spaces, indexes, users, … */
  definitions: number;
  /** How many of them are grants; these are the last. */
  grants: number;
  /** Rows that were sent. */
  rows: number;
  /** Rows that the target has said are written. */
  confirmed: number;
}

/** Counts the rows of a space as the target has them, in all engines. */
const COUNT_ROWS = 'local id = ... return box.space[id].index[0]:count()';

/** An index is built, and rows are checked against a definition, while the server says nothing. */
const SLOW_BEHIND_DATA: readonly number[] = [
  SystemSpace.INDEX,
  SystemSpace.FUNC_INDEX,
  SystemSpace.SPACE,
];

/**
 * Puts a backup into a server: the definitions that the data needs, the data, then what is checked
 * against data or slows it down. Nothing is written before the target was found fit.
 */
class ServerSink {
  readonly #connection: Connection;
  readonly #options: ServerSinkOptions;
  readonly #backup = new Catalog();
  readonly #counter = new Counter();
  #manifest: Manifest | undefined;
  #plan: RestorePlan | undefined;
  #loader: Loader | undefined;
  #definitions = 0;
  #grants = 0;
  #working: Promise<void> = Promise.resolve();
  isComplete = false;

  constructor(connection: Connection, options: ServerSinkOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  get applied(): Applied {
    const { sent = 0, confirmed = 0 } = this.#loader ?? {};
    return {
      definitions: this.#definitions,
      grants: this.#grants,
      rows: sent,
      confirmed,
    };
  }

  take(item: BackupItem): Promise<void> {
    this.#working = this.#take(item);
    return this.#working;
  }

  /** Resolves when nothing is under way any more, well or not. */
  async settled(): Promise<void> {
    await this.#working.catch(() => {});
  }

  async #take(item: BackupItem): Promise<void> {
    if (item.kind === 'start') {
      this.#manifest = item.manifest;
    } else if (item.kind === 'tuples') {
      this.#counter.add(item);
      if (item.space.id <= SYSTEM_ID_MAX) this.#collect(item);
      else await this.#load(item);
    } else {
      await this.#complete(item);
    }
  }

  #collect(batch: TupleBatch): void {
    for (const tuple of eachTuple(batch.bytes)) {
      this.#backup.add(batch.space.id, Buffer.from(tuple));
    }
    batch.release?.();
  }

  async #load(batch: TupleBatch): Promise<void> {
    await this.#prepare();
    this.#loader ??= new Loader(this.#connection, (spaceId, tuple) => {
      const key = extractKey(tuple, this.#backup.primaryKeyOf(spaceId)?.parts ?? []);
      return showKey(key ?? tuple);
    });
    await this.#loader.load(batch);
  }

  /** Checks the target and creates what the data needs, once. */
  async #prepare(): Promise<RestorePlan> {
    if (this.#plan !== undefined) return this.#plan;
    if (this.#manifest === undefined) throw new Error('rows came before the start');
    const target = await readCatalog(this.#connection);
    const { user } = this.#options;
    const { version } = this.#manifest.server;
    await checkTarget(this.#connection, user, version, this.#backup, target);
    this.#plan = planRestore(this.#backup, target, this.#manifest.revoked, {
      source: releaseOf(version),
      target: releaseOf(this.#connection.greeting.version),
    });
    await this.#apply(this.#plan.before);
    return this.#plan;
  }

  /** @param slow - system spaces whose rows make the server look at all data, silently */
  async #apply(steps: readonly Step[], slow: readonly number[] = []): Promise<void> {
    for (const step of steps) {
      // Counted when it is sent: if the connection is lost then, nobody knows what became of it.
      this.#count(step, 1);
      try {
        const isSlow = slow.includes(step.spaceId);
        await this.#connection.request(toRequest(step), `${step.verb} ${step.what}`, isSlow);
      } catch (error) {
        if (asTntarError(error).serverCode !== undefined) this.#count(step, -1);
        throw error;
      }
    }
  }

  #count(step: Step, by: number): void {
    this.#definitions += by;
    if (step.spaceId === SystemSpace.PRIV) this.#grants += by;
  }

  async #complete({ counts, sequences = [] }: BackupEnd): Promise<void> {
    const difference = countsDiffer(counts, this.#counter.counts);
    if (difference !== undefined) throw new TntarError('failure', `rows were lost: ${difference}`);
    const { after, grants } = await this.#prepare();
    await this.#loader?.finish();
    // Before any grant is applied.
    await this.#checkCounts(counts);
    await this.#apply(after, SLOW_BEHIND_DATA);
    await this.#apply(sequences.map(sequenceStep));
    await this.#apply(grants);
    this.isComplete = true;
  }

  /** Asks the target how many rows it has now. */
  async #checkCounts(counts: Map<number, Count>): Promise<void> {
    for (const { id, name, primaryKey } of this.#backup.spaces) {
      if (primaryKey === undefined) continue;
      const expected = counts.get(id)?.rows ?? 0;
      const counted = await this.#countRows(id, name);
      if (counted !== undefined && counted !== expected) {
        throw new TntarError(
          'failure',
          `space '${name}': the archive has ${expected} rows, the target ${counted} after the restore`,
          { hint: 'does somebody else write to the target, or does a trigger there change rows?' },
        );
      }
    }
  }

  /** @returns undefined where the user may not run Lua; then each row was confirmed all the same */
  async #countRows(id: number, name: string): Promise<number | undefined> {
    try {
      const request = evaluate(COUNT_ROWS, [id]);
      const reply = await this.#connection.request(request, `count the rows of '${name}'`, true);
      return Number((bodyDecoded(reply, Key.DATA) as unknown[])[0]);
    } catch (error) {
      if (asTntarError(error).kind !== 'access') throw error;
      this.#options.report.note(
        `cannot count '${name}' on the target: each row was confirmed, though`,
      );
      return undefined;
    }
  }
}

function sequenceStep({ id, value }: SequenceValue): Step {
  const row = encode([id, BigInt(value)]);
  const what = `value of sequence ${id}`;
  return { spaceId: SystemSpace.SEQUENCE_DATA, verb: 'replace', row, what };
}

function toRequest({ spaceId, verb, row }: Step): Request {
  if (verb === 'delete') return remove(spaceId, row);
  return store(verb === 'insert' ? RequestType.INSERT : RequestType.REPLACE, spaceId, row);
}

/** A writable for {@link BackupItem}s, and what it has done so far. */
export interface ServerWritable {
  stream: Writable;
  readonly applied: Applied;
  /** Resolves when nothing is under way any more: a destroyed stream may still be at its last item. */
  settled(): Promise<void>;
}

/**
 * A sink that restores into the server at the other end of `connection`. It finishes when the target
 * has confirmed everything and its counts are right.
 *
 * @example
 * const { stream, applied } = serverSink(connection, { user: 'admin', report: silent });
 * await pipeline(archiveSource(process.stdin), stream);
 */
export function serverSink(connection: Connection, options: ServerSinkOptions): ServerWritable {
  const sink = new ServerSink(connection, options);
  const stream = new Writable({
    objectMode: true,
    highWaterMark: 1,
    write(item: BackupItem, _encoding, callback) {
      sink.take(item).then(() => callback(), callback);
    },
    final(callback) {
      callback(
        sink.isComplete ? null : new TntarError('failure', 'the source stopped before its end'),
      );
    },
  });
  return {
    stream,
    get applied() {
      return sink.applied;
    },
    settled: () => sink.settled(),
  };
}
