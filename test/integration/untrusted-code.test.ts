import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { crafted } from '../support/crafted.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, isAtLeast, restore, withTarget } from './fidelity/roundtrip.js';

/** Code with the word MARK in each place that SQL and Lua have for it. */
const SOURCE = `
  local function sql(text) local ok, why = box.execute(text) assert(ok, why) end
  box.schema.func.create('lua', {body = 'function() return "MARK of lua" end'})
  box.schema.func.create('key', {is_deterministic = true, is_sandboxed = true,
      body = 'function(t) return {"MARK of key"} end'})
  local s = box.schema.space.create('functional')
  s:create_index('pk')
  s:create_index('by_key', {func = 'key', unique = false, parts = {{1, 'string'}}})
  sql([[CREATE TABLE "t" ("id" INT PRIMARY KEY, "n" STRING DEFAULT (UPPER('MARK of default')),
      "literal" STRING DEFAULT 'kept', CHECK ("n" <> 'MARK of check'))]])
  sql([[CREATE VIEW "v" AS SELECT 'MARK of view' AS "x"]])
  sql([[CREATE VIEW "w" AS SELECT "x" || 'MARK of view on view' AS "y" FROM "v"]])
  sql([[CREATE TRIGGER "fired" AFTER DELETE ON "t" FOR EACH ROW
      BEGIN UPDATE "t" SET "n" = 'MARK of trigger'; END]])
  sql([[INSERT INTO "t" ("id") VALUES (1)]])
`;
/** What 2.11 and newer has besides: a function that is the constraint of a field. */
const CONSTRAINED = `
  box.schema.func.create('limit', {is_deterministic = true,
      body = 'function() return true, "MARK of constraint" end'})
  box.schema.space.create('limited', {format = {{name = 'id', type = 'unsigned', constraint = 'limit'}}})
`;

/** Rows of system spaces with the word in them. */
const MARKED = `
  local found = {}
  for _, space in ipairs({'_space', '_index', '_func', '_trigger', '_ck_constraint', '_schema'}) do
    for _, row in box.space[space]:pairs() do
      if require('json').encode(row):find('MARK') then table.insert(found, space) end
    end
  end
  return found`;

describe('the code that an archive carries', () => {
  let source: TestServer;
  let archive: Buffer;
  before(async () => {
    source = await startServer({ lua: SOURCE });
    if (isAtLeast(source, '2.11')) await source.eval(CONSTRAINED);
    archive = await dump(source);
  });
  after(() => source.stop());

  it('is listed by the dry run, from every place that can hold code', () =>
    withTarget(async (target) => {
      const { stdout } = await restore(target, archive, '--dry-run');
      const [, section = ''] =
        /Code that the server will run:\n(.*?)\n\n/s.exec(String(stdout)) ?? [];
      for (const what of ['lua', 'key', 'default', 'check', 'view', 'view on view', 'trigger']) {
        match(section, new RegExp(`MARK of ${what}\\b`));
      }
      if (isAtLeast(source, '2.11')) match(section, /MARK of constraint/);
    }));

  it('is left out with --no-functions and named, and literals are kept', () =>
    withTarget(async (target) => {
      const { stdout } = await restore(target, archive, '--no-functions', '--dry-run');
      ok(!String(stdout).includes('MARK'));
      const { stderr } = await restore(target, archive, '--no-functions');
      for (const line of ["view 'v'", "view 'w'", "trigger 'fired'", 'default']) {
        match(stderr, new RegExp(`left out: .*${line}`));
      }
      deepEqual(await target.eval(MARKED), []);
      const inserted = `
        box.execute([[INSERT INTO "t" ("id") VALUES (2)]])
        return box.space.t:get(2)`;
      deepEqual(await target.eval(inserted), [2, null, 'kept']);
      equal(await target.eval('return box.space.t:get(1)[2]'), 'MARK OF DEFAULT');
    }));

  it('is shown if it is a default of 2.x in Lua', async () => {
    const field = { name: 'n', type: 'string', is_nullable: true, default: "LUA('return 1')" };
    const format = [{ name: 'id', type: 'unsigned' }, field];
    const rows = {
      280: [[512, 1, 'T', 'memtx', 0, {}, format]],
      288: [[512, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]]],
    };
    await withTarget(async (target) => {
      const { stdout } = await restore(target, crafted(rows, '2.6.0'), '--dry-run');
      match(String(stdout), /\bLUA"?\('return 1'\)/);
    });
  });
});
