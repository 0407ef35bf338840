import { deepEqual, doesNotMatch, equal, match } from 'node:assert/strict';
import { fingerprint } from '../support/fingerprint.js';
import { startServer, type TestServer } from '../support/server.js';
import {
  aboutTarget,
  dump,
  isAtLeast,
  needs,
  restore,
  SOURCES,
  tryRestore,
  withTarget,
} from './fidelity/roundtrip.js';

/** Things of all kinds that name each other by their ids. */
const SOURCE = `
  box.schema.user.create('ann', {password = 'a'})
  box.schema.role.create('clerk')
  box.schema.role.create('boss')
  box.internal.collation.create('loud', 'ICU', 'de_DE', {strength = 'primary'})
  box.session.su('admin', function()
    box.schema.user.grant('ann', 'create,read,write,execute', 'universe')
  end)
  box.session.su('ann', function()
    box.schema.func.create('who', {setuid = true,
        body = 'function() return box.session.effective_user() end'})
    box.schema.func.create('lower', {is_deterministic = true, is_sandboxed = true,
        body = 'function(tuple) return {tuple[2]:lower()} end'})
    box.schema.sequence.create('counter', {start = 100})
    local shelf = box.schema.space.create('shelf', {format = {{'id', 'unsigned'},
        {name = 'title', type = 'string', collation = 'loud'}}})
    shelf:create_index('primary', {sequence = 'counter'})
    shelf:create_index('by_title', {parts = {{2, 'string', collation = 'loud'}}})
    shelf:create_index('by_name', {func = 'lower', parts = {{1, 'string'}}})
    shelf:insert({box.NULL, 'Groß'})
    shelf:insert({box.NULL, 'klein'})
  end)
  box.schema.user.revoke('ann', 'create,read,write,execute', 'universe')
  box.schema.role.grant('clerk', 'read,write', 'space', 'shelf')
  box.schema.role.grant('clerk', 'read,write', 'sequence', 'counter')
  box.schema.role.grant('clerk', 'execute', 'function', 'who')
  box.schema.role.grant('boss', 'clerk')
  box.schema.user.grant('guest', 'execute', 'function', 'who')
  box.schema.user.grant('ann', 'boss')
`;

const CONSTRAINTS = `
  box.schema.func.create('positive', {is_deterministic = true,
      body = 'function(value) return value > 0 end'})
  box.schema.space.create('parent', {format = {{'id', 'unsigned'}}}):create_index('primary')
  box.schema.space.create('child', {format = {{'id', 'unsigned'},
      {name = 'parent', type = 'unsigned', foreign_key = {up = {space = 'parent', field = 'id'}}},
      {name = 'size', type = 'number', constraint = 'positive'}}}):create_index('primary')
  box.space.parent:insert({1})
  box.space.child:insert({1, 1, 5})
`;

const tables = (reference: string): string => `
  for _, statement in ipairs({
      'CREATE TABLE "up" ("id" INTEGER PRIMARY KEY)',
      'CREATE TABLE "down" ("id" INTEGER PRIMARY KEY CHECK ("id" < 50), "up" INTEGER ${reference})',
      'CREATE TABLE "log" ("id" INTEGER PRIMARY KEY AUTOINCREMENT, "what" INTEGER)',
      'CREATE TRIGGER "watch" AFTER INSERT ON "up" FOR EACH ROW BEGIN INSERT INTO "log" VALUES (NULL, NEW."id"); END',
      'INSERT INTO "up" VALUES (7)',
      'INSERT INTO "down" VALUES (1, 7)'}) do
    local ok, reason = box.execute(statement)
    if not ok then error(statement .. ': ' .. tostring(reason)) end
  end
`;

/** Takes every id that the backup would like to have. */
const TAKEN = `
  for i = 1, 12 do box.schema.user.create('theirs' .. i) end
  for i = 1, 8 do box.schema.func.create('their' .. i, {body = 'function() return "theirs" end'}) end
  for i = 1, 4 do box.schema.sequence.create('their' .. i) end
  for i = 1, 3 do box.internal.collation.create('their' .. i, 'ICU', 'ru_RU') end
  for i = 1, 10 do
    box.schema.space.create('their' .. i, {id = 511 + i}):create_index('primary')
    box.space['their' .. i]:insert({i})
  end
`;

const ASK = `
  local shelf = box.space.shelf
  local function owner(row) return box.space._user:get(row.owner).name end
  local function fails(what) return not pcall(what) end
  local answer = {
    owners = {owner(box.space._space.index.name:get('shelf')), owner(box.space._func.index.name:get('who')),
        owner(box.space._sequence.index.name:get('counter'))},
    who = box.func.who:call(),
    by_title = shelf.index.by_title:get('GROSS'),
    by_name = shelf.index.by_name:get('klein'),
    next = shelf:insert({box.NULL, 'neu'}),
    grants = {clerk = box.schema.role.info('clerk'), boss = box.schema.role.info('boss'),
        ann = box.schema.user.info('ann'), guest = box.schema.user.info('guest')},
    twice = fails(function() shelf:insert({box.NULL, 'KLEIN'}) end),
  }
  if box.space.child then
    answer.orphan = fails(function() box.space.child:insert({2, 99, 1}) end)
    answer.negative = fails(function() box.space.child:insert({3, 1, -1}) end)
    answer.child = box.space.child:insert({4, 1, 1})
  end
  if box.space.down then
    local function run(statement) return (box.execute(statement)) ~= nil end
    answer.sql = {run('INSERT INTO "down" VALUES (2, 99)'), run('INSERT INTO "down" VALUES (60, 7)'),
        run('INSERT INTO "up" VALUES (8)'), run('INSERT INTO "down" VALUES (3, 8)')}
    answer.log = box.space.log:select()
  end
  return answer
`;

describe('restore, if the target uses the ids of the backup for other objects,', () => {
  let source: TestServer;
  before(async () => {
    source = await startServer({ lua: SOURCE });
    const target = await aboutTarget();
    if ([source, target].every((server) => isAtLeast(server, '2.10')))
      await source.eval(CONSTRAINTS);
    const holdsForeignKeys = isAtLeast(target, '2.11') || !isAtLeast(source, '2.11');
    await source.eval(tables(holdsForeignKeys ? 'REFERENCES "up" ("id")' : ''));
  });
  after(() => source.stop());

  for (const kind of SOURCES) {
    it(`restores everything under other ids, read by ${kind}, and leaves the other objects unchanged`, async () => {
      const archive = await dump(source, '--source', kind);
      await withTarget(async (target) => {
        await target.eval(TAKEN);
        const theirs = await fingerprint(target);
        await restore(target, archive);
        const all = await fingerprint(target);
        deepEqual(all, { ...theirs, ...(await fingerprint(source)) });
        equal(await target.eval(`return box.space._user.index.name:get('ann').id > 43`), true);
        const expected = await withTarget(async (empty) => {
          await restore(empty, archive);
          return empty.eval(ASK);
        });
        deepEqual(await target.eval(ASK), expected);
        equal(await target.eval(`return box.func.their1:call()`), 'theirs');
        // a new space comes behind all others
        equal(await target.eval(`return box.schema.space.create('later').id > 521`), true);
      });
    });
  }

  it('keeps a trigger on the space for which it was made', async function () {
    await withTarget(async (watched) => {
      needs(this, watched, 'functions as triggers', '3.0');
      await watched.eval(`
        box.schema.space.create('log', {id = 600}):create_index('primary', {sequence = true})
        box.schema.space.create('seen', {id = 512}):create_index('primary')
        box.schema.func.create('watch', {trigger = 'box.space[512].on_replace',
            body = [[function(old, new) box.space.log:insert({box.NULL, new[1]}) end]]})`);
      const archive = await dump(watched);
      await withTarget(async (target) => {
        await target.eval(TAKEN);
        await restore(target, archive);
        await target.eval('box.space.their1:insert({100}) box.space.seen:insert({7})');
        deepEqual(await target.eval('return box.space.log:select()'), [[1, 7]]);
      });
    });
  });

  it('uses users, roles, functions and collations of the target with the same definition', async () => {
    const archive = await dump(source);
    await withTarget(async (target) => {
      await target.eval(`
        for i = 1, 4 do box.schema.user.create('theirs' .. i) end
        box.schema.role.create('boss')
        box.schema.user.create('ann', {password = 'a'})
        box.internal.collation.create('theirs', 'ICU', 'ru_RU')
        box.internal.collation.create('loud', 'ICU', 'de_DE', {strength = 'primary'})
      `);
      const ids = `return {box.space._user.index.name:get('ann').id, box.space._user.index.name:get('boss').id}`;
      const before = await target.eval(ids);
      const preview = await tryRestore(target, archive, ['--dry-run']);
      match(
        String(preview.stdout),
        /Used as they are:\n {2}user 'ann'\n {2}role 'boss'\n {2}collation 'loud'\n/,
      );
      const { stderr } = await restore(target, archive);
      match(stderr, /^tntar: existing objects are used: 1 user, 1 role, 1 collation$/m);
      doesNotMatch(stderr, /user 'ann'|role 'boss'|collation 'loud'/);
      deepEqual(await target.eval(ids), before);
      deepEqual(
        await target.eval(`return box.schema.role.info('boss')`),
        await source.eval(`return box.schema.role.info('boss')`),
      );
      equal(await target.eval(`return box.func.who:call()`), 'ann');
    });
  });

  it('gives objects without an owner to the restoring user, so that no new user inherits them', async () => {
    await withTarget(async (orphaned) => {
      await orphaned.eval(`
        box.schema.space.create('lost')
        box.space._space:update(box.space.lost.id, {{'=', 2, 32}})`);
      const archive = await dump(orphaned);
      await withTarget(async (target) => {
        const { stderr } = await restore(target, archive);
        equal(await target.eval(`return box.space._space.index.name:get('lost').owner`), 1);
        equal(
          stderr.includes("space 'lost': its owner does not exist on the target"),
          true,
          stderr,
        );
      });
    });
  });
});
