import { NOTHING } from '../base/memory.js';
import type { Scratch, ScratchFile } from '../base/scratch.js';
import { skip } from '../tuple/msgpack.js';
import { LONG_BYTES } from '../tuple/walk.js';
import { compareRows, type Pairing } from './key.js';
import { BLOCK_BYTES, Block, type Piece } from './row-blocks.js';

/** The number of bytes of rows that are sorted in memory. Two sides have as much each, and half of it again. */
const RUN_BYTES = 16 * 1024 * 1024;
/** The number of runs that are merged into one. Each run takes a block of memory while it is read. */
const MAX_RUNS = 32;

type Compare = Pairing['compare'];

/** Orders rows with equal keys by their bytes. Some servers hold several of them, see `SOUND_NUMBERS`. */
function withTies(compare: Compare): Compare {
  return (a, aOffset, b, bOffset) =>
    compare(a, aOffset, b, bOffset) || compareRows(a, aOffset, b, bOffset);
}

/** Sorted rows in a file, read in order. */
class Run {
  readonly file: ScratchFile;
  #pos: number;
  readonly #end: number;
  /** True for a run of one row that is too long to be copied. */
  readonly isLong: boolean;
  bytes: Buffer = NOTHING;
  offset = 0;
  #release: (() => void) | undefined;

  constructor(file: ScratchFile, start: number, end: number, isLong: boolean) {
    this.file = file;
    this.#pos = start;
    this.#end = end;
    this.isLong = isLong;
  }

  /** Returns the long row. The run is then empty. */
  takeLong(): Piece {
    const piece = { bytes: this.bytes, count: 1, release: this.#release };
    this.bytes = NOTHING;
    return piece;
  }

  async #fillLong(): Promise<boolean> {
    const [start, end] = [this.#pos, this.#end];
    if (start === end) return false;
    const { memory, release } = this.file.memory.borrow(end - start);
    this.bytes = await this.file.read(start, end, memory);
    this.#release = release;
    this.#pos = end;
    return true;
  }

  /**
   * Gets the next rows.
   *
   * @returns false after the last row
   */
  async fill(): Promise<boolean> {
    if (this.isLong) return this.#fillLong();
    for (
      let block = BLOCK_BYTES;
      skip(this.bytes, this.offset, this.bytes.length) < 0;
      block *= 2
    ) {
      const left = this.bytes.subarray(this.offset);
      const end = Math.min(this.#end, this.#pos + block);
      if (end === this.#pos) return false;
      this.bytes = Buffer.concat([left, await this.file.read(this.#pos, end)]);
      this.#pos = end;
      this.offset = 0;
    }
    return true;
  }
}

/** Merges runs; the first row of the list of runs is the least of all. */
async function* merged(runs: readonly Run[], compare: Compare): AsyncGenerator<Piece> {
  const heap: Run[] = [];
  const comesFirst = (a: Run, b: Run): boolean => compare(a.bytes, a.offset, b.bytes, b.offset) < 0;
  const sink = (from: number): void => {
    for (let i = from; ; ) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) {
        if (child < heap.length && comesFirst(heap[child]!, heap[least]!)) least = child;
      }
      if (least === i) return;
      [heap[i], heap[least]] = [heap[least]!, heap[i]!];
      i = least;
    }
  };
  for (const run of runs) if (await run.fill()) heap.push(run);
  for (let i = heap.length >> 1; i >= 0; i--) sink(i);
  const block = new Block();
  while (heap.length > 0) {
    const run = heap[0]!;
    if (run.isLong) {
      const before = block.take();
      if (before !== undefined) yield before;
      yield run.takeLong();
    } else {
      const end = skip(run.bytes, run.offset, run.bytes.length);
      const full = block.add(run.bytes, run.offset, end);
      if (full !== undefined) yield full;
      run.offset = end;
    }
    const isMore = skip(run.bytes, run.offset, run.bytes.length) > 0 || (await run.fill());
    if (!isMore) {
      const last = heap.pop()!;
      if (heap.length > 0 && last !== run) heap[0] = last;
    }
    sink(0);
  }
  const last = block.take();
  if (last !== undefined) yield last;
}

/**
 * Sorts any number of rows by their keys in bounded memory, with temporary files.
 *
 * @example
 * const sorter = new Sorter(pairing.compare, scratch);
 * for await (const piece of pieces) await sorter.add(piece);
 * for await (const piece of sorter.sorted()) use(piece);
 */
export class Sorter {
  readonly #compare: Compare;
  readonly #scratch: Scratch;
  readonly #runBytes: number;
  #memory: Buffer = NOTHING;
  #filled = 0;
  #count = 0;
  /** Each run of a level is merged from several runs of the level below. Each level has a file. */
  readonly #levels: { file: ScratchFile; runs: Run[] }[] = [];

  /** @param runBytes - the number of bytes that are sorted in memory */
  constructor(compare: Compare, scratch: Scratch, runBytes = RUN_BYTES) {
    this.#compare = withTies(compare);
    this.#scratch = scratch;
    this.#runBytes = runBytes;
  }

  /** Copies the rows of a piece, or writes a long row from its own memory. */
  async add({ bytes, count }: Piece): Promise<void> {
    if (count === 1 && bytes.length > LONG_BYTES) {
      await this.#writeRun([{ bytes, count }], true);
      return;
    }
    if (this.#filled > 0 && this.#filled + bytes.length > this.#runBytes) await this.#flush();
    this.#reserve(this.#filled + bytes.length);
    bytes.copy(this.#memory, this.#filled);
    this.#filled += bytes.length;
    this.#count += count;
  }

  /** Yields all rows in order. Nothing can be added afterwards. */
  async *sorted(): AsyncGenerator<Piece> {
    if (this.#levels.length === 0) {
      yield* this.#inMemory();
      return;
    }
    if (this.#count > 0) await this.#flush();
    this.#memory = NOTHING;
    yield* merged(
      this.#levels.flatMap(({ runs }) => runs),
      this.#compare,
    );
    for (const { file } of this.#levels) await this.#scratch.remove(file);
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#memory.length) return;
    const size = Math.max(bytes, Math.min(2 * this.#memory.length, this.#runBytes));
    const memory = Buffer.allocUnsafeSlow(size);
    this.#memory.copy(memory, 0, 0, this.#filled);
    this.#memory = memory;
  }

  *#inMemory(): Generator<Piece> {
    const memory = this.#memory.subarray(0, this.#filled);
    const offsets = new Uint32Array(this.#count);
    let pos = 0;
    for (let i = 0; i < offsets.length; i++) {
      offsets[i] = pos;
      pos = skip(memory, pos, memory.length);
    }
    offsets.sort((a, b) => this.#compare(memory, a, memory, b));
    const block = new Block();
    for (const offset of offsets) {
      const full = block.add(memory, offset, skip(memory, offset, memory.length));
      if (full !== undefined) yield full;
    }
    const last = block.take();
    if (last !== undefined) yield last;
  }

  async #flush(): Promise<void> {
    await this.#writeRun(this.#inMemory(), false);
    this.#filled = 0;
    this.#count = 0;
  }

  /** Writes a run, and merges a level into one run when it is full. */
  async #writeRun(pieces: Iterable<Piece>, isLong: boolean): Promise<void> {
    await this.#write(0, pieces, isLong);
    for (let level = 0; (this.#levels[level]?.runs.length ?? 0) >= MAX_RUNS; level++) {
      const { file, runs } = this.#levels[level]!;
      await this.#write(level + 1, merged(runs, this.#compare), false);
      await this.#scratch.remove(file);
      this.#levels[level] = { file: this.#scratch.file(), runs: [] };
    }
  }

  async #write(
    level: number,
    pieces: Iterable<Piece> | AsyncIterable<Piece>,
    isLong: boolean,
  ): Promise<void> {
    this.#levels[level] ??= { file: this.#scratch.file(), runs: [] };
    const { file, runs } = this.#levels[level];
    const start = file.size;
    for await (const { bytes, release } of pieces) {
      await file.append(bytes);
      release?.();
    }
    runs.push(new Run(file, start, file.size, isLong));
  }
}
