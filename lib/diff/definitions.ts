import { cutMiddle } from './cut.js';
import { type ComparedDefinition, DefinitionSet } from './definition-set.js';
import { type Change, changesOf, type Properties, showChange } from './property.js';
import { type Converted, type Defined, readingsOf } from './readings.js';

/** A definition that differs between the sides. */
export interface DefinitionDifference {
  kind: 'removed' | 'added' | 'changed';
  /** The description, e.g. `index 'email' of space 'users'`. */
  what: string;
  /** The changed properties; empty if only one side has the definition. */
  changes: Change[];
}

/** The differences between the definitions of two sides, and the version that they were compared in. */
export interface DefinitionComparison {
  differences: DefinitionDifference[];
  /** Undefined if both sides have the same version. */
  converted?: Converted | undefined;
}

/**
 * Compares definitions by name. If the versions differ, the left side is compared as a restore would write it into a
 * server of the right side's version; or the right side as for the left one's, if that leaves fewer differences and
 * hides none. The work yields where it can be interrupted, see `inTurns`.
 *
 * @param hasValues - false if the values of sequences are not compared, because a side has only definitions
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
  const before = new DefinitionSet(left.catalog, left.manifest, hasValues).all;
  const after = new DefinitionSet(right.catalog, right.manifest, hasValues).all;
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

/** Compares two definitions with the same name, group by group. */
function* changesBetween(
  before: ComparedDefinition,
  after: ComparedDefinition,
): Generator<void, Change[]> {
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

function alone(kind: 'removed' | 'added', thing: ComparedDefinition): DefinitionDifference {
  return { kind, what: thing.alone, changes: [] };
}

const SIGNS = { removed: '-', added: '+', changed: '~' } as const;

/**
 * Returns a difference as one line.
 *
 * @example
 * showDefinition(difference); // "~ space 'users': engine memtx -> vinyl"
 */
export function showDefinition({ kind, what, changes }: DefinitionDifference): string {
  const shown = changes.length === 0 ? '' : `: ${changes.map(showChange).join('; ')}`;
  return `${SIGNS[kind]} ${cutMiddle(what)}${shown}`;
}
