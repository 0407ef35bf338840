import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { Unpackr } from 'msgpackr';
import { coded, type Plain, pack } from '../../support/msgpack.js';

const SALT = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64');

/** The 128 bytes that a server says first. */
export function greeting(
  line = 'Tarantool 2.6.0 (Binary) 35a01909-a1e0-4af8-a60b-34e0cb6781bd',
): Buffer {
  return Buffer.from(`${line.padEnd(63)}\n${SALT.padEnd(63)}\n`, 'latin1');
}

/** What a login is scrambled with: the first 20 bytes of the decoded salt. */
export const SALT_BYTES: Buffer = Buffer.from(SALT, 'base64').subarray(0, 20);

/** A packet as a server writes it: its length as uint32, a header of three keys, a body. */
export function packet(type: number, sync: number | bigint, body?: Plain, schema = 80): Buffer {
  const whole = Buffer.concat([
    Buffer.of(0x83, 0x00),
    coded(0xce, 4, type),
    Buffer.of(0x01),
    coded(0xcf, 8, sync),
    Buffer.of(0x05),
    coded(0xce, 4, schema),
    body === undefined ? Buffer.alloc(0) : pack(body),
  ]);
  return Buffer.concat([coded(0xce, 4, whole.length), whole]);
}

/** A reply with rows, its count as array 32: the server does not know it before. */
export function rowsPacket(sync: number, rows: readonly Plain[]): Buffer {
  const data = Buffer.concat([coded(0xdd, 4, rows.length), ...rows.map(pack)]);
  return packet(0, sync, new Map([[0x30, data]]));
}

export function errorPacket(sync: number, code: number, text: string): Buffer {
  return packet(0x8000 | code, sync, new Map([[0x31, text]]));
}

/** A request, as msgpackr understands it. */
export interface Received {
  type: number;
  sync: number;
  body: Map<number, unknown>;
  /** The whole packet. */
  raw: Buffer;
}

/** Decodes one request, its length checked. */
export function decodeRequest(bytes: Buffer): Received {
  if (bytes[0] !== 0xce || bytes.readUInt32BE(1) !== bytes.length - 5) {
    throw new Error(`${bytes.toString('hex')} is no whole packet`);
  }
  const unpackr = new Unpackr({ mapsAsObjects: false, int64AsType: 'bigint' });
  const values = unpackr.unpackMultiple(bytes.subarray(5)) as Map<number, unknown>[];
  const [header, body = new Map(), ...more] = values;
  if (header === undefined || more.length > 0) throw new Error('a request is header and body');
  return { type: Number(header.get(0)), sync: Number(header.get(1)), body, raw: bytes };
}

/** Lets the sockets of this process see what was written so far. */
export async function turns(count = 3): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** One connection, seen from the server. */
export class Peer {
  /** All that the client sent. */
  received: Buffer = Buffer.alloc(0);
  readonly closed: Promise<void>;
  #seen = 0;

  constructor(readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('error', () => {}); // the client may hang up at any time
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
    });
  }

  /** The next request that comes. */
  async request(): Promise<Received> {
    for (;;) {
      const rest = this.received.subarray(this.#seen);
      const whole = rest.length < 5 ? 5 : 5 + rest.readUInt32BE(1);
      if (rest.length >= whole) {
        this.#seen += whole;
        return decodeRequest(rest.subarray(0, whole));
      }
      await new Promise((resolve) => this.socket.once('data', resolve));
    }
  }

  send(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** Sends in two pieces, so that the client gets them one after the other. */
  async sendCut(bytes: Buffer, cut: number): Promise<void> {
    if (cut > 0) this.send(bytes.subarray(0, cut));
    await turns();
    if (cut < bytes.length) this.send(bytes.subarray(cut));
  }
}

const PSK = Buffer.from('a shared key of 32 bytes, or so.');
const CIPHERS = { ciphers: 'PSK', maxVersion: 'TLSv1.2' } as const; // no certificate is needed

/** Options of `tls` for both ends of a connection. */
export const TLS = {
  server: { ...CIPHERS, pskCallback: () => PSK },
  client: {
    ...CIPHERS,
    pskCallback: () => ({ psk: PSK, identity: 'us' }),
    checkServerIdentity: () => undefined,
  },
};

/** A server that says what the test lets it say. */
export class FakeServer {
  readonly peers: Peer[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param talk - called for each connection */
  static async listen(
    talk: (peer: Peer) => unknown,
    { tls, path }: { tls?: TlsOptions; path?: string } = {},
  ): Promise<FakeServer> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    const fake = new FakeServer(server);
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      const peer = new Peer(socket);
      fake.peers.push(peer);
      talk(peer);
    });
    const where = path === undefined ? { port: 0, host: '127.0.0.1' } : { path };
    await new Promise<void>((resolve) => server.listen(where, resolve));
    return fake;
  }

  /** Where it listens, as options of a connection. */
  get endpoint(): { host: string; port: number } {
    const address = this.#server.address();
    if (typeof address !== 'object' || address === null) throw new Error('not on TCP');
    return { host: '127.0.0.1', port: address.port };
  }

  async close(): Promise<void> {
    for (const { socket } of this.peers) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
