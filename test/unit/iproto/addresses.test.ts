import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { promises as dns, type LookupAddress } from 'node:dns';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Attempt, addressesOf, firstConnected } from '../../../lib/iproto/addresses.js';
import { Connection } from '../../../lib/iproto/connection.js';
import { FakeServer, greeting } from './fake-server.js';

const v4 = (address: string): LookupAddress => ({ address, family: 4 });
const v6 = (address: string): LookupAddress => ({ address, family: 6 });

/** Makes the system know these addresses, and no others, while `work` runs. */
async function whileKnown<T>(
  addresses: readonly LookupAddress[],
  work: () => Promise<T>,
): Promise<T> {
  const { lookup } = dns;
  dns.lookup = (() => Promise.resolve([...addresses])) as unknown as typeof lookup;
  try {
    return await work();
  } finally {
    dns.lookup = lookup;
  }
}

describe('the addresses of a host', () => {
  it('are not looked up if the host is an address or is missing', async () => {
    for (const host of ['127.0.0.1', '::1', undefined]) {
      deepEqual(await addressesOf(host), [undefined]);
    }
  });

  it('come in the order of the system, the families in turn, and each once', async () => {
    const known = [v6('::1'), v6('::2'), v6('::1'), v6('::3'), v4('1.1.1.1'), v4('1.1.1.2')];
    deepEqual(await whileKnown(known, () => addressesOf('db1')), [
      v6('::1'),
      v4('1.1.1.1'),
      v6('::2'),
      v4('1.1.1.2'),
      v6('::3'),
    ]);
    deepEqual(await whileKnown([v4('1.1.1.1'), v6('::1')], () => addressesOf('db1')), [
      v4('1.1.1.1'),
      v6('::1'),
    ]);
  });

  it('fail with the error of the system if the name is unknown', async () => {
    await rejects(addressesOf('no-such-host.invalid'), { code: /^(ENOTFOUND|EAI_AGAIN)$/ });
  });
});

/** An address that connects, or fails, after so many milliseconds; `never`: it does neither. */
interface Fake {
  name: string;
  after: number | 'never';
  fails?: boolean;
}

/** What became of the attempts: names with what happened, in order. */
async function attempt(
  fakes: readonly Fake[],
  signal = new AbortController().signal,
): Promise<{ log: string[]; winner: string | undefined; error: unknown; ms: number }> {
  const log: string[] = [];
  const starts = fakes.map(({ name, after, fails = false }) => (): Attempt<string> => {
    log.push(`${name} begins`);
    const connected = new Promise<string>((resolve, reject) => {
      if (after === 'never') return;
      const error = Object.assign(new Error(`${name} is dead`), { code: 'EDEAD' });
      setTimeout(() => (fails ? reject(error) : resolve(name)), after);
    });
    return { connected, abandon: () => log.push(`${name} is given up`) };
  });
  const started = performance.now();
  let [winner, error]: [string | undefined, unknown] = [undefined, undefined];
  try {
    winner = await firstConnected(starts, signal);
  } catch (caught) {
    error = caught;
  }
  return { log, winner, error, ms: performance.now() - started };
}

describe('connecting to the first of several addresses', () => {
  it('tries no other address if the first connects at once', async () => {
    const { log, winner } = await attempt([
      { name: 'a', after: 10 },
      { name: 'b', after: 10 },
    ]);
    deepEqual([winner, log], ['a', ['a begins']]);
  });

  it('waits for a slow address even if the others fail in the meantime', async () => {
    const { log, winner } = await attempt([
      { name: 'slow', after: 800 },
      { name: 'dead', after: 10, fails: true },
      { name: 'silent', after: 'never' },
    ]);
    equal(winner, 'slow');
    deepEqual(log, ['slow begins', 'dead begins', 'silent begins', 'silent is given up']);
  });

  it('takes the first address that connects, and gives up the others', async () => {
    const { log, winner } = await attempt([
      { name: 'silent', after: 'never' },
      { name: 'quick', after: 10 },
      { name: 'third', after: 10 },
    ]);
    deepEqual([winner, log], ['quick', ['silent begins', 'quick begins', 'silent is given up']]);
  });

  it('tries the next address at once if one fails', async () => {
    const { winner, ms } = await attempt([
      { name: 'dead', after: 5, fails: true },
      { name: 'gone', after: 5, fails: true },
      { name: 'good', after: 5 },
    ]);
    equal(winner, 'good');
    ok(ms < 200, `${ms} ms`);
  });

  it('gives up one that connects when another has won', async () => {
    const { log, winner } = await attempt([
      { name: 'late', after: 300 },
      { name: 'quick', after: 20 },
    ]);
    await sleep(100);
    deepEqual([winner, log.at(-1)], ['quick', 'late is given up']);
  });

  it('fails with the errors of all, and the code of the first', async () => {
    const one = await attempt([{ name: 'a', after: 1, fails: true }]);
    deepEqual([String(one.error), Object(one.error).code], ['Error: a is dead', 'EDEAD']);
    const { error } = await attempt([
      { name: 'a', after: 1, fails: true },
      { name: 'b', after: 1, fails: true },
    ]);
    ok(error instanceof AggregateError);
    deepEqual(error.errors.map(String), ['Error: a is dead', 'Error: b is dead']);
    equal(Object(error).code, 'EDEAD');
  });

  it('ends when it is aborted, and tries no other address', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort('enough'), 20);
    const { log, error } = await attempt(
      [
        { name: 'silent', after: 'never' },
        { name: 'b', after: 1 },
      ],
      stop.signal,
    );
    await sleep(300);
    deepEqual([error, log], ['enough', ['silent begins', 'silent is given up']]);
    const none = await attempt([{ name: 'a', after: 1 }], stop.signal);
    deepEqual([none.error, none.log], ['enough', []]);
  });
});

describe('a connection to a name with several addresses', () => {
  it('uses the address that answers, and reports the name', async () => {
    const fake = await FakeServer.listen((peer) => peer.send(greeting()));
    const { port } = fake.endpoint;
    try {
      // 127.0.0.9 refuses: nobody listens there
      const connection = await whileKnown([v4('127.0.0.9'), v4('127.0.0.1')], () =>
        Connection.open({ host: 'db1', port }),
      );
      equal(connection.where, `db1:${port}`);
      connection.close();
      const failing = whileKnown([v4('127.0.0.9'), v4('127.0.0.8')], () =>
        Connection.open({ host: 'db1', port }),
      );
      await rejects(failing, {
        kind: 'access',
        code: 'TNTAR_CONNECTION',
        message: new RegExp(
          `^cannot connect to db1:${port}: .*ECONNREFUSED 127.0.0.9:.*ECONNREFUSED 127.0.0.8:`,
        ),
      });
    } finally {
      await fake.close();
    }
  });
});
