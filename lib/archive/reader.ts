import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { countInTurns, countTuples } from '../backup/batch.js';
import { MAX_ENTRIES, MAX_JSON_BYTES, MAX_PART_BYTES } from '../backup/limits.js';
import { TntarError } from '../base/errors.js';
import type { LargeMemory } from '../base/large-memory.js';
import { inTurns } from '../base/turns.js';
import { LONG_BYTES } from '../tuple/walk.js';
import { Bodies } from './body-memory.js';
import { FrameReader } from './compression.js';
import { type EntryName, parseEntryName } from './entries.js';
import { isMeantAsTable, SeekTable, wrongTable } from './seek-table.js';
import { BLOCK_BYTES, END_OF_TAR, padding, parseTarHeader } from './tar.js';
import type { EntryRecord } from './trailer.js';

/** A whole entry whose frame checksum was right, and whose body is whole tuples or JSON bytes. */
export interface Entry {
  name: EntryName;
  body: Buffer;
  /** The facts of the entry as read, for a comparison with the trailer. */
  record: EntryRecord;
  /** Bytes of the largest row, where that is known. */
  largest: number | undefined;
  /** The position of the frame of its header, and of the end of its body, in the archive. */
  start: number;
  end: number;
  /** Gives the memory of the body back, for whoever is done with it. */
  release: () => void;
}

function damaged(what: string, hint = 'the file is damaged or was not made by tntar'): TntarError {
  return new TntarError('archive', what, { hint });
}

/**
 * Reads `expected` bytes, which must be the rest of the frame.
 *
 * @param memory - has room for one byte more
 */
async function readFrame(
  frames: FrameReader,
  expected: number,
  what: string,
  memory: Buffer,
): Promise<Buffer> {
  // Room for one byte more than expected tells a frame that ends from one that goes on.
  const { bytes, frameEnd } = await frames.read(memory.subarray(0, expected + 1));
  if (!frameEnd) throw damaged(`${what}: more bytes than its header says`);
  if (bytes !== expected) {
    throw damaged(`${what}: ${expected} bytes expected, its frame has ${bytes}`);
  }
  return memory.subarray(0, bytes);
}

function checkPadding(body: Buffer, size: number, name: string): void {
  if (body.subarray(size).some((byte) => byte !== 0)) {
    throw damaged(`entry ${name}: bytes other than zero after its end`);
  }
}

/** The rows of an entry, and the bytes of the largest where that is known. */
interface Counted {
  count: number;
  largest?: number;
}

/** Bytes that are hashed in one turn of the event loop. */
const TURN_BYTES = 16 * 1024 * 1024;

async function sha256Of(body: Buffer): Promise<string> {
  const hash = createHash('sha256');
  for (let pos = 0; pos < body.length; pos += TURN_BYTES) {
    if (pos > 0) await setImmediate();
    hash.update(body.subarray(pos, pos + TURN_BYTES));
  }
  return hash.digest('hex');
}

async function countRows(entry: EntryName, body: Buffer, name: string): Promise<Counted> {
  if (entry.kind !== 'tuples') return { count: 0 };
  const counted = body.length < LONG_BYTES ? countTuples(body) : await inTurns(countInTurns(body));
  if ('badOffset' in counted) {
    throw damaged(`entry ${name}: no whole tuple at byte ${counted.badOffset}`);
  }
  if (counted.count === 0) throw damaged(`entry ${name} is empty`);
  return counted;
}

/**
 * Reads the entries of an archive one by one, each verified as far as it can be by itself.
 *
 * @example
 * const reader = new EntryReader(createReadStream('backup.tar.zst'));
 * const { name, body } = await reader.next();
 */
export class EntryReader {
  readonly #frames: FrameReader;
  readonly #bodies: Bodies;
  /** The seek table that must follow these frames. */
  readonly #table = new SeekTable();
  readonly #isFirst: boolean;
  /** The last entry whose name is known, for messages. */
  #last: string | undefined;
  #entry: string | undefined;
  #entryBytes = 0;
  #count = 0;
  #entryStart: number;
  #frameStart: number;

  /**
   * @param input - the compressed bytes, the first of which starts the frame of a header
   * @param start - how many bytes of the archive stand before them
   * @param bodies - memory that several readers have together
   */
  constructor(input: AsyncIterable<Buffer>, start = 0, bodies: Bodies = new Bodies()) {
    this.#bodies = bodies;
    this.#frames = new FrameReader(input, start);
    this.#isFirst = start === 0;
    this.#entryStart = start;
    this.#frameStart = start;
  }

  /** Name of the entry that is being read, as soon as its header was. */
  get entry(): string | undefined {
    return this.#entry;
  }

  /** The size of its body by its header; 0 if no header was read. */
  get entryBytes(): number {
    return this.#entryBytes;
  }

  /** The position of that entry in the compressed archive. */
  get entryStart(): number {
    return this.#entryStart;
  }

  /** The position of the last frame that was read. */
  get frameStart(): number {
    return this.#frameStart;
  }

  /**
   * @throws TntarError of kind `archive` if there is none, or one that is not as docs/reference/archive-format.md says
   */
  async next(): Promise<Entry> {
    this.#begin();
    if (++this.#count > MAX_ENTRIES) throw damaged(`there are over ${MAX_ENTRIES} entries`);
    const isStart = this.#isFirst && this.#last === undefined;
    if (isStart) await this.#openFirst();
    else await this.#open(this.#last ?? 'what was read');
    this.#entryStart = this.#frameStart;
    const what = isStart ? 'not a tntar archive: its first frame' : 'a tar header';
    const header = parseTarHeader(await this.#readBlocks(BLOCK_BYTES, what));
    const name = parseEntryName(header.name);
    const shown = header.name.slice(0, 40);
    if (name === undefined) throw damaged(`an entry of the name ${JSON.stringify(shown)}`);
    const limit = name.kind === 'tuples' ? MAX_PART_BYTES : MAX_JSON_BYTES;
    if (header.size > limit) {
      throw damaged(`entry ${shown} claims ${header.size} bytes, over the limit of ${limit}`);
    }
    this.#entry = header.name;
    this.#entryBytes = header.size;
    this.#last = `entry ${shown}`;
    await this.#open(`the header of ${this.#last}`);
    const padded = header.size + padding(header.size).length;
    const { memory, release } = await this.#bodies.take(padded + 1);
    try {
      const bytes = await this.#read(padded, this.#last, memory);
      checkPadding(bytes, header.size, shown);
      const body = bytes.subarray(0, header.size);
      const { count: rows, largest } = await countRows(name, body, shown);
      const sha256 = await sha256Of(body);
      const record = { name: header.name, rows, bytes: header.size, sha256 };
      const [start, end] = [this.#entryStart, this.#frames.offset];
      return { name, body, record, largest, start, end, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /**
   * Reads what has to follow the trailer.
   *
   * @param isStrict - whether a seek table that is there has to be right; no row depends on it
   * @throws TntarError of kind `archive` for anything but the end of the tar and of the input
   */
  async end(isStrict: boolean): Promise<void> {
    this.#begin();
    await this.#open('the trailer');
    this.#entryStart = this.#frameStart;
    const end = await this.#readBlocks(END_OF_TAR.length, 'the end of the tar');
    if (!end.equals(END_OF_TAR)) throw damaged('something other than the end follows the trailer');
    const more = await this.#frames.next();
    this.#frameStart = this.#frames.offset;
    if (more) throw damaged('another frame follows the end of the archive');
    if (isStrict) this.#checkTable();
  }

  close(): Promise<void> {
    this.#bodies.close();
    return this.#frames.close();
  }

  #readBlocks(expected: number, what: string): Promise<Buffer> {
    return this.#read(expected, what, Buffer.allocUnsafe(expected + 1));
  }

  /** Reads a frame; see {@link readFrame}. */
  async #read(expected: number, what: string, memory: Buffer): Promise<Buffer> {
    const bytes = await readFrame(this.#frames, expected, what, memory);
    this.#table.add(this.#frames.offset - this.#frameStart, expected);
    return bytes;
  }

  #checkTable(): void {
    if (!this.#isFirst) return; // it counts frames that were not read
    const { skipped, offset } = this.#frames;
    if (skipped === undefined || !isMeantAsTable(skipped)) return;
    const end = offset - skipped.length;
    // Frames that are passed over are none of ours, and a table that counts on them leads astray.
    if (this.#table.frameBytes === end && this.#table.encode().equals(skipped)) return;
    this.#entryStart = end;
    this.#frameStart = end;
    throw wrongTable('it does not match the frames before it');
  }

  #begin(): void {
    this.#entry = undefined;
    this.#entryBytes = 0;
    this.#entryStart = this.#frames.offset;
  }

  async #openFirst(): Promise<void> {
    if (await this.#frames.next()) return;
    throw damaged('empty input', 'check whether the command before the pipe failed');
  }

  async #open(after: string): Promise<void> {
    this.#frameStart = this.#frames.offset;
    const isThere = await this.#frames.next();
    // behind skippable frames
    this.#frameStart = this.#frames.offset;
    if (isThere) return;
    throw new TntarError('archive', `the archive ends after ${after}, before its trailer`, {
      hint: 'this is not a backup: its writer failed, or the rest was lost in transfer',
    });
  }
}

/**
 * Reads the entries of an archive, and insists that the trailer is the last and that nothing follows.
 *
 * @param input - the compressed bytes
 * @param isStrict - see {@link EntryReader.end}
 * @param memory - of the run, for large entries
 * @throws TntarError of kind `archive` at the first byte that is not as docs/reference/archive-format.md says
 */
export async function* readEntries(
  input: AsyncIterable<Buffer>,
  isStrict = false,
  memory?: LargeMemory,
): AsyncGenerator<Entry> {
  const reader = new EntryReader(input, 0, new Bodies(memory));
  try {
    for (let isLast = false; !isLast; ) {
      const entry = await reader.next();
      isLast = entry.name.kind === 'trailer' && entry.name.shard === undefined;
      yield entry;
    }
    await reader.end(isStrict);
  } finally {
    await reader.close();
  }
}
