import { equal, match } from 'node:assert/strict';
import { Connection } from '../../../lib/iproto/connection.js';
import { greatHangRisk } from '../../../lib/server/hang-risk.js';
import { FakeServer, greeting, packet } from '../iproto/fake-server.js';

const MIB = 1024 * 1024;
/** What is said of a server of this version, which answers that its tuples can be as large as this. */
async function riskOf(version: string, bytes: number): Promise<string | undefined> {
  const fake = await FakeServer.listen(async (peer) => {
    peer.send(greeting(`Tarantool ${version} (Binary) 35a01909-a1e0-4af8-a60b-34e0cb6781bd`));
    const { sync } = await peer.request();
    peer.send(packet(0, sync, new Map([[0x30, [bytes]]])));
  });
  const connection = await Connection.open(fake.endpoint);
  try {
    return await greatHangRisk(connection);
  } finally {
    connection.close();
    await fake.close();
  }
}

describe('the risk that a read view hangs a server', () => {
  for (const version of ['3.2.0', '3.2.1', '3.3.0', '3.3.1', '3.3.2', '3.4.0']) {
    it(`exists in ${version} if tuples can be large`, async () => {
      const large = await riskOf(version, 16 * MIB);
      match(large ?? '', new RegExp(`^a snapshot of Tarantool ${version} can hang the server`));
      match(large ?? '', /tarantool#11604.*they can be 16777216 bytes large here$/);
    });
  }

  it('starts with tuples that do not fit into 4 MiB together with their header', async () => {
    equal(await riskOf('3.2.1', MIB), undefined);
    equal(await riskOf('3.2.1', 4 * MIB - 1024), undefined);
    match((await riskOf('3.2.1', 4 * MIB)) ?? '', /can hang/);
  });

  for (const version of ['2.6.0', '2.11.5', '3.0.2', '3.1.2', '3.2.2', '3.3.3', '3.4.1', '3.5.0']) {
    it(`does not exist in ${version}`, async () => {
      equal(await riskOf(version, 64 * MIB), undefined);
    });
  }
});
