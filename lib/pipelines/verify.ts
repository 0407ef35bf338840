import { pipeline } from 'node:stream/promises';
import type { ArchiveInput } from '../archive/input.js';
import { type BackupItem, type Count, type Filtered, NO_ROWS } from '../backup/item.js';
import type { Manifest, ManifestSpace } from '../backup/manifest.js';
import type { Vclock } from '../backup/vclock.js';
import { defined } from '../base/defined.js';
import { unlessAborted } from '../base/errors.js';
import { checkOptions } from '../base/option-checks.js';
import { silent } from '../base/report.js';
import { filterStages, wantedBy } from '../filters/filter.js';
import { compose, type Stage } from '../flow/compose.js';
import { observe, type Totals } from '../flow/totals.js';
import { type Definitions, definitionsOf } from '../schema/describe/definitions.js';
import { PreambleReader } from '../schema/read/preamble-reader.js';
import { archiveOrigin, type Origin } from '../sources/origin.js';
import { VERIFY_OPTIONS, type VerifyOptions } from './verify-options.js';

/** The contents of an archive. */
export interface VerifyResult {
  /** The whole manifest of the archive, even if only some spaces were chosen. */
  manifest: Manifest;
  /** The choice in words; absent if everything was chosen. */
  shown?: string[];
  /** The chosen spaces of users, in the order of the manifest, with their rows and raw bytes. */
  spaces: (ManifestSpace & Count)[];
  /** The counts of filters when the archive was written. If rows were skipped, the archive is a part. */
  filtered: Filtered[];
  /** True if all rows are from one moment. */
  consistent: boolean;
  /** Set if nothing proves that the archive is complete; see {@link BackupEnd.unvouched}. */
  unvouched?: true;
  /** The vclock of the server at the end of the dump. */
  vclock: Vclock;
  totals: Totals;
  /** False if rows were not read: the result is then only what the archive says about itself. */
  verified: boolean;
  /** The definitions of the chosen spaces, if requested. */
  definitions?: Definitions;
}

/**
 * Reads and verifies an archive with the same code as a restore, and returns its contents.
 *
 * @param input - the bytes of the archive, which are all read; a stream is destroyed if the call rejects. Or its file:
 *   if spaces are chosen and it has a seek table, only the needed parts are read
 * @throws TntarError of kind `archive` for anything but a whole archive, with a seek table that is right if it
 *   has one; the reason of `signal`; the error of `input`
 * @example
 * const { spaces } = await verify(createReadStream('backup.tar.zst'));
 * for (const { name, rows, bytes } of spaces) console.log(name, rows, bytes);
 */
export async function verify(
  input: ArchiveInput,
  options: VerifyOptions = {},
): Promise<VerifyResult> {
  checkOptions('verify', options, VERIFY_OPTIONS);
  const { report = silent } = options;
  return verifyFrom(archiveOrigin(input, { report, isStrict: true }), options);
}

/** Reads what `begin` gives; see {@link verify}. */
export async function verifyFrom(
  begin: Origin,
  { report = silent, filters = [], definitions = false, signal }: VerifyOptions = {},
): Promise<VerifyResult> {
  const totals = observe(report);
  const shown = filters.flatMap(({ partial, changed }) => [partial ?? [], changed ?? []].flat());
  let archived: Manifest | undefined;
  let filtered: Filtered[] = [];
  const asRead: Stage = (item) => {
    if (item.kind === 'start') archived = item.manifest;
    if (item.kind === 'end') filtered = item.filtered ?? [];
    return item;
  };
  let contents: Pick<VerifyResult, 'spaces' | 'consistent' | 'vclock' | 'unvouched'> | undefined;
  const preamble = definitions ? new PreambleReader() : undefined;
  const collect = async (items: AsyncIterable<BackupItem>): Promise<void> => {
    let manifest: Manifest | undefined;
    for await (const item of items) {
      if (item.kind === 'start') {
        manifest = item.manifest;
        preamble?.start(manifest);
      } else if (item.kind === 'tuples') {
        if (preamble?.take(item) !== true) item.release?.();
      } else if (manifest !== undefined) {
        const { counts, consistent, unvouched, vclock } = item;
        const spaces = manifest.spaces.map((space) => ({
          ...space,
          ...(counts.get(space.id) ?? NO_ROWS),
        }));
        contents = { spaces, consistent, vclock, ...(unvouched && { unvouched }) };
      }
    }
  };
  // the error of a pipeline is an AbortError if its last function throws
  let failure: unknown;
  const collecting = (items: AsyncIterable<BackupItem>): Promise<void> =>
    collect(items).catch((error: unknown) => {
      failure ??= error;
      throw error;
    });
  await unlessAborted(signal, async () =>
    pipeline(
      await begin({ countBytes: totals.countBytes, wants: wantedBy(filters) }),
      compose([asRead, ...filterStages(filters, report), totals.see]),
      collecting,
      defined({ signal }),
    ).catch((error: unknown) => {
      throw failure ?? error;
    }),
  );
  if (contents === undefined || archived === undefined) {
    throw new Error('the archive ended without its end');
  }
  return {
    manifest: archived,
    ...(shown.length === 0 ? {} : { shown }),
    ...contents,
    filtered,
    totals: totals.sums(),
    verified: contents.unvouched !== true,
    ...(preamble === undefined ? {} : { definitions: definitionsOf(preamble.head().catalog) }),
  };
}
