import { deepEqual, equal, match } from 'node:assert/strict';
import { tntar } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, restore, SOURCES, tryRestore, withTarget } from './fidelity/roundtrip.js';

/** Spaces as both sides have them; SQL reads names in upper case on every version. */
const SPACES = `
  box.schema.sequence.create('counter')
  box.schema.func.create('lower', {is_deterministic = true, is_sandboxed = true,
      body = 'function(tuple) return {tuple[2]:lower()} end'})
  local users = box.schema.space.create('USERS', {format = {{'ID', 'unsigned'},
      {name = 'NAME', type = 'string', collation = 'unicode_ci'}}})
  users:create_index('primary', {sequence = 'counter'})
  users:create_index('name', {parts = {{2, 'string', collation = 'unicode_ci'}}})
  users:create_index('lower', {func = 'lower', parts = {{1, 'string'}}})
  box.schema.space.create('log', {engine = 'vinyl'}):create_index('primary')
  box.schema.space.create('scratch', {temporary = true}):create_index('primary')
`;
const ROWS = `
  for i = 1, 100 do box.space.USERS:insert({box.NULL, 'Row ' .. i}) end
  for i = 1, 5000 do box.space.log:insert({i, string.rep('x', 100)}) end
  box.space.scratch:insert({1})
  box.schema.user.create('ann', {password = 'a'})
  box.schema.user.grant('ann', 'read', 'space', 'USERS')
  box.execute([[CREATE VIEW "NAMED" AS SELECT "NAME" FROM "USERS"]])
  box.space._schema:insert({'note', 'ours'})
`;
const LSN = 'return tostring(box.info.lsn)';

describe('dump --data-only', () => {
  let source: TestServer;
  before(async () => {
    source = await startServer({ lua: SPACES + ROWS });
  });
  after(() => source.stop());

  for (const how of SOURCES) {
    it(`makes an archive that fills existing spaces and sequences, read by ${how}`, async () => {
      const archive = await dump(source, '--data-only', '--source', how);
      await withTarget(async (target) => {
        await target.eval(SPACES);
        const { stderr } = await restore(target, archive, '--data-only');
        match(stderr, /restored 2 spaces with 5,100 rows/);
        const [there, here] = [await fingerprint(target), await fingerprint(source)];
        for (const name of ['USERS', 'log']) deepEqual(there[name], here[name]);
        equal(await target.eval(`return box.space.USERS:insert({box.NULL, 'next'})[1]`), 101);
      });
    });
  }

  it('makes an archive without users, grants, code and marks, which says that it is a part', async () => {
    const archive = await dump(source, '--data-only');
    const entries = await tntar(['list', '--json'], { input: archive });
    const listed = JSON.parse(String(entries.stdout));
    deepEqual([listed.partial, listed.only, listed.revoked], [['rows only'], 'data', []]);
    deepEqual(
      listed.spaces.map(({ name, rows }: { name: string; rows: number }) => [name, rows]),
      [
        ['USERS', 100],
        ['log', 5000],
        ['scratch', 0],
      ],
    );
    const shown = await tntar(['list'], { input: archive });
    match(String(shown.stdout), /PARTIAL: rows only/);
    const verified = await tntar(['verify'], { input: archive });
    equal(verified.code, 0, verified.stderr);
    match(verified.stderr, /verified 3 spaces with 5,100 rows/);
  });

  it('makes an archive that a restore without --data-only refuses before the first write', async () => {
    const archive = await dump(source, '--data-only');
    await withTarget(async (target) => {
      const lsn = await target.eval(LSN);
      for (const args of [[], ['--dry-run'], ['--schema-only'], ['--space', 'log']]) {
        const { code, stderr } = await tryRestore(target, archive, args);
        equal(code, 2, stderr);
        match(stderr, /the archive has rows only: .*\nhint: .* --data-only; nothing was written/);
      }
      equal(await target.eval(LSN), lsn);
    });
  });

  it('makes an archive that is checked against the fields and keys of the target, like any other', async () => {
    const archive = await dump(source, '--data-only');
    await withTarget(async (target) => {
      await target.eval(`box.schema.sequence.create('counter')
        box.schema.space.create('USERS', {field_count = 1}):create_index('primary')
        box.schema.space.create('log'):create_index('primary', {parts = {{1, 'string'}}})`);
      const { code, stderr } = await tryRestore(target, archive, ['--data-only']);
      equal(code, 4, stderr);
      match(stderr, /'USERS': .* requires 1/);
      match(stderr, /'log': field 1 is unsigned in the backup and string on the target/);
    });
  });

  it('can be combined with a choice of spaces, on dump and on restore', async () => {
    const chosen = await dump(source, '--data-only', '--space', 'USERS');
    const all = await dump(source, '--data-only');
    for (const [archive, args] of [
      [chosen, []],
      [all, ['--space', 'USERS']],
    ] as const) {
      await withTarget(async (target) => {
        await target.eval(SPACES);
        await restore(target, archive, '--data-only', ...args);
        deepEqual(
          await target.eval('return {box.space.USERS:count(), box.space.log:count()}'),
          [100, 0],
        );
        equal(await target.eval('return box.sequence.counter:next()'), 101);
      });
    }
  });

  it('can be combined with filters and new names', async () => {
    const archive = await dump(
      source,
      '--data-only',
      '--rename',
      'log=LOG',
      '--mask',
      'USERS.NAME=hash',
    );
    await withTarget(async (target) => {
      await target.eval(`${SPACES} box.space.log:rename('LOG')`);
      await restore(target, archive, '--data-only');
      equal(await target.eval('return box.space.LOG:count()'), 5000);
      equal(await target.eval(`return box.space.USERS:get(7)[2] == 'Row 7'`), false);
    });
  });

  it('cannot be combined with --schema-only', async () => {
    const { code, stderr } = await tntar(['dump', source.uri, '--data-only', '--schema-only']);
    equal(code, 2, stderr);
    match(stderr, /--data-only.*--schema-only/);
  });
});
