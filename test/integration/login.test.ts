import { deepEqual, equal, match, rejects } from 'node:assert/strict';
import type { TntarError } from '../../lib/base/errors.js';
import { connect } from '../../lib/iproto/connect.js';
import { Connection } from '../../lib/iproto/connection.js';
import type { ConnectOptions } from '../../lib/iproto/driver.js';
import { evaluate } from '../../lib/iproto/requests.js';
import type { Plain } from '../support/msgpack.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import {
  errorPacket,
  FakeServer,
  greeting,
  type Peer,
  packet,
  TLS,
} from '../unit/iproto/fake-server.js';

const LOGIN = { user: 'app', password: 'secret-of-app' };
const CREDENTIALS = 'User not found or supplied credentials are invalid';
const MODERN = greeting('Tarantool 2.11.5 (Binary) 35a01909-a1e0-4af8-a60b-34e0cb6781bd');

/** Connects, asks once, and gives the error that this ends with. */
async function failure(options: ConnectOptions): Promise<TntarError> {
  try {
    const connection = await Connection.open(options);
    try {
      await connection.request(evaluate('return 1'), 'ask');
    } finally {
      connection.close();
    }
  } catch (error) {
    return error as TntarError;
  }
  throw new Error('it let us in');
}

/** Serves each connection with `talk` while `work` runs. */
async function whileServed(
  talk: (peer: Peer) => unknown,
  work: (endpoint: ConnectOptions) => Promise<void>,
  ...more: Parameters<typeof FakeServer.listen> extends [unknown, ...infer R] ? R : never
): Promise<void> {
  const fake = await FakeServer.listen(talk, ...more);
  try {
    await work(fake.endpoint);
  } finally {
    await fake.close();
  }
}

describe('a connection that a trigger of the server refuses', () => {
  for (const [title, login] of [
    ['a guest', {}],
    ['a user', LOGIN],
  ] as [string, ConnectOptions][]) {
    it(`ends ${title} with the words of the server, wherever these are cut`, async () => {
      const said = Buffer.concat([greeting(), errorPacket(0, 32, 'closed for the night')]);
      const cuts = [0, ...Array.from({ length: said.length - 126 }, (_, i) => 127 + i)];
      await whileServed(
        async (peer) => {
          await peer.sendCut(said, cuts[0]!);
          peer.socket.end();
        },
        async (endpoint) => {
          for (; cuts.length > 0; cuts.shift()) {
            const { kind, message, hint } = await failure({ ...endpoint, ...login });
            equal(kind, 'access', `cut at ${cuts[0]}: ${message}`);
            match(message, /^127\.0\.0\.1:\d+ refused the connection: closed for the night$/);
            match(hint ?? '', /on_connect/);
          }
        },
      );
    });

    it(`ends ${title} with the words of the server under TLS, too`, async () => {
      await whileServed(
        (peer) => {
          peer.send(greeting());
          peer.socket.end(errorPacket(0, 32, 'closed for the night'));
        },
        async (endpoint) => {
          const options = { ...endpoint, ...login, tls: TLS.client };
          match((await failure(options)).message, /refused the connection: closed for the night$/);
        },
        { tls: TLS.server },
      );
    });
  }

  it('is reported as lost, with the words of the server, if the server has answered before', async () => {
    await whileServed(
      async (peer) => {
        peer.send(greeting());
        peer.send(packet(0, (await peer.request()).sync, new Map([[0x30, [1]]])));
        await peer.request();
        peer.send(errorPacket(0, 20, 'Invalid MsgPack'));
      },
      async (endpoint) => {
        const connection = await Connection.open(endpoint);
        await connection.request(evaluate('return 1'), 'ask');
        await rejects(connection.request(evaluate('return 2'), 'ask again'), {
          kind: 'failure',
          message: /^connection to 127\.0\.0\.1:\d+ lost: the server said: Invalid MsgPack$/,
        });
      },
    );
  });
});

describe('a login that the server refuses', () => {
  /** Refuses each login with this error, and answers what comes then. */
  const refuse =
    (said: Buffer, code: number, text: string, answer?: (sync: number) => Buffer) =>
    async (peer: Peer) => {
      peer.send(said);
      peer.send(errorPacket((await peer.request()).sync, code, text));
      const { type, sync } = await peer.request();
      equal(type, 73);
      peer.send(answer!(sync));
    };
  const authType = (name: string) => (sync: number) =>
    packet(
      0,
      sync,
      new Map<number, Plain>([
        [0x54, 3],
        [0x55, [0, 1]],
        [0x5b, name],
      ]),
    );

  it('is explained by a login method that tntar does not have', async () => {
    await whileServed(refuse(MODERN, 47, CREDENTIALS, authType('pap-sha256')), async (endpoint) => {
      const { kind, message, hint } = await failure({ ...endpoint, ...LOGIN });
      equal(kind, 'access');
      match(message, /^cannot log in to 127\.0\.0\.1:\d+ as 'app': User not found/);
      match(hint ?? '', /method of login is 'pap-sha256'.*box\.cfg\.auth_type.*password of 'app'/);
    });
  });

  for (const [title, answer] of [
    ['the server has the usual one', authType('chap-sha1')],
    ['the server does not say which it has', (sync) => packet(0, sync, new Map())],
    ['the server does not know the question', (sync) => errorPacket(sync, 48, 'Unknown request')],
    ['the server answers with noise', () => Buffer.from('noise')],
  ] as [string, (sync: number) => Buffer][]) {
    it(`is not explained by a login method if ${title}`, async () => {
      await whileServed(refuse(MODERN, 47, CREDENTIALS, answer), async (endpoint) => {
        const { message, hint } = await failure({ ...endpoint, ...LOGIN });
        match(message, /as 'app': User not found/);
        match(hint ?? '', /TT_CLI_PASSWORD/);
      });
    });
  }

  it('is not explained by a login method if the server is too old to have several', async () => {
    await whileServed(refuse(greeting(), 47, 'Incorrect password'), async (endpoint) => {
      const { message } = await failure({ ...endpoint, ...LOGIN });
      match(message, /as 'app': Incorrect password$/);
    });
  });

  it('is explained by session and usage if they were revoked', async () => {
    const text = "Session access to universe '' is denied for user 'app'";
    await whileServed(refuse(MODERN, 42, text), async (endpoint) => {
      const { kind, message, hint } = await failure({ ...endpoint, ...LOGIN });
      equal(kind, 'access');
      match(message, /as 'app': Session access to universe/);
      match(hint ?? '', /^grant 'app' session on universe.*box\.schema\.user\.enable\('app'\)/);
    });
  });

  it('is not blamed on the password if a trigger refuses it', async () => {
    await whileServed(refuse(MODERN, 32, 'not from this host'), async (endpoint) => {
      const { kind, message } = await failure({ ...endpoint, ...LOGIN });
      equal(kind, 'access');
      match(message, /^127\.0\.0\.1:\d+ refused the connection: not from this host$/);
    });
  });
});

describe('a real server', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({
      lua: `
        box.schema.user.create('out', {password = 'out'})
        box.schema.user.revoke('out', 'session', 'universe')
        function refuse() error('closed for the night') end`,
    });
  });
  after(() => server.stop());
  const endpoint = () => ({ host: server.host, port: server.port });
  const admin = { user: USER, password: PASSWORD };

  it('gives the reason why its trigger refuses a connection or a login', async () => {
    for (const event of ['on_connect', 'on_auth']) {
      await server.eval(`box.session.${event}(refuse)`);
      for (const login of event === 'on_connect' ? [{}, admin] : [admin]) {
        const { kind, message } = await failure({ ...endpoint(), ...login });
        equal(kind, 'access');
        match(message, /^127\.0\.0\.1:\d+ refused the connection: .*closed for the night$/, event);
      }
      await server.eval(`box.session.${event}(nil, refuse)`);
    }
    const { socket } = await connect({ ...endpoint(), ...admin });
    socket.destroy();
  });

  it('names the missing privilege of a user who may not log in', async () => {
    const { kind, message, hint } = await failure({ ...endpoint(), user: 'out', password: 'out' });
    deepEqual([kind, /Session access to universe/.test(message)], ['access', true]);
    match(hint ?? '', /^grant 'out' session on universe/);
  });
});
