import { cutMiddle } from './cut.js';
import { type Thing, Things } from './definition-set.js';
import { type Change, changesOf, type Properties, showChange } from './property.js';
import { type Converted, type Defined, readingsOf } from './readings.js';

/** A definition that is not the same on both sides. */
export interface DefinitionDifference {
  kind: 'removed' | 'added' | 'changed';
  /** What people call it, e.g. `index 'email' of space 'users'`. */
  what: string;
  /** What of it is another; nothing where it is on one side only. */
  changes: Change[];
}

/** The differences between the definitions of two sides, and the version in which they were compared. */
export interface DefinitionComparison {
  differences: DefinitionDifference[];
  /** Absent if both are of one version. */
  converted?: Converted | undefined;
}

/**
 * Compares all that is defined, by names. Of two versions the left side is compared as a restore would write it
 * into the right side's version; or the right side into the left one's, if that leaves fewer differences
 * and hides none. The work yields where it can be interrupted, see `inTurns`.
 *
 * @param hasValues - false where values of sequences are none of it, for a side has only definitions
 */
export function* compareDefinitions(
  left: Defined,
  right: Defined,
  hasValues = true,
): Generator<void, DefinitionComparison> {
  let best: DefinitionComparison | undefined;
  for (const { converted, hidden, ...sides } of readingsOf(left, right)) {
    const differences = yield* differencesOf(sides.left, sides.right, hasValues);
    if (best === undefined || differences.length + hidden < best.differences.length) {
      best = { differences, converted };
    }
    if (best.differences.length === 0) break;
  }
  return best!;
}

function* differencesOf(
  left: Defined,
  right: Defined,
  hasValues: boolean,
): Generator<void, DefinitionDifference[]> {
  const before = new Things(left.catalog, left.manifest, hasValues).all;
  const after = new Things(right.catalog, right.manifest, hasValues).all;
  const differences: DefinitionDifference[] = [];
  for (const [key, thing] of before) {
    const other = after.get(key);
    if (other === undefined) differences.push(alone('removed', thing));
    else {
      const changes = yield* changesBetween(thing, other);
      if (changes.length > 0) differences.push({ kind: 'changed', what: thing.shown, changes });
    }
    yield;
  }
  for (const [key, thing] of after) if (!before.has(key)) differences.push(alone('added', thing));
  return differences;
}

const NO_PROPERTIES: Properties = new Map();

/** Compares two things of one name, piece by piece. */
function* changesBetween(before: Thing, after: Thing): Generator<void, Change[]> {
  const changes: Change[] = [];
  const left = before.properties()[Symbol.iterator]();
  const right = after.properties()[Symbol.iterator]();
  for (;;) {
    const [a, b] = [left.next(), right.next()];
    if (a.done === true && b.done === true) return changes;
    const pieces = [a, b].map(({ done, value }) => (done === true ? NO_PROPERTIES : value));
    for (const change of changesOf(pieces[0]!, pieces[1]!)) changes.push(change);
    yield;
  }
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
  return `${SIGNS[kind]} ${cutMiddle(what)}${shown}`;
}
