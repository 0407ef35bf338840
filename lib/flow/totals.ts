import type { Manifest } from '../backup/manifest.js';
import type { Progress, Report } from '../base/report.js';
import { SYSTEM_ID_MAX } from '../schema/server/system-spaces.js';
import type { Stage } from './compose.js';

/** The totals of a pipeline. */
export interface Totals {
  /** Spaces of users, empty ones included. */
  spaces: number;
  /** Rows of users' spaces; definitions are not counted. */
  rows: number;
  /** Raw MessagePack bytes of those rows. */
  bytes: number;
  /** Compressed bytes, of the archive. */
  archiveBytes: number;
  /** The time from the start of the pipeline to its end. */
  seconds: number;
}

/** Returns the expected number of rows; undefined if it is not known for all spaces. */
function expectedIn({ spaces }: Manifest): number | undefined {
  let rows = 0;
  for (const { rowsFrom, expectedRows } of spaces) {
    if (rowsFrom === 'none') continue;
    if (expectedRows === undefined) return undefined;
    rows += expectedRows;
  }
  return rows;
}

/** Adds two numbers; the sum is unknown if one of them is. */
function addKnown(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a + b;
}

/** Stages that count, and tell the report. Those of a cluster see several backups. */
export interface Observer {
  see: Stage;
  /**
   * Counts bytes of the archive, as they are written or read.
   *
   * @param total - the expected number, if it is known
   */
  countBytes(chunks: AsyncIterable<Buffer>, total?: number): AsyncGenerator<Buffer>;
  sums(): Totals;
  /** Returns the position for an error, e.g. `in space 'users' after 1000 rows`. */
  position(): string;
}

/**
 * @example
 * const totals = observe(report);
 * await pipeline(source, compose([totals.see]), sink);
 * totals.sums().rows;
 */
export function observe(report: Report): Observer {
  const started = performance.now();
  /** By name: shards of a cluster have the same. */
  const spaces = new Set<string>();
  let rows = 0;
  let bytes = 0;
  let archiveBytes = 0;
  let space: string | undefined;
  let spaceId: number | undefined;
  let rowsOfSpace = 0;
  let totalBytes: number | undefined;
  let totalRows: number | undefined;
  let isFirst = true;
  /** Writes go on, so it may be a little more than was counted. */
  const share = (part: number, whole: number): number => Math.min(1, part / Math.max(1, whole));
  const done = (): Pick<Progress, 'done'> => {
    if (totalBytes !== undefined) return { done: share(archiveBytes, totalBytes) };
    return totalRows === undefined ? {} : { done: share(rows, totalRows) };
  };
  return {
    see(item) {
      if (item.kind === 'start') {
        const expected = expectedIn(item.manifest);
        totalRows = isFirst ? expected : addKnown(totalRows, expected);
        isFirst = false;
        for (const { name } of item.manifest.spaces) spaces.add(name);
      }
      if (item.kind === 'tuples' && item.space.id > SYSTEM_ID_MAX) {
        if (item.space.id !== spaceId) rowsOfSpace = 0;
        spaceId = item.space.id;
        space = item.space.name;
        rowsOfSpace += item.count;
        rows += item.count;
        bytes += item.bytes.length;
        report.progress({ rows, bytes, space, ...done() });
      }
      return item;
    },
    async *countBytes(chunks, total) {
      totalBytes = total;
      for await (const chunk of chunks) {
        archiveBytes += chunk.length;
        yield chunk;
      }
    },
    position: () =>
      space === undefined
        ? 'before the first row'
        : `in space '${space}' after ${rowsOfSpace} rows`,
    sums: () => ({
      spaces: spaces.size,
      rows,
      bytes,
      archiveBytes,
      seconds: (performance.now() - started) / 1000,
    }),
  };
}
