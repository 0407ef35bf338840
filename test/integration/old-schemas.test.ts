import { deepEqual, equal, match } from 'node:assert/strict';
import { tntar } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import {
  dump,
  isAtLeast,
  needs,
  restore,
  startTarget,
  TARGET_BIN,
  tryRestore,
} from './fidelity/roundtrip.js';

/** Users, grants, functions, sequences, and tables of SQL with constraints. */
const DATABASE = `
  box.schema.user.create('ann', {password = 'secret-of-ann'})
  box.schema.role.create('reader')
  box.schema.user.grant('ann', 'reader')
  box.schema.func.create('hello', {body = 'function() return "hello" end'})
  box.schema.user.grant('ann', 'execute', 'function', 'hello')
  local numbered = box.schema.space.create('numbered')
  numbered:create_index('primary', {sequence = true})
  for _ = 1, 3 do numbered:insert({box.NULL}) end
  box.schema.role.grant('reader', 'read,write', 'space', 'numbered')
  box.space._schema:replace({'vshard_version', 0, 1, 41, 0})
  for _, statement in ipairs({
      'CREATE TABLE "parent" ("id" INT PRIMARY KEY, "n" INT, CONSTRAINT "few" CHECK ("n" < 10))',
      [[CREATE TABLE "child" ("id" INT PRIMARY KEY, "up" INT UNIQUE,
        CONSTRAINT "up" FOREIGN KEY ("up") REFERENCES "parent" ("id"))]],
      'INSERT INTO "parent" VALUES (1, 1)',
      'INSERT INTO "child" VALUES (1, 1)',
  }) do assert(box.execute(statement)) end
`;

/** Whether the constraints, the function and the login of DATABASE work. */
const ASK = `
  local ann = require('net.box').connect(...)
  local function try(space, row)
    local ok = pcall(box.space[space].insert, box.space[space], row)
    return ok
  end
  local result = {try('parent', {2, 100}), try('child', {2, 77}), try('parent', {2, 2}),
    ann:call('hello'), ann.error or 'logged in', box.space.numbered:insert({box.NULL})[1],
    box.space._schema:get('vshard_version')}
  ann:close()
  return result`;

async function expectWorking(target: TestServer): Promise<void> {
  const found = await target.eval(ASK, `ann:secret-of-ann@${target.address}`);
  const mark = ['vshard_version', 0, 1, 41, 0];
  deepEqual(found, [false, false, true, 'hello', 'logged in', 4, mark]);
}

async function schemaOf(server: TestServer): Promise<string> {
  return server.eval(`return table.concat({box.space._schema:get('version'):unpack(2)}, '.')`);
}

async function expectEqual(a: string, b: string): Promise<void> {
  const { code, stdout, stderr } = await tntar(['diff', a, b]);
  equal(code, 0, `${stdout}${stderr}`);
}

/** Dumps and restores what `source` runs, upgrades it in place, and compares the two. */
async function expectUpgraded(source: TestServer, schema: string): Promise<void> {
  equal(await schemaOf(source), schema);
  const { code, stdout, stderr } = await tntar(['dump', source.uri]);
  equal(code, 0, stderr);
  match(stderr, new RegExp(`the schema has version ${schema.replaceAll('.', '\\.')}, and a new`));
  const target = await startServer(TARGET_BIN === undefined ? {} : { bin: TARGET_BIN });
  try {
    await restore(target, stdout);
    await source.eval('box.schema.upgrade()');
    await expectEqual(source.uri, target.uri);
    await expectWorking(target);
  } finally {
    await target.stop();
  }
}

describe('a database of an older server that a newer server runs', () => {
  it('is restored as box.schema.upgrade() would upgrade it', async function () {
    const source = await startServer({ lua: DATABASE });
    try {
      const { version } = source;
      const schema = await schemaOf(source);
      await source.eval('box.snapshot()');
      await source.restart({}, TARGET_BIN);
      // 2.6 upgrades by itself
      if (version === source.version || !isAtLeast(source, '2.11')) this.skip();
      await expectUpgraded(source, schema);
    } finally {
      await source.stop();
    }
  });
});

describe('a database that box.schema.downgrade() prepared for an older server', () => {
  /** Releases to downgrade to, with the version of their schema. */
  const DOWNGRADES: readonly [release: string, schema: string][] = [
    ['2.8.2', '2.7.1'],
    ['2.10.0', '2.9.1'],
    ['2.11.0', '2.11.0'],
  ];

  for (const [release, schema] of DOWNGRADES) {
    it(`to ${release} is restored as box.schema.upgrade() would restore it`, async function () {
      const source = await startTarget();
      try {
        needs(this, source, 'a schema that can be downgraded', '2.11');
        await source.eval(DATABASE);
        await source.eval(`box.schema.downgrade('${release}')`);
        await expectUpgraded(source, schema);
      } finally {
        await source.stop();
      }
    });
  }

  it('is refused as a target if the server takes no definitions any more', async function () {
    const target = await startTarget();
    try {
      needs(this, target, 'a server that refuses old schemas', '3.0');
      const archive = await dump(target);
      await target.eval(`box.schema.downgrade('2.10.0')`);
      const { code, stderr } = await tryRestore(target, archive);
      equal(code, 4, stderr);
      match(stderr, /its schema still has version 2\.9\.1; 2\.11\.1 or newer is required/);
      match(stderr, /hint: run box\.schema\.upgrade\(\) on the target; nothing was written/);
    } finally {
      await target.stop();
    }
  });
});
