import { deepEqual, equal, match, ok } from 'node:assert/strict';
import type { Result } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { startServer, type TestServer } from '../support/server.js';
import {
  dump,
  expectSame,
  isAtLeast,
  needs,
  startTarget,
  tryRestore,
} from './fidelity/roundtrip.js';

/** What a user is granted, as `box.schema.user.grant` takes it. */
type Grant = readonly [bits: string | number, object: string];

/** Names for what has none on servers before 3.6. */
const GRANT = 8192;
const REVOKE = 16384;

/** Spaces of all kinds, and what belongs to them: nothing here grants anything. */
const SPACES = `
  local has_foreign_keys = ...
  box.schema.space.create('plain'):create_index('primary')
  box.schema.space.create('sorted', {engine = 'vinyl'}):create_index('primary')
  box.schema.space.create('local', {is_local = true}):create_index('primary', {type = 'hash'})
  box.schema.sequence.create('shared')
  box.schema.space.create('linked'):create_index('primary', {sequence = 'shared'})
  box.schema.space.create('numbered'):create_index('primary', {sequence = true})
  for i = 1, 100 do
      for _, name in ipairs({'plain', 'sorted', 'local'}) do box.space[name]:insert({i, name}) end
      box.space.linked:insert({box.NULL, i})
      box.space.numbered:insert({box.NULL, i})
  end
  box.space.plain:create_index('second', {parts = {{2, 'string'}}, unique = false})
  box.execute([[CREATE TABLE tbl (id INTEGER PRIMARY KEY, n INTEGER)]])
  box.execute([[CREATE TABLE child (id INTEGER PRIMARY KEY, p INTEGER]] ..
      (has_foreign_keys and [[, FOREIGN KEY (p) REFERENCES tbl (id))]] or ')'))
  box.execute([[INSERT INTO tbl VALUES (1, 1)]])
  box.execute([[CREATE VIEW vw AS SELECT id FROM tbl]])
  box.execute([[CREATE TRIGGER trg AFTER INSERT ON tbl FOR EACH ROW BEGIN DELETE FROM child; END]])
`;

/** From 2.11 on a check is a function. */
const FUNCTIONS = `
  box.execute([[CREATE TABLE sums (id INTEGER PRIMARY KEY, n INTEGER, CHECK (n > 0))]])
  box.execute([[INSERT INTO sums VALUES (1, 1)]])
  box.schema.func.create('lower', {is_deterministic = true, is_sandboxed = true,
      body = 'function(tuple) return {tuple[2]:lower()} end'})
  box.space.plain:create_index('by_name', {func = 'lower', parts = {{1, 'string'}}, unique = false})
`;

/** What reads the target and fills the spaces. */
const FOR_SPACES: readonly Grant[] = [
  ['read', 'space'],
  ['write', 'space'],
  ['create', 'space'],
  ['alter', 'space'],
  ['read', 'sequence'],
  ['write', 'sequence'],
  ['create', 'sequence'],
];
const FOR_FUNCTIONS: readonly Grant[] = [
  ['create', 'function'],
  ['execute', 'function'],
];

describe('a user who restores', () => {
  /** Of the servers that are dumped. */
  let origin: Pick<TestServer, 'version'>;
  let target: TestServer;
  before(async () => {
    const server = await startServer();
    origin = { version: server.version };
    await server.stop();
  });
  beforeEach(async () => {
    target = await startTarget({
      lua: `
        for i = 1, 8 do box.schema.user.create('placeholder' .. i) end
        box.schema.user.create('zoe', {password = 'z'})
        for i = 1, 8 do box.schema.user.drop('placeholder' .. i) end`,
    });
  });
  afterEach(() => target.stop());

  async function archiveOf(lua: string): Promise<{ source: TestServer; archive: Buffer }> {
    const source = await startServer();
    // a foreign key of a newer server is none that an older one can hold
    await source.eval(lua, isAtLeast(target, '2.11') || !isAtLeast(source, '2.11'));
    return { source, archive: await dump(source) };
  }

  async function change(verb: 'grant' | 'revoke', [bits, object]: Grant): Promise<void> {
    await target.eval(`box.schema.user.${verb}('zoe', ...)`, bits, object);
  }

  async function restoreAsZoe(archive: Buffer): Promise<Result> {
    return tryRestore({ uri: `zoe:z@${target.address}` }, archive);
  }

  /** What a restore says is missing, in its order; it has to fail, and to change nothing. */
  async function lackingTo(archive: Buffer): Promise<string[]> {
    const state = async (): Promise<unknown> => [
      await fingerprint(target, { system: true }),
      await target.eval('return tostring(box.info.lsn)'),
    ];
    const before = await state();
    const { code, stderr } = await restoreAsZoe(archive);
    equal(code, 5, stderr);
    deepEqual(await state(), before);
    const [, names = stderr] = /user 'zoe' (?:lacks|may not read) (.*)/.exec(stderr) ?? [];
    return names.split('; ');
  }

  /**
   * Restores a database as a user with these grants: with each of them less that is refused for what is
   * missing then, and with all of them the copy is the same.
   */
  async function isSmallest(
    lua: string,
    needed: readonly (readonly [Grant, RegExp])[],
  ): Promise<void> {
    const { source, archive } = await archiveOf(lua);
    try {
      for (const [grant] of needed) await change('grant', grant);
      for (const [grant, told] of needed) {
        await change('revoke', grant);
        for (const line of await lackingTo(archive)) match(line, told);
        await change('grant', grant);
      }
      const { code, stderr } = await restoreAsZoe(archive);
      equal(code, 0, stderr);
      await target.eval(`box.schema.user.drop('zoe')`);
      await expectSame(source, target);
    } finally {
      await source.stop();
    }
  }

  /** Each with what is told where it is missing: reading comes first, and its message is a dump's. */
  function told(grants: readonly Grant[]): (readonly [Grant, RegExp])[] {
    return grants.map((grant) => {
      const [bits, object] = grant;
      if (bits === 'read' && object === 'space') return [grant, /^space '_\w+'/];
      const name = bits === GRANT ? 'grant' : bits === REVOKE ? 'revoke' : bits;
      return [grant, new RegExp(`^${name} on ${object}( '_\\w+')?$`)];
    });
  }

  it('spaces of all kinds needs exactly these grants', async () => {
    await isSmallest(SPACES, told(FOR_SPACES));
  });

  it('functions, too, also needs to create and run them', async () => {
    await isSmallest(SPACES + FUNCTIONS, told([...FOR_SPACES, ...FOR_FUNCTIONS]));
  });

  it('functions that check and fill rows, too, also needs to run them', async function () {
    const both = [origin, target];
    for (const server of both) needs(this, server, 'functions as constraints', '2.11');
    const fills = both.every((server) => isAtLeast(server, '3.0')) ? `, default_func = 'fill'` : '';
    const lua = `
      box.schema.func.create('check', {language = 'LUA', is_deterministic = true,
          body = 'function(value) return true end'})
      box.schema.func.create('fill', {language = 'LUA', body = 'function() return 1 end'})
      box.schema.space.create('checked', {constraint = 'check', format = {
          {'id', 'unsigned'}, {name = 'n', type = 'any', constraint = 'check'${fills}}}})
      box.space.checked:create_index('primary') box.space.checked:insert({1, 1})`;
    await isSmallest(
      lua,
      told([...FOR_SPACES.filter(([, object]) => object === 'space'), ...FOR_FUNCTIONS]),
    );
  });

  it('users, roles and grants, too, also needs to create these and to grant', async () => {
    const lua = `
      ${SPACES} ${FUNCTIONS}
      box.schema.user.create('ann', {password = 'a'})
      box.schema.role.create('clerk')
      box.schema.role.grant('clerk', 'read', 'space', 'plain')
      box.schema.user.grant('ann', 'clerk')
      box.schema.user.grant('ann', 'execute', 'function', 'lower')
      box.schema.user.grant('ann', 'write', 'sequence', 'shared')
      box.schema.user.grant('guest', 'read', 'space')
      box.schema.role.grant('public', 'execute', 'universe')`;
    const forUsers: readonly Grant[] = [
      ['create', 'user'],
      ['create', 'role'],
      [GRANT, 'universe'],
    ];
    await isSmallest(lua, told([...FOR_SPACES, ...FOR_FUNCTIONS, ...forUsers]));
  });

  it('revoked grants, too, also needs to revoke', async () => {
    const lua = `box.schema.role.revoke('public', 'read', 'space', '_vuser')`;
    const bit = isAtLeast(target, '3.6') ? GRANT : REVOKE;
    await isSmallest(
      lua,
      told([
        ['read', 'space'],
        ['write', 'space'],
        [bit, 'universe'],
      ]),
    );
  });

  it('the right to grant, too, needs that right from 3.6 on', async function () {
    for (const server of [origin, target]) needs(this, server, 'the privilege metagrant', '3.6');
    const lua = `box.schema.user.grant('guest', 'grant', 'universe')`;
    await isSmallest(lua, [
      ...told([
        ['read', 'space'],
        ['write', 'space'],
        [GRANT, 'universe'],
      ]),
      [['metagrant', 'universe'], /^metagrant on universe$/],
    ]);
  });

  it('collations, too, needs create on the universe', async () => {
    // before 2.11 everybody may write collations, but not the mark of box.once
    const lua = `box.internal.collation.create('loud', 'ICU', 'de_DE', {strength = 'primary'})
      box.once('mark', function() end)`;
    const grants: readonly Grant[] = [
      ['read', 'space'],
      ['write', 'space'],
      ['create', 'universe'],
    ];
    await isSmallest(lua, told(grants));
  });

  it('grants to the same user must be admin from 3.6 on', async function () {
    needs(this, target, 'that nobody may grant to itself', '3.6');
    const { source, archive } = await archiveOf(`box.schema.user.grant('guest', 'read', 'space')`);
    await source.stop();
    await target.eval(`box.schema.user.grant('guest', 'super')`);
    const { code, stderr } = await tryRestore({ uri: target.address }, archive);
    equal(code, 5, stderr);
    match(
      stderr,
      /user 'guest' lacks the right to restore grants to 'guest' \(only admin has it\)/,
    );
    ok(!stderr.includes('INCOMPLETE'), stderr);
  });

  it('rows alone needs to read and write spaces, and to read the values of sequences', async () => {
    const { source, archive } = await archiveOf(`
      box.schema.space.create('plain'):create_index('primary')
      box.schema.space.create('numbered'):create_index('primary', {sequence = true})
      for i = 1, 9 do box.space.plain:insert({i}) box.space.numbered:insert({box.NULL}) end`);
    await source.stop();
    await target.eval(`
      box.schema.space.create('plain'):create_index('primary')
      box.schema.space.create('numbered'):create_index('primary', {sequence = true})`);
    const grants: readonly (readonly [Grant, RegExp])[] = [
      [['read', 'space'], /may not read space '_schema'/],
      [['write', 'space'], /lacks .*write on space/],
      [['execute', 'universe'], /may not read the value of sequence 'numbered_seq'/],
      [['write', 'sequence'], /may not read the value of sequence 'numbered_seq'/],
    ];
    const restoreRows = (): Promise<Result> =>
      tryRestore({ uri: `zoe:z@${target.address}` }, archive, ['--data-only']);
    for (const [grant] of grants) await change('grant', grant);
    await target.eval('box.space.numbered:insert({99}) box.space.numbered:delete({99})');
    for (const [grant, told] of grants) {
      await change('revoke', grant);
      const { code, stderr } = await restoreRows();
      equal(code, 5, stderr);
      match(stderr, told);
      equal(await target.eval('return box.space.plain:count()'), 0);
      await change('grant', grant);
    }
    const { code, stderr } = await restoreRows();
    equal(code, 0, stderr);
    equal(await target.eval('return box.space.plain:count() + box.space.numbered:count()'), 18);
    deepEqual(await target.eval('return box.space.numbered:insert({box.NULL})'), [100]);
  });

  it('gets the names of all missing privileges at once', async () => {
    await change('grant', ['read', 'space']);
    const { source, archive } = await archiveOf(`
      ${SPACES} ${FUNCTIONS} box.schema.user.create('ann', {password = 'a'})`);
    await source.stop();
    const lacking = await lackingTo(archive);
    for (const line of [
      ...['create on user', 'create on function', 'create on sequence', 'create on space'],
      ...["write on space '_user'", "write on space '_index'", "write on space '_sequence_data'"],
      ...['alter on space', 'execute on function', 'write on space', 'read on sequence'],
      ...['write on sequence', 'grant on universe'],
    ]) {
      equal(lacking.filter((each) => each === line).length, 1, `${line} of ${lacking}`);
    }
  });

  it('cannot restore grants with the right to grant alone', async () => {
    await change('grant', ['read', 'space']);
    await change('grant', [GRANT, 'universe']);
    const { source, archive } = await archiveOf(`box.schema.user.grant('guest', 'read', 'space')`);
    await source.stop();
    deepEqual(await lackingTo(archive), ["write on space '_priv'"]);
  });
});
