import { setImmediate } from 'node:timers/promises';
import binding from 'zstd-napi/binding.js';
import { MAX_WINDOW_LOG } from '../backup/limits.js';
import { defined } from '../base/defined.js';
import { messageOf, TntarError } from '../base/errors.js';
import { NOTHING, pushPiece, Slab } from '../base/memory.js';
import { MAX_TABLE_BYTES } from './seek-table.js';

const { CCtx, CParameter, DCtx, DParameter, EndDirective, MAGICNUMBER, ResetDirective } = binding;

/**
 * The zstd level of an archive where none is asked for. Chosen by measurement, see
 * `benchmarks/RESULTS.md`: higher levels cost more than they save.
 */
export const DEFAULT_LEVEL = 1;
/** The highest zstd level; the lowest is 1. */
export const MAX_LEVEL = 19;

/** The number of workers. With one, zstd takes no input while it compresses. */
const WORKERS = 2;

/** The size of the memory for compressed output. */
const SLAB_BYTES = 1024 * 1024;
const MIN_ROOM_BYTES = 64 * 1024;

/**
 * Compresses one frame after the other.
 *
 * @example
 * const frames = new FrameCompressor(1, true);
 * frames.write(chunk);
 * frames.finish(lastChunk);
 * doSomethingElse();
 * output.push(...frames.take());
 */
export class FrameCompressor {
  readonly #context = new CCtx();
  readonly #slab = new Slab(SLAB_BYTES, MIN_ROOM_BYTES);
  #frame: Buffer[] = [];
  /** Bytes of {@link finish} that zstd did not take yet. */
  #last = NOTHING;

  /** @param threaded - compress in a thread of zstd's own; pays from some hundred KiB on */
  constructor(level: number, threaded: boolean) {
    this.#context.setParameter(CParameter.compressionLevel, level);
    // Without it most flipped bits decode silently.
    this.#context.setParameter(CParameter.checksumFlag, 1);
    if (threaded) this.#context.setParameter(CParameter.nbWorkers, WORKERS);
  }

  write(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      const [, produced, consumed] = this.#context.compressStream2(
        this.#slab.room,
        rest,
        EndDirective.continue,
      );
      pushPiece(this.#frame, this.#slab.take(produced));
      rest = rest.subarray(consumed);
    }
  }

  /**
   * Ends the frame behind `last`, without waiting for the thread that still compresses it: with more
   * input, and without room for output, zstd starts its last job and comes back. `last` must not change
   * before {@link take}.
   */
  finish(last = NOTHING): void {
    const [, , consumed] = this.#context.compressStream2(NOTHING, last, EndDirective.end);
    this.#last = last.subarray(consumed);
  }

  /** All bytes of the frame that was finished; waits until they are there. */
  take(): Buffer[] {
    for (let left = 1; left > 0; ) {
      const [remaining, produced, consumed] = this.#context.compressStream2(
        this.#slab.room,
        this.#last,
        EndDirective.end,
      );
      this.#last = this.#last.subarray(consumed);
      pushPiece(this.#frame, this.#slab.take(produced));
      left = remaining;
    }
    const frame = this.#frame;
    this.#frame = [];
    return frame;
  }
}

/** The first bytes of every frame with content, RFC 8878 section 3.1.1. */
export const FRAME_MAGIC: Buffer = Buffer.alloc(4);
FRAME_MAGIC.writeUInt32LE(MAGICNUMBER);

/** Bytes of magic number and frame descriptor, which tell whether a frame has a checksum. */
const FRAME_HEAD_BYTES = 5;
/** `Content_Checksum_flag` of the frame header descriptor, RFC 8878 section 3.1.1.1.1. */
const CHECKSUM_FLAG = 0x04;
/** `0x184D2A5?` and a uint32 size: a frame that decoders pass over, RFC 8878 section 3.1.2. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const SKIPPABLE_HEAD_BYTES = 8;

const isSkippable = (magic: number): boolean => (magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC;

/** @param head - four bytes or more */
export function startsFrame(head: Buffer): boolean {
  const magic = head.readUInt32LE(0);
  return magic === MAGICNUMBER || isSkippable(magic);
}

function damaged(what: string, cause?: unknown): TntarError {
  return new TntarError('archive', what, {
    hint: 'the file is damaged or was not made by tntar; nothing of this part was used',
    ...defined({ cause }),
  });
}

function notOurs(start: string): TntarError {
  return new TntarError('archive', `not a tar.zst backup: it starts with the bytes ${start}`, {
    hint: 'pass the output of tntar dump unchanged: it is compressed with zstd',
  });
}

/** Bytes that are decompressed in one turn of the event loop: more than a part has by default. */
const TURN_BYTES = 16 * 1024 * 1024;

type Context = InstanceType<typeof DCtx>;

/** Their windows are memory that the collector does not know of, and a survey of damage opens many readers. */
const idle: Context[] = [];
const MAX_IDLE = 2;

function takeContext(): Context {
  const context = idle.pop() ?? new DCtx();
  context.reset(ResetDirective.sessionOnly);
  context.setParameter(DParameter.windowLogMax, MAX_WINDOW_LOG);
  return context;
}

/**
 * Takes compressed chunks apart into frames, and hands out no more bytes than were asked for.
 *
 * `read` fills buffers of the caller's, so a frame that claims or unfolds to more than the caller
 * expects costs no memory.
 */
export class FrameReader {
  readonly #input: AsyncIterator<Buffer>;
  #context: Context | undefined = takeContext();
  #chunk = NOTHING;
  #inFrame = false;
  #offset: number;
  #skipped: Buffer | undefined;

  /** @param start - bytes that stand before the first of `input`, for {@link offset} */
  constructor(input: AsyncIterable<Buffer>, start = 0) {
    this.#input = input[Symbol.asyncIterator]();
    this.#offset = start;
  }

  /** Compressed bytes taken so far. */
  get offset(): number {
    return this.#offset;
  }

  /** The last skippable frame, if no frame follows it and it is not larger than a seek table. */
  get skipped(): Buffer | undefined {
    return this.#skipped;
  }

  /**
   * Reads on in the frame until `target` is full or the frame ends, whichever comes first. Room for
   * one byte more than expected makes the two tell apart.
   *
   * @returns bytes written to `target`, and whether the frame ended behind them, its checksum verified
   */
  async read(target: Buffer): Promise<{ bytes: number; frameEnd: boolean }> {
    if (!this.#inFrame) throw new Error('no frame is open');
    let filled = 0;
    let pause = TURN_BYTES;
    while (this.#inFrame && filled < target.length) {
      if (this.#chunk.length === 0 && !(await this.#fill())) {
        throw new TntarError(
          'archive',
          `the archive ends in the middle of a frame, ${this.#at()}`,
          {
            hint: 'check whether the writer failed: the archive ends before its trailer',
          },
        );
      }
      if (filled >= pause) {
        await setImmediate();
        pause = filled + TURN_BYTES;
      }
      filled += this.#decompress(target.subarray(filled, filled + TURN_BYTES));
    }
    return { bytes: filled, frameEnd: !this.#inFrame };
  }

  /**
   * Opens the next frame, past skippable ones.
   *
   * @returns false where the input ends before one
   */
  async next(): Promise<boolean> {
    if (this.#inFrame) throw new Error('a frame is still open');
    for (;;) {
      if (!(await this.#have(FRAME_HEAD_BYTES))) {
        if (this.#chunk.length === 0) return false;
        const isCut = FRAME_MAGIC.subarray(0, this.#chunk.length).equals(this.#chunk);
        if (this.#offset === 0 && !isCut) throw notOurs(this.#chunk.toString('hex'));
        throw damaged(`${this.#chunk.length} bytes follow the last frame, ${this.#at()}`);
      }
      const magic = this.#chunk.readUInt32LE(0);
      if (magic === MAGICNUMBER) break;
      if (!isSkippable(magic)) {
        const shown = this.#chunk.subarray(0, 8).toString('hex');
        if (this.#offset === 0) throw notOurs(shown);
        throw damaged(`no zstd frame starts with ${shown}, ${this.#at()}`);
      }
      await this.#skipFrame();
    }
    if ((this.#chunk[4]! & CHECKSUM_FLAG) === 0) {
      throw damaged(`a frame without a checksum, ${this.#at()}`);
    }
    this.#skipped = undefined;
    this.#inFrame = true;
    return true;
  }

  async close(): Promise<void> {
    if (this.#context !== undefined && idle.length < MAX_IDLE) idle.push(this.#context);
    this.#context = undefined;
    await this.#input.return?.();
  }

  /** @returns bytes written to `target` */
  #decompress(target: Buffer): number {
    if (this.#context === undefined) throw new Error('the reader is closed');
    try {
      const [left, produced, consumed] = this.#context.decompressStream(target, this.#chunk);
      this.#drop(consumed);
      if (left === 0) this.#inFrame = false;
      return produced;
    } catch (error) {
      throw damaged(`cannot decompress, ${this.#at()}: ${messageOf(error)}`, error);
    }
  }

  async #skipFrame(): Promise<void> {
    if (!(await this.#have(SKIPPABLE_HEAD_BYTES)))
      throw damaged(`the archive ends in a cut frame, ${this.#at()}`);
    let left = SKIPPABLE_HEAD_BYTES + this.#chunk.readUInt32LE(4);
    const isKept = left <= MAX_TABLE_BYTES;
    const pieces: Buffer[] = [];
    while (left > 0) {
      if (this.#chunk.length === 0 && !(await this.#fill())) {
        throw damaged(`the archive ends in a cut frame, ${this.#at()}`);
      }
      const here = Math.min(left, this.#chunk.length);
      if (isKept) pieces.push(this.#chunk.subarray(0, here));
      this.#drop(here);
      left -= here;
    }
    this.#skipped = isKept ? Buffer.concat(pieces) : undefined;
  }

  #drop(bytes: number): void {
    this.#chunk = this.#chunk.subarray(bytes);
    this.#offset += bytes;
  }

  async #have(bytes: number): Promise<boolean> {
    while (this.#chunk.length < bytes) if (!(await this.#fill())) return false;
    return true;
  }

  async #fill(): Promise<boolean> {
    const { done, value } = await this.#input.next();
    if (done === true) return false;
    this.#chunk = this.#chunk.length === 0 ? value : Buffer.concat([this.#chunk, value]);
    return true;
  }

  #at(): string {
    return `at byte ${this.#offset} of the input`;
  }
}

/**
 * Tries whether frames stand at places that are only guessed, of which there may be millions: one context for
 * all, since those of a {@link FrameReader} each would be left to the collector.
 */
export class FrameProbe {
  readonly #context = takeContext();

  /**
   * @param bytes - what stands at such a place; may go on behind the frame
   * @param target - has room for one byte more than the frame is to have
   * @returns how many bytes the frame has; undefined if there is no whole one with a checksum that fits
   */
  unfold(bytes: Buffer, target: Buffer): number | undefined {
    if (bytes.length < FRAME_HEAD_BYTES || bytes.readUInt32LE(0) !== MAGICNUMBER) return undefined;
    if ((bytes[4]! & CHECKSUM_FLAG) === 0) return undefined;
    this.#context.reset(ResetDirective.sessionOnly);
    try {
      const [left, produced] = this.#context.decompressStream(target, bytes);
      return left === 0 ? produced : undefined;
    } catch {
      return undefined; // no frame
    }
  }
}
