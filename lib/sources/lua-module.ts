import { tuplesEntry } from '../archive/entries.js';
import type { TupleBatch } from '../backup/batch.js';
import { type BackupItem, Counter } from '../backup/item.js';
import { type Manifest, type ManifestSpace, UNKNOWN_VERSION } from '../backup/manifest.js';
import { indexBy } from '../base/collections.js';
import { TntarError } from '../base/errors.js';
import type { LargeMemory } from '../base/large-memory.js';
import { longListOf, quoted, type Report } from '../base/report.js';
import { Catalog, rowlessReason, type Space } from '../schema/catalog/catalog.js';
import { checkNesting, validateRows } from '../schema/read/validate.js';
import { SYSTEM_ID_MAX, SYSTEM_SPACE_NAMES, SystemSpace } from '../schema/server/system-spaces.js';
import type { Folder } from './folder.js';
import type { OwnReading } from './origin.js';
import { wholeTuples } from './tuple-file.js';

/** The program that wrote the directory. */
const TOOL = 'tarantool/dump';

function refuse(what: string, hint?: string): TntarError {
  return new TntarError('archive', what, { hint });
}

/** Ids of the spaces that have a file, ascending, as the module restores them. */
function idsOf(folder: Folder): number[] {
  const ids = folder.files.flatMap(({ entry }) => (entry.kind === 'tuples' ? entry.spaceId : []));
  if (ids.length === 0) {
    throw new TntarError('usage', 'the directory has no dump of a space', {
      hint: 'check the name of the directory',
    });
  }
  const unknown = ids.find((id) => id <= SYSTEM_ID_MAX && !SYSTEM_SPACE_NAMES.has(id));
  if (unknown !== undefined) {
    throw refuse(`${tuplesEntry(unknown)} is of a system space that is not restored`);
  }
  return ids.sort((a, b) => a - b);
}

/** The rows of one space, of which there is at least one. */
async function* rowsOf(
  chunks: AsyncIterable<Buffer>,
  space: TupleBatch['space'],
  memory: LargeMemory,
): AsyncGenerator<TupleBatch> {
  const name = tuplesEntry(space.id);
  let isEmpty = true;
  for await (const whole of wholeTuples(chunks, name, memory)) {
    isEmpty = false;
    yield { kind: 'tuples', space, ...whole };
  }
  if (isEmpty) throw refuse(`${name} is empty`, 'the module writes no file for an empty space');
}

/** All rows of system spaces: as they came, and understood. */
interface Definitions {
  catalog: Catalog;
  batches: TupleBatch[];
}

async function readDefinitions(
  folder: Folder,
  ids: readonly number[],
  { countBytes, memory }: OwnReading,
): Promise<Definitions> {
  const catalog = new Catalog('archive');
  const batches: TupleBatch[] = [];
  for (const id of ids.filter((each) => each <= SYSTEM_ID_MAX)) {
    const space = { id, name: SYSTEM_SPACE_NAMES.get(id)!, engine: 'memtx' };
    for await (const batch of rowsOf(countBytes(folder.read(tuplesEntry(id))), space, memory)) {
      catalog.addAll(id, batch.bytes, (row) => checkNesting(id, row));
      batches.push(batch);
    }
  }
  if (catalog.rows(SystemSpace.SPACE).length === 0) {
    throw refuse(
      `${tuplesEntry(SystemSpace.SPACE)} is missing: it has the definitions of spaces`,
      'check that the directory is complete: the module writes this file first',
    );
  }
  validateRows(catalog);
  return { catalog, batches };
}

function listed({ id, name, engine, format }: Space, why: string | undefined): ManifestSpace {
  return { id, name, engine, format, rowsFrom: why === undefined ? 'select' : 'none' };
}

/** Returns a manifest for the directory. */
function describe(catalog: Catalog, created: Date, omitted: Manifest['omitted']): Manifest {
  return {
    tool: TOOL,
    created: created.toISOString(),
    server: { version: UNKNOWN_VERSION, uuid: '' },
    source: 'select',
    vclock: {},
    spaces: catalog.spaces.map((space) => listed(space, rowlessReason(space))),
    omitted,
    revoked: [],
  };
}

/** Rows in the directory that are not restored: those of temporary spaces, which the module writes, too. */
function leftOut(catalog: Catalog, ids: readonly number[]): Manifest['omitted'] {
  const spaces = indexBy(catalog.spaces, ({ id }) => id);
  const fleeting = indexBy(catalog.fleetingSpaces, ({ id }) => id);
  return ids
    .filter((id) => id > SYSTEM_ID_MAX)
    .flatMap((id) => {
      const space = spaces.get(id) ?? fleeting.get(id);
      if (space === undefined) {
        throw refuse(
          `${tuplesEntry(id)} is of a space that ${tuplesEntry(SystemSpace.SPACE)} lacks`,
        );
      }
      const why = fleeting.has(id) ? 'temporary' : rowlessReason(space);
      return why === undefined ? [] : [{ what: `rows of ${quoted(space.name)}`, why }];
    });
}

function warnOfGaps(report: Report, catalog: Catalog, ids: readonly number[]): void {
  report.warn(
    'a directory of the Lua module: nothing proves that all rows are there and from one moment',
  );
  const withFile = new Set(ids);
  const without = catalog.spaces.filter(
    (space) => !withFile.has(space.id) && rowlessReason(space) === undefined,
  );
  if (without.length === 0) return;
  const names = without.map(({ name }) => quoted(name));
  report.warn(`spaces without a file, which were empty, or have lost it: ${longListOf(names)}`);
}

/**
 * Reads a directory as the Lua module `tarantool/dump` writes it: a file a space, `_space` and `_index` among
 * them, and nothing that says what else there should be.
 */
export async function* readModule(
  folder: Folder,
  reading: OwnReading,
  report: Report,
): AsyncGenerator<BackupItem> {
  const ids = idsOf(folder);
  const { catalog, batches } = await readDefinitions(folder, ids, reading);
  const omitted = leftOut(catalog, ids);
  warnOfGaps(report, catalog, ids);
  for (const { what, why } of omitted) report.warn(`left out: ${what}: ${why}`);
  const counter = new Counter();
  const created = await folder.modified(tuplesEntry(SystemSpace.SPACE));
  yield { kind: 'start', manifest: describe(catalog, created, omitted) };
  yield* counter.pass(batches);
  for (const { id, name, engine, ...space } of catalog.spaces) {
    const isThere = ids.includes(id) && rowlessReason({ id, name, engine, ...space }) === undefined;
    if (!isThere || !reading.wants(name)) continue;
    const chunks = reading.countBytes(folder.read(tuplesEntry(id)));
    yield* counter.pass(rowsOf(chunks, { id, name, engine }, reading.memory));
  }
  yield {
    kind: 'end',
    vclock: {},
    consistent: false,
    unvouched: true,
    counts: counter.counts,
  };
}
