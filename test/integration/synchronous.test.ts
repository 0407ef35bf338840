import { deepEqual, doesNotMatch, equal, match } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { failsWith } from '../cli/outcome.js';
import { withServer } from '../cli/with-server.js';
import { type Result, tntar } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import { BULK, list, mayHang, parkDump } from './fidelity/roundtrip.js';

/** Transactions of `orders` are confirmed by this instance alone, for now. */
const SCHEMA = `
  if box.ctl.promote then box.ctl.promote() end
  box.schema.space.create('orders', {is_sync = true}):create_index('primary')
  box.space.orders:insert({1, 'paid'})
  box.schema.space.create('notes', {is_local = true}):create_index('primary')
  box.space.notes:insert({1})
`;

/** From now on nothing is confirmed: a row of a synchronous space waits, and so does a local one after it. */
const WAIT = `
  box.cfg{replication_synchro_quorum = 2}
  local fiber = require('fiber')
  for _, name in ipairs({'orders', 'notes'}) do
      fiber.create(function() pcall(box.space[name].insert, box.space[name], {100, 'not confirmed'}) end)
  end
`;
const WAITED = /synchronous transactions waited for a quorum while the (dump|copy) read/;
const UNTOLD = /it is unknown whether synchronous transactions waited for a quorum/;

/** Seconds until what waits is rolled back: longer than a test takes, unless it is the matter of it. */
const cfg = (replication_synchro_timeout = 600) => ({
  replication_synchro_quorum: 1,
  replication_synchro_timeout,
});

describe('a server whose synchronous transactions wait for a quorum', () => {
  let server: TestServer;
  /** On a busy machine 2.6 at times never confirms what waits when the quorum changes; then it is made anew. */
  const isSetUp = async (): Promise<boolean> => {
    server = await startServer({ cfg: cfg(), lua: SCHEMA + WAIT });
    const setUp = server.eval(`
      box.cfg{replication_synchro_quorum = 1}
      box.schema.user.create('reader', {password = 'reader'})
      box.schema.user.grant('reader', 'read', 'space')
      box.schema.user.create('snapshotter', {password = 'snapshotter'})
      box.schema.user.grant('snapshotter', 'read', 'universe')
      box.space.orders:delete({100})
      ${WAIT}`);
    const late = sleep(15_000, false, { ref: false });
    if (await Promise.race([setUp.then(() => true), late])) return true;
    setUp.catch(() => {}); // ends with the server
    await server.stop();
    return false;
  };
  before(async () => {
    for (let tries = 0; tries < 3; tries++) if (await isSetUp()) return;
    throw new Error('the server confirms nothing');
  });
  after(() => server.stop());

  const dumpAs = (user: string, ...args: string[]): Promise<Result> =>
    tntar(['dump', '-q', `${user}:${user}@${server.address}`, ...args]);

  it('has uncommitted rows, which a select reads', async () => {
    equal(await server.eval('return box.space.orders:count()'), 2);
  });

  describe('read by select', () => {
    it('gives a dump that is reported as not consistent', async () => {
      const { code, stdout, stderr } = await tntar(['dump', server.uri, '--source', 'select']);
      equal(code, 0, stderr);
      match(stderr, WAITED);
      match(stderr, /the dump is not consistent/);
      equal((await list(stdout)).consistent, false);
    });

    it('gives no dump with --strict, and no copy', async () => {
      const strictly = ['--source', 'select', '--strict'];
      const dumped = await tntar(['dump', '-q', server.uri, ...strictly]);
      equal(dumped.code, 1, dumped.stderr);
      match(dumped.stderr, WAITED);
      match(dumped.stderr, /\nhint: .*box\.info\.synchro\.queue\.len.*--source snapshot/);
      equal((await tntar(['verify'], { input: dumped.stdout })).code, 3);
      await withServer({}, async (target) => {
        const copied = await tntar(['copy', '-q', server.uri, target.uri, ...strictly]);
        equal(copied.code, 1, copied.stderr);
        match(copied.stderr, WAITED);
      });
    });

    it('leads to a warning that consistency is unknown, if the user may not ask', async () => {
      const { code, stdout, stderr } = await dumpAs('reader', '--source', 'select');
      equal(code, 0, stderr);
      match(stderr, UNTOLD);
      match(stderr, /not known to be consistent \(grant the user execute on universe/);
      equal((await list(stdout)).consistent, false);
      const strict = await dumpAs('reader', '--source', 'select', '--strict');
      equal(strict.code, 1, strict.stderr);
      const user = `reader:reader@${server.address}`;
      const compared = await tntar(['diff', '-q', '-', user], { input: stdout });
      match(compared.stderr, /warning: B \(.*\): it is unknown whether synchronous/);
    });

    it('is recognized by its snapshot if the user may take one', async function () {
      if (mayHang(server)) this.skip();
      const { code, stderr } = await dumpAs('snapshotter', '--source', 'select', '--strict');
      equal(code, 1, stderr);
      match(stderr, WAITED);
    });
  });

  describe('read from a snapshot', () => {
    it('ends the dump with the name of what it waits for, and nothing is read by select instead', async () => {
      for (const source of ['auto', 'snapshot']) {
        const args = ['dump', '-q', server.uri, '--source', source, '--timeout', '1'];
        const result = await tntar(args);
        failsWith(result, 1, /wait for a quorum of 2|waits for a quorum of 2: 2 transactions/);
        match(
          result.stderr,
          /\nhint: check on the server that the replicas are connected.*; a dump with --source select does not wait/,
        );
        doesNotMatch(result.stderr, /lost|by select:/);
      }
    });

    it('ends a comparison in the same way, and the side is named', async () => {
      const args = ['diff', '-', server.uri, '--timeout', '1'];
      const { stdout } = await tntar(['dump', '-q', server.uri, '--source', 'select']);
      const { code, stderr } = await tntar(args, { input: stdout });
      equal(code, 6, stderr);
      match(stderr, /B \(.*\): .*quorum of 2/);
    });

    it('is reported as perhaps waiting for a quorum, if the user may not ask', async () => {
      const result = await dumpAs('snapshotter', '--force-snapshot', '--timeout', '1');
      failsWith(
        result,
        1,
        /answers other connections, but not this one for 1 s: it may wait for a quorum/,
      );
    });
  });

  it('is reported as waiting for a quorum by a restore that gets no reply', async () => {
    const archive = await withServer(
      { lua: `box.schema.space.create('s'):create_index('primary')` },
      async ({ uri }) => (await tntar(['dump', '-q', uri])).stdout,
    );
    const args = ['restore', '-q', server.uri, '--timeout', '1'];
    const { code, stderr } = await tntar(args, { input: archive });
    equal(code, 1, stderr);
    match(stderr, /wait for a quorum of 2|waits for a quorum of 2: \d+ transactions/);
    match(stderr, /INCOMPLETE: 1 definition and 0 rows were sent/);
    match(
      stderr,
      /\nhint: check on the server that the replicas are connected.*; empty the target and restore again\n/,
    );
    doesNotMatch(stderr, /--source select/, 'a restore reads nothing from the server');
  });
});

describe('synchronous transactions that begin to wait while a server is read', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer({ cfg: cfg(), lua: BULK + SCHEMA });
  });
  afterEach(() => server.stop());

  it('make a dump by select inconsistent, for that reason', async () => {
    const dumping = await parkDump(server, '--source', 'select');
    await server.eval(WAIT);
    const { code, stdout, stderr } = await dumping.finish();
    equal(code, 0, stderr);
    match(stderr, WAITED);
    equal((await list(stdout)).consistent, false);
  });

  for (const strict of [false, true]) {
    it(`${strict ? 'end a strict' : 'make a'} snapshot ${strict ? '' : 'inconsistent, '}whose local spaces come later`, async () => {
      const dumping = await parkDump(
        server,
        '--source',
        'snapshot',
        ...(strict ? ['--strict'] : []),
      );
      await server.eval(WAIT);
      const { code, stdout, stderr } = await dumping.finish();
      equal(code, strict ? 1 : 0, stderr);
      match(stderr, WAITED);
      match(stderr, /rows of spaces local to the instance that are never committed/);
      if (!strict) equal((await list(stdout)).consistent, false);
    });
  }

  it('do not affect a database without synchronous spaces, whoever reads it', async () => {
    await server.eval(`
      box.space.orders:drop()
      box.schema.user.create('reader', {password = 'reader'})
      box.schema.user.grant('reader', 'read', 'space')
      box.space.notes:drop()`);
    const args = ['--source', 'select', '--strict'];
    const { code, stderr } = await tntar([
      'dump',
      '-q',
      `reader:reader@${server.address}`,
      ...args,
      '-o',
      `${server.dir}/dump`,
    ]);
    deepEqual([code, stderr], [0, '']);
  });
});

describe('synchronous transactions that are rolled back', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({
      cfg: cfg(1),
      lua: `${SCHEMA}
        box.schema.sequence.create('ids')
        box.sequence.ids:next()
        box.schema.user.create('snapshotter', {password = 'snapshotter'})
        box.schema.user.grant('snapshotter', 'read', 'universe')
        box.cfg{replication_synchro_quorum = 2}
        require('fiber').create(function()
            while true do pcall(box.space.orders.insert, box.space.orders, {100}) end
        end)`,
    });
  });
  after(() => server.stop());

  it('do not lead to a dump by select if a snapshot has waited for them', async () => {
    const result = await tntar(['dump', server.uri]);
    equal(result.code, 1, result.stderr);
    match(result.stderr, /read the snapshot: .*synchronous transaction .*\(server error 21[67]\)/);
    match(
      result.stderr,
      /\nhint: check on the server that the replicas are connected.*; a dump with --source select does not wait/,
    );
    doesNotMatch(result.stderr, /by select, because/);
  });

  it('do not make the values of sequences count as hidden', async function () {
    if (mayHang(server)) this.skip();
    const user = `snapshotter:snapshotter@${server.address}`;
    const result = await tntar(['dump', '-q', user, '--source', 'select']);
    failsWith(result, 1, /\(server error 21[67]\)/);
  });
});
