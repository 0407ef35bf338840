import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { bodyDecoded } from '../../../lib/iproto/bodies.js';
import { Connection } from '../../../lib/iproto/connection.js';
import { type Emit, type Parser, readItems } from '../../../lib/iproto/inflow.js';
import type { ConnectionOptions } from '../../../lib/iproto/options.js';
import { bare, toPacket } from '../../../lib/iproto/requests.js';
import { FakeServer, greeting, type Peer, packet, TLS, turns } from './fake-server.js';

const DATA = 0x30;
const MIB = 1024 * 1024;
const ping = () => bare(64);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('readItems', () => {
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

  /** Bytes that the parser of {@link chunks} has taken. */
  let taken = 0;

  /** A copy of each chunk; the end comes with so many bytes. */
  function chunks(end: number, gather: boolean): AsyncGenerator<Buffer> {
    taken = 0;
    const start = (emit: Emit<Buffer>): Parser => {
      return (chunk) => {
        taken += chunk.length;
        emit(Buffer.from(chunk), chunk.length);
        return taken >= end;
      };
    };
    return readItems(connection, start, { gather });
  }

  async function all<T>(items: AsyncIterable<T>, seen: T[] = []): Promise<T[]> {
    for await (const item of items) seen.push(item);
    return seen;
  }

  async function takesRequests(): Promise<void> {
    const asked = connection.request(ping(), 'ping');
    peer.send(packet(0, (await peer.request()).sync, new Map([[DATA, [1]]])));
    deepEqual(bodyDecoded(await asked, DATA), [1]);
  }

  for (const gather of [false, true]) {
    describe(gather ? 'while the kernel gathers' : 'at once', () => {
      it('gives all items in their order', async () => {
        await open();
        // More than may wait in all, and the last of it in small chunks.
        const sent = Buffer.concat(Array.from({ length: 2000 }, (_, i) => Buffer.alloc(i, i)));
        const tail = Buffer.from('one by one');
        const reading = all(chunks(sent.length + tail.length, gather));
        for (let pos = 0; pos < sent.length; pos += 1000) {
          peer.send(sent.subarray(pos, pos + 1000));
          if (pos % 7000 === 0) await turns(1);
        }
        while (taken < sent.length) await turns(1);
        for (const byte of tail) {
          peer.send(Buffer.of(byte));
          await turns();
        }
        ok(Buffer.concat(await reading).equals(Buffer.concat([sent, tail])));
      });

      it('gives no item for bytes that complete none, and gives items that arrive late', async () => {
        await open();
        let bytes = 0;
        const reading = all(
          readItems<string>(
            connection,
            (emit) => (chunk) => {
              if (bytes < 10 && bytes + chunk.length >= 10) emit('ten', 3);
              bytes += chunk.length;
              return bytes === 20;
            },
            { gather },
          ),
        );
        for (let i = 0; i < 20; i++) {
          peer.send(Buffer.of(i));
          await turns(1);
        }
        deepEqual(await reading, ['ten']);
        await takesRequests();
      });

      it('lets its start write the requests that are answered', async () => {
        await open();
        const reading = all(
          readItems<Buffer>(
            connection,
            (emit) => {
              connection.write(toPacket(ping(), connection.nextSync()));
              return (chunk) => {
                emit(Buffer.from(chunk), chunk.length);
                return true;
              };
            },
            { gather },
          ),
        );
        const reply = packet(0, (await peer.request()).sync);
        peer.send(reply);
        deepEqual(await reading, [reply]);
      });

      it('takes requests again after the end, and items after those', async () => {
        await open();
        for (let i = 0; i < 3; i++) {
          const reading = all(chunks(4, gather));
          peer.send(Buffer.from('done'));
          equal(String(Buffer.concat(await reading)), 'done');
          await takesRequests();
        }
      });

      it('takes requests before all items are taken if the end has arrived', async () => {
        await open();
        const items = chunks(8 * MIB, gather);
        const first = items.next();
        peer.send(Buffer.alloc(8 * MIB - 1, 5));
        await first;
        peer.send(Buffer.of(5));
        let bytes = (await first).value!.length;
        while (taken < 8 * MIB) bytes += (await items.next()).value!.length;
        await takesRequests();
        bytes += Buffer.concat(await all(items)).length;
        equal(bytes, 8 * MIB);
      });

      it('stops a sender if nobody takes its items', async () => {
        await open();
        const size = 64 * MIB;
        const items = chunks(size, gather);
        const first = items.next();
        peer.send(Buffer.alloc(size, 5));
        const { value } = await first;
        // until it makes no more progress
        for (let before = -1; before !== peer.socket.writableLength; ) {
          before = peer.socket.writableLength;
          await pause(50);
        }
        ok(peer.socket.writableLength > 0, 'all was taken');
        ok(taken < 2 * MIB, `${taken} bytes wait`);
        equal(value!.length + Buffer.concat(await all(items)).length, size);
      });

      it('fails when the connection is lost, after it has given all items that arrived', async () => {
        await open();
        const seen: Buffer[] = [];
        peer.socket.end(Buffer.from('the last words'));
        await rejects(all(chunks(1000, gather), seen), { kind: 'failure', message: /lost/ });
        equal(String(Buffer.concat(seen)), 'the last words');
      });

      it('fails when the connection is closed locally, during a wait and before one', async () => {
        await open();
        const waiting = chunks(1000, gather).next();
        connection.close();
        await rejects(waiting, /closed by tntar/);

        await open();
        const items = chunks(1000, gather);
        const first = items.next();
        peer.send(Buffer.from('the first'));
        equal(String((await first).value), 'the first');
        connection.close();
        await rejects(items.next(), /closed by tntar/);
      });

      it('gives the error of its parser after the items before it', async () => {
        await open();
        const seen: string[] = [];
        const items = readItems<string>(
          connection,
          (emit) => (chunk) => {
            for (const letter of String(chunk)) {
              if (letter === '!') throw new Error('no letter');
              emit(letter, 1);
            }
            return false;
          },
          { gather },
        );
        peer.send(Buffer.from('abc!'));
        await rejects(all(items, seen), /^Error: no letter$/);
        equal(seen.join(''), 'abc');
        equal(connection.lost, undefined);
        await takesRequests();
      });

      it('fails after the idle timeout', async () => {
        await open({ idleTimeout: 30 });
        await rejects(chunks(1, gather).next(), /no byte came for 0\.03 s/);
      });

      it('fails at once if the connection is already lost', async () => {
        await open();
        peer.socket.end();
        while (connection.lost === undefined) await turns();
        await rejects(chunks(1, gather).next(), /lost: the server closed it/);
      });
    });
  }

  it('does not count the time of its reader as silence of the server', async () => {
    await open({ idleTimeout: 300 });
    const items = chunks(3, false);
    const first = items.next();
    peer.send(Buffer.of(1));
    await first;
    // The socket has been silent for twice the timeout soon after its reader begins to wait.
    await pause(570);
    const second = items.next();
    await pause(150);
    peer.send(Buffer.of(2));
    deepEqual((await second).value, Buffer.of(2));
    await rejects(items.next(), /no byte came for 0\.3 s/);
  });

  it('gives the reason of a lost connection each time it is asked', async () => {
    await open();
    peer.socket.end();
    while (connection.lost === undefined) await turns();
    for (let i = 0; i < 2; i++) await rejects(chunks(1, false).next(), /lost: the server closed/);
  });

  it('lets go of the connection when it cannot start', async () => {
    await open();
    const start = (): Parser => {
      throw new Error('no start');
    };
    await rejects(readItems(connection, start).next(), /no start/);
    await takesRequests();
  });

  it('makes few items of many small writes while the kernel gathers', async () => {
    await open();
    const writes = 300;
    const reading = all(chunks(writes, true));
    for (let i = 0; i < writes; i++) {
      peer.send(Buffer.of(i));
      await turns(1);
    }
    const { length } = await reading;
    ok(length < writes / 2, `${length} items`);
  });

  it('takes requests again after an end that arrives during a pause, as it may under TLS', async () => {
    const tlsFake = await FakeServer.listen(
      (each) => {
        peer = each;
        each.send(greeting());
      },
      { tls: TLS.server },
    );
    try {
      connection = await Connection.open({ ...tlsFake.endpoint, tls: TLS.client });
      // Three records, of which each is a small chunk: node hands them on at once, paused or not.
      const size = 40_000;
      const reading = all(chunks(size, true));
      peer.send(Buffer.alloc(size, 5));
      ok(Buffer.concat(await reading).equals(Buffer.alloc(size, 5)));
      await takesRequests();
    } finally {
      connection.close();
      await tlsFake.close();
    }
  });
});
