import type { Socket } from 'node:net';
import { messageOf, TntarError } from '../base/errors.js';
import { Pool } from '../base/memory.js';
import { onAbort } from '../base/signals.js';
import { errorText, isError } from './bodies.js';
import { connect } from './connect.js';
import { MAX_REPLY_BYTES, RequestType } from './constants.js';
import type { Greeting } from './greeting.js';
import { type LoggedIn, refusedError } from './login.js';
import { type ConnectionOptions, type Server, serverOptions } from './options.js';
import { broken, forEachPacket, KEPT_ROOM, type Packet, PacketSplitter } from './packets.js';
import { explainSilence } from './quorum.js';
import { Replies } from './replies.js';
import { bare, type Request, toPacket } from './requests.js';
import { SilenceWatch } from './silence.js';
import { socketReason } from './tls-errors.js';
import { describeEndpoint } from './uri.js';

const DEFAULT_IDLE_TIMEOUT = 60_000;
/** Finds a peer whose machine is gone while a request may take as long as it likes. */
const KEEP_ALIVE_MS = 15_000;

/** Takes all bytes of a connection, instead of the requests that wait for a reply each. */
export interface Consumer {
  /** @param chunk - bytes as they came, cut anywhere, valid during the call only */
  onChunk(chunk: Buffer): void;
  onLost(error: TntarError): void;
  /** Returns the time since which the server owes bytes, by `performance.now()`; undefined if it may be silent. */
  waitingSince(): number | undefined;
  /** True while the server may be silent because it waits for its replicas. */
  mayWaitForQuorum?(): boolean;
}

/** Rows are handed on in pieces of this size: what a piece costs on its way is then little beside its bytes. */
const PIECE_BYTES = 256 * 1024;
/** Pieces to be used again: as many as wait here, and are on their way through a pipeline. */
const KEPT_PIECES = 16;
/** Numbers of requests are written as uint32. */
const MAX_SYNC = 0xffffffff;

/**
 * A logged-in connection that speaks raw packets. Sources read from one, one at a time; whoever has
 * opened it closes it.
 *
 * @example
 * await using connection = await Connection.open('db1:3301');
 * await pipeline(selectSource(connection), archiveSink(), output);
 */
export class Connection {
  readonly greeting: Greeting;
  /** `host:port` or the socket's path, for messages. */
  readonly where: string;
  /** The name of the user. */
  readonly user: string;
  /**
   * Milliseconds that the server may be silent for, where it owes bytes; 0: no limit.
   *
   * @internal
   */
  readonly idleTimeout: number;
  /**
   * Memory for the rows that come.
   *
   * @internal
   */
  readonly memory = new Pool(PIECE_BYTES, KEPT_PIECES);
  readonly #socket: Socket;
  readonly #splitter = new PacketSplitter(MAX_REPLY_BYTES);
  readonly #replies = new Replies();
  readonly #options: ConnectionOptions;
  #consumer: Consumer | undefined;
  #lost: TntarError | undefined;
  readonly #lostListeners: ((error: TntarError) => void)[] = [];
  #sync = 0;
  /** Requests under way that may take as long as they like. */
  #patient = 0;
  /** Numbers of pings, whose answers nobody waits for. */
  readonly #pings = new Set<number>();
  /** The server has answered a request. */
  #isAnswered = false;
  readonly #watch: SilenceWatch;
  /** Aborted at the end of the connection. */
  readonly #end = new AbortController();

  private constructor({ socket, greeting, listen }: LoggedIn, options: ConnectionOptions) {
    this.#socket = socket;
    this.greeting = greeting;
    this.where = describeEndpoint(options);
    this.user = options.user ?? 'guest';
    this.#options = options;
    this.idleTimeout = options.idleTimeout ?? DEFAULT_IDLE_TIMEOUT;
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    // Not the timer of the socket, which would end a run that was suspended before its bytes are read.
    this.#watch = new SilenceWatch(this.idleTimeout, {
      owedSince: () => this.#owedSince(),
      isPatient: () => this.#patient > 0,
      ping: () => this.#ping(),
      explain: () => this.#explainSilence(),
      giveUp: (reason) => this.#giveUp(reason),
    });
    socket.on('error', (error) => this.#lose(socketReason(error)));
    socket.on('close', () => this.#lose('the server closed it'));
    listen((chunk) => this.#onData(chunk));
  }

  /**
   * Connects and logs in.
   *
   * @throws TntarError of kind `usage` for options that are none; of kind `access` if nobody listens,
   *   answers in time or lets the user in; of kind `failure` for a peer that is no Tarantool
   */
  static async open(server: Server): Promise<Connection> {
    const options = serverOptions(server);
    return new Connection(await connect(options), options);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Closes the connection at the end of the block, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  /** The error by which the connection was lost; undefined while it is open. */
  get lost(): TntarError | undefined {
    return this.#lost;
  }

  /**
   * Calls `listener` when the connection is lost, unless it was closed by tntar.
   *
   * @internal
   */
  onLost(listener: (error: TntarError) => void): void {
    this.#lostListeners.push(listener);
  }

  /**
   * A second connection, to the same place as the same user.
   *
   * @internal
   */
  another(): Promise<Connection> {
    return Connection.open(this.#options);
  }

  /**
   * Sends a request and resolves with its reply.
   *
   * @param doing - stands before the server's text where it answers with an error
   * @param patient - true for what may take long without a byte, such as building an index: a server that
   *   answers a ping meanwhile is at work
   *
   * @internal
   */
  async request(request: Request, doing: string, patient = false): Promise<Packet> {
    if (this.#lost !== undefined) throw this.#lost;
    if (patient) this.#patient++;
    try {
      const sync = this.nextSync();
      const reply = this.#replies.expect(sync, request.type, doing);
      this.#socket.write(toPacket(request, sync));
      return await reply;
    } finally {
      if (patient) this.#patient--;
    }
  }

  /**
   * Hands all bytes to `consumer` until the returned function is called, which has to be at the end of
   * a packet. No request may wait for a reply meanwhile. See {@link readItems} for a reader that is slow.
   *
   * @internal
   */
  takeOver(consumer: Consumer): () => void {
    if (this.#consumer !== undefined || this.#replies.since !== undefined) {
      throw new Error('the connection is in use');
    }
    this.#consumer = consumer;
    if (this.#lost !== undefined) consumer.onLost(this.#lost);
    return () => {
      this.#consumer = undefined;
    };
  }

  #ping(): void {
    const sync = this.nextSync();
    this.#pings.add(sync);
    this.write(toPacket(bare(RequestType.PING), sync));
  }

  /**
   * Takes a reply that no request waits for. Only the answer to a ping may be one.
   *
   * @throws TntarError for any other: a server that sends replies without end would never be silent
   *
   * @internal
   */
  passOver({ sync }: Pick<Packet, 'sync'>): void {
    if (!this.#pings.delete(sync))
      throw broken(`a reply to the request ${sync}, which does not wait for a reply`);
  }

  /**
   * Numbers for packets that are written with {@link write}.
   *
   * @internal
   */
  nextSync(): number {
    return this.reserveSyncs(1);
  }

  /**
   * @returns the first of `count` numbers in a row
   *
   * @internal
   */
  reserveSyncs(count: number): number {
    if (this.#sync + count > MAX_SYNC) this.#sync = 0; // the first ones are long answered
    const first = this.#sync + 1;
    this.#sync += count;
    return first;
  }

  /**
   * Writes packets as they are.
   *
   * @param onWritten - called when `packets` may be used again
   *
   * @internal
   */
  write(packets: Buffer, onWritten?: () => void): void {
    this.#socket.write(packets, onWritten);
  }

  /**
   * Stops reading: the server stalls as soon as the kernel's buffers are full.
   *
   * @internal
   */
  pause(): void {
    this.#socket.pause();
  }

  /** @internal */
  resume(): void {
    this.#socket.resume();
  }

  /** Ends the connection at once. What waits for a reply fails. */
  close(): void {
    this.#lost ??= new TntarError('failure', `connection to ${this.where} was closed by tntar`);
    this.#lostListeners.length = 0;
    this.#watch.stop();
    this.#end.abort();
    this.#socket.destroy();
    this.#fail(this.#lost);
  }

  #onData(chunk: Buffer): void {
    this.#watch.heard();
    try {
      if (this.#consumer !== undefined) {
        this.#consumer.onChunk(chunk);
        return;
      }
      // A copy: who waits for a packet looks at it later. Only one in memory of its own needs none.
      this.#splitter.push(chunk, (block) => {
        const own = block.length > KEPT_ROOM ? block : Buffer.from(block);
        forEachPacket(own, (packet) => this.#settle(packet));
      });
      // The rest of it may take for ever.
      const { begun } = this.#splitter;
      if (begun !== undefined && !isError(begun) && !this.#isOwed(begun)) this.passOver(begun);
    } catch (error) {
      this.#lost ??= error instanceof TntarError ? error : undefined;
      this.#lose(messageOf(error));
    }
  }

  #settle(packet: Packet): void {
    if (this.#replies.settle(packet)) this.#isAnswered = true;
    else if (isError(packet)) this.#onComplaint(errorText(packet));
    else this.passOver(packet);
  }

  #isOwed({ sync }: Pick<Packet, 'sync'>): boolean {
    return this.#replies.has(sync) || this.#pings.has(sync);
  }

  /** The server says why it closes the connection: a trigger may do so before the first request. */
  #onComplaint(text: string): void {
    if (!this.#isAnswered) this.#lost ??= refusedError(this.where, text);
    this.#lose(`the server said: ${text}`);
  }

  /** Returns the time since which the server owes bytes that can be read now. */
  #owedSince(): number | undefined {
    if (this.#socket.isPaused()) return undefined;
    if (this.#consumer !== undefined) return this.#consumer.waitingSince();
    return this.#replies.since;
  }

  /** Asks over another connection, where the server may wait for its replicas and says nothing until they come. */
  async #explainSilence(): Promise<TntarError | undefined> {
    if (!this.#replies.hasWrite && this.#consumer?.mayWaitForQuorum?.() !== true) return undefined;
    const open = (timeouts: ConnectionOptions): Promise<Connection> =>
      Connection.open({ ...this.#options, ...timeouts });
    return explainSilence(open, this, this.#end.signal);
  }

  #giveUp(reason: TntarError | undefined): void {
    this.#lost ??= reason;
    this.#lose(`no byte came for ${this.idleTimeout / 1000} s`);
  }

  #lose(reason: string): void {
    this.#lost ??= new TntarError('failure', `connection to ${this.where} lost: ${reason}`, {
      hint: "the server's log says whether it stopped, ran out of memory, or closed the connection",
    });
    this.#watch.stop();
    this.#end.abort();
    this.#socket.destroy();
    this.#fail(this.#lost);
    for (const listener of this.#lostListeners.splice(0)) listener(this.#lost);
  }

  #fail(error: TntarError): void {
    this.#replies.fail(error);
    this.#consumer?.onLost(error);
  }
}

/**
 * Closes the connection when `signal` says so: whoever waits for the server then waits no longer.
 *
 * @returns stops listening
 */
export function closeOnAbort(connection: Connection, signal: AbortSignal | undefined): () => void {
  return onAbort(signal, () => connection.close());
}
