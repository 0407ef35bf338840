import type { Connection } from './connection.js';

/** Bytes that may wait for their reader before the socket is paused. */
const QUEUED_BYTES = 1024 * 1024;
/**
 * 2.x writes a read view row by row. A reader that takes each write at once spends its time on
 * wake-ups; one that waits a little after a small chunk gets what the kernel has gathered meanwhile.
 * A longer pause lets the receive buffer fill, and then the server stalls.
 */
const SMALL_CHUNK_BYTES = 32 * 1024;
const GATHER_MS = 1;

/** Hands an item to the reader; `bytes` is what it weighs while it waits for that. */
export type Emit<T> = (item: T, bytes: number) => void;

/**
 * Takes a chunk, which is valid during the call only.
 *
 * @returns true at the end, behind which nothing may come
 * @throws what the reader gets behind the items that were handed to it; the connection is fit for
 * requests again only if it does so behind a whole packet, and the last one under way
 */
export type Parser = (chunk: Buffer) => boolean;

export interface ReadItemsOptions {
  /** Let the kernel gather while chunks are small. Default false. */
  gather?: boolean;
  /** True if the first byte may have to wait for a quorum of the replica set. Default false. */
  mayWaitForQuorum?: boolean;
}

/**
 * What a parser makes of all bytes that come from now on. A slow reader pauses the socket. No request
 * may wait for a reply meanwhile. After the end the connection takes requests again; a reader that
 * stops before it has to close the connection.
 *
 * @param start - called once, to write requests and to make the parser; gets what to call if work fails that the
 *   parser began and did not wait for
 * @example
 * const items = readItems<Rows>(connection, (emit) => {
 *   connection.write(request);
 *   return (chunk) => parse(chunk, emit);
 * });
 */
export async function* readItems<T>(
  connection: Connection,
  start: (emit: Emit<T>, fail: (error: unknown) => void) => Parser,
  { gather = false, mayWaitForQuorum = false }: ReadItemsOptions = {},
): AsyncGenerator<T> {
  const inflow = new Inflow<T>(connection, gather, mayWaitForQuorum);
  try {
    inflow.open(start);
    for (;;) {
      const item = inflow.next() ?? (await inflow.arrival());
      if (item === undefined) return;
      yield item.value;
    }
  } finally {
    inflow.close();
  }
}

interface Queued<T> {
  value: T;
  bytes: number;
}

/** The parsed items that wait for a reader. */
class Inflow<T> {
  readonly #connection: Connection;
  readonly #gather: boolean;
  /** Until the first byte comes. */
  #mayWaitForQuorum: boolean;
  readonly #queue: Queued<T>[] = [];
  #queuedBytes = 0;
  #parse: Parser = () => false;
  #release = (): void => {};
  #isDone = false;
  #failure: unknown;
  #wake = (): void => {};
  #waitingSince: number | undefined;
  /** Runs while the kernel gathers. */
  #gathering: NodeJS.Timeout | undefined;

  constructor(connection: Connection, gather: boolean, mayWaitForQuorum: boolean) {
    this.#connection = connection;
    this.#gather = gather;
    this.#mayWaitForQuorum = mayWaitForQuorum;
  }

  open(start: (emit: Emit<T>, fail: (error: unknown) => void) => Parser): void {
    const release = this.#connection.takeOver({
      onChunk: (chunk) => this.#take(chunk),
      onLost: (error) => this.#end(error),
      waitingSince: () => this.#waitingSince,
      mayWaitForQuorum: () => this.#mayWaitForQuorum,
    });
    if (this.#isDone) {
      release(); // the connection was lost before, and has said so at once
      return;
    }
    this.#release = release;
    const emit = (value: T, bytes: number): void => {
      this.#queue.push({ value, bytes });
      this.#queuedBytes += bytes;
    };
    this.#parse = start(emit, (error) => {
      if (!this.#isDone) this.#end(error);
    });
  }

  /** @returns undefined while nothing waits */
  next(): Queued<T> | undefined {
    const item = this.#queue.shift();
    if (item !== undefined) this.#queuedBytes -= item.bytes;
    return item;
  }

  /** Waits for the next item. @returns undefined at the end */
  async arrival(): Promise<Queued<T> | undefined> {
    while (this.#queue.length === 0 && !this.#isDone) {
      if (this.#gathering === undefined) this.#connection.resume();
      this.#waitingSince = performance.now();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#waitingSince = undefined;
    }
    if (this.#queue.length === 0 && this.#failure !== undefined) throw this.#failure;
    return this.next();
  }

  close(): void {
    if (!this.#isDone) this.#end(undefined);
  }

  #take(chunk: Buffer): void {
    this.#mayWaitForQuorum = false;
    try {
      if (this.#parse(chunk)) this.#end(undefined);
      else this.#slowDown(chunk.length);
    } catch (error) {
      this.#end(error);
    }
    if (this.#queue.length > 0) this.#wake();
  }

  #slowDown(chunkBytes: number): void {
    if (this.#gather && chunkBytes < SMALL_CHUNK_BYTES) {
      this.#connection.pause();
      this.#gathering ??= setTimeout(() => {
        this.#gathering = undefined;
        if (this.#queuedBytes < QUEUED_BYTES) this.#connection.resume();
      }, GATHER_MS);
    } else if (this.#queuedBytes >= QUEUED_BYTES) this.#connection.pause();
  }

  #end(failure: unknown): void {
    this.#isDone = true;
    this.#failure = failure;
    clearTimeout(this.#gathering);
    this.#release();
    this.#connection.resume();
    this.#wake();
  }
}
