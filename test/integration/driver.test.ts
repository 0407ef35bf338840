import { deepEqual, doesNotMatch, equal, match, ok, rejects } from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { TntarError } from '../../lib/base/errors.js';
import { bodyDecoded } from '../../lib/iproto/bodies.js';
import { connect } from '../../lib/iproto/connect.js';
import type { ConnectOptions } from '../../lib/iproto/driver.js';
import type { LoggedIn } from '../../lib/iproto/login.js';
import { PacketSplitter, readPacket } from '../../lib/iproto/packets.js';
import { evaluate, toPacket } from '../../lib/iproto/requests.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import {
  errorPacket,
  FakeServer,
  greeting,
  type Peer,
  packet,
  type Received,
  SALT_BYTES,
  TLS,
  turns,
} from '../unit/iproto/fake-server.js';

const LOGIN = { user: 'app', password: 'pa:ss wörd' };
const AUTH = 7;
const OK = new Map();

const sha1 = (...parts: (Buffer | string)[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha1')).digest();

/** What chap-sha1 sends for a password, by the server's documentation. */
function scramble(password: string): Buffer {
  const first = sha1(password);
  const mask = sha1(SALT_BYTES, sha1(first));
  return first.map((byte, i) => byte ^ mask[i]!) as Buffer;
}

/** Asserts that a request is the login of {@link LOGIN}. */
function expectLogin({ type, body, raw }: Received): void {
  deepEqual([type, body.get(0x23)], [AUTH, LOGIN.user]);
  const [method, bytes] = body.get(0x21) as [string, string];
  equal(method, 'chap-sha1');
  // a string of bytes that are no text
  deepEqual(bytes, scramble(LOGIN.password).toString());
  ok(raw.includes(scramble(LOGIN.password)));
}

/**
 * Resolves with as many bytes as are expected, once they came.
 *
 * @param look - gets each chunk as it is
 */
function receive(
  { listen }: LoggedIn,
  bytes: number,
  look: (chunk: Buffer) => void = () => {},
): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    listen((chunk) => {
      look(chunk);
      chunks.push(Buffer.from(chunk));
      size += chunk.length;
      if (size >= bytes) resolve(Buffer.concat(chunks));
    });
  });
}

/** Asserts that chunks came in one memory, each over the one before it. */
function inOneMemory(views: readonly Buffer[]): void {
  ok(views.length > 1);
  equal(new Set(views.map(({ buffer }) => buffer)).size, 1);
  deepEqual(new Set(views.map(({ byteOffset }) => byteOffset)), new Set([0]));
}

/** Connects, lets `use` work, and leaves no socket behind. */
async function whileConnected<T>(
  options: ConnectOptions,
  use: (connection: LoggedIn) => Promise<T> | T,
): Promise<T> {
  const connection = await connect(options);
  connection.socket.on('error', () => {});
  try {
    return await use(connection);
  } finally {
    connection.socket.destroy();
  }
}

async function failure(options: ConnectOptions): Promise<TntarError> {
  try {
    const { socket } = await connect(options);
    socket.destroy();
  } catch (error) {
    return error as TntarError;
  }
  throw new Error('it let us in');
}

function describesNoPassword(error: TntarError, password: string): void {
  doesNotMatch(inspect(error, { depth: 10, showHidden: true }), new RegExp(password));
}

describe('connect', () => {
  let fake: FakeServer | undefined;
  afterEach(async () => {
    await fake?.close();
    fake = undefined;
  });

  /** Starts a server that talks as given; options to connect to it. */
  async function serve(
    talk: (peer: Peer) => unknown,
    ...rest: Parameters<typeof FakeServer.listen> extends [unknown, ...infer R] ? R : never
  ): Promise<{ host: string; port: number }> {
    fake = await FakeServer.listen(talk, ...rest);
    return rest[0]?.path === undefined ? fake.endpoint : { host: '', port: 0 };
  }

  it('takes a greeting that is cut at any byte', async () => {
    const cuts = [...greeting().keys()];
    const endpoint = await serve((peer) => peer.sendCut(greeting(), cuts.shift()!));
    for (const cut of [...cuts]) {
      await whileConnected(endpoint, ({ greeting: read }) => {
        const uuid = '35a01909-a1e0-4af8-a60b-34e0cb6781bd';
        deepEqual(read, { version: '2.6.0', major: 2, minor: 6, uuid }, `cut at ${cut}`);
      });
    }
    equal(cuts.length, 0);
  });

  it('logs in with the scrambled password, with a reply that is cut at any byte', async () => {
    const cuts = [...packet(0, 1, OK).keys()];
    const requests: Promise<Received>[] = [];
    const endpoint = await serve(async (peer) => {
      peer.send(greeting());
      requests.push(peer.request());
      const { sync } = await requests.at(-1)!;
      await peer.sendCut(packet(0, sync, OK), cuts.shift()!);
    });
    const count = cuts.length;
    while (cuts.length > 0) await whileConnected({ ...endpoint, ...LOGIN }, () => {});
    equal(requests.length, count);
    for (const request of requests) expectLogin(await request);
  });

  it('hands over every byte after the login unchanged', async () => {
    const later = Buffer.alloc(3_000_000, 'what the driver could not parse');
    const endpoint = await serve(async (peer) => {
      peer.send(greeting());
      const { sync } = await peer.request();
      peer.send(packet(0, sync, OK));
      peer.socket.once('data', () => peer.send(later));
    });
    await whileConnected({ ...endpoint, ...LOGIN }, async (connection) => {
      connection.socket.write('now');
      const received = await receive(connection, later.length);
      ok(received.equals(later));
    });
  });

  it('gives every chunk in the same memory', async () => {
    const pieces = Array.from({ length: 20 }, (_, i) => Buffer.alloc(1000, i));
    const endpoint = await serve(async (peer) => {
      peer.send(greeting());
      await new Promise((resolve) => peer.socket.once('data', resolve));
      for (const piece of pieces) {
        peer.send(piece);
        await turns();
      }
    });
    await whileConnected(endpoint, async (connection) => {
      const views: Buffer[] = [];
      const received = receive(connection, 20_000, (chunk) => views.push(chunk));
      connection.socket.write('now');
      deepEqual(await received, Buffer.concat(pieces));
      inOneMemory(views);
    });
  });

  it('gives no byte between pause and resume, and all of them in the end', async () => {
    const size = 32 * 1024 * 1024; // more than the kernel takes
    const endpoint = await serve(async (peer) => {
      peer.send(greeting());
      await new Promise((resolve) => peer.socket.once('data', resolve));
      peer.send(Buffer.alloc(size, 7));
    });
    await whileConnected(endpoint, async ({ socket, listen }) => {
      let bytes = 0;
      let chunks = 0;
      const first = new Promise<void>((resolve) => {
        listen((chunk) => {
          bytes += chunk.length;
          if (++chunks === 1) {
            socket.pause();
            resolve();
          }
        });
      });
      socket.write('now');
      await first;
      await new Promise((resolve) => setTimeout(resolve, 50));
      equal(chunks, 1);
      ok(bytes < size);
      const all = new Promise<void>((resolve) => {
        listen((chunk) => {
          bytes += chunk.length;
          if (bytes === size) resolve();
        });
      });
      socket.resume();
      await all;
    });
  });

  for (const [title, user, expected] of [
    ['nobody: the server takes it for guest', {}, []],
    ['guest without a password', { user: 'guest' }, []],
    ['a user without a password', { user: 'app' }, ['app']],
    ['a user with an empty password', { user: 'app', password: '' }, ['app']],
    ['a user with a password', LOGIN, ['app']],
  ] as [string, Partial<ConnectOptions>, string[]][]) {
    it(`sends ${expected.length === 0 ? 'no' : 'a'} login for ${title}`, async () => {
      const users: unknown[] = [];
      const endpoint = await serve(async (peer) => {
        peer.send(greeting());
        const { type, sync, body } = await peer.request();
        if (type === AUTH) users.push(body.get(0x23));
        peer.send(packet(0, sync, OK));
      });
      await whileConnected({ ...endpoint, ...user }, async (connection) => {
        // something that the server answers: by then it has seen a login
        const answered = receive(connection, 1);
        if (expected.length === 0) {
          connection.socket.write(toPacket(evaluate('return 1'), 1));
          await answered;
        }
      });
      deepEqual(users, expected);
    });
  }

  it('connects to a unix socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tntar-driver-'));
    try {
      const path = join(folder, 'a socket');
      await serve((peer) => peer.send(greeting()), { path });
      await whileConnected({ path }, ({ greeting: { version } }) => equal(version, '2.6.0'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('gives every chunk in the same memory under TLS, too', async () => {
    const later = Buffer.alloc(1_000_000, 'under TLS');
    const endpoint = await serve(
      async (peer) => {
        peer.send(greeting());
        const { sync } = await peer.request();
        peer.send(packet(0, sync, OK));
        peer.socket.once('data', () => peer.send(later));
      },
      { tls: TLS.server },
    );
    const options = { ...endpoint, ...LOGIN, tls: TLS.client };
    await whileConnected(options, async (connection) => {
      const views: Buffer[] = [];
      connection.socket.write('now');
      const received = await receive(connection, later.length, (chunk) => views.push(chunk));
      ok(received.equals(later));
      inOneMemory(views);
    });
  });

  describe('fails if the peer is not Tarantool, and sends it nothing:', () => {
    for (const [title, answer, shown] of [
      [
        'an HTTP server',
        'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
        /"HTTP\/1\.1 400/,
      ],
      ['an SSH server', 'SSH-2.0-OpenSSH_9.2p1 Debian\r\n', /"SSH-2\.0-OpenSSH/],
      ['a mail server', '220 mail.example.org ESMTP Postfix\r\n', /"220 mail/],
      ['a database of another kind', '\x4a\0\0\0\x0a8.0.36\0', /"J\\u0000/],
      [
        "Tarantool's console",
        greeting("Tarantool 2.6.0 (Lua console)\ntype 'help' for interactive help"),
        /"Tarantool 2\.6\.0 \(Lua console\)/,
      ],
      ['a single other byte', 't', /"t"/],
      ['something that starts the same', 'Tarantino', /"Tarantino"/],
    ] as [string, string | Buffer, RegExp][]) {
      it(title, async () => {
        const endpoint = await serve((peer) => peer.send(Buffer.from(answer)));
        const { kind, message } = await failure({ ...endpoint, ...LOGIN });
        equal(kind, 'failure');
        match(message, /^127\.0\.0\.1:\d+ is not a supported Tarantool \(got ".*"\)$/);
        match(message, shown);
        await fake?.peers[0]?.closed;
        equal(fake?.peers[0]?.received.length, 0);
      });
    }

    it('even if its first bytes arrive one by one', async () => {
      const endpoint = await serve((peer) => peer.sendCut(Buffer.from('TaHTTP'), 1));
      equal((await failure({ ...endpoint, ...LOGIN })).kind, 'failure');
    });
  });

  describe('fails at once when the server closes the connection', () => {
    for (const [title, talk, message] of [
      ['without a word', (peer) => peer.socket.end(), /closed the connection without a word$/],
      [
        'in its greeting',
        (peer) => peer.socket.end(greeting().subarray(0, 127)),
        /closed the connection in the middle of its greeting$/,
      ],
      ['after its greeting', (peer) => peer.socket.end(greeting()), /cannot log in .* 'app'/],
      [
        'at the login',
        async (peer) => {
          peer.send(greeting());
          await peer.request();
          peer.socket.end();
        },
        /cannot log in .* 'app'/,
      ],
      [
        'in its reply to the login',
        async (peer) => {
          peer.send(greeting());
          const { sync } = await peer.request();
          peer.socket.end(packet(0, sync, OK).subarray(0, 20));
        },
        /cannot log in .* 'app'/,
      ],
    ] as [string, (peer: Peer) => unknown, RegExp][]) {
      for (const password of [LOGIN.password, '']) {
        it(`${title}${password === '' ? ', for a user without a password' : ''}`, async () => {
          const endpoint = await serve(talk);
          const options = { ...endpoint, user: 'app', password, connectTimeout: 20_000 };
          const error = await failure(options);
          equal(error.kind, 'access');
          match(error.message, message);
        });
      }
    }
  });

  describe('fails at its timeout when the server is silent', () => {
    for (const [title, talk] of [
      ['from the start', () => {}],
      ['in its greeting', (peer) => peer.send(greeting().subarray(0, 100))],
      ['after its greeting', (peer) => peer.send(greeting())],
    ] as [string, (peer: Peer) => unknown][]) {
      it(title, async () => {
        const endpoint = await serve(talk);
        const { kind, message } = await failure({ ...endpoint, ...LOGIN, connectTimeout: 50 });
        equal(kind, 'access');
        match(message, /^127\.0\.0\.1:\d+ did not complete the login within 0\.05 s$/);
        await fake?.peers[0]?.closed;
      });
    }
  });

  describe('fails with an error without the password when the server answers a login with', () => {
    const reply = (make: (sync: number) => Buffer) => async (peer: Peer) => {
      peer.send(greeting());
      const { sync } = await peer.request();
      peer.send(make(sync));
    };
    for (const [title, make] of [
      ['an HTTP error', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n')],
      ['a length of 4 GiB', () => Buffer.from('ceffffffff', 'hex')],
      ['a packet without a header', () => Buffer.from('ce00000000', 'hex')],
      ['a packet that is not MessagePack', () => Buffer.from('ce00000003c1c1c1', 'hex')],
      ['a packet that is cut', () => Buffer.from('ce000000018300', 'hex')],
      ['an error without a body', (sync) => packet(0x802f, sync)],
    ] as [string, (sync: number) => Buffer][]) {
      it(title, async () => {
        const endpoint = await serve(reply(make));
        const error = await failure({ ...endpoint, ...LOGIN, connectTimeout: 500 });
        equal(error.name, 'TntarError');
        describesNoPassword(error, LOGIN.password);
      });
    }
  });

  it('fails with the words of the server when it refuses the login, for any user', async () => {
    const endpoint = await serve(async (peer) => {
      peer.send(greeting());
      const { sync } = await peer.request();
      peer.send(errorPacket(sync, 47, "Incorrect password supplied for user 'app'"));
    });
    for (const password of [LOGIN.password, '']) {
      const error = await failure({ ...endpoint, user: 'app', password });
      equal(error.kind, 'access');
      equal(error.code, 'TNTAR_LOGIN');
      match(
        error.message,
        /^cannot log in to 127\.0\.0\.1:\d+ as 'app': Incorrect password supplied/,
      );
      match(error.hint ?? '', /TT_CLI_PASSWORD/);
      describesNoPassword(error, LOGIN.password);
    }
  });

  it('fails with the reason of the system when nobody listens', async () => {
    const { port } = await serve(() => {});
    await fake?.close();
    for (const [where, message] of [
      [{ host: '127.0.0.1', port }, /^cannot connect to 127\.0\.0\.1:\d+: .*ECONNREFUSED/],
      [{ host: 'localhost', port }, /^cannot connect to localhost:\d+: .*ECONNREFUSED/],
      [{ path: '/nowhere/db.sock' }, /^cannot connect to \/nowhere\/db\.sock: .*ENOENT/],
    ] as [ConnectOptions, RegExp][]) {
      const error = await failure({ ...where, ...LOGIN });
      equal(error.kind, 'access');
      match(error.message, message);
      doesNotMatch(error.message, /\n/);
      match(error.hint ?? '', /check that the server runs/);
    }
    fake = undefined;
  });
});

interface Driver {
  socket: Socket | undefined;
  connect(): Promise<void>;
  on(event: 'error', listener: (error: Error) => void): void;
  _auth(user: string, password: string): Promise<unknown>;
}

describe('tarantool-driver, as lib/iproto/driver.ts assumes it', () => {
  const Driver = createRequire(import.meta.url)('tarantool-driver') as new (
    options: object,
  ) => Driver;

  /** A driver that has begun to connect, and is where lib/iproto/driver.ts takes its socket. */
  async function whileConnecting(
    options: object,
    use: (driver: Driver, connected: Promise<void>, errors: Error[]) => Promise<void>,
  ): Promise<void> {
    const driver = new Driver({ ...options, lazyConnect: true, retryStrategy: null });
    const errors: Error[] = [];
    driver.on('error', (error) => errors.push(error));
    equal(driver.socket === undefined, true);
    const connected = driver.connect();
    connected.catch(() => {});
    await new Promise<void>((resolve) => process.nextTick(resolve));
    try {
      await use(driver, connected, errors);
    } finally {
      driver.socket?.destroy();
    }
  }

  let fake: FakeServer;
  let talk: (peer: Peer) => unknown;
  before(async () => {
    fake = await FakeServer.listen((peer) => talk(peer));
  });
  beforeEach(() => {
    talk = (peer) => peer.send(greeting());
  });
  after(() => fake.close());

  it('has its socket one tick after connect(), with one data listener', async () => {
    await whileConnecting(fake.endpoint, async (driver, connected) => {
      equal(driver.socket?.listenerCount('data'), 1);
      equal(typeof driver._auth, 'function');
      await connected;
    });
  });

  it('hands onread to the socket, which then has no data events', async () => {
    const chunks: Buffer[] = [];
    const onread = {
      buffer: Buffer.alloc(1000),
      callback: (size: number, buffer: Buffer) => {
        chunks.push(Buffer.from(buffer.subarray(0, size)));
        return true;
      },
    };
    await whileConnecting({ ...fake.endpoint, onread }, async ({ socket }) => {
      let events = 0;
      socket?.on('data', () => events++);
      while (Buffer.concat(chunks).length < 128) await turns(1);
      deepEqual(Buffer.concat(chunks), greeting());
      equal(events, 0);
    });
  });

  it('reads its first chunk as the greeting, and then sends a login with _auth', async () => {
    const request = new Promise<Received>((resolve) => {
      talk = (peer) => resolve(peer.request()); // and no greeting
    });
    await whileConnecting(fake.endpoint, async (driver, connected) => {
      const { socket } = driver;
      const toDriver = socket?.listeners('data')[0] as (chunk: Buffer) => void;
      await new Promise((resolve) => socket?.once('connect', resolve));
      toDriver(greeting());
      await connected;
      driver._auth(LOGIN.user, LOGIN.password).catch(() => {});
      expectLogin(await request);
    });
  });

  it('gives up after the first try, and reports the reason first', async () => {
    const closed = await FakeServer.listen(() => {});
    const { endpoint } = closed;
    await closed.close();
    await whileConnecting(endpoint, async (_driver, connected, errors) => {
      await rejects(connected);
      deepEqual(
        errors.map(({ message }) => /ECONNREFUSED/.test(message)),
        [true],
      );
    });
  });
});

describe('connecting to a real server', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({
      lua: `
        box.schema.user.create('blank', {password = ''})
        box.schema.user.create('secretive', {password = '${LOGIN.password}'})
        for _, user in pairs({'guest', 'blank', 'secretive'}) do
          box.schema.user.grant(user, 'execute', 'universe')
        end`,
    });
  });
  after(() => server.stop());

  const endpoint = () => ({ host: server.host, port: server.port });

  /** Evaluates Lua over raw packets. */
  async function evaluated(connection: LoggedIn, lua: string): Promise<unknown> {
    const splitter = new PacketSplitter();
    const block = new Promise<Buffer>((resolve, reject) => {
      connection.listen((chunk) => {
        splitter.push(chunk, (packets) => resolve(Buffer.from(packets)));
      });
      connection.socket.once('close', () => reject(new Error('closed')));
    });
    connection.socket.write(toPacket(evaluate(lua), 77));
    const reply = readPacket(await block, 5, (await block).length);
    equal(reply.sync, 77);
    return (bodyDecoded(reply, 0x30) as unknown[])[0];
  }

  for (const [title, login, user] of [
    ['nobody', {}, 'guest'],
    ['guest', { user: 'guest' }, 'guest'],
    ['guest with an empty password', { user: 'guest', password: '' }, 'guest'],
    ['a user with a password', { user: USER, password: PASSWORD }, USER],
    [
      'a user with a password of many kinds of characters',
      { ...LOGIN, user: 'secretive' },
      'secretive',
    ],
    ['a user with an empty password', { user: 'blank', password: '' }, 'blank'],
    ['a user without a password', { user: 'blank' }, 'blank'],
  ] as [string, ConnectOptions, string][]) {
    it(`logs ${title} in`, async () => {
      await whileConnected({ ...endpoint(), ...login }, async (connection) => {
        equal(connection.greeting.version, server.version);
        equal(connection.greeting.uuid, await server.eval('return box.info.uuid'));
        equal(await evaluated(connection, 'return box.session.user()'), user);
      });
    });
  }

  it('takes replies of any size over raw packets, one after the other', async () => {
    await whileConnected({ ...endpoint(), user: USER, password: PASSWORD }, async (connection) => {
      for (const size of [0, 1, 300_000, 8_000_000, 5]) {
        equal(await evaluated(connection, `return ('x'):rep(${size})`), 'x'.repeat(size));
      }
    });
  });

  for (const [title, login] of [
    ['a wrong password', { user: USER, password: 'not-the-s3cret' }],
    ['an empty password of a user who has one', { user: USER, password: '' }],
    ['no password of a user who has one', { user: USER }],
    ['an unknown user', { user: 'nobody', password: 'not-the-s3cret' }],
    ['an unknown user without a password', { user: 'nobody' }],
  ] as [string, ConnectOptions][]) {
    it(`prints the words of the server for ${title}, and never the password`, async () => {
      const error = await failure({ ...endpoint(), ...login });
      equal(error.name, 'TntarError');
      equal(error.kind, 'access');
      equal(error.code, 'TNTAR_LOGIN');
      match(
        error.message,
        new RegExp(
          `^cannot log in to 127\\.0\\.0\\.1:\\d+ as '${login.user}': .*(password|User|credentials)`,
        ),
      );
      describesNoPassword(error, 'not-the-s3cret');
    });
  }

  it('leaves no session after a failed login', async () => {
    const none = async (): Promise<void> => {
      const count = () => server.eval<number>('return box.stat.net().CONNECTIONS.current');
      while ((await count()) > 0) await turns(10);
    };
    await none();
    await failure({ ...endpoint(), user: USER, password: 'wrong' });
    await none();
  });
});
