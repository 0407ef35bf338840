import { connect as toServer } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { createServer, type TlsOptions } from 'node:tls';
import { type Peer, startPeer } from './proxy.js';

/** Speaks TLS with clients, and hands on to the server at `target` what they say, as it is. */
export function startTls(
  target: { host: string; port: number },
  options: TlsOptions,
): Promise<Peer> {
  const endpoint = createServer(options, (client) => {
    const server = toServer(target.port, target.host).unref();
    pipeline(client, server).catch(() => client.destroy());
    pipeline(server, client).catch(() => server.destroy());
  });
  return startPeer((socket) => endpoint.emit('connection', socket));
}
