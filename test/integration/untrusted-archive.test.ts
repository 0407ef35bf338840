import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  archive as entriesOf,
  jsonEntry,
  manifest,
  rowsEntry,
  sealed,
} from '../support/archive-builder.js';
import { tntar } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, restore, withTarget } from './fidelity/roundtrip.js';

/** What somebody might add to a backup of `accounts`. */
const SOURCE = `
  box.schema.space.create('accounts'):create_index('primary')
  box.space.accounts:insert({1, 'Ann'})
  box.schema.user.create('backdoor', {password = 'known'})
  box.schema.user.create('harmless')
  box.schema.role.create('helpers')
  box.schema.user.grant('backdoor', 'super')
  box.schema.user.grant('guest', 'read,write', 'universe')
  box.schema.func.create('report', {
      body = 'function() box.schema.user.passwd("x") end --\\27[2J'})
  box.schema.func.create('as_admin', {setuid = true, body = 'function() return 1 end'})
  box.schema.func.create('os.execute')
  box.schema.user.grant('guest', 'execute', 'function', 'os.execute')
  box.execute('CREATE TABLE "till" ("id" INT PRIMARY KEY, "sum" INT CHECK ("sum" > 0))')
  box.execute('CREATE VIEW "spied" AS SELECT "id" FROM "till"')
  box.execute('CREATE TRIGGER "greedy" AFTER INSERT ON "till" FOR EACH ROW BEGIN DELETE FROM "till"; END')
`;

const INSTALLED = `
  local function has(space, name) return box.space[space].index.name:get(name) ~= nil end
  return {
      users = has('_user', 'backdoor'), role = has('_user', 'helpers'),
      functions = has('_func', 'report') or has('_func', 'os.execute'),
      grants = box.space._priv:count({0}), triggers = box.space._trigger:count(),
      rows = box.space.accounts:count(),
  }
`;

interface Installed {
  users: boolean;
  role: boolean;
  functions: boolean;
  grants: number;
  triggers: number;
  rows: number;
}

describe('an archive that nobody trusts', () => {
  let source: TestServer;
  let archive: Buffer;
  let folder: string;
  before(async () => {
    source = await startServer({ lua: SOURCE });
    archive = await dump(source);
    folder = mkdtempSync(join(tmpdir(), 'tntar-untrusted-'));
  });
  after(async () => {
    await source.stop();
    rmSync(folder, { recursive: true });
  });

  describe('--dry-run', () => {
    let sections: Map<string, string>;
    before(async () => {
      const { stdout } = await withTarget((target) => restore(target, archive, '--dry-run'));
      sections = new Map(
        String(stdout)
          .split('\n\n')
          .map((text) => [text.slice(0, text.indexOf(':')), text] as const),
      );
    });

    const says = (section: string, ...lines: string[]): void => {
      const text = sections.get(section) ?? '';
      for (const line of lines) {
        ok(text.split('\n').includes(`  ${line}`), `${line}, in ${[...sections.values()].join()}`);
      }
    };

    it('lists users, privileges and code before everything else', () => {
      deepEqual([...sections.keys()].slice(1, 4), [
        'Users and roles',
        'Privileges, given and taken at the very end',
        'Code that the server will run',
      ]);
    });

    it('lists each user and role, and which of them have a password', () => {
      says(
        'Users and roles',
        "insert user 'backdoor', with its password",
        "insert user 'harmless'",
        "insert role 'helpers'",
      );
    });

    it('lists each grant', () => {
      says(
        'Privileges, given and taken at the very end',
        "replace grant of role 'super' to user 'backdoor'",
        "replace grant of execute on function 'os.execute' to user 'guest'",
      );
      match(
        sections.get('Privileges, given and taken at the very end') ?? '',
        /grant of read,write.* on universe to user 'guest'/,
      );
    });

    it('lists each function with its code, and reports one without code', () => {
      says(
        'Code that the server will run',
        "function 'report' (LUA)",
        '    | function() box.schema.user.passwd("x") end --\\u001b[2J',
        "function 'as_admin' (LUA, which runs as user 'admin')",
        "function 'os.execute' (LUA), without code: what the target knows by this name",
      );
    });

    it('lists SQL of views, triggers and checks', () => {
      const code = sections.get('Code that the server will run') ?? '';
      for (const what of [
        / {2}view 'spied'\n/,
        / {2}trigger 'greedy' of space 'till'\n/,
        /sum" > 0/,
      ]) {
        match(code, what);
      }
    });
  });

  it('moves no cursor with its names in list and verify', async () => {
    const name = 'evil\x1b[2J';
    const space = { id: 512, name, engine: 'memtx', format: [], rowsFrom: 'snapshot' };
    const crafted = entriesOf(
      sealed([
        jsonEntry('manifest.json', manifest({ spaces: [space] })),
        rowsEntry('280.dump', [512, 1, name, 'memtx', 0, {}, []]),
        rowsEntry('288.dump', [512, 0, name, 'tree', { unique: true }, [[0, 'unsigned']]]),
        rowsEntry('512.dump', [1]),
      ]),
    );
    for (const command of ['list', 'verify']) {
      const { code, stdout, stderr } = await tntar([command], { input: crafted });
      equal(code, 0, stderr);
      ok(!`${stdout}${stderr}`.includes('\x1b'));
    }
  });

  const installedBy = (...args: string[]): Promise<Installed> =>
    withTarget(async (target) => {
      await restore(target, archive, ...args);
      return target.eval<Installed>(INSTALLED);
    });
  const fresh = (): Promise<number> =>
    withTarget((target) => target.eval<number>('return box.space._priv:count({0})'));

  it('restores all users, privileges and code if nothing is left out', async () => {
    const { users, role, functions, triggers } = await installedBy();
    deepEqual([users, role, functions, triggers], [true, true, true, 1]);
  });

  it('restores no functions, users or privileges if these are left out', async () => {
    const left = await installedBy('--no-functions', '--no-users', '--no-privileges');
    deepEqual(left, {
      ...{ users: false, role: false, functions: false, triggers: 0, rows: 1 },
      grants: await fresh(),
    });
  });

  it('restores no SQL triggers if a filter leaves them out', async () => {
    const file = join(folder, 'no-triggers.mjs');
    writeFileSync(
      file,
      'export default (space, tuple, { SystemSpace }) => (space.id === SystemSpace.TRIGGER ? null : tuple);',
    );
    equal((await installedBy('--filter', file)).triggers, 0);
  });

  it('restores rows and nothing else with --data-only', async () => {
    const made = await withTarget(async (target) => {
      await target.eval(`
        box.schema.space.create('accounts'):create_index('primary')
        box.schema.space.create('till'):create_index('primary')`);
      await restore(target, archive, '--data-only');
      return target.eval<Installed>(INSTALLED);
    });
    deepEqual(made, {
      ...{ users: false, role: false, functions: false, triggers: 0, rows: 1 },
      grants: await fresh(),
    });
  });
});
