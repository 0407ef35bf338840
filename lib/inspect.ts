import { pipeline } from 'node:stream/promises';
import type { BackupItem, Count } from './archive/items.js';
import type { Manifest, ManifestSpace, Vclock } from './archive/manifest.js';
import { compose } from './filters/compose.js';
import { observe, type Totals } from './filters/observe.js';
import { type Rewrite, rewriteStage } from './filters/rewrite.js';
import { type Report, silent } from './report.js';
import { archiveSource } from './sources/archive.js';

export interface InspectOptions {
  report?: Report;
  /** What is to be seen of it; all of it is verified. */
  rewrites?: readonly Rewrite[];
  signal?: AbortSignal;
}

/** What a whole, verified archive holds. */
export interface Contents {
  manifest: Manifest;
  spaces: (ManifestSpace & Count)[];
  consistent: boolean;
  /** Where the server stood when the dump ended. */
  vclock: Vclock;
  totals: Totals;
}

/**
 * Reads and verifies a whole archive, by the code that restore reads with, and tells what it holds.
 *
 * @throws TntarError of kind `archive` for anything but a whole archive
 * @example
 * const { spaces } = await inspect(createReadStream('backup.tar.zst'));
 */
export async function inspect(
  input: AsyncIterable<Buffer>,
  options: InspectOptions = {},
): Promise<Contents> {
  const { report = silent, rewrites = [] } = options;
  const totals = observe(report);
  let contents: Omit<Contents, 'totals'> | undefined;
  const collect = async (items: AsyncIterable<BackupItem>): Promise<void> => {
    let manifest: Manifest | undefined;
    for await (const item of items) {
      if (item.kind === 'start') manifest = item.manifest;
      if (item.kind === 'tuples') item.release?.();
      if (item.kind !== 'end' || manifest === undefined) continue;
      const { counts, consistent, vclock } = item;
      const spaces = manifest.spaces.map((space) => ({
        ...space,
        ...(counts.get(space.id) ?? { rows: 0, bytes: 0 }),
      }));
      contents = { manifest, spaces, consistent, vclock };
    }
  };
  await pipeline(
    input,
    totals.countOutput,
    (bytes: AsyncIterable<Buffer>) => archiveSource(bytes),
    compose([...rewrites.map((rewrite) => rewriteStage(rewrite, report)), totals.see]),
    collect,
    options.signal === undefined ? {} : { signal: options.signal },
  );
  if (contents === undefined) throw new Error('the archive ended without its end');
  return { ...contents, totals: totals.sums() };
}
