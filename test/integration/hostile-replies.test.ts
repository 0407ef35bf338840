import { equal, match, ok } from 'node:assert/strict';
import { MAX_DEFINITION_BYTES } from '../../lib/backup/limits.js';
import { MAX_REPLY_BYTES, MAX_REPLY_VALUES } from '../../lib/iproto/constants.js';
import { arrayOf, type Lie, numberedMap, replyOf, startLiar, textOf } from '../support/liar.js';
import { coded, pack } from '../support/msgpack.js';
import { type Measured, tntarMeasured } from '../support/peak.js';
import { startPeer } from '../support/proxy.js';
import { startServer, type TestServer } from '../support/server.js';
import { greeting, packet } from '../unit/iproto/fake-server.js';

const MIB = 1024 * 1024;
const PEAK_MIB = 256;
/** Only a run that hangs takes so long, however busy the machine is. */
const TIMEOUT_MS = 60_000;

const [SELECT, EVAL, PING, VOTE, FETCH_SNAPSHOT] = [1, 8, 64, 68, 69];
const [VCLOCK, BALLOT, DATA, ERROR_TEXT] = [0x26, 0x29, 0x30, 0x31];
const ERROR = 0x8000 | 20;
const EMPTY_MAP = Buffer.of(0x80);
const BIN = Buffer.of(0xc4, 0);

/** A server need not know the lie: it may be as good as an answer that says that nobody may ask. */
const GOOD_ENDS: readonly (number | null)[] = [0, 1, 5];

/** Lies in reply to requests of one type. */
const to =
  (wanted: number, reply: (sync: number) => Buffer | Iterable<Buffer>): Lie =>
  (type, sync) =>
    type === wanted ? reply(sync) : undefined;

/** One reply with rows that do not end, or a read view that does not. */
function* endless(head: Buffer, rows: Buffer): Generator<Buffer> {
  yield head;
  for (;;) yield rows;
}

/** The head of a reply of 4 GB with as many rows as there can be. */
function hugeHead(sync: number): Buffer {
  const head = replyOf(sync, DATA, coded(0xdd, 4, 0xffffffff));
  head.writeUInt32BE(0xfffffff0, 1);
  return head;
}

/** Rows of `_index`, one after the other. */
const INDEX_ROWS = Buffer.concat(
  Array.from({ length: 5000 }, (_, i) =>
    pack([600, i, `index ${i}`, 'tree', { unique: true }, [[0, 'unsigned']]]),
  ),
);

/** Rows of `_space` as a read view has them. */
const SNAPSHOT_ROWS = Buffer.concat(
  Array.from({ length: 5000 }, (_, i) =>
    packet(
      2,
      1,
      new Map<number, Buffer | number>([
        [0x10, 280],
        [0x21, pack([600 + i, 1, `space ${i}`, 'memtx', 0, {}, []])],
      ]),
    ),
  ),
);

const values = (count: number, value: Buffer): Buffer =>
  Buffer.concat([Buffer.of(0x91), arrayOf(count, value)]);

const LIES: [title: string, lie: Lie, source?: 'snapshot' | 'select'][] = [
  ['100 MB of maps', to(EVAL, (sync) => replyOf(sync, DATA, values(100 * MIB, EMPTY_MAP)))],
  [
    'maps, as many as a reply has bytes',
    to(EVAL, (sync) => replyOf(sync, DATA, values(MAX_REPLY_BYTES - 100, EMPTY_MAP))),
  ],
  [
    'maps, as many as are decoded',
    to(EVAL, (sync) => replyOf(sync, DATA, values(MAX_REPLY_VALUES / 5 - 5, EMPTY_MAP))),
  ],
  [
    'empty bytes, as many as are decoded',
    to(EVAL, (sync) => replyOf(sync, DATA, values(Math.floor(MAX_REPLY_VALUES / 6) - 5, BIN))),
  ],
  [
    'keys, as many as are decoded',
    to(EVAL, (sync) => {
      const map = numberedMap(MAX_REPLY_VALUES / 2 - 5);
      return replyOf(sync, DATA, Buffer.concat([Buffer.of(0x91), map]));
    }),
  ],
  ['a text of 32 MB', to(EVAL, (sync) => replyOf(sync, DATA, textOf(32 * MIB)))],
  ['an error of 100 MB', to(EVAL, (sync) => replyOf(sync, ERROR_TEXT, textOf(100 * MIB), ERROR))],
  [
    'an error of 32 MB of line ends',
    to(EVAL, (sync) => replyOf(sync, ERROR_TEXT, textOf(32 * MIB, '\n'), ERROR)),
  ],
  [
    'an error of 32 MB of blanks',
    to(PING, (sync) => replyOf(sync, ERROR_TEXT, textOf(32 * MIB, ' '), ERROR)),
    'select',
  ],
  [
    'an error of 32 MB of control characters',
    to(VOTE, (sync) => replyOf(sync, ERROR_TEXT, textOf(32 * MIB, '\x1b'), ERROR)),
    'select',
  ],
  [
    'a ballot of 100 MB',
    to(VOTE, (sync) => replyOf(sync, BALLOT, arrayOf(100 * MIB, EMPTY_MAP))),
    'select',
  ],
  [
    'a vclock of 5 million replicas',
    to(VOTE, (sync) =>
      replyOf(sync, BALLOT, Buffer.concat([Buffer.of(0x81, 2), numberedMap(5_000_000)])),
    ),
    'select',
  ],
  [
    'a vclock of 60,000 replicas',
    to(VOTE, (sync) =>
      replyOf(sync, BALLOT, Buffer.concat([Buffer.of(0x81, 2), numberedMap(60_000)])),
    ),
    'select',
  ],
  [
    'rows of _index without end',
    to(SELECT, (sync) => endless(hugeHead(sync), INDEX_ROWS)),
    'select',
  ],
  [
    'an error of 100 MB in place of rows',
    to(SELECT, (sync) => replyOf(sync, ERROR_TEXT, textOf(100 * MIB), ERROR)),
    'select',
  ],
  [
    'rows of _space without end',
    to(FETCH_SNAPSHOT, (sync) =>
      endless(replyOf(sync, VCLOCK, Buffer.of(0x81, 1, 1)), SNAPSHOT_ROWS),
    ),
    'snapshot',
  ],
  [
    'an error of 100 MB in place of a read view',
    to(FETCH_SNAPSHOT, (sync) => replyOf(sync, ERROR_TEXT, textOf(100 * MIB), ERROR)),
    'snapshot',
  ],
  [
    'a read view whose vclock has 20 million replicas',
    to(FETCH_SNAPSHOT, (sync) => replyOf(sync, VCLOCK, numberedMap(20_000_000))),
    'snapshot',
  ],
  [
    'a header of 100 MB',
    to(EVAL, () =>
      Buffer.concat([coded(0xce, 4, 30 * MIB), coded(0xdf, 4, 10 * MIB), Buffer.alloc(30 * MIB)]),
    ),
  ],
];

describe('a server that answers with too much', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({
      lua: `box.schema.user.grant('guest', 'super')
        box.schema.space.create('t'):create_index('pk')
        box.space.t:insert{1}`,
    });
  });
  after(() => server.stop());

  const ends = async (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Measured> => {
    const result = await tntarMeasured(args, { timeoutMs: TIMEOUT_MS, env });
    ok(result.peakMiB < PEAK_MIB, `${result.peakMiB} MiB`);
    ok(result.stderr.length < 30_000, `${result.stderr.length} characters`);
    return result;
  };

  for (const [title, lie, source = 'snapshot'] of LIES) {
    it(`ends a dump that takes less than 256 MiB for ${title}`, async () => {
      const liar = await startLiar(server, lie);
      const { code, stderr } = await ends(['dump', '-q', liar.address, '--source', source]);
      await liar.stop();
      ok(GOOD_ENDS.includes(code), `exit ${code}: ${stderr}`);
      ok(!stderr.includes('defect of tntar'), stderr);
    });
  }

  it('ends a restore by the same limits', async () => {
    const archive = await tntarMeasured(['dump', '-q', server.address]);
    for (const [, lie] of LIES.slice(0, 2)) {
      const liar = await startLiar(server, lie);
      const args = ['restore', '-q', liar.address, '--existing', 'replace'];
      const result = await tntarMeasured(args, { input: archive.stdout, timeoutMs: TIMEOUT_MS });
      await liar.stop();
      ok(result.peakMiB < PEAK_MIB, `${result.peakMiB} MiB`);
      equal(result.code, 1, result.stderr);
    }
  });

  it('ends a dump with a plain error if a reply has another type than expected, or lets it go on', async () => {
    for (const value of [1, 'text', null, [1], [[1]], [[['a', 'b']]], [{ a: 1 }]]) {
      const liar = await startLiar(
        server,
        to(EVAL, (sync) => replyOf(sync, DATA, pack(value))),
      );
      const { code, stderr } = await ends(['dump', '-q', liar.address]);
      await liar.stop();
      ok(!stderr.includes('defect of tntar'), stderr);
      ok(code === 1 || code === 0, stderr);
    }
  });

  describe('before it accepts the login', () => {
    const lies: [title: string, reply: (sync: number) => Buffer, message: RegExp][] = [
      [
        'a login of 100 million maps',
        (sync) => replyOf(sync, DATA, arrayOf(100_000_000, EMPTY_MAP)),
        /over the limit of 65536/,
      ],
      [
        'a login refused in 100 MB',
        (sync) => replyOf(sync, ERROR_TEXT, textOf(100 * MIB), ERROR),
        /over the limit of 65536/,
      ],
      [
        'a login and replies that no request waits for',
        (sync) => Buffer.concat([packet(0, sync, {}), packet(0, sync, {})]),
        /replies that no request waits for/,
      ],
    ];
    for (const [title, reply, message] of lies) {
      it(`is abandoned at once: ${title}`, async () => {
        const peer = await startPeer((socket) => {
          socket.write(greeting());
          socket.on('data', () => socket.write(reply(1)));
        });
        const { code, stderr } = await ends(['dump', '-q', peer.address], {
          TT_CLI_USERNAME: 'me',
          TT_CLI_PASSWORD: 'x',
        });
        await peer.stop();
        equal(code, 1, stderr);
        match(stderr, message);
      });
    }

    it('may add more to the reply to a login than is needed', async () => {
      let logins = 0;
      const peer = await startPeer((socket) => {
        socket.write(greeting());
        socket.once('data', () => {
          logins++;
          socket.write(replyOf(1, DATA, arrayOf(60_000, EMPTY_MAP)));
          socket.on('data', () => socket.write(replyOf(2, ERROR_TEXT, textOf(5), ERROR)));
        });
      });
      const env = { TT_CLI_USERNAME: 'me', TT_CLI_PASSWORD: 'x' };
      const { stderr } = await ends(['dump', '-q', peer.address], env);
      await peer.stop();
      equal(logins, 1);
      ok(!stderr.includes('login'), stderr);
    });
  });

  describe('without having been asked', () => {
    /** Says this again and again, long before a silence would end the run. */
    const drips = async (piece: (i: number) => Buffer): Promise<Measured> => {
      const peer = await startPeer((socket) => {
        socket.write(greeting());
        let i = 0;
        const timer = setInterval(() => socket.write(piece(i++)), 100);
        socket.on('close', () => clearInterval(timer));
      });
      try {
        return await ends(['dump', '-q', peer.address, '--timeout', '1']);
      } finally {
        await peer.stop();
      }
    };

    it('does not keep a run alive with whole replies', async () => {
      const { code, stderr } = await drips(() => packet(0, 0x7fffffff, {}));
      equal(code, 1, stderr);
      match(stderr, /a reply to the request 2147483647, which does not wait for a reply/);
    });

    it('does not keep a run alive with a reply that comes byte by byte', async () => {
      const long = replyOf(0x7fffffff, DATA, textOf(MAX_DEFINITION_BYTES));
      const { code, stderr } = await drips((i) =>
        i === 0 ? long.subarray(0, 40) : long.subarray(40 + i, 41 + i),
      );
      equal(code, 1, stderr);
      match(stderr, /a reply to the request 2147483647, which does not wait for a reply/);
    });
  });
});
