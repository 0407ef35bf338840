/**
 * Sizes that a writer keeps to and a reader insists on. A reader allocates nothing before it has
 * checked the claimed size against these.
 */
const MIB = 1024 * 1024;

/**
 * A part is closed as soon as it holds this much, in an archive that is not huge. Large enough that headers,
 * frames and the trailer's line weigh nothing (0.1 % of the benchmark set's archive, against 4 MiB); small
 * enough to be held some times in memory, since a reader verifies a whole part before it hands out the first
 * tuple of it, and some wait in a pipeline.
 */
export const PART_BYTES = 2 * MIB;

/** The number of entries after which parts double, up to eight times their size: one trailer has to list them all. */
const ENTRIES_OF_A_SIZE = 20_000;
const MAX_DOUBLINGS = 3;

/**
 * Returns the number of bytes after which a part is closed that follows `entries` others.
 *
 * @example
 * partBytes(0); // PART_BYTES
 */
export function partBytes(entries: number): number {
  return PART_BYTES * 2 ** Math.min(MAX_DOUBLINGS, Math.floor(entries / ENTRIES_OF_A_SIZE));
}

/**
 * The largest tuple. The server's own default limit is 1 MiB (`memtx_max_tuple_size`,
 * `vinyl_max_tuple_size`), and people who raise it store blobs of some tens of MiB.
 */
export const MAX_TUPLE_BYTES = 128 * MIB;

/** The largest part: one that was still open, and then took a batch with the largest tuple. */
export const MAX_PART_BYTES = PART_BYTES * 2 ** MAX_DOUBLINGS + MAX_TUPLE_BYTES + MIB;

/**
 * The largest manifest or trailer, which a reader has in memory as a whole. A trailer takes some 130 bytes
 * a part, so this is enough for 1 TiB of tuples; a manifest takes some 1 KiB a space, enough for 16,000.
 */
export const MAX_JSON_BYTES = 16 * MIB;

/**
 * Values and keys in a manifest or trailer. Each takes some 100 bytes of memory in the worst case. The densest document
 * that is written, a long trailer, has one in 14 bytes.
 */
export const MAX_JSON_VALUES = 1_200_000;

/**
 * Nested lists and objects in such a document. It has the formats of spaces, and rows of system
 * spaces nest 1000 levels at most, see `lib/schema/read/validate.ts`. JavaScript reads any depth, but runs out of
 * stack when it writes it.
 */
export const MAX_JSON_NESTING = 1100;

/** Entries of an archive: a trailer has no room for more, at 115 bytes each and more. */
export const MAX_ENTRIES = Math.floor(MAX_JSON_BYTES / 115);

/** Frames of an archive: two an entry, and the end. Their seek table has 2.3 MB then. */
export const MAX_FRAMES = 2 * MAX_ENTRIES + 1;

/**
 * All rows of system spaces together, and the values in them: a restore has them in memory, decoded. A
 * space with its keys takes some 1 KiB and, with ten fields, some 160 values as `countValues` counts them. A
 * comparison has the definitions of both sides in memory, some 40 bytes a value.
 */
export const MAX_DEFINITION_BYTES = 32 * MIB;
export const MAX_DEFINITION_VALUES = 2_000_000;

/** log2 of the largest zstd window that a reader allocates; the writer's levels stay below it. */
export const MAX_WINDOW_LOG = 23;
