import { createHash, type Hash } from 'node:crypto';
import { FrameCompressor } from './compression.js';
import { SeekTable } from './seek-table.js';
import { BLOCK_BYTES, END_OF_TAR, padding, tarHeader } from './tar.js';
import type { EntryRecord } from './trailer.js';

/** Options of a writer. */
export interface WriterOptions {
  /** zstd level, 1 to {@link MAX_LEVEL}. */
  level: number;
}

/** A part whose end is still being compressed. */
interface ClosedPart {
  /** Its header, compressed. */
  head: Buffer[];
  /** Bytes of its body, with the padding. */
  bytes: number;
}

/** The facts of a part; its hash is known to the writer. */
export type PartFacts = Omit<EntryRecord, 'sha256' | 'bytes'>;

/**
 * Writes entries of an archive as compressed bytes, whatever they are, and keeps the record of each.
 *
 * A body is compressed while it arrives. Its tar header, which needs the size, is a frame of its own
 * and is written in front when the part is closed: so a part is held compressed only. The end of a
 * part is still being compressed while the next one arrives, so parts are emitted one behind.
 *
 * @example
 * const entries = new EntryWriter({ level: 1 }, (chunk) => out.write(chunk));
 * await entries.small('manifest.json', body);
 * entries.write(tuples);
 * await entries.closePart({ name: '512.dump', rows: 10 });
 * await entries.last('trailer.json', trailer);
 */
export class EntryWriter {
  readonly #emit: (chunk: Buffer) => void;
  /** Compresses the open part. */
  #body: FrameCompressor;
  /** Compresses the end of the part before it, meanwhile. */
  #earlierBody: FrameCompressor;
  /** That part; undefined if there is none. */
  #earlier: ClosedPart | undefined;
  readonly #heads: FrameCompressor;
  readonly #table = new SeekTable();
  #hash: Hash = createHash('sha256');
  #bytes = 0;
  /** The modification time of all entries. */
  modified = new Date(0);
  /** The records of all entries, in their order. */
  readonly records: EntryRecord[] = [];

  constructor(options: WriterOptions, emit: (chunk: Buffer) => void) {
    this.#emit = emit;
    this.#body = new FrameCompressor(options.level, true);
    this.#earlierBody = new FrameCompressor(options.level, true);
    this.#heads = new FrameCompressor(options.level, false);
  }

  /** The number of bytes in the open part. */
  get partBytes(): number {
    return this.#bytes;
  }

  /** Writes a small entry. No part may be open. */
  async small(name: string, body: Buffer): Promise<void> {
    this.#emitEarlier();
    const zeros = padding(body.length);
    this.#emitFrame(this.#frame([await tarHeader(name, body.length, this.modified)]), BLOCK_BYTES);
    this.#emitFrame(this.#frame([body, zeros]), body.length + zeros.length);
    const sha256 = createHash('sha256').update(body).digest('hex');
    this.records.push({ name, rows: 0, bytes: body.length, sha256 });
  }

  /** Adds bytes to the open part. */
  write(bytes: Buffer): void {
    this.#bytes += bytes.length;
    this.#hash.update(bytes);
    this.#body.write(bytes);
  }

  /** Closes the open part. */
  async closePart(facts: PartFacts): Promise<void> {
    const bytes = this.#bytes;
    const { name, rows, ...more } = facts;
    this.records.push({ name, rows, bytes, sha256: this.#hash.digest('hex'), ...more });
    const head = this.#frame([await tarHeader(name, bytes, this.modified)]);
    const zeros = padding(bytes);
    this.#body.finish(zeros);
    this.#emitEarlier();
    this.#earlier = { head, bytes: bytes + zeros.length };
    [this.#body, this.#earlierBody] = [this.#earlierBody, this.#body];
    this.#hash = createHash('sha256');
    this.#bytes = 0;
  }

  /** Writes the last entry, the end of the tar and the seek table. */
  async last(name: string, body: Buffer): Promise<void> {
    await this.small(name, body);
    this.#emitFrame(this.#frame([END_OF_TAR]), END_OF_TAR.length);
    this.#emit(this.#table.encode());
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
