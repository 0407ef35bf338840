import { once } from 'node:events';
import type { BackupStart } from '../backup/item.js';
import type { Manifest } from '../backup/manifest.js';
import { TntarError } from '../base/errors.js';
import {
  aBoolean,
  aReport,
  checkOptions,
  type Kind,
  type Kinds,
  oneOf,
} from '../base/option-checks.js';
import { type Report, silent } from '../base/report.js';
import type { ItemReadable } from '../flow/item-readable.js';
import type { Connection } from '../iproto/connection.js';
import { isWithoutReadView } from '../iproto/snapshot-reader.js';
import { oldSchema } from '../schema/convert/versions.js';
import { hangRisk } from '../server/hang-risk.js';
import { checkSource, hasReadView } from '../server/releases.js';
import { expectedRows } from '../server/row-estimate.js';
import { readLargestRows, readSizes } from '../server/sizes.js';
import type { Origin, Reading } from './origin.js';
import { selectSource } from './select.js';
import { hangError, snapshotSource } from './snapshot.js';

const READ_MODES = ['auto', 'snapshot', 'select'] as const;

/** The way to read rows. `auto` takes a snapshot if the server and the user allow it and it is safe, else select. */
export type ReadMode = (typeof READ_MODES)[number];

/** Options for reading a live server. */
export interface ServerReading {
  /** Default `auto`. */
  source?: ReadMode;
  /** Take a snapshot even if it can hang the server; see {@link snapshotSource}. Default false. */
  forceSnapshot?: boolean;
  /** Hears which mode was chosen; by default, nothing does. */
  report?: Report;
}

/** The values of an option for the way to read a server. */
export const READ_MODE: Kind = oneOf(READ_MODES);

const KINDS: Kinds<ServerReading> = { source: READ_MODE, forceSnapshot: aBoolean, report: aReport };

type Expected = Awaited<ReturnType<typeof expectedRows>>;

/** Adds to a manifest how many rows are expected, for progress. */
export function withExpected(manifest: Manifest, expected: Expected): Manifest {
  const spaces = manifest.spaces.map((space) => {
    const rows = expected?.get(space.id);
    return rows === undefined ? space : { ...space, expectedRows: rows };
  });
  return { ...manifest, spaces };
}

/** A source whose first item has already arrived. So the server is known to let us read. */
async function open(
  mode: 'snapshot' | 'select',
  connection: Connection,
  wants: Reading['wants'],
  expected: Expected,
  report: Report,
): Promise<ItemReadable> {
  const items =
    mode === 'snapshot'
      ? snapshotSource(connection, { wants, forceSnapshot: true })
      : selectSource(connection, { wants });
  await once(items, 'readable');
  const start = items.read() as BackupStart;
  const old = oldSchema(start.manifest.server);
  if (old !== undefined) {
    report.note(
      `${old}: box.schema.upgrade() was not run here; a restore upgrades what it restores`,
    );
  }
  items.unshift({
    ...start,
    manifest: withExpected(start.manifest, expected),
    sizes: () => readSizes(connection),
    largestRows: (spaces) => readLargestRows(connection, spaces),
  } satisfies BackupStart);
  return items;
}

function noReadView(where: string, version: string): TntarError {
  return new TntarError(
    'usage',
    `${where} runs ${version}, which cannot send a snapshot over the network`,
    { hint: 'use --source select while nobody writes to the database' },
  );
}

/**
 * Finds out whether a snapshot can be asked for, without a risk for the server.
 *
 * @returns `select` if no snapshot is available, or if it has a risk that the user did not accept
 * @throws TntarError of kind `usage` if a snapshot was asked for by name then
 */
async function safeMode(
  connection: Connection,
  { source = 'auto', forceSnapshot = false, report = silent }: ServerReading,
): Promise<ReadMode> {
  const { version } = connection.greeting;
  if (!hasReadView(version)) {
    if (source === 'snapshot') throw noReadView(connection.where, version);
    report.note(`reading by select, because ${version} cannot send a snapshot over the network`);
    return 'select';
  }
  if (source === 'select' || forceSnapshot) return source;
  const risk = await hangRisk(connection);
  if (risk === undefined) return source;
  if (risk.isSmall) {
    report.warn(`${risk.why}; continuing, because there is no vinyl space`);
    return source;
  }
  if (source === 'snapshot') throw hangError(risk.why);
  report.warn(`reading by select: ${risk.why}`);
  return 'select';
}

/**
 * A live server, read over a connection that the caller opened and will close. The manifest says which mode
 * was chosen, and the end whether all rows are from one moment.
 *
 * @param connection - is for nothing else meanwhile
 * @throws TntarError of kind `usage` for invalid options
 * @example
 * const connection = await Connection.open('db1:3301');
 * const items = await serverOrigin(connection)(reading);
 */
export function serverOrigin(connection: Connection, reading: ServerReading = {}): Origin {
  checkOptions('serverOrigin', reading, KINDS);
  const { source = 'auto', forceSnapshot = false, report = silent } = reading;
  return async ({ wants }) => {
    checkSource(connection, report);
    const expected = await expectedRows(connection);
    const by = (chosen: 'snapshot' | 'select'): Promise<ItemReadable> =>
      open(chosen, connection, wants, expected, report);
    const safe = await safeMode(connection, { source, forceSnapshot, report });
    if (safe !== 'auto') return by(safe);
    try {
      const items = await by('snapshot');
      report.note('reading from a snapshot: consistent while other clients write');
      return items;
    } catch (error) {
      if (!isWithoutReadView(error)) throw error;
      report.note(`reading by select, because a snapshot is not available: ${error.message}`);
      return by('select');
    }
  };
}
