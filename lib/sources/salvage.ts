import type { Salvage } from '../archive/salvage.js';
import type { OpenFrom } from '../archive/survey.js';
import { type BackupItem, Counter } from '../backup/item.js';
import { type ItemReadable, stoppable } from '../flow/item-readable.js';
import { readFound } from './verified-entries.js';

async function* readSalvage(open: OpenFrom, salvage: Salvage): AsyncGenerator<BackupItem> {
  const { manifest, entries, trailer } = salvage;
  const counter = new Counter();
  yield { kind: 'start', manifest };
  yield* counter.pass(readFound(open, manifest, entries, 'is not what it was a moment ago'));
  const end = trailer ?? { vclock: manifest.vclock, consistent: false };
  const { entries: _, ...known } = { entries: [], ...end };
  yield { kind: 'end', ...known, counts: counter.counts };
}

/**
 * Returns the whole parts of a damaged archive as a stream of items. The manifest and the definitions are still those
 * of all spaces.
 *
 * @param open - the archive that was surveyed
 * @returns a stream in object mode; its error is a TntarError of kind `archive` if the archive was
 *   replaced by another one
 * @example
 * const salvage = salvageable(await survey(open));
 * for await (const item of salvageSource(open, salvage)) console.log(item.kind);
 */
export function salvageSource(open: OpenFrom, salvage: Salvage): ItemReadable {
  return stoppable((signal) => readSalvage((start) => open(start, signal), salvage));
}
