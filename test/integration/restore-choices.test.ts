import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { Readable } from 'node:stream';
import { parseUri } from '../../lib/iproto/uri.js';
import { restore as restoreStream } from '../../lib/pipelines/restore.js';
import { tntar } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { startServer, type TestServer } from '../support/server.js';
import {
  aboutTarget,
  dump,
  isAtLeast,
  list,
  restore,
  tryRestore,
  withTarget,
} from './fidelity/roundtrip.js';

const SOURCE = `
  box.schema.user.create('ann', {password = 'a'})
  box.schema.role.create('clerk')
  box.schema.func.create('greet', {body = 'function() return "hello" end'})
  box.schema.func.create('lower', {is_deterministic = true, is_sandboxed = true,
      body = 'function(tuple) return {tuple[2]:lower()} end'})
  box.schema.sequence.create('counter')
  box.schema.space.create('shelf'):create_index('primary', {sequence = 'counter'})
  for i = 1, 100 do box.space.shelf:insert({box.NULL, 'Row ' .. i}) end
  box.space.shelf:create_index('by_name', {func = 'lower', parts = {{1, 'string'}}})
  box.schema.space.create('drawer', {engine = 'vinyl'}):create_index('primary')
  box.space.drawer:insert({1})
  box.space._space:update(box.space.drawer.id, {{'=', 2, box.space._user.index.name:get('ann').id}})
  box.schema.user.grant('ann', 'create,read,write', 'universe')
  box.session.su('ann', function()
    box.schema.func.create('risky', {setuid = true,
        body = 'function() return box.session.effective_user() end'})
  end)
  box.schema.user.revoke('ann', 'create,read,write', 'universe')
  box.schema.user.grant('ann', 'clerk')
  box.schema.role.grant('clerk', 'read,write', 'space', 'shelf')
  box.schema.role.grant('clerk', 'execute', 'function', 'greet')
  box.schema.user.grant('guest', 'read', 'space', 'shelf')
`;

const CONSTRAINED = `
  box.schema.func.create('positive', {is_deterministic = true,
      body = 'function(value) return value > 0 end'})
  box.schema.space.create('till', {format = {{'id', 'unsigned'},
      {name = 'sum', type = 'number', constraint = 'positive'}}}):create_index('primary')
`;

const names = (space: string): string => `
  local names = {}
  for _, row in box.space.${space}:pairs() do names[row.name] = true end
  return names
`;
const OWNER = `return box.space._user:get(box.space._space.index.name:get('drawer').owner).name`;

describe('restore', () => {
  let source: TestServer;
  let archive: Buffer;
  let isConstrained: boolean;
  before(async () => {
    source = await startServer({ lua: SOURCE });
    const both = [source, await aboutTarget()];
    isConstrained = both.every((server) => isAtLeast(server, '2.10'));
    if (isConstrained) await source.eval(CONSTRAINED);
    archive = await dump(source);
  });
  after(() => source.stop());

  const told = (stderr: string, ...lines: string[]): void => {
    for (const line of lines) ok(stderr.includes(`left out: ${line}`), `${line}: ${stderr}`);
  };

  describe('--no-users', () => {
    it('creates no user and no role, gives their objects to the restoring user, and says so', async () => {
      await withTarget(async (target) => {
        const { stderr } = await restore(target, archive, '--no-users');
        const users = await target.eval<Record<string, boolean>>(names('_user'));
        deepEqual([users['ann'], users['clerk']], [undefined, undefined]);
        equal(await target.eval(OWNER), 'admin');
        equal(await target.eval(`return box.space._priv:count({0, 'space'})`), 1);
        told(
          stderr,
          '2 users and roles',
          "space 'drawer': its owner does not exist on the target, so the restoring user will own it",
          "grant of read,write on space 'shelf' to role 'clerk': the user does not exist on the target",
          "function 'risky' (LUA, which runs as user 'ann'): its owner does not exist on the target, and it would run as another user",
        );
        equal(await target.eval(`return box.func.risky == nil`), true);
        deepEqual(await fingerprint(target), await fingerprint(source));
      });
    });

    it('grants to users that the target has, but does not make them owners', async () => {
      await withTarget(async (target) => {
        await target.eval(`
          box.schema.user.create('bob') box.schema.user.create('ann', {password = 'hers'})
          box.schema.role.create('clerk')`);
        const auth = `return box.space._user.index.name:get('ann').auth`;
        const password = await target.eval(auth);
        const { stderr } = await restore(target, archive, '--no-users');
        equal(await target.eval(OWNER), 'admin');
        equal(await target.eval(`return box.func.risky == nil`), true);
        told(
          stderr,
          "space 'drawer': its owner is left out, so the restoring user will own it",
          "function 'risky' (LUA, which runs as user 'ann'): it runs as its owner, and the restoring user will own all restored objects",
        );
        deepEqual(await target.eval(auth), password);
        deepEqual(
          await target.eval(`return box.schema.role.info('clerk')`),
          await source.eval(`return box.schema.role.info('clerk')`),
        );
      });
    });
  });

  it('--no-privileges grants nothing, and revokes nothing', async () => {
    await withTarget(async (target) => {
      await target.eval(`box.schema.user.revoke('guest', 'session', 'universe')`);
      const grants = await target.eval(`return box.space._priv:select()`);
      const { stderr } = await restore(target, archive, '--no-privileges');
      const after = await target.eval<unknown[][]>(`return box.space._priv:select()`);
      deepEqual(after, grants);
      match(stderr, /left out: \d+ grants/);
      equal((await target.eval<Record<string, boolean>>(names('_user')))['ann'], true);
    });
  });

  describe('--no-functions', () => {
    it('creates no function, and nothing that needs one, and says so', async () => {
      await withTarget(async (target) => {
        const { stderr } = await restore(target, archive, '--no-functions');
        const functions = await target.eval<Record<string, boolean>>(names('_func'));
        deepEqual([functions['greet'], functions['lower']], [undefined, undefined]);
        equal(await target.eval('return box.space.shelf.index.by_name == nil'), true);
        equal(await target.eval('return box.space._func_index:count()'), 0);
        deepEqual(await fingerprint(target), await fingerprint(source));
        told(
          stderr,
          isConstrained ? '4 functions' : '3 functions',
          "index 'by_name' of space 'shelf': the function does not exist on the target",
          "grant of execute on function 'greet' to role 'clerk': the function does not exist on the target",
        );
        if (isConstrained) {
          told(
            stderr,
            "space 'till': constraint 'positive', because its function does not exist on the target",
          );
          ok(await target.eval(`return box.space.till:insert({1, -1}) ~= nil`));
        }
      });
    });

    it('uses the functions that the target has', async () => {
      await withTarget(async (target) => {
        await target.eval(`
          box.schema.func.create('other', {body = 'function() end'})
          box.schema.func.create('lower', {is_deterministic = true, is_sandboxed = true,
              body = 'function(tuple) return {tuple[2]:upper()} end'})`);
        await restore(target, archive, '--no-functions');
        deepEqual(await target.eval(`return box.space.shelf.index.by_name:get('ROW 7')`), [
          7,
          'Row 7',
        ]);
      });
    });
  });

  it('--schema-only creates all definitions without rows, and sequences start from the beginning', async () => {
    await withTarget(async (target) => {
      const { stderr } = await restore(target, archive, '--schema-only');
      equal(await target.eval('return box.space.shelf:count() + box.space.drawer:count()'), 0);
      told(stderr, 'all rows, and the values of sequences');
      match(stderr, /restored \d+ definitions and no rows \(archive/);
      deepEqual(await target.eval(`return box.space.shelf:insert({box.NULL, 'New'})`), [1, 'New']);
      deepEqual(await target.eval(`return box.space.shelf.index.by_name:get('new')`), [1, 'New']);
      deepEqual(
        await target.eval(`return box.schema.role.info('clerk')`),
        await source.eval(`return box.schema.role.info('clerk')`),
      );
    });
  });

  it('--schema-only counts what it wrote, also for the library', async () => {
    await withTarget(async ({ uri }) => {
      const options = { only: 'schema' } as const;
      const { spaces } = await list(archive);
      const restored = await restoreStream(Readable.from([archive]), parseUri(uri), options);
      deepEqual([restored.spaces, restored.rows, restored.bytes], [spaces.length, 0, 0]);
      ok(restored.definitions > 10);
    });
  });

  it('--schema-only still verifies the rows', async () => {
    await withTarget(async (target) => {
      const cut = archive.subarray(0, archive.length - 100);
      const { code } = await tryRestore(target, cut, ['--schema-only']);
      equal(code, 3);
    });
  });

  describe('--data-only', () => {
    /** The spaces under other ids, beside another one that has an id of theirs. */
    const SPACES = `
      box.schema.space.create('other', {id = 512}):create_index('primary')
      box.schema.sequence.create('other')
      box.schema.sequence.create('counter')
      box.schema.space.create('shelf', {id = 700}):create_index('primary', {sequence = 'counter'})
      box.schema.space.create('drawer', {engine = 'memtx', id = 701}):create_index('primary')
      box.schema.space.create('till', {id = 702}):create_index('primary')`;

    it('fills existing spaces of the same names, and creates nothing', async () => {
      await withTarget(async (target) => {
        await target.eval(SPACES);
        const definitions = `return {box.space._space:count(), box.space._index:count(), box.space._user:count(),
            box.space._func:count(), box.space._priv:count()}`;
        const before = await target.eval(definitions);
        const { stderr } = await restore(target, archive, '--data-only');
        deepEqual(await target.eval(definitions), before);
        const { other, ...filled } = await fingerprint(target);
        deepEqual(other?.rows, 0);
        const { shelf, drawer } = await fingerprint(source);
        deepEqual([filled['shelf'], filled['drawer']], [shelf, drawer]);
        deepEqual(await target.eval(`return box.space.shelf:insert({box.NULL})`), [101]);
        told(stderr, 'all definitions, users, privileges and functions');
      });
    });

    it('adds to the existing rows, and never sets a sequence to a lower value', async () => {
      await withTarget(async (target) => {
        await target.eval(`${SPACES}
          box.sequence.counter:set(500)
          box.space.shelf:insert({box.NULL, 'theirs'})`);
        await restore(target, archive, '--data-only');
        equal(await target.eval('return box.space.shelf:count()'), 101);
        deepEqual(await target.eval(`return box.space.shelf:insert({box.NULL})`), [502]);
      });
    });

    it('stops at a row with an existing key, and reports its progress', async () => {
      await withTarget(async (target) => {
        await target.eval(`${SPACES} box.space.shelf:insert({50, 'theirs'})`);
        const { code, stderr } = await tryRestore(target, archive, ['--data-only']);
        equal(code, 1, stderr);
        match(stderr, /space 'shelf', row \[50\].*[Dd]uplicate key.*INCOMPLETE/s);
        deepEqual(await target.eval('return box.space.shelf:get(50)'), [50, 'theirs']);
      });
    });

    it('refuses a target without some of the spaces before the first write, and names these spaces', async () => {
      await withTarget(async (target) => {
        await target.eval(`
          box.schema.space.create('shelf') box.schema.space.create('till'):create_index('primary')`);
        const { code, stderr } = await tryRestore(target, archive, ['--data-only']);
        equal(code, 4, stderr);
        match(stderr, /rows cannot be loaded into 'drawer': it does not exist/);
        match(stderr, /rows cannot be loaded into 'shelf': no primary index/);
        equal(stderr.includes('INCOMPLETE'), false);
      });
    });
  });

  it('refuses --schema-only together with --data-only', async () => {
    const { code, stderr } = await tntar(['restore', '--schema-only', '--data-only']);
    equal(code, 2);
    match(stderr, /--schema-only.*--data-only/);
  });

  describe('--dry-run', () => {
    it('prints privileges and code first, then each step in order, and changes nothing', async () => {
      await withTarget(async (target) => {
        const before = await target.eval('return tostring(box.info.lsn)');
        const { stdout } = await restore(target, archive, '--dry-run');
        equal(await target.eval('return tostring(box.info.lsn)'), before);
        const lines = String(stdout).split('\n');
        const at = (line: string, from = 0): number => {
          const index = lines.indexOf(line, from);
          ok(index >= 0, `'${line}' is missing in\n${stdout}`);
          return index;
        };
        const data = at('The data:');
        const order = [
          at('Privileges, given and taken at the very end:'),
          at("  replace grant of execute on function 'greet' to role 'clerk'"),
          at('Code that the server will run:'),
          at("  function 'greet' (LUA)"),
          at('      | function() return "hello" end'),
          at('Before the data:'),
          at("  insert user 'ann'"),
          at("  insert function 'greet' (LUA)"),
          at("  insert sequence 'counter'"),
          at("  insert space 'shelf'"),
          at("  insert index 'primary' of space 'shelf'"),
          data,
          at("  insert 100 rows (892 B) into space 'shelf'"),
          at('After the data:'),
          at("  insert index 'by_name' of space 'shelf'"),
          at("  insert sequence 'counter' of space 'shelf'"),
          at("  replace value of sequence 'counter'"),
          at("  replace grant of execute on function 'greet' to role 'clerk'", data),
          at('Nothing was written: this was a dry run.'),
        ];
        deepEqual(
          order,
          order.toSorted((a, b) => a - b),
        );
      });
    });

    it('says which ids change, and what is left out', async () => {
      await withTarget(async (target) => {
        await target.eval(`box.schema.space.create('other', {id = 512})`);
        const { stdout } = await restore(target, archive, '--dry-run', '--no-users');
        match(String(stdout), /into space 'shelf', where its id is 51\d, not 512/);
        match(String(stdout), /Left out:\n {2}2 users and roles/);
      });
    });

    it('refuses what the restore would refuse', async () => {
      await withTarget(async (target) => {
        await target.eval(`box.schema.space.create('shelf')`);
        const { code, stdout, stderr } = await tryRestore(target, archive, ['--dry-run']);
        equal(code, 4);
        equal(String(stdout), '');
        match(stderr, /space 'shelf' already exists/);
      });
    });

    it('refuses a damaged archive', async () => {
      await withTarget(async (target) => {
        const cut = archive.subarray(0, archive.length - 100);
        const { code, stdout } = await tryRestore(target, cut, ['--dry-run']);
        equal(code, 3);
        equal(String(stdout), '');
      });
    });
  });
});
