import { rejects } from 'node:assert/strict';
import { Connection } from '../../../lib/iproto/connection.js';
import { readPages } from '../../../lib/server/pages.js';
import { FakeServer, greeting, type Peer, rowsPacket } from '../iproto/fake-server.js';

const PART = { fieldNo: 0, path: [] };
const SPACE = {
  id: 512,
  name: 'users',
  primaryKey: {
    spaceId: 512,
    id: 0,
    name: 'primary',
    type: 'tree',
    isUnique: true,
    parts: [PART],
  },
};

/** Answers each request for a page with the same one, and whatever limit it has. */
async function repeat(peer: Peer): Promise<void> {
  peer.send(greeting());
  for (;;) {
    const { sync, body } = await peer.request();
    const limit = Number(body.get(0x12));
    peer.send(
      rowsPacket(
        sync,
        Array.from({ length: limit }, (_, i) => [i - limit + 1000]),
      ),
    );
  }
}

describe('reading a space by pages', () => {
  it('fails if the server repeats a page, because it would never end', async () => {
    const server = await FakeServer.listen((peer) => repeat(peer).catch(() => {}));
    const connection = await Connection.open(server.endpoint);
    const reading = async (): Promise<void> => {
      for await (const { release } of readPages(connection, SPACE)) release();
    };
    try {
      await rejects(reading(), {
        kind: 'failure',
        message: "space 'users': reading does not get past the key [999]",
        hint: /--source snapshot/,
      });
    } finally {
      connection.close();
      await server.close();
    }
  });
});
