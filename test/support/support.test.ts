import { deepEqual, equal, match, notDeepEqual, notEqual, ok, rejects } from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { shell, tntar } from './cli.js';
import { describeDatabase } from './description.js';
import { type Fingerprint, fingerprint } from './fingerprint.js';
import { startServer, type TestServer } from './server.js';

const SCHEMA = `
box.schema.space.create('numbers'):create_index('primary')
box.schema.space.create('events', {engine = 'vinyl'}):create_index('primary')
box.schema.space.create('bare')
box.space.numbers:insert({1, 2.5})
`;

describe('test support', () => {
  describe('a test server', () => {
    let server: TestServer;
    before(async () => {
      server = await startServer({ lua: SCHEMA });
    });
    after(() => server.stop());

    it('listens at its address, and greets with its version', async () => {
      const socket = connect(server.port, server.host);
      const [greeting] = await new Promise<Buffer[]>((resolve, reject) => {
        socket.once('data', (data) => resolve([data])).once('error', reject);
      });
      socket.destroy();
      match(String(greeting), new RegExp(`^Tarantool ${server.version.replaceAll('.', '\\.')}`));
    });

    it('returns what Lua returns, of any size', async () => {
      deepEqual(await server.eval('return {...}', 'line\u2028end\n', [1, null]), [
        'line\u2028end\n',
        [1, null],
      ]);
      equal((await server.eval<string>("return ('ü'):rep(8e6)")).length, 8e6);
      equal(await server.eval('return #...', 'x'.repeat(1e6)), 1e6);
    });

    it('hands on errors of Lua, of its syntax and of the database', async () => {
      await rejects(server.eval('error("oops", 0)'), /^Error: oops$/);
      await rejects(server.eval('retrun 1'), /eval:1:/);
      await rejects(server.eval('box.space.numbers:insert({1})'), /Duplicate key/);
      await rejects(server.eval('return 0/0'), /number must not be NaN or Inf/);
    });

    it('answers while another request takes long', async () => {
      const order: string[] = [];
      await Promise.all([
        server.eval('require("fiber").sleep(0.2)').then(() => order.push('slow')),
        server.eval('return 1').then(() => order.push('fast')),
      ]);
      deepEqual(order, ['fast', 'slow']);
    });

    it('keeps its data over a restart', async () => {
      const before = await fingerprint(server, { system: true });
      await server.restart({ read_only: true });
      deepEqual(await fingerprint(server, { system: true }), before);
      equal(await server.eval('return box.info.ro'), true);
      await server.restart({ read_only: false });
    });
  });

  it('a server listens on a unix socket', async () => {
    const server = await startServer({ unixSocket: true });
    ok(server.socketPath && existsSync(server.socketPath));
    equal(server.uri, `admin:secret@unix/:${server.socketPath}`);
    await server.stop();
  });

  it('stop leaves neither process nor folder', async () => {
    const server = await startServer();
    const { pid } = server;
    server.kill('SIGSTOP');
    await server.stop();
    ok(!isAlive(pid));
    ok(!existsSync(server.dir));
    await rejects(server.eval('return 1'), /does not run/);
    await server.stop();
  });

  it('a server that dies fails every request that waits for it', async () => {
    const server = await startServer();
    const waiting = rejects(server.eval('require("fiber").sleep(60)'), /ended: SIGKILL/);
    server.kill('SIGKILL');
    await waiting;
    await server.stop();
  });

  it('a server that cannot start says why', async () => {
    await rejects(startServer({ bin: 'no-such-program' }), /ENOENT/);
    await rejects(startServer({ lua: 'box.space.nowhere:insert({1})' }), /nowhere|nil value/);
    await rejects(startServer({ cfg: { wal_mode: 'sometimes' } }), /no test server: .*wal_mode/);
  });

  describe('a fingerprint', () => {
    let server: TestServer;
    before(async () => {
      server = await startServer({ lua: SCHEMA });
    });
    after(() => server.stop());

    it('names every space with its rows', async () => {
      const prints = await fingerprint(server);
      deepEqual(Object.keys(prints).sort(), ['bare', 'events', 'numbers']);
      equal(prints['numbers']?.rows, 1);
    });

    it('tells a double from an equal integer', async () => {
      const hashOf = async (second: string) => {
        await server.eval(`
          local tuple = {1, ${second}}
          box.space.numbers:replace(tuple)
          box.space.events:replace(tuple)
        `);
        const { numbers, events } = await fingerprint(server);
        equal(numbers?.hash, events?.hash);
        return numbers?.hash;
      };
      const integer = await hashOf('1');
      notEqual(await hashOf("require('ffi').new('double', 1)"), integer);
      equal(await hashOf('1ULL'), integer);
    });

    it('does not depend on the order of the tuples', async () => {
      await server.eval(`
        local tree = box.schema.space.create('tree')
        tree:create_index('primary')
        local hash = box.schema.space.create('hash')
        hash:create_index('primary', {type = 'hash'})
        for i = 1, 1000 do
            tree:insert({i})
            hash:insert({1001 - i})
        end
      `);
      const { tree, hash } = await fingerprint(server);
      deepEqual(tree, hash);
    });

    it('covers the metadata on demand', async () => {
      const before = await fingerprint(server, { system: true });
      await server.eval("box.schema.user.create('eve')");
      const after = await fingerprint(server, { system: true });
      deepEqual(changes(before, after), ['_priv', '_user']);
    });

    it('covers each byte of the marks of applications in _schema, and nothing about the instance', async () => {
      await server.eval(`box.space._schema:replace({'mark', 0, 1, 41, 0})`);
      const prints = [await fingerprint(server, { marks: true })];
      for (const change of [
        `box.space._schema:replace({'mark', 0, 1, 41})`,
        `box.schema.space.create('counts_ids_up')`,
      ]) {
        await server.eval(change);
        prints.push(await fingerprint(server, { marks: true }));
      }
      const [whole = {}, cut = {}, more = {}] = prints;
      deepEqual(changes(whole, cut), ['_schema']);
      deepEqual(changes(cut, more), ['counts_ids_up']);
      equal(Object.keys(await fingerprint(server)).includes('_schema'), false);
    });

    it('covers the values of sequences, however they advanced', async () => {
      await server.eval(`
        box.schema.sequence.create('ids')
        box.schema.space.create('counted'):create_index('primary', {sequence = 'ids'})
      `);
      const prints = [await fingerprint(server, { system: true })];
      for (const step of ['box.sequence.ids:next()', 'box.space.counted:insert({box.NULL})']) {
        await server.eval(step);
        prints.push(await fingerprint(server, { system: true }));
      }
      const [unused = {}, called = {}, inserted = {}] = prints;
      deepEqual(changes(unused, called), ['_sequence_data']);
      deepEqual(changes(called, inserted), ['_sequence_data', 'counted']);
      deepEqual(
        prints.map((print) => print['_sequence_data']?.rows),
        [0, 1, 1],
      );
    });

    it('is the same for two fresh servers, metadata included', async () => {
      const servers = await Promise.all([startServer(), startServer()]);
      const [one, other] = await Promise.all(
        servers.map((each) => fingerprint(each, { system: true })),
      );
      deepEqual(one, other);
      equal(one?.['_user']?.rows, 0);
      await Promise.all(servers.map((each) => each.stop()));
    });
  });

  describe('a description', () => {
    const REFERRING = `
      box.schema.user.create('ann', {password = 'a'})
      box.schema.func.create('lower', {is_deterministic = true, is_sandboxed = true,
          body = 'function(tuple) return {tuple[2]:lower()} end'})
      box.internal.collation.create('loud', 'ICU', 'de', {strength = 'primary'})
      box.schema.sequence.create('ids')
      local space = box.schema.space.create('named', {user = 'ann', format = {
          {name = 'id', type = 'unsigned'}, {name = 'v', type = 'string', collation = 'loud'}}})
      space:create_index('primary', {sequence = 'ids'})
      space:create_index('lower', {func = 'lower', parts = {{1, 'string', collation = 'loud'}}})
      box.schema.user.grant('ann', 'execute', 'function', 'lower')
      box.schema.user.grant('guest', 'read', 'space', 'named')
      box.internal.collation.create('spare', 'ICU', 'en')
      box.schema.func.create('spare')
    `;
    const OTHER_IDS = `
      box.schema.user.create('other')
      box.schema.func.create('other')
      box.internal.collation.create('other', 'ICU', 'en', {})
      box.schema.sequence.create('other')
      box.schema.space.create('other')
    `;
    const DROP_OTHERS = `
      box.schema.user.drop('other')
      box.schema.func.drop('other')
      box.internal.collation.drop('other')
      box.schema.sequence.drop('other')
      box.space.other:drop()
    `;
    let server: TestServer;
    let other: TestServer;
    before(async () => {
      server = await startServer({ lua: REFERRING });
      other = await startServer({ lua: `${OTHER_IDS}${REFERRING}${DROP_OTHERS}` });
    });
    after(() => Promise.all([server.stop(), other.stop()]));

    it('does not depend on ids', async () => {
      notEqual(
        await server.eval('return box.space.named.id'),
        await other.eval('return box.space.named.id'),
      );
      deepEqual(await describeDatabase(other), await describeDatabase(server));
      equal(JSON.stringify(await describeDatabase(server)).includes('#'), false);
    });

    for (const [what, lua] of [
      ['an owner', `box.space._space:update({box.space.named.id}, {{'=', 2, 1}})`],
      ['a format', `box.space.named:format({{'id', 'unsigned'}, {'w', 'string'}})`],
      [
        'a collation',
        `box.internal.collation.drop('spare') box.internal.collation.create('spare', 'ICU', 'fr')`,
      ],
      [
        'a body',
        `box.schema.func.drop('spare') box.schema.func.create('spare', {body = 'function() end'})`,
      ],
      ['a value', 'box.sequence.ids:next()'],
      ['a password', `box.schema.user.passwd('ann', 'b')`],
      ['a grant', `box.schema.user.revoke('guest', 'read', 'space', 'named')`],
      ['a shipped grant', `box.schema.user.revoke('guest', 'public')`],
      ['an index', 'box.space.named.index.lower:drop()'],
      ['a note', `box.space._schema:insert({'note', 1})`],
    ] as const) {
      it(`tells that ${what} changed`, async () => {
        const before = await describeDatabase(other);
        await other.eval(lua);
        notDeepEqual(await describeDatabase(other), before);
      });
    }
  });

  describe('the command', () => {
    it('runs with input and without', async () => {
      const { code, stdout, stderr } = await tntar(['--version']);
      equal(code, 0, stderr);
      match(String(stdout), /^\d+\.\d+\.\d+\n$/);
      notEqual((await tntar(['verify'], { input: 'not an archive' })).code, 0);
    });

    it('is found by the shell, and the first failure of a pipe is the result', async () => {
      deepEqual(await shell('echo "$A"; echo b >&2; exit 3', { env: { A: 'a' } }), {
        code: 3,
        signal: null,
        stdout: Buffer.from('a\n'),
        stderr: 'b\n',
      });
      match(String((await shell('tntar --version | cat')).stdout), /^\d+\.\d+\.\d+\n$/);
      equal((await shell('false | cat')).code, 1);
    });

    it('is stopped, with all that it started, when it takes too long', async () => {
      const late = shell('echo begun >&2; sleep 50 | sleep 50', { timeoutMs: 2000 });
      await rejects(late, /killed after 2000 ms with 0 bytes.*\nbegun/);
    });
  });
});

function changes(before: Fingerprint, after: Fingerprint): string[] {
  return Object.keys(after)
    .filter((name) => after[name]?.hash !== before[name]?.hash)
    .sort();
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
