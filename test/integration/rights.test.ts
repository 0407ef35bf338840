import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { crafted, functionRow, type SystemRows } from '../support/crafted.js';
import type { TestServer } from '../support/server.js';
import { restore, withTarget } from './fidelity/roundtrip.js';

/** `box.schema.user.password('')`. */
const EMPTY_PASSWORD = 'vhvewKp0tNyweZQ+cFKAlsyphfg=';

/** Something of each kind that can have an owner, and who that is. */
const ownedBy = (owner: number): SystemRows => ({
  276: [[300, 'german', owner, 'ICU', 'de', { strength: 'primary' }]],
  280: [[512, owner, 'accounts', 'memtx', 0, {}, []]],
  284: [[1, owner, 'ids', 1, 1, 1000, 1, 0, false]],
  288: [[512, 0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]]],
  296: [functionRow(100, 'report', { owner, body: 'function() return 1 end' })],
  304: [
    [32, owner, 'ann', 'user', { 'chap-sha1': 'R+VTW8iGFlTbmuAcVMo2GHbj0t4=' }],
    [33, 1, 'bob', 'user', { 'chap-sha1': EMPTY_PASSWORD }],
    [34, owner, 'clerk', 'role', {}],
  ],
});

const ROWS = { 512: [[1, 'DE00']] };
const archiveOf = (system: SystemRows, target: TestServer): Buffer =>
  crafted(system, target.version.replace(/-.*/, ''), system[280] === undefined ? {} : ROWS);

/** Owners of all that an archive brought, by what it is. */
const OWNERS = `
  local owners = {}
  for kind, ids in pairs({
      _collation = {300}, _space = {512}, _sequence = {1}, _func = {100}, _user = {'ann', 'clerk'}}) do
    for _, id in ipairs(ids) do
      local row = box.space[kind].index[kind == '_user' and 'name' or 'primary']:get(id)
      if row then owners[kind .. id] = box.space._user:get(row.owner).name end
    end
  end
  return owners`;

/** What somebody without a password gets done. */
const AS_GUEST = `
  local guest = require('net.box').connect(...)
  local function may(ask) return (pcall(ask)) end
  return {
    write = may(function() return guest.space.accounts:replace({2, 'guest was here'}) end),
    call = may(function() return guest:call('report') end),
  }`;

/** Tells whether a login is accepted, whatever it may read. */
const LOGS_IN = `
  local connection = require('net.box').connect(..., {fetch_schema = false})
  local state, problem = connection.state, tostring(connection.error)
  connection:close()
  return state == 'active' or problem:find('Read access') ~= nil`;

const guestOf = ({ uri }: TestServer): string => uri.replace(/^.*@/, '');

describe('the rights in an archive', () => {
  for (const args of [['--no-users'], ['--no-privileges'], ['--no-users', '--no-privileges']]) {
    it(`are all given to the restoring user with ${args.join(' ')}`, () =>
      withTarget(async (target) => {
        const archive = archiveOf(ownedBy(0), target);
        const { stdout } = await restore(target, archive, ...args, '--dry-run');
        doesNotMatch(String(stdout), /'guest' owns/);
        const { stderr } = await restore(target, archive, ...args);
        match(
          stderr,
          /left out: space 'accounts': its owner is left out, so the restoring user will own it/,
        );
        const owners = Object.values(await target.eval<Record<string, string>>(OWNERS));
        deepEqual(new Set(owners), new Set(['admin']));
        deepEqual(await target.eval(AS_GUEST, guestOf(target)), { write: false, call: false });
      }));
  }

  it('are all given to a restoring user who is not admin', () =>
    withTarget(async (target) => {
      await target.eval(`
        box.schema.user.create('restorer', {password = 'x'})
        box.schema.user.grant('restorer', 'super')`);
      const uri = target.uri.replace(/^.*@/, 'restorer:x@');
      await restore({ uri }, archiveOf(ownedBy(0), target), '--no-users', '--no-privileges');
      const owners = Object.values(await target.eval<Record<string, string>>(OWNERS));
      deepEqual(new Set(owners), new Set(['restorer']));
    }));

  it('keep their owners if a user who is not admin restores the whole archive', () =>
    withTarget(async (target) => {
      await target.eval(`
        box.schema.user.create('restorer', {password = 'x'})
        box.schema.user.grant('restorer', 'super')`);
      const uri = target.uri.replace(/^.*@/, 'restorer:x@');
      const { 304: _, ...withoutUsers } = ownedBy(0);
      await restore({ uri }, archiveOf(withoutUsers, target));
      const owners = Object.values(await target.eval<Record<string, string>>(OWNERS));
      deepEqual(new Set(owners), new Set(['guest']));
    }));

  it('are given to users of the archive, never to other users with the same ids on the target', () =>
    withTarget(async (target) => {
      await target.eval(`box.schema.user.create('mallory')`); // its id is 32
      const { 304: _, ...withoutUsers } = ownedBy(32);
      await restore(target, archiveOf(withoutUsers, target));
      const owners = Object.values(await target.eval<Record<string, string>>(OWNERS));
      deepEqual(new Set(owners), new Set(['admin']));
    }));

  it('leave out functions that run as other users, if only the restoring user may own anything', () =>
    withTarget(async (target) => {
      const system = {
        296: [
          functionRow(100, 'as_guest', { owner: 0, setuid: 1 }),
          functionRow(101, 'as_super', { owner: 31, setuid: 1 }),
          functionRow(102, 'as_admin', { owner: 1, setuid: 1 }),
        ],
      };
      const { stderr } = await restore(target, archiveOf(system, target), '--no-privileges');
      match(stderr, /function 'as_guest' .*the restoring user will own all restored objects/);
      const made = `return {box.func.as_guest ~= nil, box.func.as_super ~= nil, box.func.as_admin ~= nil}`;
      deepEqual(await target.eval(made), [false, false, true]);
    }));

  it('are on the spaces of the archive, even if a grant has the word for a space in capital letters', () =>
    withTarget(async (target) => {
      await target.eval(`box.schema.space.create('secrets', {id = 512}):create_index('pk')`);
      const system = { ...ownedBy(1), 312: [[1, 0, 'SPACE', 512, 3]] };
      await restore(target, archiveOf(system, target));
      const granted = `
        local id = box.space.accounts.id
        return {box.space._priv:count({0, 'SPACE'}), box.space._priv:get({0, 'space', id}) ~= nil,
          box.space._priv:get({0, 'space', 512}) ~= nil}`;
      deepEqual(await target.eval(granted), [0, true, false]);
    }));

  it('are granted by admin if the grantor may own nothing', () =>
    withTarget(async (target) => {
      await target.eval(`box.schema.user.create('ann')`);
      const system = { ...ownedBy(32), 312: [[32, 0, 'space', 512, 1]] };
      await restore(target, archiveOf(system, target), '--no-users');
      equal(await target.eval(`return box.space._priv:get({0, 'space', 512}).grantor`), 1);
    }));

  describe('in the dry run', () => {
    const shown = async (system: SystemRows): Promise<string[]> =>
      withTarget(async (target) => {
        const { stdout } = await restore(target, archiveOf(system, target), '--dry-run');
        return String(stdout).split('\n');
      });
    const says = (lines: readonly string[], ...wanted: string[]): void => {
      for (const line of wanted) ok(lines.includes(`  ${line}`), `${line}, in ${lines.join('\n')}`);
    };

    it('name first the objects of owners that anybody can log in as', async () => {
      const lines = await shown(ownedBy(0));
      says(
        lines,
        "ANYBODY without a password: user 'guest' owns space 'accounts'",
        "ANYBODY without a password: user 'guest' owns sequence 'ids'",
        "ANYBODY without a password: user 'guest' owns function 'report' (LUA)",
        "ANYBODY without a password: user 'guest' owns collation 'german'",
        "ANYBODY without a password: user 'guest' owns user 'ann'",
        "ANYBODY without a password: user 'guest' owns role 'clerk'",
      );
    });

    it('name owners with a password, too', async () => {
      const lines = await shown(ownedBy(32));
      says(lines, "user 'ann' owns space 'accounts'", "user 'ann' owns sequence 'ids'");
      ok(
        lines.indexOf('Owners, who may use what they own without a grant:') <
          lines.indexOf('Before the data:'),
      );
    });

    it('name users with an empty password, and what they own and get', async () => {
      const { 280: _, ...rest } = ownedBy(1);
      const lines = await shown({
        ...rest,
        280: [[512, 33, 'accounts', 'memtx', 0, {}, []]],
        312: [
          [1, 33, 'universe', 0, 24],
          [1, 2, 'space', 512, 1],
        ],
      });
      says(
        lines,
        "insert user 'bob', with an EMPTY password",
        "ANYBODY without a password: user 'bob' has an empty password",
        "ANYBODY without a password: user 'bob' owns space 'accounts'",
        "ANYBODY without a password: grant of session,usage on universe to user 'bob'",
        "ANYBODY without a password: grant of read on space 'accounts' to role 'public'",
      );
    });

    it('name what everybody gets from roles, also from roles of the target', () =>
      withTarget(async (target) => {
        await target.eval(`
          box.schema.role.create('app')
          box.schema.role.create('inner')
          box.schema.user.grant('guest', 'app')
          box.schema.role.grant('app', 'inner')`);
        const system = {
          ...ownedBy(1),
          304: [
            [40, 1, 'app', 'role', {}],
            [41, 1, 'inner', 'role', {}],
            [42, 1, 'new', 'role', {}],
            [43, 1, 'closed', 'role', {}],
          ],
          312: [
            [1, 2, 'role', 42, 4],
            [1, 41, 'space', 512, 1],
            [1, 42, 'universe', 0, 2],
            [1, 43, 'sequence', 1, 2],
          ],
        };
        const { stdout } = await restore(target, archiveOf(system, target), '--dry-run');
        const lines = String(stdout).split('\n');
        says(
          lines,
          "ANYBODY without a password: grant of read on space 'accounts' to role 'inner'",
          "ANYBODY without a password: grant of write on universe to role 'new'",
        );
        doesNotMatch(String(stdout), /ANYBODY .*'closed'/);
      }));

    it('name each user whose password the server accepts as empty, in any form', () =>
      withTarget(async (target) => {
        const auths = [
          { 'CHAP-SHA1': EMPTY_PASSWORD },
          { 'chap-sha1x': EMPTY_PASSWORD },
          { 'chap-sha1': EMPTY_PASSWORD.replace('=', 'A') },
          { 'chap-sha1': EMPTY_PASSWORD.replace('g=', 'h=') },
          { 'chap-sha1': `.${EMPTY_PASSWORD.slice(0, -1)}` },
          { 'chap-sha1': 'R+VTW8iGFlTbmuAcVMo2GHbj0t4=' },
        ];
        const users = auths.map((auth, i) => [40 + i, 1, `user${i}`, 'user', auth]);
        const grants = users.map(([id]) => [1, id!, 'universe', 0, 24]);
        const archive = archiveOf({ 304: users, 312: grants }, target);
        const { stdout } = await restore(target, archive, '--dry-run');
        await restore(target, archive);
        for (const i of auths.keys()) {
          const isOpen = await target.eval<boolean>(LOGS_IN, `user${i}:@${guestOf(target)}`);
          const line = `ANYBODY without a password: user 'user${i}' has an empty password`;
          if (isOpen) says(String(stdout).split('\n'), line);
          equal(i === 5 && isOpen, false);
        }
      }));

    it('name functions that run as their owner', async () => {
      const lines = await shown({
        296: [functionRow(100, 'as_admin', { setuid: 1 })],
      });
      says(lines, "function 'as_admin' (LUA, which runs as user 'admin')");
    });
  });
});
