import type { Manifest } from '../archive/manifest.js';
import type { Report } from '../report.js';
import type { Catalog } from '../schema/catalog.js';
import { convert } from '../schema/convert.js';
import { isOlder, showRelease, showSchema, type Versions } from '../schema/release.js';
import { type Change, changesOf, showChange } from './property.js';
import { type Thing, Things } from './things.js';

/** A definition that is not the same on both sides. */
export interface DefinitionDifference {
  kind: 'removed' | 'added' | 'changed';
  /** What people call it, e.g. `index 'email' of space 'users'`. */
  what: string;
  /** What of it is another; nothing where it is on one side only. */
  changes: Change[];
}

/** One side, so far as its definitions go. */
export interface Defined {
  catalog: Catalog;
  /** Undefined where nobody noted them. */
  versions: Versions | undefined;
  manifest: Pick<Manifest, 'revoked'>;
}

function isOlderThan(a: Versions, b: Versions): boolean {
  if (isOlder(a.server, b.server)) return true;
  return !isOlder(b.server, a.server) && isOlder(a.schema, b.schema);
}

/** The older one as the newer one's release and schema have it: what an upgrade changes is no difference. */
function inOneRelease(left: Defined, right: Defined, report: Report): [Catalog, Catalog] {
  const converted = (catalog: Catalog, from: Versions, to: Versions): Catalog => {
    const { backup, notes } = convert(catalog, from, to);
    const isOther = isOlder(from.server, to.server);
    const as = isOther ? showRelease(to.server) : `schema ${showSchema(to.schema)}`;
    for (const line of notes) report.note(`compared as ${as} has it: ${line}`);
    return backup;
  };
  const [a, b] = [left.versions, right.versions];
  if (a === undefined || b === undefined) return [left.catalog, right.catalog];
  if (isOlderThan(a, b)) return [converted(left.catalog, a, b), right.catalog];
  if (isOlderThan(b, a)) return [left.catalog, converted(right.catalog, b, a)];
  return [left.catalog, right.catalog];
}

/**
 * Compares all that is defined, by names.
 *
 * @param hasValues - false where values of sequences are none of it, for a side has only definitions
 */
export function compareDefinitions(
  left: Defined,
  right: Defined,
  report: Report,
  hasValues = true,
): DefinitionDifference[] {
  const [a, b] = inOneRelease(left, right, report);
  const before = new Things(a, left.manifest, hasValues).all;
  const after = new Things(b, right.manifest, hasValues).all;
  const differences: DefinitionDifference[] = [];
  for (const [key, thing] of before) {
    const other = after.get(key);
    if (other === undefined) differences.push(alone('removed', thing));
    else {
      const changes = changesOf(thing.properties, other.properties);
      if (changes.length > 0) differences.push({ kind: 'changed', what: thing.shown, changes });
    }
  }
  for (const [key, thing] of after) if (!before.has(key)) differences.push(alone('added', thing));
  return differences;
}

function alone(kind: 'removed' | 'added', thing: Thing): DefinitionDifference {
  return { kind, what: thing.alone, changes: [] };
}

const SIGNS = { removed: '-', added: '+', changed: '~' } as const;

/**
 * A difference on one line.
 *
 * @example
 * showDefinition(difference); // "~ space 'users': engine memtx -> vinyl"
 */
export function showDefinition({ kind, what, changes }: DefinitionDifference): string {
  const shown = changes.length === 0 ? '' : `: ${changes.map(showChange).join('; ')}`;
  return `${SIGNS[kind]} ${what}${shown}`;
}
