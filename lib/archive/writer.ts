import type { TupleBatch } from '../backup/batch.js';
import { MAX_PART_BYTES, partBytes } from '../backup/limits.js';
import type { Manifest } from '../backup/manifest.js';
import { TntarError } from '../base/errors.js';
import { MANIFEST, parseEntryName, TRAILER, tuplesEntry } from './entries.js';
import { EntryWriter, type WriterOptions } from './entry-writer.js';
import { encodeManifest } from './manifest-json.js';
import { encodeTrailer, type Trailer } from './trailer.js';

/** The entry that takes rows at the moment. */
interface OpenPart {
  spaceId: number;
  /** Parts of this space that are closed already. */
  index: number;
  rows: number;
  /** Bytes of the largest tuple; NaN if a batch does not say. */
  largest: number;
}

/** The error of what no reader would take. */
function unreadable(why: string, hint?: string): TntarError {
  return new TntarError('failure', `the archive would be unreadable: ${why}`, { hint });
}

/**
 * Checks that a batch fits a part.
 *
 * @param bytes - that the part has already
 */
export function checkFits(bytes: number, batch: TupleBatch): void {
  if (bytes + batch.bytes.length <= MAX_PART_BYTES) return;
  throw unreadable(
    `a batch of ${batch.bytes.length} bytes of space ${batch.space.id}`,
    'an archive cannot hold a tuple of more than 128 MiB',
  );
}

/** Notes which spaces had their rows, each of which has them in one place. */
export class SpacesWritten {
  readonly #closed = new Set<number>();

  /** @throws TntarError of kind `failure` for a space that had its rows, or that no archive can have */
  open(spaceId: number): void {
    if (this.#closed.has(spaceId)) {
      throw new TntarError('failure', `rows of space ${spaceId} came in two parts of the stream`);
    }
    if (parseEntryName(tuplesEntry(spaceId)) === undefined) throw unreadable(`a space ${spaceId}`);
  }

  close(spaceId: number): void {
    this.#closed.add(spaceId);
  }
}

/**
 * Writes an archive of one instance, entry by entry, as compressed bytes. See docs/reference/archive-format.md.
 *
 * @example
 * const writer = new ArchiveWriter({ level: 1 }, (chunk) => out.write(chunk));
 * await writer.start(manifest);
 * await writer.add(batch);
 * await writer.end({ vclock, consistent: true });
 */
export class ArchiveWriter {
  readonly #entries: EntryWriter;
  readonly #spaces = new SpacesWritten();
  #part: OpenPart | undefined;

  constructor(options: WriterOptions, emit: (chunk: Buffer) => void) {
    this.#entries = new EntryWriter(options, emit);
  }

  async start(manifest: Manifest): Promise<void> {
    this.#entries.modified = new Date(manifest.created);
    await this.#entries.small(MANIFEST, encodeManifest(manifest));
  }

  async add(batch: TupleBatch): Promise<void> {
    const { id } = batch.space;
    const entries = this.#entries;
    if (this.#part !== undefined && this.#part.spaceId !== id) await this.#closePart(true);
    else if (this.#part !== undefined && entries.partBytes >= partBytes(entries.records.length)) {
      await this.#closePart(false);
    }
    const part = this.#part ?? this.#openPart(id, 0);
    checkFits(entries.partBytes, batch);
    part.rows += batch.count;
    part.largest = Math.max(part.largest, batch.largest ?? Number.NaN);
    entries.write(batch.bytes);
  }

  async end(closing: Omit<Trailer, 'entries'>): Promise<void> {
    await this.#closePart(true);
    const entries = this.#entries;
    await entries.last(TRAILER, encodeTrailer({ ...closing, entries: entries.records }));
  }

  #openPart(spaceId: number, index: number): OpenPart {
    this.#spaces.open(spaceId);
    this.#part = { spaceId, index, rows: 0, largest: 0 };
    return this.#part;
  }

  async #closePart(last: boolean): Promise<void> {
    const part = this.#part;
    if (part === undefined) return;
    const { spaceId, index, rows, largest } = part;
    const name = tuplesEntry(spaceId, last && index === 0 ? undefined : index);
    const known = Number.isNaN(largest) ? {} : { largest };
    await this.#entries.closePart({ name, rows, ...known });
    this.#part = undefined;
    if (last) this.#spaces.close(spaceId);
    else this.#openPart(spaceId, index + 1);
  }
}
