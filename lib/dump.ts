import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BackupStart } from './archive/items.js';
import type { Manifest, Vclock } from './archive/manifest.js';
import { TntarError, unlessAborted } from './errors.js';
import { compose, type Stage } from './filters/compose.js';
import { observe, type Totals } from './filters/observe.js';
import { type Rewrite, rewriteStage, wantedBy } from './filters/rewrite.js';
import { warnOfStalls } from './filters/stalls.js';
import {
  Connection,
  type ConnectionOptions,
  closeOnAbort,
  withSignal,
} from './iproto/connection.js';
import { quoted, type Report, silent } from './report.js';
import { sameVclock } from './server/status.js';
import { archiveSink } from './sinks/archive.js';
import { selectSource } from './sources/select.js';
import { snapshotSource } from './sources/snapshot.js';

/** The newest major version of Tarantool that dumps were tried with. */
const TESTED_MAJOR = 3;
/** The oldest release: before it there is no read view over the wire worth the name. */
const OLDEST = { major: 2, minor: 6 };

/** How rows are read. */
const SOURCES = ['auto', 'snapshot', 'select'] as const;
type Source = (typeof SOURCES)[number];

/** How a database is dumped. */
export interface DumpOptions {
  /** `auto`: snapshot where the server and the user allow it, else select. Default `auto`. */
  source?: Source;
  /** zstd level, 1 to 19. Default 1. */
  level?: number;
  /** Fail, without a trailer, where the rows are not of one moment. Default false. */
  strict?: boolean;
  /** What becomes of the database on its way into the archive, one behind the other. */
  rewrites?: readonly Rewrite[];
  /** Hears of progress, notes and warnings; by default nobody does. */
  report?: Report;
  /** Stops the dump; what was written by then is no backup. */
  signal?: AbortSignal;
}

/** What a dump has written. */
export interface DumpSummary extends Totals {
  /** How the rows were read. */
  source: 'snapshot' | 'select';
  /** Whether all rows are of one moment; a snapshot always is. */
  consistent: boolean;
}

/** Refuses servers that are too old, and says so where one is newer than any that was tried. */
export function checkVersion(connection: Connection, report: Report): void {
  const { major, minor, version } = connection.greeting;
  if (major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)) {
    throw new TntarError(
      'failure',
      `${connection.where} is not a supported Tarantool (got ${version})`,
      { hint: `tntar speaks with ${OLDEST.major}.${OLDEST.minor} and newer` },
    );
  }
  if (major > TESTED_MAJOR) {
    report.warn(`Tarantool ${version} is newer than any that tntar was tested with; going on`);
  }
}

/** A source whose first item is there already: so it is known that the server lets us read. */
interface OpenSource {
  kind: 'snapshot' | 'select';
  manifest: Manifest;
  items: Readable;
}

type Wants = (space: string) => boolean;

async function open(
  kind: 'snapshot' | 'select',
  connection: Connection,
  wants: Wants,
): Promise<OpenSource> {
  const items = kind === 'snapshot' ? snapshotSource(connection) : selectSource(connection, wants);
  await once(items, 'readable');
  const start = items.read() as BackupStart;
  items.unshift(start);
  return { kind, manifest: start.manifest, items };
}

async function openSource(
  choice: Source,
  connection: Connection,
  report: Report,
  wants: Wants,
): Promise<OpenSource> {
  if (choice !== 'auto') return open(choice, connection, wants);
  try {
    const source = await open('snapshot', connection, wants);
    report.note('reading from a snapshot: consistent while writes go on');
    return source;
  } catch (error) {
    // A server code: it was asked for a snapshot, and refused.
    if (!(error instanceof TntarError) || error.serverCode === undefined) throw error;
    report.note(`reading by select, for there is no snapshot: ${error.message}`);
    return open('select', connection, wants);
  }
}

/** Hears the end of a source: whether the rows are of one moment, and what to do where they are not. */
function listenForEnd(
  from: Vclock,
  strict: boolean,
  report: Report,
  onEnd: (consistent: boolean) => void,
): Stage {
  return (item) => {
    if (item.kind !== 'end') return item;
    onEnd(item.consistent);
    if (item.consistent) return item;
    const isMoved = !sameVclock(from, item.vclock);
    const what = isMoved
      ? `rows were written while the dump read: ${moved(from, item.vclock)}`
      : 'rows of spaces local to the instance were written while the dump read, or nobody could say';
    const hint = isMoved
      ? 'read it with --source snapshot, or while nobody writes'
      : 'execute on universe is what it takes to ask for local writes';
    if (strict) throw new TntarError('failure', what, { hint });
    report.warn(`${what}; the backup is not of one moment (${hint})`);
    return item;
  };
}

function moved(from: Vclock, to: Vclock): string {
  return `vclock ${JSON.stringify(from)} at the start, ${JSON.stringify(to)} at the end`;
}

/** What would fail, or never end, when the rows are there. */
function checkCall(source: Source, output: Writable): void {
  if (!SOURCES.includes(source)) {
    throw new TntarError(
      'usage',
      `the source is ${quoted(source)}, and not auto, snapshot or select`,
    );
  }
  if (output.writableEnded || output.destroyed) {
    throw new TntarError('usage', 'the output of the dump was ended or destroyed already', {
      hint: 'each dump takes a stream of its own, and ends it',
      cause: output.errored ?? undefined,
    });
  }
}

async function run(
  server: ConnectionOptions,
  output: Writable,
  options: DumpOptions,
): Promise<DumpSummary> {
  const { report = silent, rewrites = [], source: choice = 'auto' } = options;
  checkCall(choice, output);
  const sink = archiveSink({ level: options.level });
  const connection = await Connection.open(withSignal(server, options.signal));
  const totals = observe(report);
  const release = closeOnAbort(connection, options.signal);
  try {
    checkVersion(connection, report);
    const source = await openSource(choice, connection, report, wantedBy(rewrites));
    let consistent = true;
    const { vclock } = source.manifest;
    const end = listenForEnd(vclock, options.strict ?? false, report, (value) => {
      consistent = value;
    });
    await pipeline(
      source.items,
      compose([...rewrites.map((rewrite) => rewriteStage(rewrite, report)), end, totals.see]),
      sink,
      totals.countBytes,
      (chunks: AsyncIterable<Buffer>) => warnOfStalls(chunks, connection.idleTimeout, report),
      output,
      options.signal === undefined ? {} : { signal: options.signal },
    );
    return { ...totals.sums(), source: source.kind, consistent };
  } catch (error) {
    if (error !== connection.lost || !(error instanceof TntarError)) throw error;
    throw new TntarError(error.kind, `${error.message}, ${totals.position()}`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  } finally {
    release();
    connection.close();
  }
}

/**
 * Dumps a database into `output`, which is ended.
 *
 * @param server - where to connect and as whom
 * @param output - takes the bytes of the archive; only a call that resolves made a backup
 * @throws TntarError of any kind but `archive` and `target`; the reason of `signal`; the error of `output`
 * @example
 * const file = createWriteStream('backup.tar.zst');
 * const { rows } = await dump(parseUri('app:secret@db1:3301'), file, { strict: true });
 */
export function dump(
  server: ConnectionOptions,
  output: Writable,
  options: DumpOptions = {},
): Promise<DumpSummary> {
  return unlessAborted(options.signal, () => run(server, output, options));
}
