import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { type Result, tntar } from '../support/cli.js';
import { fingerprint, imprint } from '../support/fingerprint.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, expectSame, restore, tryRestore, withTarget } from './fidelity/roundtrip.js';

const SOURCE = `
  box.schema.user.create('ann', {password = 'a'})
  box.schema.role.create('clerk')
  box.schema.func.create('greet', {body = 'function() return "hello" end'})
  box.schema.func.create('lower', {is_deterministic = true, is_sandboxed = true,
      body = 'function(tuple) return {tuple[2]:lower()} end'})
  box.schema.sequence.create('counter')
  box.internal.collation.create('loud', 'ICU', 'de_DE', {strength = 'primary'})
  box.schema.space.create('shelf'):create_index('primary', {sequence = 'counter'})
  for i = 1, 100 do box.space.shelf:insert({box.NULL, 'Row ' .. i}) end
  box.space.shelf:create_index('by_name', {func = 'lower', parts = {{1, 'string'}}})
  box.schema.space.create('drawer'):create_index('primary')
  box.schema.user.grant('ann', 'clerk')
  box.schema.role.grant('clerk', 'read,write', 'space', 'shelf')
  box.schema.role.grant('clerk', 'execute', 'function', 'greet')
`;

describe('restore, before it writes anything,', () => {
  let source: TestServer;
  let archive: Buffer;
  before(async () => {
    source = await startServer({ lua: SOURCE });
    archive = await dump(source);
  });
  after(() => source.stop());

  /** Restores into a server that `lua` has prepared, which has to fail and to stay as it is. */
  async function refused(
    code: number,
    lua: string,
    user: (target: TestServer) => string = ({ uri }) => uri,
  ): Promise<Result> {
    return withTarget(async (target) => {
      await target.eval(lua);
      const before = await imprint(target);
      const result = await tryRestore({ uri: user(target) }, archive);
      equal(result.code, code, result.stderr);
      deepEqual(await imprint(target), before);
      ok(!result.stderr.includes('INCOMPLETE'), result.stderr);
      return result;
    });
  }

  it('refuses a target that already has the backup', async () => {
    await withTarget(async (target) => {
      await restore(target, archive);
      await target.eval(`box.space.shelf:insert({box.NULL, 'newer'})`);
      const before = await imprint(target);
      const { code, stderr } = await tryRestore(target, archive);
      equal(code, 4, stderr);
      deepEqual(await imprint(target), before);
    });
  });

  const CONFLICTS: Record<string, [lua: string, told: RegExp]> = {
    'a space of one name': [
      `box.schema.space.create('shelf', {id = 900})`,
      /space 'shelf' already exists/,
    ],
    'a user of one name': [
      `box.schema.user.create('ann')`,
      /user 'ann' already exists with a different definition/,
    ],
    'a user where the backup has a role': [
      `box.schema.user.create('clerk')`,
      /role 'clerk' already exists with a different definition/,
    ],
    'a function of one name': [
      `box.schema.func.create('greet', {body = 'function() return "go away" end'})`,
      /function 'greet' already exists with a different definition/,
    ],
    'a sequence of one name': [
      `box.schema.sequence.create('counter', {start = 2})`,
      /sequence 'counter' already exists/,
    ],
    'a collation of one name': [
      `box.internal.collation.create('loud', 'ICU', 'ru_RU')`,
      /collation 'loud' already exists/,
    ],
  };

  for (const [what, [lua, told]] of Object.entries(CONFLICTS)) {
    it(`refuses a target that has ${what}`, async () => {
      const { stderr } = await refused(4, lua);
      match(stderr, told);
    });
  }

  it('lists all conflicts', async () => {
    const lua = `
      box.schema.space.create('drawer')
      box.schema.user.create('clerk')
      box.schema.func.create('greet')
      box.schema.sequence.create('counter')
    `;
    const { stderr } = await refused(4, lua);
    for (const told of [
      "space 'drawer'",
      "role 'clerk'",
      "function 'greet'",
      "sequence 'counter'",
    ]) {
      ok(stderr.includes(told), `${told} is missing: ${stderr}`);
    }
  });

  it('names ten conflicts, and the number of the others', async () => {
    const many = await startServer({
      lua: `for i = 1, 42 do box.schema.space.create(('space%02d'):format(i)) end`,
    });
    try {
      const all = await dump(many);
      const before = await imprint(many);
      const { code, stderr } = await tryRestore(many, all);
      equal(code, 4, stderr);
      match(
        stderr,
        /: space 'space01' already exists; .*; space 'space10' already exists; and 32 more$/m,
      );
      deepEqual(await imprint(many), before);
    } finally {
      await many.stop();
    }
  });

  it('accepts a target with other objects, and leaves them unchanged', async () => {
    await withTarget(async (target) => {
      await target.eval(`
        box.schema.space.create('other', {id = 900}):create_index('primary')
        box.space.other:insert({1})
        box.schema.user.grant('guest', 'read', 'space', 'other')
        box.once('mine', function() end)
      `);
      await restore(target, archive);
      const { other, ...restored } = await fingerprint(target);
      equal(other?.rows, 1);
      deepEqual(restored, await fingerprint(source));
      equal(await target.eval(`return box.space._priv:count({0, 'space', 900})`), 1);
      ok(await target.eval(`return box.space._schema:get({'oncemine'}) ~= nil`));
    });
  });

  it('refuses a target that is read-only', async () => {
    const { stderr } = await refused(1, 'box.cfg({read_only = true})');
    match(stderr, /read-only/);
  });

  const user = (grants: string): string => `
    box.schema.user.create('zoe', {password = 'z'})
    ${grants}
  `;
  const asZoe = (target: TestServer): string => `zoe:z@${target.address}`;

  const LACKING: Record<string, string> = {
    'nothing at all': '',
    'only read': `box.schema.user.grant('zoe', 'read', 'universe')`,
    'read and write, not create': `box.schema.user.grant('zoe', 'read,write,execute', 'universe')`,
    'read and create, not write': `box.schema.user.grant('zoe', 'read,create,execute', 'universe')`,
    'all but what it takes to grant': `box.schema.user.grant('zoe',
        'read,write,execute,create,alter,drop', 'universe')`,
  };
  for (const [what, lua] of Object.entries(LACKING)) {
    it(`refuses a user who has ${what}`, async () => {
      await refused(5, user(lua), asZoe);
    });
  }

  const ABLE: Record<string, string> = {
    "the role 'super'": `box.schema.user.grant('zoe', 'super')`,
    "a role that has the role 'super'": `
      box.schema.role.create('chief')
      box.schema.role.grant('chief', 'super')
      box.schema.user.grant('zoe', 'chief')`,
  };
  for (const [what, lua] of Object.entries(ABLE)) {
    it(`accepts a user who has ${what}`, async () => {
      await withTarget(async (target) => {
        // ids that are free of the backup's, so that the two are the same to the byte
        await target.eval(`for i = 1, 8 do box.schema.user.create('placeholder' .. i) end
          ${user(lua)}
          for i = 1, 8 do box.schema.user.drop('placeholder' .. i) end`);
        await restore({ uri: asZoe(target) }, archive);
        await target.eval(`box.schema.user.drop('zoe') pcall(box.schema.role.drop, 'chief')`);
        await expectSame(source, target);
      });
    });
  }

  it('refuses an archive without an end', async () => {
    await withTarget(async (target) => {
      const before = await imprint(target);
      const cut = archive.subarray(0, 200);
      const { code, stderr } = await tntar(['restore', target.uri], { input: cut });
      equal(code, 3, stderr);
      deepEqual(await imprint(target), before);
    });
  });
});
