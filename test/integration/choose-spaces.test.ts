import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { tntar } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, isAtLeast, restore, tryRestore, withTarget } from './fidelity/roundtrip.js';

/** SQL reads spaces by names in upper case on every version. */
const SOURCE = `
  box.schema.user.create('ann', {password = 'a'})
  box.schema.sequence.create('counter')
  box.schema.func.create('lower', {is_deterministic = true, is_sandboxed = true,
      body = 'function(tuple) return {tuple[2]:lower()} end'})
  box.schema.func.create('idle', {body = 'function() end'})
  local users = box.schema.space.create('USERS', {format = {{'ID', 'unsigned'}, {'NAME', 'string'}}})
  users:create_index('primary', {sequence = 'counter'})
  users:create_index('by_name', {func = 'lower', parts = {{1, 'string'}}})
  for i = 1, 100 do users:insert({box.NULL, 'Row ' .. i}) end
  local orders = box.schema.space.create('app.ORDERS', {engine = 'vinyl'})
  orders:create_index('primary')
  for i = 1, 5000 do orders:insert({i, string.rep('x', 100)}) end
  box.schema.space.create('app/log'):create_index('primary', {sequence = true})
  box.space['app/log']:insert({box.NULL, 'entry'})
  box.execute([[CREATE VIEW "NAMED" AS SELECT "NAME" FROM "USERS"]])
  box.schema.user.grant('ann', 'read', 'space', 'USERS')
  box.schema.user.grant('ann', 'read', 'space', 'app/log')
`;

const THERE = `
  local there = {}
  for _, kind in ipairs({'space', 'user', 'func', 'sequence'}) do
    local rows = box.space['_' .. kind].index.name:select()
    for _, row in ipairs(rows) do table.insert(there, row.name) end
  end
  return there`;
const OURS = ['ann', 'counter', 'lower', 'idle', 'USERS', 'app.ORDERS', 'app/log', 'NAMED'];
const LOG_SEQUENCE = 'app/log_seq';

describe('choosing spaces', () => {
  let source: TestServer;
  let whole: Buffer;
  before(async () => {
    source = await startServer({ lua: SOURCE });
    whole = await dump(source);
  });
  after(() => source.stop());

  const there = async (target: TestServer): Promise<string[]> => {
    const names = await target.eval<string[]>(THERE);
    return names.filter((name) => [...OURS, LOG_SEQUENCE].includes(name)).sort();
  };
  const spacesOf = async (archive: Buffer, ...args: string[]): Promise<string[]> => {
    const { stdout, code, stderr } = await tntar(['list', '--json', ...args], { input: archive });
    equal(code, 0, stderr);
    return JSON.parse(String(stdout)).spaces.map(({ name }: { name: string }) => name);
  };

  for (const how of ['snapshot', 'select'] as const) {
    it(`dumps by ${how} a space with what it needs, and nothing else`, async () => {
      const archive = await dump(source, '--source', how, '--space', 'USERS');
      await withTarget(async (target) => {
        await restore(target, archive);
        deepEqual(await there(target), ['USERS', 'counter', 'lower']);
        equal(await target.eval('return box.space.USERS.index.by_name:count()'), 100);
        equal(await target.eval(`return box.space.USERS:insert({box.NULL, 'next'})[1]`), 101);
      });
    });
  }

  it('restores a space out of a whole archive', async () => {
    await withTarget(async (target) => {
      const { stderr } = await restore(target, whole, '--space', 'app*', '--exclude', '*log');
      match(stderr, /restored 1 space with 5,000 rows/);
      deepEqual(await there(target), ['app.ORDERS']);
    });
  });

  it('leaves out a space with everything that belongs to it, and keeps all else', async () => {
    await withTarget(async (target) => {
      await restore(target, whole, '--exclude', 'app/*');
      deepEqual(await there(target), OURS.filter((name) => name !== 'app/log').sort());
      equal(
        await target.eval(
          `return box.space._priv:count({box.space._user.index.name:get('ann').id, 'space'})`,
        ),
        1,
      );
    });
  });

  it('leaves out a view that reads a missing space, and says so', async () => {
    await withTarget(async (target) => {
      const { stderr } = await restore(target, whole, '--exclude', 'USERS');
      match(stderr, /left out: view 'NAMED': it reads 'USERS'/);
      ok(!(await there(target)).includes('NAMED'));
    });
  });

  for (const how of ['snapshot', 'select'] as const) {
    it(`dumps definitions alone by ${how}, with --schema-only`, async () => {
      const archive = await dump(source, '--source', how, '--schema-only', '--exclude', 'app/*');
      await withTarget(async (target) => {
        await restore(target, archive);
        deepEqual(await there(target), OURS.filter((name) => name !== 'app/log').sort());
        equal(await target.eval('return box.space.USERS:count()'), 0);
        equal(await target.eval(`return box.space.USERS:insert({box.NULL, 'first'})[1]`), 1);
      });
    });
  }

  it('lists and verifies the chosen spaces', async () => {
    deepEqual(await spacesOf(whole, '--space', 'app*'), ['app.ORDERS', 'app/log']);
    const { stderr, code } = await tntar(['verify', '--exclude', 'app*'], { input: whole });
    equal(code, 0, stderr);
    match(stderr, /verified 2 spaces with 100 rows/);
  });

  it('says in the archive that it is partial', async () => {
    const archive = await dump(source, '--space', 'app*');
    const { stdout } = await tntar(['list'], { input: archive });
    match(String(stdout), /PARTIAL: only spaces 'app\*' and what they need/);
    const { stdout: plain } = await tntar(['list'], { input: whole });
    ok(!String(plain).includes('PARTIAL'));
  });

  it('refuses a pattern that matches no space, and changes nothing', async () => {
    const { code, stderr, stdout } = await tntar(['dump', source.uri, '--space', 'user']);
    deepEqual([code, stdout.length], [2, 0]);
    match(stderr, /no space matches 'user'\nhint: there are .*'?USERS/);
    await withTarget(async (target) => {
      const refused = await tryRestore(target, whole, ['--space', 'USERS', '--exclude', 'usrs']);
      equal(refused.code, 2, refused.stderr);
      deepEqual(await there(target), []);
    });
  });

  it('leaves out foreign keys to a missing space, and says so', async () => {
    const lua = isAtLeast(source, '2.10')
      ? `box.schema.space.create('parent'):create_index('pk')
         box.schema.space.create('child', {format = {{'id', 'unsigned'}, {name = 'up',
             type = 'unsigned', foreign_key = {known = {space = 'parent', field = 1}}}}}):create_index('pk')`
      : `box.execute('CREATE TABLE "parent" (id INT PRIMARY KEY)')
         box.execute([[CREATE TABLE "child" (id INT PRIMARY KEY, up INT,
             CONSTRAINT "known" FOREIGN KEY (up) REFERENCES "parent" (id))]])`;
    const family = await startServer({ lua });
    try {
      const archive = await dump(family);
      await withTarget(async (target) => {
        const { stderr } = await restore(target, archive, '--space', 'child');
        match(stderr, /left out: foreign key 'known' of 'child': it refers to 'parent'/i);
        equal(await target.eval('return box.space.parent == nil'), true);
        await target.eval('box.space.child:insert({1, 7})');
      });
    } finally {
      await family.stop();
    }
  });

  it('renames one space, and changes the engine of all spaces, by options', async () => {
    await withTarget(async (target) => {
      const args = ['--rename', 'app.ORDERS=orders', '--engine', 'memtx', '--space', 'app.*'];
      await restore(target, whole, ...args);
      deepEqual(await target.eval('return {box.space.orders.engine, box.space.orders:count()}'), [
        'memtx',
        5000,
      ]);
    });
  });

  it('refuses a space that vinyl cannot hold, names it, and writes nothing', async () => {
    await withTarget(async (target) => {
      const { code, stderr } = await tryRestore(target, whole, ['--engine', 'vinyl']);
      equal(code, 4, stderr);
      match(stderr, /index 'by_name' of .*'USERS'/);
      deepEqual(await there(target), []);
    });
  });

  it('refuses a rename without a new name', async () => {
    const { code, stderr } = await tntar(['dump', source.uri, '--rename', 'users']);
    equal(code, 2);
    match(stderr, /Write OLD=NEW/);
  });

  it('dumps by select for a user who may read no other space', async () => {
    await source.eval(`
      box.schema.user.create('narrow', {password = 'n'})
      for _, space in ipairs(box.space._space:select()) do
        if space.id < 512 then pcall(box.schema.user.grant, 'narrow', 'read', 'space', space.name) end
      end
      box.schema.user.grant('narrow', 'read', 'space', 'app.ORDERS')
      box.schema.user.grant('narrow', 'write', 'sequence')
      box.schema.user.grant('narrow', 'execute', 'universe')`);
    const uri = source.uri.replace(/^(?:.*@)?/, 'narrow:n@');
    const args = ['dump', uri, '--source', 'select'];
    equal((await tntar(args)).code, 5);
    const chosen = await tntar([...args, '--space', 'app.ORDERS']);
    equal(chosen.code, 0, chosen.stderr);
    deepEqual(await spacesOf(chosen.stdout), ['app.ORDERS']);
  });
});
