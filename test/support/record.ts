import { connect } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { type Peer, startPeer } from './proxy.js';
import { PacketCutter, type RecordedPacket } from './recording.js';

/** A proxy that keeps what passes it. */
export interface Recorder extends Peer {
  /** Grows while the client and the server speak. */
  readonly packets: readonly RecordedPacket[];
}

/** Stands between clients and the server at `target`. A packet that was cut off is not kept. */
export async function startRecorder(target: { host: string; port: number }): Promise<Recorder> {
  const packets: RecordedPacket[] = [];
  let connections = 0;
  const peer = await startPeer((client) => {
    const server = connect(target.port, target.host).unref();
    const connection = ++connections;
    const keep = (from: RecordedPacket['from']) =>
      async function* (chunks: AsyncIterable<Buffer>) {
        const cutter = new PacketCutter(from);
        for await (const chunk of chunks) {
          for (const bytes of cutter.push(chunk)) {
            packets.push({ connection, from, bytes });
          }
          yield chunk;
        }
      };
    pipeline(client, keep('client'), server).catch(() => server.destroy());
    pipeline(server, keep('server'), client).catch(() => client.destroy());
  });
  return Object.assign(peer, { packets });
}
