import { connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { type Peer, startPeer } from './proxy.js';

/** A greeting is two lines of this length; the version stands in the first. */
const LINE_BYTES = 64;

/** The greeting of a server, as one of another version gives it. */
function disguised(greeting: Buffer, version: string): Buffer {
  const line = greeting.toString('latin1', 0, LINE_BYTES).trimEnd();
  const other = line.replace(/^Tarantool \S+/, `Tarantool ${version}`);
  return Buffer.concat([
    Buffer.from(`${other.padEnd(LINE_BYTES - 1)}\n`, 'latin1'),
    greeting.subarray(LINE_BYTES),
  ]);
}

async function* renamed(server: Socket, version: string): AsyncGenerator<Buffer> {
  let greeting: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of server as AsyncIterable<Buffer>) {
    if (greeting === undefined) yield chunk;
    else {
      greeting = Buffer.concat([greeting, chunk]);
      if (greeting.length < 2 * LINE_BYTES) continue;
      yield disguised(greeting, version);
      greeting = undefined;
    }
  }
}

/** Stands before a server, and says that it is of another version: clients choose by that how to read it. */
export function startDisguise(
  target: { host: string; port: number },
  version: string,
): Promise<Peer> {
  return startPeer((client) => {
    const server = connect(target.port, target.host).unref();
    pipeline(client, server).catch(() => server.destroy());
    pipeline(renamed(server, version), client).catch(() => client.destroy());
  });
}
