import { createHash, type Hash } from 'node:crypto';
import type { TupleBatch } from '../backup/batch.js';
import { MAX_PART_BYTES, partBytes } from '../backup/limits.js';
import type { Manifest } from '../backup/manifest.js';
import { TntarError } from '../base/errors.js';
import { FrameCompressor } from './compression.js';
import { MANIFEST, parseEntryName, TRAILER, tuplesEntry } from './entries.js';
import { encodeManifest } from './manifest-json.js';
import { SeekTable } from './seek-table.js';
import { BLOCK_BYTES, END_OF_TAR, padding, tarHeader } from './tar.js';
import { type EntryRecord, encodeTrailer, type Trailer } from './trailer.js';

/** The entry that takes rows at the moment. */
interface OpenPart {
  spaceId: number;
  /** Parts of this space that are closed already. */
  index: number;
  rows: number;
  bytes: number;
  /** Bytes of the largest tuple; NaN where a batch does not say. */
  largest: number;
  hash: Hash;
}

/** A part whose end is still being compressed. */
interface ClosedPart {
  /** Its header, compressed. */
  head: Buffer[];
  /** Bytes of its body, with the padding. */
  bytes: number;
}

export interface WriterOptions {
  /** zstd level, 1 to {@link MAX_LEVEL}. */
  level: number;
}

/**
 * Writes an archive, entry by entry, as compressed bytes. See docs/reference/archive-format.md.
 *
 * A body is compressed while it arrives. Its tar header, which needs the size, is a frame of its own
 * and is written in front when the part is closed: so a part is held compressed only. The end of a
 * part is still being compressed while the next one arrives, so parts are emitted one behind.
 *
 * @example
 * const writer = new ArchiveWriter({ level: 1 }, (chunk) => out.write(chunk));
 * await writer.start(manifest);
 * await writer.add(batch);
 * await writer.end({ vclock, consistent: true });
 */
export class ArchiveWriter {
  readonly #emit: (chunk: Buffer) => void;
  /** Compresses the open part. */
  #body: FrameCompressor;
  /** Compresses the end of the part before it, meanwhile. */
  #earlierBody: FrameCompressor;
  /** That part; undefined where there is none. */
  #earlier: ClosedPart | undefined;
  readonly #heads: FrameCompressor;
  readonly #entries: EntryRecord[] = [];
  readonly #table = new SeekTable();
  readonly #closedSpaces = new Set<number>();
  #modified = new Date(0);
  #part: OpenPart | undefined;

  constructor(options: WriterOptions, emit: (chunk: Buffer) => void) {
    this.#emit = emit;
    this.#body = new FrameCompressor(options.level, true);
    this.#earlierBody = new FrameCompressor(options.level, true);
    this.#heads = new FrameCompressor(options.level, false);
  }

  async start(manifest: Manifest): Promise<void> {
    this.#modified = new Date(manifest.created);
    const body = encodeManifest(manifest);
    this.#entries.push(await this.#writeSmall(MANIFEST, body));
  }

  async add(batch: TupleBatch): Promise<void> {
    const { id } = batch.space;
    if (this.#part !== undefined && this.#part.spaceId !== id) await this.#closePart(true);
    else if (this.#part !== undefined && this.#part.bytes >= partBytes(this.#entries.length)) {
      await this.#closePart(false);
    }
    const part = this.#part ?? this.#openPart(id, 0);
    if (part.bytes + batch.bytes.length > MAX_PART_BYTES) {
      const why = `a batch of ${batch.bytes.length} bytes of space ${id}`;
      throw new TntarError('failure', `the archive would be unreadable: ${why}`, {
        hint: 'an archive cannot hold a tuple of more than 128 MiB',
      });
    }
    part.rows += batch.count;
    part.bytes += batch.bytes.length;
    part.largest = Math.max(part.largest, batch.largest ?? Number.NaN);
    part.hash.update(batch.bytes);
    this.#body.write(batch.bytes);
  }

  async end(closing: Omit<Trailer, 'entries'>): Promise<void> {
    await this.#closePart(true);
    this.#emitEarlier();
    await this.#writeSmall(TRAILER, encodeTrailer({ ...closing, entries: this.#entries }));
    this.#emitFrame(this.#frame([END_OF_TAR]), END_OF_TAR.length);
    this.#emit(this.#table.encode());
  }

  #openPart(spaceId: number, index: number): OpenPart {
    if (this.#closedSpaces.has(spaceId)) {
      throw new TntarError('failure', `rows of space ${spaceId} came in two parts of the stream`);
    }
    if (parseEntryName(tuplesEntry(spaceId)) === undefined) {
      throw new TntarError('failure', `the archive would be unreadable: a space ${spaceId}`);
    }
    this.#part = { spaceId, index, rows: 0, bytes: 0, largest: 0, hash: createHash('sha256') };
    return this.#part;
  }

  async #closePart(last: boolean): Promise<void> {
    const part = this.#part;
    if (part === undefined) return;
    const { spaceId, index, rows, bytes, largest } = part;
    const name = tuplesEntry(spaceId, last && index === 0 ? undefined : index);
    const known = Number.isNaN(largest) ? {} : { largest };
    this.#entries.push({ name, rows, bytes, sha256: part.hash.digest('hex'), ...known });
    const head = this.#frame([await tarHeader(name, bytes, this.#modified)]);
    const zeros = padding(bytes);
    this.#body.finish(zeros);
    this.#emitEarlier();
    this.#earlier = { head, bytes: bytes + zeros.length };
    [this.#body, this.#earlierBody] = [this.#earlierBody, this.#body];
    this.#part = undefined;
    if (last) this.#closedSpaces.add(spaceId);
    else this.#openPart(spaceId, index + 1);
  }

  async #writeSmall(name: string, body: Buffer): Promise<EntryRecord> {
    const zeros = padding(body.length);
    this.#emitFrame(this.#frame([await tarHeader(name, body.length, this.#modified)]), BLOCK_BYTES);
    this.#emitFrame(this.#frame([body, zeros]), body.length + zeros.length);
    const sha256 = createHash('sha256').update(body).digest('hex');
    return { name, rows: 0, bytes: body.length, sha256 };
  }

  /** Emits the part that was closed before the open one. */
  #emitEarlier(): void {
    if (this.#earlier === undefined) return;
    this.#emitFrame(this.#earlier.head, BLOCK_BYTES);
    this.#emitFrame(this.#earlierBody.take(), this.#earlier.bytes);
    this.#earlier = undefined;
  }

  /** A small frame of its own. */
  #frame(content: readonly Buffer[]): Buffer[] {
    for (const piece of content) this.#heads.write(piece);
    this.#heads.finish();
    return this.#heads.take();
  }

  /** @param contentBytes - that the frame unfolds to */
  #emitFrame(chunks: readonly Buffer[], contentBytes: number): void {
    let frameBytes = 0;
    for (const chunk of chunks) {
      frameBytes += chunk.length;
      this.#emit(chunk);
    }
    this.#table.add(frameBytes, contentBytes);
  }
}
