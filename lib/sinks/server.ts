import type { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { TupleBatch } from '../backup/batch.js';
import { needsOneShard } from '../backup/cluster.js';
import type { BackupEnd, BackupItem, Outlook } from '../backup/item.js';
import { asTntarError, TntarError } from '../base/errors.js';
import { type Report, silent } from '../base/report.js';
import { ItemWritable } from '../flow/item-writable.js';
import type { Connection } from '../iproto/connection.js';
import { ErrorCode, RequestType } from '../iproto/constants.js';
import { type Request, remove, store, upsert } from '../iproto/requests.js';
import { showRow } from '../schema/catalog/keys.js';
import { showUsed } from '../schema/describe/used.js';
import type { Destination } from '../schema/plan/destinations.js';
import type { RestorePlan } from '../schema/plan/plan.js';
import { isWrite, type Step } from '../schema/plan/step.js';
import { PreambleReader } from '../schema/read/preamble-reader.js';
import { SystemSpace, TRUNCATE_ID } from '../schema/server/system-spaces.js';
import { encode } from '../tuple/codec.js';
import { withRoomHint } from './capacity.js';
import type { Tally } from './in-flight.js';
import { Loader } from './loader.js';
import { checkWanted, type RestoreScope } from './restore-options.js';
import { planFor, READ_ONLY_HINT } from './restore-target.js';
import { RowCounts } from './row-counts.js';

/** Options of {@link serverSink}. */
export interface ServerSinkOptions extends RestoreScope {
  /** Hears of notes and warnings; by default, nothing does. */
  report?: Report;
}

/** The progress of a restore. */
export interface Applied {
  /** The number of rows of system spaces that were sent: spaces, indexes, users, …; dropped ones are not counted. */
  definitions: number;
  /** The number of rows of system spaces that were removed: spaces, indexes, grants, … */
  taken: number;
  /** The number of grants among the definitions. They come last. */
  grants: number;
  /** The number of rows that were sent. */
  rows: number;
  /** The number of rows that the target has confirmed. */
  confirmed: number;
  /** The same by the name of the space, in the order of the rows. */
  spaces: ReadonlyMap<string, Readonly<Tally>>;
  /** The number of spaces of the backup that are created or filled, empty ones included. */
  spaceCount: number;
  /** The spaces that were created, dropped and emptied, e.g. `space 'users'`. */
  made: readonly string[];
  dropped: readonly string[];
  emptied: readonly string[];
}

/** Returns the request that empties a space. Source: `space_truncate()` of the server's `src/box/box.cc`. */
function truncate(id: number): Request {
  return upsert(TRUNCATE_ID, encode([id, 1]), encode([['+', 1, 1]]));
}

/** A writable for {@link BackupItem}s with its progress. */
export interface ServerWritable extends Writable {
  readonly applied: Applied;
  /** Resolves when no work is in progress: a destroyed stream may still be at its last item. */
  settled(): Promise<void>;
}

/**
 * The number of shown lines about objects that are left out or changed, because thousands of grants do not belong in
 * a log.
 */
const SHOWN_LINES = 50;

/** System spaces whose rows make the server build an index or check rows, without any answer meanwhile. */
const SLOW_BEHIND_DATA: readonly number[] = [
  SystemSpace.INDEX,
  SystemSpace.FUNC_INDEX,
  SystemSpace.SPACE,
];

/** Error codes for a row that violates a constraint. */
const BROKEN_CONSTRAINT: readonly number[] = [
  ErrorCode.FIELD_CONSTRAINT_FAILED,
  ErrorCode.TUPLE_CONSTRAINT_FAILED,
  ErrorCode.FIELD_FOREIGN_KEY_FAILED,
  ErrorCode.COMPLEX_FOREIGN_KEY_FAILED,
];

/** Returns the error of a refused definition, with a hint if there is one. */
function explained(error: TntarError): TntarError {
  const { serverCode } = error;
  // An instance that waits for others of its replica set does not report that when it is asked.
  if (serverCode === ErrorCode.READONLY) {
    return TntarError.wrap(error, { hint: READ_ONLY_HINT });
  }
  if (serverCode === undefined || !BROKEN_CONSTRAINT.includes(serverCode)) {
    return withRoomHint(error);
  }
  return TntarError.wrap(error, {
    hint: 'rows violate this constraint: fix them on the source, or drop the constraint there, and dump again; if it refers to a space that was already on the target, rows or an index are missing there',
  });
}

/**
 * Restores a backup into a server: the definitions that the rows need, the rows, then everything that is checked
 * against rows or slows them down. Nothing is written before the target was checked.
 */
class ServerSink extends ItemWritable implements ServerWritable {
  readonly #connection: Connection;
  readonly #wanted: RestoreScope;
  readonly #report: Report;
  readonly #preamble = new PreambleReader();
  #outlook: Outlook = {};
  #plan: RestorePlan | undefined;
  #loader: Loader | undefined;
  readonly #rowCounts: RowCounts;
  /** Steps that were sent and not refused. */
  readonly #steps: Step[] = [];
  #working: Promise<void> = Promise.resolve();

  constructor(connection: Connection, { report = silent, ...wanted }: ServerSinkOptions) {
    super();
    checkWanted(wanted);
    this.#connection = connection;
    this.#wanted = wanted;
    this.#report = report;
    this.#rowCounts = new RowCounts(connection, report);
  }

  get applied(): Applied {
    const spaces = this.#loader?.tallies ?? new Map<string, Tally>();
    const tallies = [...spaces.values()];
    const isGrant = ({ spaceId }: Step): boolean => spaceId === SystemSpace.PRIV;
    const made = this.#steps.filter(isWrite);
    const named = (wanted: Step['verb'], space: number): string[] =>
      this.#steps
        .filter(({ verb, spaceId }) => verb === wanted && spaceId === space)
        .map(({ what }) => what);
    return {
      definitions: made.length,
      taken: this.#steps.filter(({ verb }) => verb === 'delete').length,
      grants: made.filter(isGrant).length,
      made: named('insert', SystemSpace.SPACE),
      dropped: named('delete', SystemSpace.SPACE),
      emptied: named('truncate', TRUNCATE_ID),
      rows: tallies.reduce((sum, { sent }) => sum + sent, 0),
      confirmed: tallies.reduce((sum, { confirmed }) => sum + confirmed, 0),
      spaces,
      spaceCount: this.#plan === undefined ? 0 : spaceCount(this.#plan),
    };
  }

  protected take(item: BackupItem): Promise<void> {
    this.#working = this.#take(item).catch(async (error: unknown) => {
      await this.#loader?.settle();
      throw error;
    });
    return this.#working;
  }

  async settled(): Promise<void> {
    await this.#working.catch(() => {});
  }

  async #take(item: BackupItem): Promise<void> {
    if (item.kind === 'start') {
      if (item.cluster !== undefined) throw needsOneShard(item.cluster, 'restore');
      this.#preamble.start(item.manifest);
      this.#outlook = item;
    } else if (item.kind === 'tuples') {
      if (!this.#preamble.take(item)) await this.#load(item);
    } else {
      await this.#complete(item);
    }
  }

  async #load(batch: TupleBatch): Promise<void> {
    const { destinations } = await this.#prepare();
    const destination = destinations.get(batch.space.id);
    if (destination === undefined) {
      const { only, existing } = this.#wanted;
      if (only !== 'schema' && existing !== 'skip') {
        const message = `space '${batch.space.name}' has rows, but cannot store any`;
        throw new TntarError('archive', message);
      }
      batch.release?.();
      return;
    }
    this.#loader ??= new Loader(this.#connection, (id, tuple) => {
      const { catalog } = this.#preamble.head();
      return showRow(tuple, catalog.primaryKeyOf(id)?.parts ?? []);
    });
    await this.#loader.load(batch, destination);
  }

  /** Checks the target and creates the definitions that the rows need, once. */
  async #prepare(): Promise<RestorePlan> {
    if (this.#plan !== undefined) return this.#plan;
    await setImmediate();
    const { manifest, catalog } = this.#preamble.head();
    this.#plan = await planFor(this.#connection, manifest, catalog, this.#wanted, this.#outlook);
    const { losses, omissions, notes, drops, before, destinations, used } = this.#plan;
    // After the drop, no dry run can list them.
    for (const line of losses) this.#report.warn(line);
    this.#warn([...notes, ...omissions.map(asLeftOut)]);
    for (const line of showUsed(used)) this.#report.note(line);
    const kept = [...destinations.values()].filter(({ keepsRows }) => keepsRows);
    await this.#rowCounts.countBefore(kept.map(({ id }) => id));
    await this.#apply([...drops, ...before]);
    return this.#plan;
  }

  #warn(lines: readonly string[]): void {
    for (const line of lines.slice(0, SHOWN_LINES)) this.#report.warn(line);
    const more = lines.length - SHOWN_LINES;
    if (more > 0) this.#report.warn(`and ${more} more; --dry-run lists them all`);
  }

  /** @param slow - system spaces whose rows make the server read all rows, without any answer meanwhile */
  async #apply(steps: readonly Step[], slow: readonly number[] = []): Promise<void> {
    for (const step of steps) {
      // A step counts when it is sent: if the connection is lost then, its result is unknown.
      this.#steps.push(step);
      try {
        const isSlow = slow.includes(step.spaceId);
        await this.#connection.request(toRequest(step), `${step.verb} ${step.what}`, isSlow);
      } catch (error) {
        if (asTntarError(error).serverCode !== undefined) this.#steps.pop();
        throw explained(asTntarError(error));
      }
    }
  }

  async #complete(end: BackupEnd): Promise<void> {
    this.#preamble.end(end);
    const plan = await this.#prepare();
    await this.#loader?.finish();
    // This comes before any grant is applied.
    await this.#checkCounts(plan);
    await this.#apply(plan.after, SLOW_BEHIND_DATA);
    const late = plan.lateValues(end.sequences ?? []);
    this.#warn(late.omissions.map(asLeftOut));
    await this.#apply(late.steps);
    await this.#apply(plan.grants);
    await this.#apply(plan.triggers);
    this.isComplete = true;
  }

  async #checkCounts({ destinations }: RestorePlan): Promise<void> {
    const skippedOf = ({ name }: Destination): number =>
      this.#loader?.tallies.get(name)?.skipped ?? 0;
    const written = [...destinations].map(([id, destination]) => {
      const rows = this.#preamble.counts.get(id)?.rows ?? 0;
      return { destination, rows: rows - skippedOf(destination) };
    });
    const replaced = await this.#rowCounts.check(written);
    const there = [...destinations.values()].flatMap((destination) => {
      const [left, gone] = [skippedOf(destination), replaced.get(destination.id) ?? 0];
      const where = `space '${destination.name}'`;
      return [
        ...(left > 0 ? [`${where}: ${left} existing rows were kept`] : []),
        ...(gone > 0 ? [`${where}: ${gone} existing rows were replaced`] : []),
      ];
    });
    for (const line of there.slice(0, SHOWN_LINES)) this.#report.note(line);
    const more = there.length - SHOWN_LINES;
    if (more > 0) this.#report.note(`and existing rows in ${more} more spaces`);
  }
}

/** Counts the spaces that are created or filled, but not kept ones. */
function spaceCount({ made, destinations }: RestorePlan): number {
  return new Set([...made.spaces.map(({ id }) => id), ...destinations.keys()]).size;
}

const asLeftOut = (line: string): string => `left out: ${line}`;

function toRequest(step: Step): Request {
  if (step.verb === 'delete') return remove(step.spaceId, step.key);
  if (step.verb === 'truncate') return truncate(step.emptied);
  const type = step.verb === 'insert' ? RequestType.INSERT : RequestType.REPLACE;
  return store(type, step.spaceId, step.row);
}

/**
 * A sink that restores into a server. It finishes when the target has confirmed everything and its row counts are
 * right.
 *
 * @throws TntarError of kind `usage` for options that contradict each other. Other errors are the stream's: of kind
 * `access` or `target` if nothing was written
 * @example
 * const sink = serverSink(connection);
 * await pipeline(archiveSource(process.stdin), sink);
 * sink.applied.rows;
 */
export function serverSink(
  connection: Connection,
  options: ServerSinkOptions = {},
): ServerWritable {
  return new ServerSink(connection, options);
}
