import type { Manifest } from '../backup/manifest.js';
import { FIRST_USER_SPACE } from '../backup/space-id.js';
import { TntarError } from '../base/errors.js';
import { longListOf } from '../base/report.js';
import { parseEntryName } from './entries.js';
import type { FoundEntry, Survey } from './survey.js';
import { type EntryRecord, isSameEntry, type Trailer } from './trailer.js';

/** A space of which something is missing. */
export interface LostSpace {
  id: number;
  /** The loss in words, e.g. `512.dump.00003 (1 of 12 entries, 20000 of 240000 rows)`. */
  what: string;
}

/** The whole parts of a damaged archive, by space. */
export interface Salvage {
  manifest: Manifest;
  /** All entries of the spaces that are whole, in order. */
  entries: FoundEntry[];
  /** The others; empty for a whole archive. */
  lost: LostSpace[];
  /** Absent if it is among what is lost: then nobody knows all that there was. */
  trailer?: Trailer;
}

/** The error of an archive of which nothing can be restored. */
export function unsalvageable(why: string): TntarError {
  return new TntarError('archive', why, {
    hint: 'use another backup: nothing in this archive can be restored',
  });
}

interface Group<T> {
  id: number;
  entries: T[];
}

/** Entries of one space follow each other. */
function bySpace<T extends { record: EntryRecord }>(entries: readonly T[]): Group<T>[] {
  const groups: Group<T>[] = [];
  for (const entry of entries) {
    const name = parseEntryName(entry.record.name);
    if (name?.kind !== 'tuples') continue;
    const last = groups.at(-1);
    if (last?.id === name.spaceId) last.entries.push(entry);
    else groups.push({ id: name.spaceId, entries: [entry] });
  }
  return groups;
}

const sum = (records: readonly EntryRecord[]): number =>
  records.reduce((rows, record) => rows + record.rows, 0);

/** The trailer vouches for each entry, wherever it stands. */
function vouchedFor(survey: Survey, trailer: Trailer): Pick<Salvage, 'entries' | 'lost'> {
  const found = new Map(
    survey.found.map((entry) => [`${entry.record.name} ${entry.record.sha256}`, entry]),
  );
  const whole: FoundEntry[] = [];
  const lost: LostSpace[] = [];
  for (const { id, entries } of bySpace(trailer.entries.map((record) => ({ record })))) {
    const here = entries.map(({ record }) => {
      const entry = found.get(`${record.name} ${record.sha256}`);
      return entry !== undefined && isSameEntry(entry.record, record) ? entry : undefined;
    });
    const missing = entries.filter((_, i) => here[i] === undefined).map(({ record }) => record);
    if (missing.length === 0) whole.push(...here.filter((entry) => entry !== undefined));
    else {
      const records = entries.map(({ record }) => record);
      const names = longListOf(missing.map(({ name }) => name));
      const parts = `${missing.length} of ${records.length} entries`;
      const rows = `${sum(missing)} of ${sum(records)} rows`;
      lost.push({ id, what: `${names} (${parts}, ${rows})` });
    }
  }
  return { entries: whole, lost };
}

/**
 * Without a trailer what stands behind damage may be anything, e.g. an archive in a row; what stands before
 * it is as it was written.
 */
function beforeDamage({ found, damages, manifest }: Survey): Pick<Salvage, 'entries' | 'lost'> {
  const end = damages[0]!.start;
  const groups = bySpace(found.filter((entry) => entry.start < end));
  const last = groups.at(-1);
  if (last === undefined || last.id < FIRST_USER_SPACE) {
    throw unsalvageable('the archive is damaged, and no space is whole');
  }
  const lost: LostSpace[] = [];
  const tail = last.entries.at(-1)!;
  if (tail.name.kind === 'tuples' && tail.name.part !== undefined) {
    groups.pop();
    const rows = sum(last.entries.map(({ record }) => record));
    lost.push({
      id: last.id,
      what: `all behind ${tail.record.name}; the ${rows} rows before are there`,
    });
  }
  const seen = new Set([...groups.map(({ id }) => id), last.id]);
  for (const { id, rowsFrom } of manifest!.spaces) {
    if (!seen.has(id) && rowsFrom !== 'none') lost.push({ id, what: 'all rows, if it had any' });
  }
  return { entries: groups.flatMap(({ entries }) => entries), lost };
}

/**
 * Decides which spaces of an archive are whole, down to the last byte.
 *
 * @throws TntarError of kind `archive` if none can be
 * @example
 * const { lost } = salvageable(await survey(open));
 */
export function salvageable(survey: Survey): Salvage {
  const { manifest, trailer, damages } = survey;
  if (manifest === undefined) {
    throw unsalvageable(`the manifest is damaged: ${damages[0]?.why}`);
  }
  if (trailer !== undefined) return { manifest, trailer, ...vouchedFor(survey, trailer) };
  if (damages.length > 0) return { manifest, ...beforeDamage(survey) };
  throw unsalvageable('the trailer belongs to another archive');
}
