/**
 * Sizes that a writer keeps to and a reader insists on. A reader allocates nothing before it has
 * checked the claimed size against these.
 */
const MIB = 1024 * 1024;

/**
 * A part is closed as soon as it holds this much. Large enough that headers, frames and the trailer's
 * line weigh nothing (0.1 % of the benchmark set's archive, against 4 MiB); small enough to be held
 * some times in memory, since a reader verifies a whole part before it hands out the first tuple of it,
 * and some wait in a pipeline.
 */
export const PART_BYTES = 2 * MIB;

/**
 * The largest tuple. The server's own default limit is 1 MiB (`memtx_max_tuple_size`,
 * `vinyl_max_tuple_size`), and people who raise it store blobs of some tens of MiB.
 */
export const MAX_TUPLE_BYTES = 128 * MIB;

/** The largest part: one that was still open, and then took a batch with the largest tuple. */
export const MAX_PART_BYTES = PART_BYTES + MAX_TUPLE_BYTES + MIB;

/**
 * The largest manifest or trailer. A trailer takes some 130 bytes a part, so this is enough for
 * 1 TiB of tuples; a manifest takes some 1 KiB a space, enough for 60,000 spaces.
 */
export const MAX_JSON_BYTES = 64 * MIB;

/** log2 of the largest zstd window that a reader allocates; the writer's levels stay below it. */
export const MAX_WINDOW_LOG = 23;
