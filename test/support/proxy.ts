import { createServer, type Socket, connect as toServer } from 'node:net';
import { type Duplex, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Something that listens on a free port of its own. */
export interface Peer {
  readonly host: string;
  readonly port: number;
  /** `host:port` */
  readonly address: string;
  /** Connections that are open at the moment. */
  readonly open: number;
  /** Ends all connections and listens no more. */
  stop(): Promise<void>;
}

/** What a proxy does to the bytes that pass it. */
export interface Behavior {
  /** Whose bytes are counted and spoiled; by default the server's. */
  of?: 'server' | 'client';
  /** Bytes of one connection that pass before something happens. */
  after?: number;
  /**
   * - `end`: an orderly end, as of a server that was shut down
   * - `reset`: a reset, as of a machine that was started anew
   * - `stall`: no byte more, as of a cable that was pulled
   * - a buffer: these bytes in place of the rest
   */
  fault?: 'end' | 'reset' | 'stall' | Buffer;
  /** At most so many bytes pass in a second. */
  bytesPerSecond?: number;
  /** Told how many bytes of one connection have passed. */
  onPassed?: (bytes: number) => void;
}

const HOST = '127.0.0.1';

/** Listens on a free port and serves each connection with `serve`. */
export async function startPeer(serve: (socket: Socket) => void): Promise<Peer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    socket.unref();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {}); // the other side may go away as it likes
    serve(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, HOST, resolve);
  });
  server.unref(); // a test that fails before it stops its peers must not wait for them
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    host: HOST,
    port,
    address: `${HOST}:${port}`,
    get open() {
      return sockets.size;
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Stands between a client and the server at `target`, and does to their bytes what it is told. */
export function startProxy(
  target: { host: string; port: number },
  behavior: Behavior = {},
): Promise<Peer> {
  return startPeer((client) => {
    const server = toServer(target.port, target.host).unref();
    const spoiled = behavior.of ?? 'server';
    const end = (how: 'end' | 'reset'): void => {
      if (how === 'end') client.end();
      else client.resetAndDestroy();
      server.destroy();
    };
    const gate = new Gate(behavior, end);
    const join = (from: Duplex, through: Duplex[], to: Duplex): void => {
      // each side's end is told to the other, and nobody else
      pipeline([from, ...through, to]).catch(() => to.destroy());
    };
    join(server, spoiled === 'server' ? [gate] : [], client);
    join(client, spoiled === 'client' ? [gate] : [], server);
  });
}

/** Lets bytes through until it is time for the fault. */
class Gate extends Transform {
  readonly #behavior: Behavior;
  readonly #end: (how: 'end' | 'reset') => void;
  readonly #started = performance.now();
  #passed = 0;

  constructor(behavior: Behavior, end: (how: 'end' | 'reset') => void) {
    super();
    this.#behavior = behavior;
    this.#end = end;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#pass(chunk).then(() => done(), done);
  }

  async #pass(chunk: Buffer): Promise<void> {
    const { after = Number.POSITIVE_INFINITY, fault, onPassed } = this.#behavior;
    const whole = chunk.subarray(0, Math.max(0, after - this.#passed));
    this.push(whole);
    this.#passed += whole.length;
    onPassed?.(this.#passed);
    await this.#slowDown();
    if (whole.length === chunk.length || fault === undefined) return;
    if (Buffer.isBuffer(fault)) this.push(fault);
    // what was pushed is to leave before the connection goes
    else if (fault !== 'stall') setImmediate(() => this.#end(fault));
    await new Promise(() => {});
  }

  async #slowDown(): Promise<void> {
    const { bytesPerSecond } = this.#behavior;
    if (bytesPerSecond === undefined) return;
    const early = (1000 * this.#passed) / bytesPerSecond - (performance.now() - this.#started);
    if (early > 0) await sleep(early);
  }
}
