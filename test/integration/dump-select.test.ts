import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { type Result, tntar } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import {
  BULK,
  expectSame,
  list,
  parkDump,
  restore,
  roundTrip,
  withTarget,
} from './fidelity/roundtrip.js';

/** System spaces that every dump by select reads. */
const SYSTEM_SPACES = [
  ...['_schema', '_collation', '_space', '_index', '_sequence', '_sequence_data', '_func'],
  ...['_user', '_priv', '_trigger', '_space_sequence', '_fk_constraint', '_ck_constraint'],
  '_func_index',
];

/** Lua that makes a user who may read those, and `more`. */
const reader = (name: string, ...more: string[]): string => `
  box.schema.user.create('${name}', {password = '${name}'})
  for _, space in ipairs({${[...SYSTEM_SPACES, ...more].map((each) => `'${each}'`).join(', ')}}) do
      box.schema.user.grant('${name}', 'read', 'space', space)
  end
`;

function dumpAs(server: TestServer, user: string, ...args: string[]): Promise<Result> {
  return tntar(['dump', `${user}:${user}@${server.address}`, ...args]);
}

describe('a dump by select', () => {
  describe('while there are no writes', () => {
    let server: TestServer;
    before(async () => {
      server = await startServer({
        lua: `box.schema.space.create('quiet'):create_index('primary') box.space.quiet:insert({1})`,
      });
    });
    after(() => server.stop());

    it('is from one moment, and the archive has its vclock', async () => {
      const vclock = { 1: await server.eval('return tonumber(box.info.vclock[1])') };
      const { code, stdout, stderr } = await tntar(['dump', server.uri, '--source', 'select']);
      equal(code, 0, stderr);
      ok(!stderr.includes('warning'), stderr);
      const contents = await list(stdout);
      deepEqual(
        [contents.source, contents.consistent, contents.vclock, contents.endVclock],
        ['select', true, vclock, vclock],
      );
    });

    it('succeeds with --strict', async () => {
      await roundTrip(server, ['--source', 'select', '--strict']);
    });
  });

  describe('while others write', () => {
    let server: TestServer;
    before(async () => {
      server = await startServer({
        lua: `${BULK}
          box.schema.space.create('later'):create_index('primary')
          box.schema.space.create('local', {is_local = true}):create_index('primary')
          box.schema.space.create('temporary', {temporary = true}):create_index('primary')`,
      });
    });
    after(() => server.stop());

    async function dumpWhile(lua: string, ...args: string[]): Promise<Result> {
      const dumping = await parkDump(server, '--source', 'select', ...args);
      await server.eval(lua);
      return dumping.finish();
    }

    it('warns, and says in the archive that it is not from one moment', async () => {
      const { code, stdout, stderr } = await dumpWhile('box.space.later:insert({1})');
      equal(code, 0, stderr);
      match(stderr, /warning: rows were written while the dump read/);
      const { consistent, vclock, endVclock } = await list(stdout);
      equal(consistent, false);
      equal(Number(endVclock['1']), Number(vclock['1']) + 1);
      const verified = await tntar(['verify'], { input: stdout });
      equal(verified.code, 0);
      match(verified.stderr, /warning: .*not from one moment/);
    });

    it('has values of sequences that are not lower than the values in its rows', async () => {
      await server.eval(`
        local space = box.schema.space.create('numbered')
        space:create_index('primary', {sequence = true})
        for i = 1, 10 do space:insert{box.NULL} end`);
      const insertMore = 'for i = 1, 5 do box.space.numbered:insert{box.NULL} end';
      const { code, stdout, stderr } = await dumpWhile(insertMore);
      equal(code, 0, stderr);
      await withTarget(async (target) => {
        await restore(target, stdout);
        const [largest, next] = await target.eval<number[]>(`return {
          box.space.numbered.index[0]:max()[1], box.space.numbered:insert{box.NULL}[1]}`);
        deepEqual([largest, next], [15, 16]);
      });
    });

    it('fails without a trailer with --strict', async () => {
      const { code, stdout, stderr } = await dumpWhile('box.space.later:insert({2})', '--strict');
      equal(code, 1);
      match(stderr, /rows were written while the dump read/);
      equal((await tntar(['verify'], { input: stdout })).code, 3);
    });

    it('stays consistent if only left out spaces are written to', async () => {
      const { code, stdout, stderr } = await dumpWhile(
        'box.space.temporary:insert({1})',
        '--strict',
      );
      equal(code, 0, stderr);
      equal((await list(stdout)).consistent, true);
    });

    // Such writes move only what a vote does not tell, component 0 of the vclock.
    it('is not reported as from one moment if a local space was written to', async () => {
      const { code, stdout, stderr } = await dumpWhile(`box.space['local']:insert({1})`);
      equal(code, 0, stderr);
      equal((await list(stdout)).consistent, false);
    });

    // To some versions that is a change of the schema, to others one of rows.
    it('warns or fails if a space is truncated, as if all rows were deleted', async () => {
      const { code, stdout, stderr } = await dumpWhile('box.space.later:truncate()');
      match(stderr, /schema was changed|warning: rows were written while the dump read/);
      if (code === 0) equal((await list(stdout)).consistent, false);
      else equal((await tntar(['verify'], { input: stdout })).code, 3);
    });

    const CHANGES = {
      created: `box.schema.space.create('new')`,
      altered: `box.space.later:create_index('second', {parts = {{2, 'string', is_nullable = true}}})`,
      dropped: `box.space.later:drop()`,
    };
    for (const [what, lua] of Object.entries(CHANGES)) {
      it(`fails without a trailer if a space is ${what}`, async () => {
        const { code, stdout, stderr } = await dumpWhile(lua);
        equal(code, 1, stderr);
        match(stderr, /schema was changed|does not exist/);
        equal((await tntar(['verify'], { input: stdout })).code, 3);
      });
    }
  });

  describe('of a server that was restarted after its sequences advanced', () => {
    it('has their values', async () => {
      const server = await startServer({
        lua: `
          box.schema.sequence.create('called')
          box.schema.space.create('filled'):create_index('primary', {sequence = true})
          local function move()
              box.sequence.called:next()
              box.space.filled:insert({box.NULL})
          end
          move() move()
        `,
      });
      try {
        await server.restart();
        await server.eval(`box.space.filled:insert({box.NULL}) box.sequence.called:next()`);
        await roundTrip(server, ['--source', 'select']);
      } finally {
        await server.stop();
      }
    });
  });

  describe("of a server with wal_mode = 'none', which has no snapshot to give", () => {
    const cfg = { wal_mode: 'none' };
    let server: TestServer;
    before(async () => {
      server = await startServer({
        cfg,
        lua: `
          box.schema.sequence.create('called', {start = 5})
          box.sequence.called:next()
          box.schema.sequence.create('unused')
          box.schema.space.create('filled'):create_index('primary', {sequence = true})
          for i = 1, 1000 do box.space.filled:insert({box.NULL}) end
        `,
      });
    });
    after(() => server.stop());

    it('is chosen automatically, and says so', async () => {
      const { code, stdout, stderr } = await tntar(['dump', server.uri]);
      equal(code, 0, stderr);
      match(stderr, /reading by select, because a snapshot is not available/);
      equal((await list(stdout)).source, 'select');
    });

    it('has the values of sequences', async () => {
      await roundTrip(server, [], undefined, { cfg });
    });

    it('fails if a snapshot was requested', async () => {
      const { code, stdout, stderr } = await tntar(['dump', server.uri, '--source', 'snapshot']);
      equal(code, 1, stderr);
      equal(stdout.length, 0);
      match(stderr, /wal_mode/);
    });

    it('warns of writes during the dump', async () => {
      await server.eval(BULK);
      const dumping = await parkDump(server);
      await server.eval('box.space.filled:insert({box.NULL})');
      const { code, stdout, stderr } = await dumping.finish();
      equal(code, 0, stderr);
      match(stderr, /warning: rows were written/);
      equal((await list(stdout)).consistent, false);
    });
  });

  describe('as a user', () => {
    let server: TestServer;
    before(async () => {
      server = await startServer({
        lua: `
          for _, name in ipairs({'first', 'second', 'third'}) do
              box.schema.space.create(name):create_index('primary')
              for i = 1, 1000 do box.space[name]:insert({i}) end
          end
          ${reader('most', 'first', 'third')}
          ${reader('all', 'first', 'second', 'third')}
          box.schema.user.create('copier', {password = 'copier'})
          box.schema.user.grant('copier', 'replication')
          for _, hidden in ipairs({'_user', '_priv', '_func', '_sequence', '_space'}) do
              local name = 'no' .. hidden
              box.schema.user.create(name, {password = name})
              box.schema.user.grant(name, 'read', 'space', 'first')
              for _, space in ipairs({${SYSTEM_SPACES.map((each) => `'${each}'`).join(', ')}}) do
                  if space ~= hidden then
                      box.schema.user.grant(name, 'read', 'space', space)
                  end
              end
          end
        `,
      });
    });
    after(() => server.stop());

    it('who may not read the universe is chosen automatically, and says so', async () => {
      const { code, stdout, stderr } = await dumpAs(server, 'all');
      equal(code, 0, stderr);
      match(stderr, /reading by select, because a snapshot is not available: .*denied/);
      await withTarget(async (target) => {
        await restore(target, stdout);
        await expectSame(server, target);
      });
    });

    it("who has the role 'replication' is not needed, because a snapshot is available", async () => {
      const { code, stdout, stderr } = await dumpAs(server, 'copier');
      equal(code, 0, stderr);
      equal((await list(stdout)).source, 'snapshot');
    });

    it('fails if the user may not read one of the spaces, and names the space', async () => {
      for (const args of [[], ['--source', 'select']]) {
        const { code, stdout, stderr } = await dumpAs(server, 'most', ...args);
        equal(code, 5, stderr);
        match(stderr, /'second'/);
        equal((await tntar(['verify'], { input: stdout })).code, 3);
      }
    });

    it('who has no read on the universe gets no snapshot', async () => {
      const { code, stderr } = await dumpAs(server, 'all', '--source', 'snapshot');
      equal(code, 5, stderr);
    });

    for (const hidden of ['_user', '_priv', '_func', '_sequence', '_space']) {
      it(`who may not read ${hidden} fails, and names it`, async () => {
        const { code, stdout, stderr } = await dumpAs(server, `no${hidden}`);
        equal(code, 5, stderr);
        match(stderr, new RegExp(`'${hidden}'`));
        equal(stdout.length, 0);
      });
    }

    it('who has no privilege at all fails', async () => {
      const { code, stderr } = await tntar(['dump', server.address]);
      equal(code, 5, stderr);
    });

    describe('of a database with sequences', () => {
      before(() =>
        server.eval(`
          box.schema.sequence.create('moved')
          box.sequence.moved:next()
          box.schema.user.create('caller', {password = 'caller'})
          for _, space in ipairs({'first', 'second', 'third', ${SYSTEM_SPACES.map((each) => `'${each}'`).join(', ')}}) do
              box.schema.user.grant('caller', 'read', 'space', space)
          end
          box.schema.user.grant('caller', 'execute', 'universe')
        `),
      );

      it('fails if their values cannot be read, and says so', async () => {
        const { code, stdout, stderr } = await dumpAs(server, 'all');
        equal(code, 5, stderr);
        match(stderr, /sequences/);
        equal(stdout.length, 0);
      });

      it('fails if Lua may run but may not read their values', async () => {
        const { code, stderr } = await dumpAs(server, 'caller');
        equal(code, 5, stderr);
        match(stderr, /sequence/);
      });

      // the server asks for write to let a sequence's current() be read
      it('has their values if Lua may read them', async () => {
        await server.eval(`box.schema.user.grant('caller', 'read,write', 'sequence', 'moved')`);
        const { code, stdout, stderr } = await dumpAs(server, 'caller');
        equal(code, 0, stderr);
        await withTarget(async (target) => {
          await restore(target, stdout);
          await expectSame(server, target);
        });
      });
    });
  });
});
