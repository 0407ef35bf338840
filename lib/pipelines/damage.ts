import { type ArchiveInput, openFile, openingBuffers } from '../archive/input.js';
import { type LostSpace, type Salvage, salvageable, unsalvageable } from '../archive/salvage.js';
import { type Damage, type OpenFrom, type Survey, survey } from '../archive/survey.js';
import { TntarError, unlessAborted } from '../base/errors.js';
import { aSignal, checkOptions } from '../base/option-checks.js';
import { longListOf, quoted } from '../base/report.js';
import type { Filter } from '../filters/filter.js';
import { collatedSpaces, withoutSpaces } from '../schema/select/selection.js';
import { SYSTEM_ID_MAX, SYSTEM_SPACE_NAMES, SystemSpace } from '../schema/server/system-spaces.js';
import type { RestoreScope } from '../sinks/restore-options.js';
import { checkOrder } from '../sources/entry-order.js';
import type { Origin } from '../sources/origin.js';
import { salvageSource } from '../sources/salvage.js';

/** The damage of an archive, and its whole parts. */
export interface DamageResult {
  /** Bytes that cannot be read, in their order; may be empty although something is lost. */
  damages: Damage[];
  /** True if too much is damaged, so that the rest was not searched. */
  gaveUp: boolean;
  /** Spaces and definitions of which something is missing, in words; empty for a whole archive. */
  lost: string[];
  /** Names of the users' spaces that are whole, in the order of the manifest. */
  whole: string[];
}

/** The damage, and a way to restore the rest. */
interface Rescue extends DamageResult {
  begin: Origin;
  /** Filters that leave out everything that is not whole; empty for a whole archive. */
  filters: Filter[];
}

/** The system spaces that are needed to know which spaces exist and what their keys are. */
const NEEDED: readonly number[] = [SystemSpace.SPACE, SystemSpace.INDEX];

function nameOf(id: number, { manifest }: Salvage): string {
  const system = SYSTEM_SPACE_NAMES.get(id);
  if (system !== undefined) return `definitions in ${system}`;
  return `space ${quoted(manifest.spaces.find((space) => space.id === id)?.name ?? id)}`;
}

function withoutLost(ids: ReadonlySet<number>, names: readonly string[]): Filter {
  const gone = new Set(names);
  return {
    partial: `no spaces that are damaged: ${longListOf(names.map(quoted))}`,
    wants: (name) => !gone.has(name),
    head: (head) => withoutSpaces(head, ({ id }) => !ids.has(id)),
  };
}

/** Leaves out spaces with a lost collation: the target may have none, or another one, under its id. */
const withoutCollated: Filter = {
  partial: 'no spaces that use a collation: those are damaged',
  head: (whole) => {
    const ids = collatedSpaces(whole.catalog);
    const { head, lost } = withoutSpaces(whole, ({ id }) => !ids.has(id));
    const spaces = whole.catalog.spaces
      .filter(({ id }) => ids.has(id))
      .map(({ name }) => ({ what: `space ${quoted(name)}`, why: 'the collation of it is lost' }));
    return { head, lost: [...spaces, ...lost] };
  },
};

function describe(lost: readonly LostSpace[], salvage: Salvage): string[] {
  return lost.map(({ id, what }) => `${nameOf(id, salvage)}: ${what}`);
}

/** Returns what is lost with the trailer of a dump by select. */
function lostWithTrailer({ manifest, trailer }: Salvage): string[] {
  if (trailer !== undefined || manifest.source === 'snapshot') return [];
  return [
    'trailer: whether rows were written during the dump, and the values of sequences at its end; sequences continue from their values at its start',
  ];
}

/**
 * @param only - of the restore: if it restores no rows, no rows can be lost
 * @throws TntarError of kind `archive` if nothing can be restored
 */
export function rescueOf(open: OpenFrom, surveyed: Survey, only?: RestoreScope['only']): Rescue {
  const salvage = salvageable(surveyed);
  // The source would report this, too, but only after a restore has written or removed something.
  checkOrder(salvage.manifest, salvage.entries);
  const { damages, gaveUp = false } = surveyed;
  const { manifest } = salvage;
  const lost = salvage.lost.filter(({ id }) => only !== 'schema' || id <= SYSTEM_ID_MAX);
  const ids = new Set(lost.map(({ id }) => id));
  const [damaged, whole] = [true, false].map((isLost) =>
    manifest.spaces.filter(({ id }) => ids.has(id) === isLost).map(({ name }) => name),
  ) as [string[], string[]];
  const needed = NEEDED.filter((id) => ids.has(id)).map((id) => nameOf(id, salvage));
  if (needed.length > 0) {
    throw unsalvageable(
      `the archive is damaged in definitions that every restore needs: ${longListOf(needed)}`,
    );
  }
  return {
    damages,
    gaveUp,
    lost: [...describe(lost, salvage), ...lostWithTrailer(salvage)],
    whole,
    begin: ({ countBytes }) =>
      salvageSource((start, signal) => countBytes(open(start, signal)), salvage),
    filters: [
      ...(damaged.length === 0 ? [] : [withoutLost(ids, damaged)]),
      ...(ids.has(SystemSpace.COLLATION) ? [withoutCollated] : []),
    ],
  };
}

/**
 * Reads everything that can be read of a damaged archive, and finds the spaces that are whole.
 *
 * @returns no whole space if a salvage could restore nothing
 * @throws TntarError of kind `archive` if even the manifest cannot be read; the error of what `open` gives;
 *   the reason of `signal`
 * @example
 * const { lost } = await findDamage('backup.tar.zst');
 */
export async function findDamage(
  input: ArchiveInput,
  options: { signal?: AbortSignal } = {},
): Promise<DamageResult> {
  checkOptions('findDamage', options, { signal: aSignal });
  const { signal } = options;
  const open = openingBuffers(openFile(input, 'findDamage').open);
  const surveyed = await unlessAborted(signal, () => survey(open, signal));
  try {
    const { damages, gaveUp, lost, whole } = rescueOf(open, surveyed);
    return { damages, gaveUp, lost, whole };
  } catch (error) {
    if (!(error instanceof TntarError) || surveyed.manifest === undefined) throw error;
    const { damages, gaveUp = false } = surveyed;
    return { damages, gaveUp, lost: [`everything: ${error.message}`], whole: [] };
  }
}
