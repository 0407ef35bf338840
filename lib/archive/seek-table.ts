import { MAX_FRAMES } from '../backup/limits.js';
import { TntarError } from '../base/errors.js';

/**
 * The seek table of an archive, as the Zstandard seekable format 0.1.0 has it: `zstd`'s
 * `contrib/seekable_format/zstd_seekable_compression_format.md`. A skippable frame, so that decoders which do
 * not know of it pass over it; all numbers little-endian.
 */
const TABLE_MAGIC = 0x184d2a5e;
const SEEKABLE_MAGIC = 0x8f92eab1;
/** Magic number, and how many bytes follow. */
const HEAD_BYTES = 8;
/** Compressed and decompressed size of a frame. */
const FRAME_BYTES = 8;
/** Bytes of the footer: number of frames, descriptor, magic number. */
export const FOOTER_BYTES = 9;
/** No checksums: each frame has one of its own, and the trailer a better one. */
const DESCRIPTOR = 0;

const bytesFor = (frames: number): number => HEAD_BYTES + FRAME_BYTES * frames + FOOTER_BYTES;

/** The largest table. */
export const MAX_TABLE_BYTES = bytesFor(MAX_FRAMES);

/** The error of a table that is not right; all else of the archive may be. */
export function wrongTable(why: string): TntarError {
  return new TntarError('archive', `the seek table is wrong: ${why}`, {
    hint: 'restore the whole archive: that does not need the seek table',
  });
}

/**
 * Gathers the sizes of frames in their order, for the table behind them.
 *
 * @example
 * const table = new SeekTable();
 * table.add(frame.length, content.length);
 * output.write(table.encode());
 */
export class SeekTable {
  /** Compressed and decompressed, in turns. */
  readonly #sizes: number[] = [];
  #frameBytes = 0;

  /** All frames together, compressed. */
  get frameBytes(): number {
    return this.#frameBytes;
  }

  add(frameBytes: number, contentBytes: number): void {
    this.#sizes.push(frameBytes, contentBytes);
    this.#frameBytes += frameBytes;
  }

  /** The skippable frame. */
  encode(): Buffer {
    const frames = this.#sizes.length / 2;
    const table = Buffer.alloc(bytesFor(frames));
    let pos = table.writeUInt32LE(TABLE_MAGIC, 0);
    pos = table.writeUInt32LE(table.length - HEAD_BYTES, pos);
    for (const size of this.#sizes) pos = table.writeUInt32LE(size, pos);
    pos = table.writeUInt32LE(frames, pos);
    pos = table.writeUInt8(DESCRIPTOR, pos);
    table.writeUInt32LE(SEEKABLE_MAGIC, pos);
    return table;
  }
}

/** True for a skippable frame that is a seek table, or was one before one of its bytes was changed. */
export function isMeantAsTable(frame: Buffer): boolean {
  if (frame.length < HEAD_BYTES + FOOTER_BYTES) return false;
  return frame.readUInt32LE(0) === TABLE_MAGIC || isFooter(frame.subarray(-FOOTER_BYTES));
}

function isFooter(footer: Buffer): boolean {
  return footer.readUInt32LE(FOOTER_BYTES - 4) === SEEKABLE_MAGIC;
}

/**
 * How large the table is, as the last bytes of an archive say.
 *
 * @returns undefined if they are those of no table
 * @throws TntarError of kind `archive` if the table cannot be one of an archive
 */
export function tableBytesOf(footer: Buffer): number | undefined {
  if (!isFooter(footer)) return undefined;
  const frames = footer.readUInt32LE(0);
  if (frames > MAX_FRAMES) throw wrongTable(`it claims ${frames} frames, over ${MAX_FRAMES}`);
  if (footer[4] !== DESCRIPTOR) throw wrongTable(`its descriptor is ${footer[4]}`);
  return bytesFor(frames);
}

/** A frame, as a table says. */
export interface FramePlace {
  /** The position of its first byte. */
  start: number;
  /** Behind its last byte. */
  end: number;
  contentBytes: number;
}

/** The frames of a table. There may be hundreds of thousands: none is an object before it is asked for. */
export class FramePlaces {
  /** The position of each frame, and of the end of the last one. */
  readonly #starts: Float64Array;
  readonly #table: Buffer;

  /**
   * @param table - as many bytes as {@link tableBytesOf} says, behind frames of `frameBytes` bytes in all
   * @throws TntarError of kind `archive` if it is not the table of so many bytes
   */
  constructor(table: Buffer, frameBytes: number) {
    if (table.readUInt32LE(0) !== TABLE_MAGIC) throw wrongTable('its frame has another type');
    if (table.readUInt32LE(4) !== table.length - HEAD_BYTES) {
      throw wrongTable('its length does not match the number of frames');
    }
    const count = (table.length - HEAD_BYTES - FOOTER_BYTES) / FRAME_BYTES;
    this.#table = table;
    this.#starts = new Float64Array(count + 1);
    let start = 0;
    for (let i = 0; i < count; i++) {
      start += table.readUInt32LE(HEAD_BYTES + FRAME_BYTES * i);
      this.#starts[i + 1] = start;
    }
    if (start === frameBytes) return;
    throw wrongTable(`its frames have ${start} bytes, and ${frameBytes} stand before it`);
  }

  get length(): number {
    return this.#starts.length - 1;
  }

  /** @param i - from 0, below {@link length} */
  at(i: number): FramePlace {
    return {
      start: this.#starts[i]!,
      end: this.#starts[i + 1]!,
      contentBytes: this.#table.readUInt32LE(HEAD_BYTES + FRAME_BYTES * i + 4),
    };
  }
}
