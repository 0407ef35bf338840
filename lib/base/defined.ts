/** The properties of `T` that may be absent, and never undefined. */
type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/**
 * Returns the object without the properties that are undefined: most options may be left out, and not undefined.
 *
 * @example
 * await pipeline(source, sink, defined({ signal }));
 */
export function defined<T extends object>(properties: T): Defined<T> {
  const kept = Object.entries(properties).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as Defined<T>;
}
