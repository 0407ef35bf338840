import type { Catalog } from '../catalog/catalog.js';
import { type Definitions, definitionsOf } from './definitions.js';

/** The definitions by their names, without what may differ between two servers that are meant to be equal. */
function byName({ spaces, sequences }: Definitions): Map<string, string> {
  const named = new Map<string, string>();
  for (const { id: _, ...space } of spaces) {
    named.set(`space '${space.name}'`, JSON.stringify(space));
  }
  for (const { id: _, value: __, ...sequence } of sequences) {
    named.set(`sequence '${sequence.name}'`, JSON.stringify(sequence));
  }
  return named;
}

/**
 * Compares the spaces and sequences of servers that are meant to be equal, such as the shards of a cluster. Ids and
 * values of sequences may differ.
 *
 * @returns what is not the same on both, e.g. `space 'users'`
 * @example
 * unequalDefinitions(first, second); // ["space 'users'"]
 */
export function unequalDefinitions(a: Catalog, b: Catalog): string[] {
  const [left, right] = [byName(definitionsOf(a)), byName(definitionsOf(b))];
  const names = new Set([...left.keys(), ...right.keys()]);
  return [...names].filter((name) => left.get(name) !== right.get(name));
}
