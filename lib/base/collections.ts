/**
 * Groups values by a key. Each key is computed once, because there may be thousands of spaces.
 *
 * @example
 * groupBy(catalog.rows(SystemSpace.INDEX), ({ fields }) => Number(fields[Field.index.spaceId]));
 */
export function groupBy<T, K>(things: Iterable<T>, keyOf: (thing: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const thing of things) {
    const key = keyOf(thing);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [thing]);
    else group.push(thing);
  }
  return groups;
}

/**
 * Returns a map from a key to its value; of two values with the same key, the last.
 *
 * @example
 * indexBy(catalog.spaces, ({ id }) => id).get(512);
 */
export function indexBy<T, K>(things: readonly T[], keyOf: (thing: T) => K): Map<K, T> {
  return new Map(things.map((thing) => [keyOf(thing), thing]));
}
