import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict';
import { bodyDecoded } from '../../../lib/iproto/bodies.js';
import { Connection, type Consumer } from '../../../lib/iproto/connection.js';
import type { ConnectionOptions } from '../../../lib/iproto/options.js';
import type { Packet } from '../../../lib/iproto/packets.js';
import { bare, evaluate } from '../../../lib/iproto/requests.js';
import { suspend } from '../../support/suspend.js';
import { errorPacket, FakeServer, greeting, type Peer, packet, turns } from './fake-server.js';

const DATA = 0x30;
const data = (value: string | number) => new Map([[DATA, [value]]]);
const ping = () => bare(64);
/** Takes all and waits for nothing. */
const IDLE: Consumer = { onChunk: () => {}, onLost: () => {}, waitingSince: () => undefined };

describe('a connection', () => {
  let fake: FakeServer;
  let connection: Connection;
  let peer: Peer;
  before(async () => {
    fake = await FakeServer.listen((each) => {
      peer = each;
      each.send(greeting());
    });
  });
  after(() => fake.close());
  afterEach(() => connection.close());

  async function open(options: Partial<ConnectionOptions> = {}): Promise<void> {
    connection = await Connection.open({ ...fake.endpoint, ...options });
    await turns();
  }

  it('gives each request the reply with its number, in any order of replies', async () => {
    await open();
    const asked = ['a', 'b', 'c'].map((name) => connection.request(evaluate(name), name));
    const requests = [await peer.request(), await peer.request(), await peer.request()];
    equal(new Set(requests.map(({ sync }) => sync)).size, 3);
    for (const { sync, body } of requests.toReversed()) {
      peer.send(packet(0, sync, data(`for ${body.get(0x27)}`)));
    }
    const replies = await Promise.all(asked);
    deepEqual(
      replies.map((reply) => bodyDecoded(reply, DATA)),
      [['for a'], ['for b'], ['for c']],
    );
  });

  it('takes replies that are split at any byte or arrive together', async () => {
    await open();
    const size = packet(0, 1, data(7)).length;
    for (let cut = 0; cut <= size; cut++) {
      const asked = connection.request(ping(), 'ping');
      const { sync } = await peer.request();
      await peer.sendCut(packet(0, sync, data(7)), cut);
      deepEqual(bodyDecoded(await asked, DATA), [7]);
    }
    const asked = [connection.request(ping(), 'one'), connection.request(ping(), 'two')];
    const [one, two] = [await peer.request(), await peer.request()];
    peer.send(Buffer.concat([packet(0, one.sync, data(1)), packet(0, two.sync, data(2))]));
    deepEqual(
      (await Promise.all(asked)).map((reply) => bodyDecoded(reply, DATA)),
      [[1], [2]],
    );
  });

  it('keeps a reply unchanged while more data arrives after it', async () => {
    await open();
    const replies: Packet[] = [];
    for (const text of ['one', 'two', 'six']) {
      const asked = connection.request(ping(), 'ping');
      const { sync } = await peer.request();
      await peer.sendCut(packet(0, sync, data(text)), text === 'two' ? 10 : 0);
      replies.push(await asked);
    }
    deepEqual(
      replies.map((reply) => bodyDecoded(reply, DATA)),
      [['one'], ['two'], ['six']],
    );
  });

  it('fails only the request that the server refuses', async () => {
    await open();
    const asked = [connection.request(ping(), 'read x'), connection.request(ping(), 'read y')];
    const refused = rejects(asked[0]!, {
      name: 'TntarError',
      kind: 'access',
      code: 'TNTAR_PRIVILEGE',
      message: 'read x: no (server error 42)',
      serverCode: 42,
    });
    peer.send(errorPacket((await peer.request()).sync, 42, 'no'));
    peer.send(packet(0, (await peer.request()).sync, data(1)));
    await refused;
    deepEqual(bodyDecoded(await asked[1]!, DATA), [1]);
  });

  it('is lost at a complete or partial reply that no request waits for', async () => {
    for (const bytes of [100, 30]) {
      await open();
      const asked = connection.request(ping(), 'ping');
      const { sync } = await peer.request();
      peer.send(packet(0, sync + 1000, data('x'.repeat(100))).subarray(0, bytes));
      await rejects(asked, {
        message: /a reply to the request 1001, which does not wait for a reply/,
      });
    }
  });

  for (const [title, send, message] of [
    ['the server closes it', () => peer.socket.end(), /lost: the server closed it/],
    ['it is reset', () => peer.socket.resetAndDestroy(), /lost: .*ECONNRESET/],
    [
      'a length of 4 GiB comes',
      () => peer.send(Buffer.from('ceffffffff', 'hex')),
      /over the limit/,
    ],
    ['something else than a packet comes', () => peer.send(Buffer.from('HTTP/1.1')), /byte 0x48/],
    [
      'a packet without a header comes',
      () => peer.send(Buffer.from('ce00000000', 'hex')),
      /header/,
    ],
  ] as [string, () => void, RegExp][]) {
    it(`fails all waiting and later requests when ${title}`, async () => {
      await open();
      const asked = [connection.request(ping(), 'a'), connection.request(ping(), 'b')];
      const expected = { name: 'TntarError', kind: 'failure', message };
      const failed = Promise.all(asked.map((each) => rejects(each, expected)));
      await peer.request();
      await peer.request();
      send();
      await failed;
      await rejects(connection.request(ping(), 'c'), expected);
      await peer.closed;
    });
  }

  it('fails waiting requests when it is closed', async () => {
    await open();
    const asked = rejects(connection.request(ping(), 'a'), /closed by tntar/);
    connection.close();
    await asked;
    await rejects(connection.request(ping(), 'b'), /closed by tntar/);
  });

  describe('from which no byte comes', () => {
    it('fails what waits after its idle timeout', async () => {
      await open({ idleTimeout: 30 });
      const message = /^connection to 127\.0\.0\.1:\d+ lost: no byte came for 0\.03 s$/;
      await rejects(connection.request(ping(), 'ping'), { kind: 'failure', message });
    });

    it('fails a consumer that waits after its idle timeout', async () => {
      await open({ idleTimeout: 30 });
      const since = performance.now();
      const lost = new Promise<Error>((onLost) =>
        connection.takeOver({ ...IDLE, onLost, waitingSince: () => since }),
      );
      match((await lost).message, /no byte came for 0\.03 s/);
      ok(performance.now() - since >= 29);
    });

    it('does not fail a consumer that waits for nothing or only for a short time', async () => {
      await open({ idleTimeout: 30 });
      let isWaiting = false;
      connection.takeOver({
        ...IDLE,
        waitingSince: () => (isWaiting ? performance.now() : undefined),
      });
      for (const waits of [false, true]) {
        isWaiting = waits;
        await new Promise((resolve) => setTimeout(resolve, 100));
        equal(connection.lost, undefined);
      }
    });

    it('counts from the last byte that arrived while a consumer waits', async () => {
      await open({ idleTimeout: 300 });
      let hasCome = false;
      connection.takeOver({
        ...IDLE,
        onChunk: () => {
          hasCome = true;
        },
        // near its timeout, so that it is looked at often; then since ever
        waitingSince: () => (hasCome ? 0 : performance.now() - 290),
      });
      await new Promise((resolve) => setTimeout(resolve, 350));
      peer.send(Buffer.of(1));
      await new Promise((resolve) => setTimeout(resolve, 50));
      deepEqual([hasCome, connection.lost], [true, undefined]);
    });

    it('takes data that arrived while the process was suspended for longer than the timeout', async () => {
      await open({ idleTimeout: 30 });
      const asked = connection.request(ping(), 'ping');
      peer.send(packet(0, (await peer.request()).sync, data(7)));
      suspend(150);
      deepEqual(bodyDecoded(await asked, DATA), [7]);
    });

    it('gives the server its time after the process was suspended, as the network may have been', async () => {
      await open({ idleTimeout: 100 });
      const asked = connection.request(ping(), 'ping');
      const { sync } = await peer.request();
      suspend(300);
      await new Promise((resolve) => setTimeout(resolve, 50));
      peer.send(packet(0, sync, data(7)));
      deepEqual(bodyDecoded(await asked, DATA), [7]);
    });

    it('waits for the reply to a ping after the process was suspended', async () => {
      await open({ idleTimeout: 30 });
      const asked = connection.request(evaluate('build'), 'build an index', true);
      const { sync } = await peer.request();
      const { type, sync: number } = await peer.request();
      equal(type, 64);
      peer.send(packet(0, number, new Map()));
      suspend(150);
      peer.send(packet(0, sync, data(1)));
      deepEqual(bodyDecoded(await asked, DATA), [1]);
    });

    it('does not count the time in which a consumer paused it', async () => {
      await open({ idleTimeout: 60 });
      const since = performance.now();
      connection.takeOver({ ...IDLE, waitingSince: () => since });
      connection.pause();
      await new Promise((resolve) => setTimeout(resolve, 200));
      connection.resume();
      await new Promise((resolve) => setTimeout(resolve, 20));
      equal(connection.lost, undefined);
    });

    it('keeps waiting while no reply is expected', async () => {
      await open({ idleTimeout: 10 });
      await new Promise((resolve) => setTimeout(resolve, 50));
      equal(connection.lost, undefined);
    });

    it('keeps waiting for a slow request as long as pings are answered', async () => {
      await open({ idleTimeout: 20 });
      const asked = connection.request(evaluate('build'), 'build an index', true);
      const { sync } = await peer.request();
      for (let pings = 0; pings < 3; pings++) {
        const { type, sync: number } = await peer.request();
        equal(type, 64);
        peer.send(packet(0, number, new Map()));
      }
      peer.send(packet(0, sync, data(1)));
      deepEqual(bodyDecoded(await asked, DATA), [1]);
    });

    it('fails a slow request if no ping is answered', async () => {
      await open({ idleTimeout: 30 });
      const asked = connection.request(evaluate('build'), 'build an index', true);
      await rejects(asked, { kind: 'failure', message: /no byte came for 0\.03 s$/ });
    });
  });

  describe('that is taken over', () => {
    it('hands all bytes to its consumer until the consumer releases it', async () => {
      await open();
      const chunks: Buffer[] = [];
      await new Promise<void>((resolve) => {
        const release = connection.takeOver({
          ...IDLE,
          onChunk: (chunk) => {
            chunks.push(Buffer.from(chunk));
            if (!chunk.includes('!')) return;
            release();
            resolve();
          },
        });
        peer.send(Buffer.from('no packet!'));
      });
      equal(String(Buffer.concat(chunks)), 'no packet!');
      const asked = connection.request(ping(), 'ping');
      peer.send(packet(0, (await peer.request()).sync, data(1)));
      deepEqual(bodyDecoded(await asked, DATA), [1]);
    });

    it('is lost when its consumer throws', async () => {
      await open();
      const lost = new Promise<Error>((onLost) =>
        connection.takeOver({
          ...IDLE,
          onLost,
          onChunk: () => {
            throw new Error('no reply to anything');
          },
        }),
      );
      peer.send(Buffer.from('a chunk'));
      match((await lost).message, /lost: no reply to anything$/);
      await peer.closed;
    });

    it('tells its consumer why it is lost, even if it was lost before', async () => {
      await open();
      for (let i = 0; i < 2; i++) {
        const lost = new Promise<Error>((onLost) => {
          const release = connection.takeOver({
            ...IDLE,
            onLost: (error) => {
              onLost(error);
              setImmediate(() => release());
            },
          });
        });
        peer.socket.end();
        match((await lost).message, /lost: the server closed it$/);
        await turns();
      }
    });

    it('has at most one consumer, and none while a request waits for a reply', async () => {
      await open();
      const asked = connection.request(ping(), 'ping');
      throws(() => connection.takeOver(IDLE), /in use/);
      peer.send(packet(0, (await peer.request()).sync, data(1)));
      await asked;
      const release = connection.takeOver(IDLE);
      throws(() => connection.takeOver(IDLE), /in use/);
      release();
      connection.takeOver(IDLE)();
    });
  });

  it('numbers packets in a row, and starts again before the numbers end', async () => {
    await open();
    const first = connection.nextSync();
    equal(connection.nextSync(), first + 1);
    equal(connection.reserveSyncs(100), first + 2);
    equal(connection.nextSync(), first + 102);
    ok(connection.reserveSyncs(0xffffff00) + 0xffffff00 - 1 <= 0xffffffff);
    const next = connection.reserveSyncs(1000);
    ok(next >= 1 && next + 999 <= 0xffffffff);
  });

  it('opens another connection to the same address as the same user', async () => {
    await open();
    const other = await connection.another();
    equal(other.where, connection.where);
    deepEqual(other.greeting, connection.greeting);
    match(other.where, /^127\.0\.0\.1:\d+$/);
    other.close();
  });
});
