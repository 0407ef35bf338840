import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasNoTrace } from '../cli/outcome.js';
import { type Result, shell, tntar } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';

/** What vshard notes of buckets, and spaces that are distributed by them. */
const SCHEMA = `
  box.schema.user.grant('guest', 'super', nil, nil, {if_not_exists = true})
  local buckets = box.schema.space.create('_bucket', {format = {{'id', 'unsigned'}, {'status', 'string'},
    {'destination', 'string', is_nullable = true}, {'opts', 'map', is_nullable = true}}})
  buckets:create_index('pk', {parts = {'id'}})
  buckets:create_index('status', {parts = {'status'}, unique = false})
  local orders = box.schema.space.create('orders', {format = {{'id', 'unsigned'}, {'bucket_id', 'unsigned'},
    {'name', 'string'}}})
  orders:create_index('pk', {parts = {'id'}})
  orders:create_index('bucket_id', {parts = {'bucket_id'}, unique = false})
  local notes = box.schema.space.create('notes', {engine = 'vinyl', format = {{'bucket_id', 'unsigned'},
    {'id', 'unsigned'}}})
  notes:create_index('pk', {parts = {'bucket_id', 'id'}})
  notes:create_index('bucket_id', {parts = {'bucket_id'}, unique = false})
  local currencies = box.schema.space.create('currencies', {format = {{'code', 'string'}}})
  currencies:create_index('pk', {parts = {'code'}})
  currencies:insert({'EUR'})
  currencies:insert({'USD'})
  function put(bucket, state, generation, rows)
    buckets:replace({bucket, state, nil, generation and {generation = generation} or nil})
    for i = 1, rows or 2 do
      orders:replace({1000 * bucket + i, bucket, 'order ' .. i})
      notes:replace({bucket, i})
    end
  end
`;

/** The states of the buckets 1 to 9, of which shard 1 and shard 2 have each a part. */
const STATES: readonly string[] = [
  `put(1, 'active') put(2, 'pinned') put(3, 'sending', 1) put(4, 'sent', 2) put(5, 'garbage', 1) put(8, 'active', 3)`,
  `put(3, 'receiving', 1, 1) put(4, 'active', 2, 1) put(5, 'active', 1) put(6, 'active') put(7, 'readonly') put(8, 'active', 4)`,
  `put(9, 'active')`,
];

/** Asserts that a run failed, and said why and what to do. */
function fails({ code, stdout, stderr }: Result, expected: number, message: RegExp, hint: RegExp) {
  equal(code, expected, stderr);
  equal(String(stdout), '');
  match(stderr, message);
  match(stderr, new RegExp(`^hint: .*${hint.source}`, 'm'));
  hasNoTrace(stderr);
}

describe('a dump of a cluster', () => {
  let shards: TestServer[];
  let folder: string;
  let archive: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-cluster-'));
    archive = join(folder, 'cluster.tar.zst');
    shards = await Promise.all(STATES.map((states) => startServer({ lua: SCHEMA + states })));
  });
  after(async () => {
    await Promise.all(shards.map((shard) => shard.stop()));
    rmSync(folder, { recursive: true });
  });

  const addresses = (): string[] => shards.map(({ address }) => address);
  const dump = (...args: string[]): Promise<Result> =>
    tntar(['dump', '--cluster', ...addresses(), ...args]);
  const rowsIn = async (space: string, ...args: string[]): Promise<unknown[]> => {
    const { code, stdout, stderr } = await tntar(['cat', space, archive, ...args]);
    equal(code, 0, stderr);
    return String(stdout)
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  };

  /** The owner of each bucket, from 1. */
  const OWNERS = ['a', 'a', 'a', 'b', 'b', 'b', 'b', 'b', 'c'];
  /** Of which shard the servers are: they are in the order of uuids that chance gave them. */
  const shardOf = async (server: TestServer): Promise<number> => {
    const uuid = await server.eval<string>('return box.info.cluster.uuid');
    const all = await Promise.all(
      shards.map((each) => each.eval<string>('return box.info.cluster.uuid')),
    );
    return all.sort().indexOf(uuid) + 1;
  };

  it('takes each row once, from the shard that has its bucket', async () => {
    const { code, stdout, stderr } = await dump('-o', archive);
    equal(code, 0, stderr);
    equal(stdout.length, 0);
    match(stderr, /^tntar: shard 1: 127\.0\.0\.1:\d+, master$/m);
    match(stderr, /^tntar: dumped 3 shards, 4 spaces with \d+ rows, /m);
    match(stderr, /^tntar: 9 buckets, read views opened within \d+ ms$/m);

    const ids = (await rowsIn('orders')).map((row) => (row as { id: number }).id);
    const expected = OWNERS.flatMap((owner, i) => {
      const bucket = i + 1;
      return bucket === 4 && owner === 'b' ? [4001] : [1000 * bucket + 1, 1000 * bucket + 2];
    });
    deepEqual(
      ids.sort((a, b) => a - b),
      expected,
    );
    equal((await rowsIn('notes')).length, 17);
  });

  it('has the rows of spaces without buckets once', async () => {
    deepEqual(await rowsIn('currencies'), [{ code: 'EUR' }, { code: 'USD' }]);
  });

  it('says what each shard has, and that spaces without buckets are equal', async () => {
    const { stdout } = await shell(`tar --zstd -xOf ${archive} cluster.json`);
    const cluster = JSON.parse(String(stdout));
    equal(cluster.bucketCount, 9);
    deepEqual(cluster.sharded, [
      { name: 'orders', field: 1 },
      { name: 'notes', field: 0 },
    ]);
    const [a, b, c] = await Promise.all(shards.map(shardOf));
    const numbers: Record<string, number> = { a: a!, b: b!, c: c! };
    const owners = cluster.owners.flatMap(([first, last, shard]: [number, number, number]) =>
      Array.from({ length: last - first + 1 }, () => shard),
    );
    deepEqual(
      owners,
      OWNERS.map((owner) => numbers[owner]),
    );
    equal(cluster.shards[a! - 1].buckets, 3);
    const trailer = await shell(`tar --zstd -xOf ${archive} trailer.json`);
    const { equal: same, different } = JSON.parse(String(trailer.stdout));
    deepEqual([same, different], [['currencies'], []]);
  });

  it('goes to standard output, and is verified and listed as one database', async () => {
    const { code, stdout, stderr } = await dump('-q');
    equal(code, 0, stderr);
    equal(stderr, '');
    const verified = await tntar(['verify'], { input: stdout });
    equal(verified.code, 0, verified.stderr);
    const listed = await tntar(['list'], { input: stdout });
    match(String(listed.stdout), /\borders +memtx +17\b/);
    match(String(listed.stdout), /\bcurrencies +memtx +2\b/);
  });

  it('is restored shard by shard into servers, to the row', async () => {
    const shard = await shardOf(shards[1]!);
    const target = await startServer({ lua: `box.schema.user.grant('guest', 'super')` });
    try {
      const args = [
        'restore',
        target.address,
        '-i',
        archive,
        '--shard',
        String(shard),
        '--no-users',
      ];
      const { code, stderr } = await tntar([...args, '--no-privileges']);
      equal(code, 0, stderr);
      const rows = await target.eval('return {box.space.orders:len(), box.space._bucket:len()}');
      deepEqual(rows, [9, 6]);
    } finally {
      await target.stop();
    }
  });

  it('is refused by what takes one instance, with the way out', async () => {
    const args = ['restore', shards[0]!.address, '-i', archive];
    fails(await tntar(args), 2, /cluster of 3 shards/, /--shard 1/);
    fails(await tntar(['diff', archive, archive]), 2, /cluster of 3 shards/, /--shard 1/);
    const extract = ['extract', archive, '-C', join(folder, 'extracted')];
    fails(await tntar(extract), 2, /cluster of 3 shards/, /--shard 1/);
    equal((await tntar(['diff', archive, archive, '--shard', '2'])).code, 0);
  });

  it('goes through filters, with one mask key for all shards', async () => {
    const masked = join(folder, 'masked.tar.zst');
    const { code, stderr } = await dump(
      ...['-o', masked, '--space', 'orders', '--where', 'orders: id % 1000 == 1'],
      ...['--mask', 'orders.name=hash'],
    );
    equal(code, 0, stderr);
    const { stdout } = await tntar(['cat', 'orders', masked]);
    const rows = String(stdout)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: number; name: string });
    equal(rows.length, 9);
    equal(new Set(rows.map(({ name }) => name)).size, 1);
    ok(!rows.some(({ name }) => name.startsWith('order')));
  });

  it('names spaces without buckets that differ', async () => {
    await shards[0]!.eval(`box.space.currencies:replace({'GBP'})`);
    try {
      const { code, stdout, stderr } = await dump();
      equal(code, 0, stderr);
      match(stderr, /warning: spaces without buckets that are not the same .*: currencies;/);
      const { stdout: trailer } = await shell('tar --zstd -xOf - trailer.json', { input: stdout });
      deepEqual(JSON.parse(String(trailer)).different, ['currencies']);
    } finally {
      await shards[0]!.eval(`box.space.currencies:delete({'GBP'})`);
    }
  });

  it('keeps a row whose bucket is none, and warns of it', async () => {
    await shards[2]!.eval(`box.space.orders:replace({1, 77, 'lost'})`);
    try {
      const { code, stdout, stderr } = await dump();
      equal(code, 0, stderr);
      match(stderr, /warning: shard \d .*: 1 row of space 'orders' is in no bucket/);
      const { stdout: rows } = await tntar(['cat', 'orders'], { input: stdout });
      match(String(rows), /"lost"/);
    } finally {
      await shards[2]!.eval('box.space.orders:delete({1})');
    }
  });

  for (const [title, change, back, message, hint] of [
    [
      'without an owner',
      `box.space._bucket:delete({6})`,
      `put(6, 'active')`,
      /no shard has the buckets 6$/m,
      /name all shards/,
    ],
    [
      'that two shards own',
      `put(1, 'active', 0, 0)`,
      `box.space._bucket:delete({1})`,
      /buckets are active on two shards: 1$/m,
      /delete the others/,
    ],
  ] as [string, string, string, RegExp, RegExp][]) {
    it(`fails for a bucket ${title}, and leaves no file`, async () => {
      const file = join(folder, 'damaged.tar.zst');
      await shards[1]!.eval(change);
      try {
        fails(await dump('-o', file), 1, message, hint);
        equal(existsSync(file), false);
        equal(existsSync(`${file}.partial`), false);
      } finally {
        await shards[1]!.eval(back);
      }
    });
  }

  it('fails if a shard cannot be reached, or may not be read', async () => {
    const [first] = addresses();
    const gone = await startServer();
    await gone.stop();
    fails(await tntar(['dump', '--cluster', first!, gone.address]), 5, /cannot connect/, /./);
    await shards[0]!.eval(`box.schema.user.create('few', {password = 'x'})`);
    const few = `few:x@${shards[0]!.address}`;
    fails(await tntar(['dump', '--cluster', few, shards[1]!.address]), 5, /few/, /./);
  });

  it('fails if a shard is lost amid its rows, and names it', async () => {
    const lost = await startServer({
      lua: `${SCHEMA} put(10, 'active')
        local digest = require('digest')
        for i = 1, 20000 do box.space.orders:replace({20000 + i, 10, digest.urandom(1500)}) end`,
    });
    const file = join(folder, 'lost.tar.zst');
    // nobody reads its rows, so the server is still at them when it is killed
    const script = `tntar dump --cluster ${addresses().join(' ')} ${lost.address} -q | (head -c 100000; kill -9 ${lost.pid}; cat) > ${file}`;
    const { code, stderr } = await shell(script);
    equal(code, 1);
    match(
      stderr,
      new RegExp(`shard \\d \\(${lost.address}\\): connection to ${lost.address} lost`),
    );
    equal((await tntar(['verify', file])).code, 3);
    await lost.stop();
  });

  it('has replica sets without buckets as they are', async () => {
    const plain = await startServer({
      lua: `box.schema.user.grant('guest', 'super')
        box.schema.space.create('own'):create_index('pk')
        box.space.own:insert({1})`,
    });
    try {
      const { code, stdout, stderr } = await tntar(['dump', '--cluster', plain.address]);
      equal(code, 0, stderr);
      const { stdout: rows } = await tntar(['cat', 'own'], { input: stdout });
      equal(String(rows).trim(), '[1]');
      const { stdout: json } = await shell('tar --zstd -xOf - cluster.json', { input: stdout });
      equal(JSON.parse(String(json)).bucketCount, undefined);
    } finally {
      await plain.stop();
    }
  });

  it('refuses what does not fit a cluster', async () => {
    fails(await tntar(['dump', '--from', 'replica']), 2, /--from works only with --cluster/, /./);
    fails(await dump('--source', 'select'), 2, /cannot be read by select/, /--source/);
    const before = ['dump', 'db9:3301', '--cluster', ...addresses()];
    fails(await tntar(before), 2, /db9:3301 stands before --cluster/, /behind --cluster/);
    fails(await dump('--from', 'replica'), 1, /has no replica/, /--from master/);
    fails(await tntar(['dump', '--cluster', archive]), 2, /is a file/, /-o/);
  });

  it('shows no password of an address, and takes none of another shard', async () => {
    const uris = shards.map(({ uri }) => uri);
    const { code, stderr } = await tntar(['dump', '--cluster', ...uris, '-o', join(folder, 'p')]);
    equal(code, 0, stderr);
    ok(!stderr.includes('secret'));
    readFileSync(join(folder, 'p'));
  });
});

describe('a shard with a replica', () => {
  let master: TestServer;
  let replica: TestServer;
  before(async () => {
    master = await startServer({ lua: `${SCHEMA} put(1, 'active')` });
    replica = await startServer({
      cfg: { replication: [`${master.address}`], read_only: true },
    });
  });
  after(async () => {
    await replica.stop();
    await master.stop();
  });

  for (const [from, role] of [
    [[], 'replica'],
    [['--from', 'replica'], 'replica'],
    [['--from', 'master'], 'master'],
  ] as const) {
    it(`is read from its ${role} ${from.length === 0 ? 'by default' : `with ${from.join(' ')}`}`, async () => {
      const args = ['dump', '--cluster', master.address, replica.address, ...from];
      const { code, stdout, stderr } = await tntar(args);
      equal(code, 0, stderr);
      const { address } = role === 'master' ? master : replica;
      match(stderr, new RegExp(`shard 1: ${address}, ${role}\n`));
      match(stderr, /dumped 1 shard,/);
      const { stdout: json } = await shell('tar --zstd -xOf - cluster.json', { input: stdout });
      equal(JSON.parse(String(json)).shards[0].role, role);
    });
  }
});
