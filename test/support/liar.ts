import { connect } from 'node:net';
import { decodeRequest, packet } from '../unit/iproto/fake-server.js';
import { coded } from './msgpack.js';
import { type Peer, startPeer } from './proxy.js';

/** Returns what is said in place of the server's reply; undefined where the server is to answer itself. */
export type Lie = (type: number, sync: number) => Buffer | Iterable<Buffer> | undefined;

/** Stands before a real server, and answers some requests itself, with whatever it likes. */
export function startLiar(server: { host: string; port: number }, lie: Lie): Promise<Peer> {
  return startPeer((client) => {
    const real = connect(server.port, server.host).unref();
    real.on('error', () => client.destroy());
    client.setMaxListeners(0); // each lie has one
    real.pipe(client);
    client.on('close', () => real.destroy());
    let held = Buffer.alloc(0);
    const next = (): Buffer | undefined => {
      const bytes = held.length < 5 ? Number.POSITIVE_INFINITY : 5 + held.readUInt32BE(1);
      if (held.length < bytes) return undefined;
      const request = held.subarray(0, bytes);
      held = held.subarray(bytes);
      return request;
    };
    client.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk]);
      for (let request = next(); request !== undefined; request = next()) {
        const { type, sync } = decodeRequest(request);
        const said = lie(type, sync);
        if (said === undefined) real.write(request);
        else if (Buffer.isBuffer(said)) client.write(said);
        else {
          real.unpipe(client);
          void sayAll(said, client);
        }
      }
    });
  });
}

/** Writes pieces, which may have no end, as fast as they are read. */
async function sayAll(pieces: Iterable<Buffer>, client: NodeJS.WritableStream): Promise<void> {
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  let isOpen = true;
  void closed.then(() => {
    isOpen = false;
  });
  let drained = (): void => {};
  client.on('drain', () => drained());
  for (const piece of pieces) {
    if (!isOpen) return;
    if (client.write(piece)) continue;
    await new Promise<void>((resolve) => {
      drained = resolve;
      void closed.then(resolve);
    });
  }
}

/** A reply whose body has `value` under `key`. */
export function replyOf(sync: number, key: number, value: Buffer, type = 0): Buffer {
  return packet(type, sync, new Map([[key, value]]));
}

/** An array of one value, repeated, as array 32. */
export function arrayOf(count: number, value: Buffer): Buffer {
  return Buffer.concat([coded(0xdd, 4, count), Buffer.alloc(count * value.length, value)]);
}

/** A map from the numbers 0, 1, … to nils, as map 32. */
export function numberedMap(count: number): Buffer {
  const pairs = Buffer.alloc(6 * count, 0xc0);
  for (let i = 0; i < count; i++) {
    pairs[6 * i] = 0xce;
    pairs.writeUInt32BE(i, 6 * i + 1);
  }
  return Buffer.concat([coded(0xdf, 4, count), pairs]);
}

/** A string of one character, repeated, as str 32. */
export function textOf(bytes: number, character = 'a'): Buffer {
  return Buffer.concat([coded(0xdb, 4, bytes), Buffer.alloc(bytes, character)]);
}
