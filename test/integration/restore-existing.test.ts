import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Result, tntar } from '../support/cli.js';
import { type Fingerprint, fingerprint } from '../support/fingerprint.js';
import { startServer, type TestServer } from '../support/server.js';
import {
  aboutTarget,
  dump,
  needs,
  restore,
  startTarget,
  tryRestore,
  withTarget,
} from './fidelity/roundtrip.js';

const SOURCE = `
  box.schema.user.create('ann', {password = 'a'})
  box.schema.sequence.create('ids')
  local users = box.schema.space.create('users', {format = {{'id', 'unsigned'}, {'name', 'string'}}})
  users:create_index('primary', {sequence = 'ids'})
  users:create_index('by_name', {parts = {{2, 'string'}}})
  for i = 1, 100 do users:insert({box.NULL, 'user ' .. i}) end
  box.schema.space.create('log', {engine = 'vinyl'}):create_index('primary')
  for i = 1, 50 do box.space.log:insert({i, ('x'):rep(i)}) end
  local auto = box.schema.space.create('auto')
  auto:create_index('primary', {sequence = true})
  auto:insert({box.NULL, 'first'})
  box.schema.user.grant('ann', 'read', 'space', 'users')
`;

/** Has two spaces of the backup, one id of another, and things of its own. */
const TARGET = `
  local other = box.schema.space.create('other', {id = 514})
  other:create_index('primary')
  other:insert({1, 'mine'})
  local users = box.schema.space.create('users', {id = 700})
  users:create_index('primary')
  users:create_index('extra', {parts = {{2, 'string'}}, unique = false})
  for i = 91, 110 do users:insert({i, 'old ' .. i, 'more'}) end
  box.space.users:truncate()
  for i = 91, 110 do users:insert({i, 'old ' .. i, 'more'}) end
  box.schema.sequence.create('ids', {max = 1000}):set(500)
  box.schema.space.create('auto', {id = 600, engine = 'vinyl'}):create_index('primary', {sequence = true})
  for i = 1, 3 do box.space.auto:insert({box.NULL}) end
  box.schema.user.create('bob')
  box.schema.user.grant('bob', 'read', 'space', 'users')
`;

const indexes = (server: TestServer, space: string): Promise<unknown> =>
  server.eval(
    `local names = {}
     for i = 0, 9 do
         local index = box.space[...].index[i]
         if index then table.insert(names, index.name) end
     end
     return names`,
    space,
  );

const users = (server: TestServer): Promise<Record<string, number>> =>
  server.eval(`local function count(mark)
      local found = 0
      for _, row in box.space.users:pairs() do if row[2]:startswith(mark) then found = found + 1 end end
      return found
    end
    return {old = count('old'), new = count('user')}`);

const next = (server: TestServer): Promise<number> => server.eval('return box.sequence.ids:next()');

describe('restore --existing', () => {
  let source: TestServer;
  let archive: Buffer;
  let prints: Fingerprint;
  before(async () => {
    source = await startServer({ lua: SOURCE });
    archive = await dump(source);
    prints = await fingerprint(source);
  });
  after(() => source.stop());

  /** Restores into what is not empty; its own things have to be there as before. */
  function into(
    args: readonly string[],
    check: (target: TestServer, result: Result) => Promise<void>,
    lua = TARGET,
  ): Promise<void> {
    return withTarget(async (target) => {
      await target.eval(lua);
      const { other } = await fingerprint(target);
      const result = await tryRestore(target, archive, args);
      deepEqual((await fingerprint(target))['other'], other);
      await check(target, result);
    });
  }

  it('refuses by default, and names everything that already exists', () =>
    into([], async (target, { code, stderr }) => {
      equal(code, 4, stderr);
      match(stderr, /space 'auto' already exists/);
      match(stderr, /space 'users' already exists/);
      match(stderr, /sequence 'ids' already exists/);
      match(stderr, /hint: .*--existing/);
      equal(await target.eval('return box.space.log == nil'), true);
    }));

  it('leaves existing spaces unchanged with skip, and creates the others', () =>
    into(['--existing', 'skip'], async (target, { code, stderr }) => {
      equal(code, 0, stderr);
      deepEqual(await users(target), { old: 20, new: 0 });
      deepEqual(await indexes(target, 'users'), ['primary', 'extra']);
      equal(await target.eval('return box.space.auto:count()'), 3);
      equal(await next(target), 501);
      deepEqual((await fingerprint(target))['log'], prints['log']);
      match(
        stderr,
        /left out: space 'users', with its rows and everything .*: it already exists on the target/,
      );
      match(stderr, /restored 1 space with 50 rows/);
      ok(await target.eval(`return box.space.log.id ~= 514`));
    }));

  it('replaces rows with the same keys with replace, and keeps the others', () =>
    into(['--existing', 'replace'], async (target, { code, stderr }) => {
      equal(code, 0, stderr);
      deepEqual(await users(target), { old: 10, new: 100 });
      deepEqual(await indexes(target, 'users'), ['primary', 'extra']);
      equal(await target.eval('return box.space.users.id'), 700);
      equal(await target.eval('return box.space.auto:count()'), 3);
      equal(await next(target), 501);
      match(stderr, /space 'users': 10 existing rows were replaced/);
      match(stderr, /restored 3 spaces with 151 rows/);
      match(
        stderr,
        /space 'users' is kept without these parts of the backup: index 'by_name'; a sequence/,
      );
    }));

  it('truncates existing spaces with truncate', () =>
    into(['--existing', 'truncate'], async (target, { code, stderr }) => {
      equal(code, 0, stderr);
      deepEqual(await users(target), { old: 0, new: 100 });
      deepEqual(await indexes(target, 'users'), ['primary', 'extra']);
      const after = await fingerprint(target);
      deepEqual(after['auto'], prints['auto']);
      deepEqual(after['users'], prints['users']);
      equal(await next(target), 501);
    }));

  it('drops and recreates spaces with drop, also when repeated', () =>
    into(['--existing', 'drop'], async (target, { code, stderr }) => {
      equal(code, 0, stderr);
      const state = async (): Promise<unknown> => [
        await users(target),
        await indexes(target, 'users'),
        await target.eval('return {box.space.users.id, box.space.auto.engine}'),
        await target.eval(`return box.schema.user.info('ann')`),
      ];
      const { other: _, ...restored } = await fingerprint(target);
      deepEqual(restored, prints);
      deepEqual(((await state()) as unknown[])[1], ['primary', 'by_name']);
      match(
        stderr,
        /grant of read on space 'users' to user 'bob' exists on the target and is dropped/,
      );
      ok(!stderr.includes("to user 'ann' exists on the target and is dropped"), stderr);
      equal(await next(target), 101);
      const first = await state();
      const again = await tryRestore(target, archive, ['--existing', 'drop']);
      equal(again.code, 0, again.stderr);
      deepEqual(await state(), first);
      equal(await next(target), 101);
    }));

  for (const [existing, losses] of [
    ['skip', undefined],
    ['replace', undefined],
    [
      'truncate',
      /What the target loses, rows and all:\n {2}empty space 'users'\n {2}empty space 'auto'\n/,
    ],
    [
      'drop',
      /What the target loses, rows and all:\n {2}drop space 'auto'\n {2}drop space 'users'\n/,
    ],
  ] as const) {
    it(`shows what ${existing} would do with --dry-run, and writes nothing`, () =>
      withTarget(async (target) => {
        await target.eval(TARGET);
        const lsn = await target.eval('return tostring(box.info.lsn)');
        const args = ['--existing', existing, '--dry-run'];
        const { code, stdout, stderr } = await tryRestore(target, archive, args);
        equal(code, 0, stderr);
        equal(await target.eval('return tostring(box.info.lsn)'), lsn);
        const shown = String(stdout);
        if (losses === undefined) ok(!shown.includes('loses'), shown);
        else match(shown, losses);
        match(shown, /insert 50 rows .* into space 'log'/);
        equal(
          /put over those .*100 rows .* into space 'users'/.test(shown),
          existing === 'replace',
        );
        equal(/ into space 'users'/.test(shown), existing !== 'skip');
      }));
  }

  for (const existing of ['replace', 'truncate']) {
    it(`refuses ${existing} if no row fits the existing space`, () =>
      into(
        ['--existing', existing],
        async (target, { code, stderr }) => {
          equal(code, 4, stderr);
          match(
            stderr,
            /rows cannot be loaded into 'users': field 1 .*unsigned in the backup and string on the target/,
          );
          equal(await target.eval('return box.space.log == nil'), true);
        },
        `box.schema.space.create('users'):create_index('primary', {parts = {{1, 'string'}}})
         box.schema.space.create('other'):create_index('primary')`,
      ));
  }

  it('names the key and the way out if a unique index refuses a row', () =>
    into(
      ['--existing', 'replace'],
      async (_target, { code, stderr }) => {
        equal(code, 1, stderr);
        match(stderr, /space 'users', row \[5\]: Duplicate key exists in unique index .by_name./);
        match(stderr, /INCOMPLETE/);
        match(stderr, /drop what was made and is not whole \(.*space 'log'.*\), and restore again/);
      },
      `box.schema.space.create('other'):create_index('primary')
       local users = box.schema.space.create('users')
       users:create_index('primary')
       users:create_index('by_name', {parts = {{2, 'string'}}})
       users:insert({1000, 'user 5'})`,
    ));

  it('names the dropped objects if the archive ends after the drop', () =>
    withTarget(async (target) => {
      await target.eval(TARGET);
      const big = await startServer({
        lua: `box.schema.space.create('users'):create_index('primary')
          local digest = require('digest')
          for i = 1, 800 do box.space.users:insert({i, digest.urandom(50000)}) end`,
      });
      const whole = await dump(big);
      await big.stop();
      const cut = whole.subarray(0, whole.length - 1000);
      const { code, stderr } = await tryRestore(target, cut, ['--existing', 'drop']);
      equal(code, 3, stderr);
      match(stderr, /INCOMPLETE: .*dropped: space 'users'/);
      match(stderr, /hint: .*restore again with --existing drop, from a whole archive/);
      const again = await tryRestore(target, whole, ['--existing', 'drop']);
      equal(again.code, 0, again.stderr);
      equal(await target.eval('return box.space.users:count()'), 800);
    }));

  for (const existing of ['truncate', 'drop']) {
    it(`verifies an archive in a file before ${existing}`, () =>
      withTarget(async (target) => {
        const folder = mkdtempSync(join(tmpdir(), 'tntar-'));
        try {
          await target.eval(TARGET);
          const lsn = await target.eval('return tostring(box.info.lsn)');
          const file = join(folder, 'cut.tar.zst');
          writeFileSync(file, archive.subarray(0, archive.length - 100));
          const args = ['restore', target.uri, '-i', file, '--existing', existing];
          const { code, stderr } = await tntar(args);
          equal(code, 3, stderr);
          match(stderr, /verifying the archive before anything is removed from the target/);
          ok(!stderr.includes('INCOMPLETE'), stderr);
          equal(await target.eval('return tostring(box.info.lsn)'), lsn);
          writeFileSync(file, archive);
          const whole = await tntar(args);
          equal(whole.code, 0, whole.stderr);
        } finally {
          rmSync(folder, { recursive: true });
        }
      }));
  }

  it('refuses to drop objects that other objects of the target need, and drops nothing', async function () {
    const refused = (lua: string, reason: RegExp): Promise<void> =>
      withTarget(async (target) => {
        await target.eval(TARGET + lua);
        const before = await fingerprint(target);
        const { code, stderr } = await tryRestore(target, archive, ['--existing', 'drop']);
        equal(code, 4, stderr);
        match(stderr, reason);
        deepEqual(await fingerprint(target), before);
      });
    await refused(
      `box.space.users:format({{'id', 'unsigned'}, {'name', 'string'}, {'c', 'any'}})
       local done, err = box.execute('CREATE VIEW "v" AS SELECT "id" FROM SEQSCAN "users"')
       if not done then done, err = box.execute('CREATE VIEW "v" AS SELECT "id" FROM "users"') end
       assert(done, err)`,
      /space 'users' cannot be dropped: view 'v' uses it/,
    );
    await refused(
      `box.space.other.index.primary:alter({sequence = 'ids'})`,
      /sequence 'ids' cannot be dropped: space 'other', which is kept, uses it/,
    );
    needs(this, await aboutTarget(), 'foreign keys of spaces', '2.10');
    const referring = `box.schema.space.create('child', {format = {{'id', 'unsigned'},
      {name = 'user', type = 'unsigned', foreign_key = {up = {space = 'users', field = 'id'}}}}
      }):create_index('primary')`;
    const formatted = `box.space.users:format({{'id', 'unsigned'}, {'name', 'string'}, {'c', 'any'}}) `;
    await refused(
      formatted + referring,
      /space 'users' cannot be dropped: foreign key 'up' of 'child' refers to it/,
    );
    await withTarget(async (target) => {
      await target.eval(TARGET + formatted + referring);
      const { code, stderr } = await tryRestore(target, archive, ['--existing', 'truncate']);
      equal(code, 4, stderr);
      match(stderr, /space 'users' cannot be emptied: foreign key 'up' of 'child' refers to it/);
    });
  });

  it('needs privileges to drop, and names the missing ones before anything is dropped', () =>
    withTarget(async (target) => {
      await target.eval(`${TARGET}
        box.schema.user.create('filler', {password = 'x'})
        box.schema.user.grant('filler', 'read,write,create', 'universe')`);
      const before = await fingerprint(target);
      const uri = target.uri.replace(/^.*@/, 'filler:x@');
      const args = ['--existing', 'drop', '--no-users', '--no-privileges'];
      const { code, stderr } = await tryRestore({ uri }, archive, args);
      equal(code, 5, stderr);
      match(stderr, /drop on space 'users'/);
      match(stderr, /drop on sequence 'ids'/);
      deepEqual(await fingerprint(target), before);
      await target.eval(`box.schema.user.grant('filler', 'super')`);
      const done = await tryRestore({ uri }, archive, args);
      equal(done.code, 0, done.stderr);
      const { other: _, ...restored } = await fingerprint(target);
      deepEqual(restored, prints);
    }));

  it('reports INCOMPLETE as soon as a drop has begun', () =>
    into(
      ['--existing', 'drop'],
      async (target, { code, stderr }) => {
        equal(code, 1, stderr);
        match(
          stderr,
          /INCOMPLETE: 0 definitions and 0 rows were sent.*; \d+ definitions? (was|were) taken away/,
        );
        match(stderr, /hint: .*restore again with --existing drop/);
        await target.eval('box.space._index:on_replace(nil, keep)');
        const again = await tryRestore(target, archive, ['--existing', 'drop']);
        equal(again.code, 0, again.stderr);
        const { other: _, ...restored } = await fingerprint(target);
        deepEqual(restored, prints);
      },
      `${TARGET}
       keep = function(old, new) if new == nil then error('an index stays') end end
       box.space._index:on_replace(keep)`,
    ));

  it('warns that an archive without all rows restores fewer rows than are dropped', () =>
    into(['--existing', 'drop', '--where', 'users: id <= 5'], async (target, { code, stderr }) => {
      equal(code, 0, stderr);
      deepEqual(await users(target), { old: 0, new: 5 });
      match(
        stderr,
        /dropped objects are recreated from the archive, and the archive is not a whole database: where/,
      );
    }));

  it('does not rely on grants that are removed together with their object', () =>
    withTarget(async (target) => {
      await target.eval(`${TARGET}
        box.schema.user.create('own', {password = 'x'})
        box.schema.user.grant('own', 'read,write,create', 'universe')
        box.schema.user.grant('own', 'drop,alter', 'space', 'users')`);
      const before = await fingerprint(target);
      const uri = target.uri.replace(/^.*@/, 'own:x@');
      const args = ['--existing', 'drop', '--no-users', '--no-privileges', '--space', 'users'];
      const { code, stderr } = await tryRestore({ uri }, archive, args);
      equal(code, 5, stderr);
      match(stderr, /drop on space 'users'/);
      deepEqual(await fingerprint(target), before);
    }));

  it('leaves temporary spaces of both sides unchanged', async () => {
    const lua = `local s = box.schema.space.create('scratch', {temporary = true})
      s:create_index('primary')
      s:insert({1})`;
    const made = await startServer({ lua });
    const backup = await dump(made);
    await made.stop();
    await withTarget(async (target) => {
      await target.eval(lua);
      for (const existing of ['skip', 'replace', 'truncate']) {
        const { code, stderr } = await tryRestore(target, backup, ['--existing', existing]);
        equal(code, 0, stderr);
        equal(await target.eval('return box.space.scratch:count()'), 1);
      }
    });
  });

  for (const [args, message] of [
    [['--data-only', '--existing', 'drop'], /--existing drop does not work with --data-only/],
    [['--schema-only', '--existing', 'truncate'], /--existing truncate needs rows/],
    [['--on-conflict', 'skip'], /--on-conflict skip works only with --data-only/],
    [['--existing', 'all'], /Allowed choices are error, skip, replace, truncate, drop/],
  ] as const) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { code, stderr } = await tryRestore({ uri: 'localhost:1' }, archive, args);
      equal(code, 2, stderr);
      match(stderr, message);
    });
  }

  it('creates missing objects without rows with skip and --schema-only', () =>
    into(['--existing', 'skip', '--schema-only'], async (target, { code, stderr }) => {
      equal(code, 0, stderr);
      deepEqual(await users(target), { old: 20, new: 0 });
      equal(await target.eval('return box.space.log:count()'), 0);
    }));
});

/** Spaces that hold each other: by SQL, by constraints, by functions. */
const KNOTS = `
  for _, statement in ipairs({
      'CREATE TABLE "up" ("id" INTEGER PRIMARY KEY CHECK ("id" < 50))',
      'CREATE TABLE "down" ("id" INTEGER PRIMARY KEY, "up" INTEGER REFERENCES "up" ("id"))',
      'CREATE VIEW "inner" AS SELECT "id" FROM "up" WHERE "id" = 1',
      'CREATE VIEW "outer" AS SELECT "id" FROM "inner" WHERE "id" = 1',
      'CREATE TRIGGER "note" AFTER DELETE ON "up" FOR EACH ROW BEGIN DELETE FROM "down" WHERE "id" = 1; END'}) do
    local done, err = box.execute(statement)
    assert(done, err)
  end
  box.space.up:insert({1})
  box.space.down:insert({1, 1})
  box.schema.func.create('lower', {is_deterministic = true, is_sandboxed = true,
      body = 'function(tuple) return {tuple[2]:lower()} end'})
  local text = box.schema.space.create('text')
  text:create_index('primary', {sequence = true})
  text:create_index('lower', {func = 'lower', parts = {{1, 'string'}}})
  text:insert({box.NULL, 'A'})
  box.space.text:truncate()
  text:insert({box.NULL, 'B'})
  box.schema.role.create('reader')
  box.schema.role.grant('reader', 'read', 'space', 'text')
  box.schema.role.grant('reader', 'read', 'space', 'outer')
`;

/** A cycle of foreign keys, and one to the space itself. */
const CYCLE = `
  local format = function(other) return {{'id', 'unsigned'},
      {name = 'other', type = 'unsigned', is_nullable = true,
       foreign_key = {other = {space = other, field = 'id'}}}} end
  box.schema.space.create('left', {format = {{'id', 'unsigned'}}}):create_index('primary')
  box.schema.space.create('right', {format = format('left')}):create_index('primary')
  box.space.left:format(format('right'))
  local tree = box.schema.space.create('tree', {format = {{'id', 'unsigned'},
      {name = 'up', type = 'unsigned', is_nullable = true, foreign_key = {up = {field = 'id'}}}}})
  tree:create_index('primary')
  tree:insert({1, box.NULL})
  tree:insert({2, 1})
`;

describe('restore --existing drop', () => {
  for (const [what, lua, since] of [
    [
      'views, triggers, checks, foreign keys of SQL, functional indexes and sequences',
      KNOTS,
      '2.6',
    ],
    ['spaces that refer to each other and to themselves', CYCLE, '2.10'],
  ] as const) {
    it(`drops and recreates ${what}`, async function () {
      needs(this, await aboutTarget(), 'foreign keys of spaces', since);
      const source = await startTarget({ lua });
      try {
        const archive = await dump(source);
        await withTarget(async (target) => {
          await restore(target, archive);
          const first = await fingerprint(target, { system: true });
          await restore(target, archive, '--existing', 'drop');
          deepEqual(await fingerprint(target, { system: true }), first);
        });
      } finally {
        await source.stop();
      }
    });
  }
});

/** A function that acts on the rows of a space by itself. */
const audit = (events: string): string => `
  box.schema.func.create('audit', {body = [[function(old, new)
      box.space.seen:insert({box.NULL, new and new[1] or old[1]})
    end]], trigger = {${events}}})`;

describe('restore --existing on a target with functions that run on events', () => {
  const SPACES = `
    box.schema.space.create('seen'):create_index('primary', {sequence = true})
    box.schema.space.create('rows', {id = 520}):create_index('primary')
    box.space.rows:insert({1})`;
  const acts = async (
    existing: string,
    check: (result: Result, target: TestServer) => Promise<void>,
  ): Promise<void> => {
    const source = await startServer({ lua: SPACES });
    const backup = await dump(source, '--space', 'rows');
    await source.stop();
    await withTarget(async (target) => {
      await target.eval(
        SPACES + audit(`'box.space[520].on_replace', 'box.space.seen.before_replace'`),
      );
      await check(await tryRestore(target, backup, ['--existing', existing]), target);
    });
  };
  before(async function () {
    needs(this, await aboutTarget(), 'functions as triggers', '3.0');
  });

  for (const existing of ['truncate', 'drop']) {
    it(`refuses ${existing}, and names them`, () =>
      acts(existing, async ({ code, stderr }, target) => {
        equal(code, 4, stderr);
        match(stderr, /function 'audit' acts on rows of 'rows' \(box\.space\[520\]\.on_replace\)/);
        equal(await target.eval('return box.space.rows:count()'), 1);
      }));
  }

  it('warns of them with replace, and leaves them unchanged with skip', async () => {
    const line = /warning: function 'audit' acts on rows of 'rows'/;
    await acts('replace', async ({ stderr }) => match(stderr, line));
    await acts('skip', async ({ code, stderr }) => {
      equal(code, 0, stderr);
      ok(!line.test(stderr), stderr);
    });
  });

  it('does not let functions of the archive run on kept spaces', async () => {
    const source = await startTarget({ lua: SPACES + audit(`'box.space[520].on_replace'`) });
    const backup = await dump(source);
    await source.stop();
    await withTarget(async (target) => {
      await target.eval(SPACES);
      const { code, stderr } = await tryRestore(target, backup, ['--existing', 'skip']);
      equal(code, 0, stderr);
      match(
        stderr,
        /left out: event box\.space\[520\]\.on_replace of function 'audit'.*: the space is kept/,
      );
      await target.eval('box.space.rows:insert({2})');
      equal(await target.eval('return box.space.seen:count()'), 0);
    });
  });
});

describe('restore --existing drop of a table with other checks', () => {
  it('also drops the functions that SQL made for these checks', async function () {
    needs(this, await aboutTarget(), 'constraints of spaces', '2.11');
    const source = await startServer({
      lua: `box.execute('CREATE TABLE "t" ("id" INTEGER PRIMARY KEY CHECK ("id" > 0))')`,
    });
    const backup = await dump(source);
    await source.stop();
    await withTarget(async (target) => {
      await target.eval(
        `box.execute('CREATE TABLE "t" ("id" INTEGER PRIMARY KEY CHECK ("id" > 100))')`,
      );
      const { code, stderr } = await tryRestore(target, backup, ['--existing', 'drop']);
      equal(code, 0, stderr);
      equal(await target.eval('return (pcall(box.space.t.insert, box.space.t, {5}))'), true);
      equal(await target.eval('return (pcall(box.space.t.insert, box.space.t, {-5}))'), false);
    });
  });
});
