import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Manifest } from '../backup/manifest.js';
import { defined } from '../base/defined.js';
import { TntarError, unlessAborted } from '../base/errors.js';
import {
  aBoolean,
  aFilter,
  aReport,
  aSignal,
  aWritable,
  checkOptions,
  checkValue,
  type Kinds,
  listOfEach,
} from '../base/option-checks.js';
import { type Report, silent } from '../base/report.js';
import { type Filter, filterStages, wantedBy } from '../filters/filter.js';
import { compose, type Stage } from '../flow/compose.js';
import { Moment } from '../flow/consistency.js';
import { warnOfStalls } from '../flow/stall-warning.js';
import { observe, type Totals } from '../flow/totals.js';
import type { Connection } from '../iproto/connection.js';
import type { Server } from '../iproto/options.js';
import { withConnection } from '../iproto/with-connection.js';
import { archiveSink, LEVEL } from '../sinks/archive.js';
import { READ_MODE, type ReadMode, serverOrigin } from '../sources/server.js';

/** Options of a dump. */
export interface DumpOptions {
  /** `auto`: snapshot if the server and the user allow it, else select. Default `auto`. */
  source?: ReadMode;
  /** Take a snapshot even if it can hang the server; without this, `auto` reads by select. Default false. */
  forceSnapshot?: boolean;
  /** zstd level, 1 to 19. Default 1. */
  level?: number;
  /** Fail, without a trailer, if the rows are not from one moment. Default false. */
  strict?: boolean;
  /** Filters for the backup, in their order. */
  filters?: readonly Filter[];
  /** Hears of progress, notes and warnings; by default, nothing does. */
  report?: Report;
  /** Stops the dump; the output is then not a backup. */
  signal?: AbortSignal;
}

/** The result of a dump. */
export interface DumpResult extends Totals {
  /** The way in which the rows were read. */
  source: 'snapshot' | 'select';
  /** True if all rows are from one moment and committed; those of a snapshot are. */
  consistent: boolean;
  /** Spaces whose rows were left out on purpose; absent if there are none. */
  rowsExcluded?: string[];
}

const KINDS: Kinds<DumpOptions> = {
  source: READ_MODE,
  forceSnapshot: aBoolean,
  level: LEVEL,
  strict: aBoolean,
  filters: listOfEach(aFilter),
  report: aReport,
  signal: aSignal,
};

/** Checks what would otherwise fail, or never end, after reading. */
function checkCall(options: DumpOptions, output: Writable): void {
  checkOptions('dump', options, KINDS);
  checkValue('dump: the output', output, aWritable);
  if (output.writableEnded || output.destroyed) {
    throw new TntarError('usage', 'the output of the dump has already ended or was destroyed', {
      hint: 'use a new stream for each dump; the dump ends it',
      cause: output.errored ?? undefined,
    });
  }
}

const namesOfExcluded = ({ spaces }: Manifest): string[] =>
  spaces.filter(({ rowsExcluded }) => rowsExcluded).map(({ name }) => name);

async function run(
  connection: Connection,
  output: Writable,
  options: DumpOptions,
): Promise<DumpResult> {
  const { report = silent, filters = [], source: mode = 'auto', forceSnapshot = false } = options;
  const totals = observe(report);
  try {
    const begin = serverOrigin(connection, { source: mode, forceSnapshot, report });
    const moment = new Moment('dump', options.strict ?? false, report);
    let excluded: string[] = [];
    const hear: Stage = (item) => {
      if (item.kind === 'start') excluded = namesOfExcluded(item.manifest);
      return item;
    };
    await pipeline(
      await begin({
        countBytes: (chunks) => chunks,
        wants: wantedBy(filters),
      }),
      compose([...filterStages(filters, report), moment.hear, hear, totals.see]),
      archiveSink({ level: options.level }),
      (chunks: AsyncIterable<Buffer>) => totals.countBytes(chunks),
      (chunks: AsyncIterable<Buffer>) => warnOfStalls(chunks, connection.idleTimeout, report),
      output,
      defined({ signal: options.signal }),
    );
    const { source, consistent } = moment;
    const rows = excluded.length === 0 ? {} : { rowsExcluded: excluded };
    return { ...totals.sums(), source, consistent, ...rows };
  } catch (error) {
    if (error !== connection.lost || !(error instanceof TntarError)) throw error;
    throw TntarError.wrap(error, { message: `${error.message}, ${totals.position()}` });
  }
}

/**
 * Dumps a database into `output`, which is ended.
 *
 * @param server - the address and the login
 * @param output - takes the bytes of the archive; only a call that resolves made a backup
 * @throws TntarError of any kind but `archive` and `target`; the reason of `signal`; the error of `output`
 * @example
 * const file = createWriteStream('backup.tar.zst');
 * const { rows } = await dump('app:secret@db1:3301', file, { strict: true });
 */
export async function dump(
  server: Server,
  output: Writable,
  options: DumpOptions = {},
): Promise<DumpResult> {
  checkCall(options, output);
  const { signal } = options;
  return unlessAborted(signal, () =>
    withConnection(server, signal, (connection) => run(connection, output, options)),
  );
}
