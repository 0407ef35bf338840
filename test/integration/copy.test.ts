import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failsWith } from '../cli/outcome.js';
import { Running } from '../cli/running.js';
import { type Result, tntar } from '../support/cli.js';
import { startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import { expectSame, SOURCES, withTarget } from './fidelity/roundtrip.js';

const LUA = `
  local digest = require('digest')
  box.schema.user.create('ann', {password = 'a'})
  box.schema.sequence.create('ids', {start = 77}):next()
  box.schema.func.create('greet', {body = 'function() return "hello" end'})
  local format = {{'id', 'unsigned'}, {'name', 'string'}}
  local users = box.schema.space.create('users', {format = format})
  users:create_index('primary', {sequence = 'ids'})
  users:create_index('by_name', {parts = {{2, 'string'}}})
  for i = 1, 1000 do users:insert({i, 'User ' .. i}) end
  local blobs = box.schema.space.create('blobs', {engine = 'vinyl'})
  blobs:create_index('primary')
  for i = 1, 3000 do blobs:insert({i, digest.urandom(1000)}) end
  box.schema.user.grant('ann', 'read', 'space', 'users')
`;
const COUNTS = 'return {box.space.users:len(), box.space.blobs:count()}';

describe('a copy', () => {
  let source: TestServer;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-copy-'));
    source = await startServer({ lua: LUA });
  });
  after(async () => {
    await source.stop();
    rmSync(folder, { recursive: true });
  });

  const copy = (target: Pick<TestServer, 'uri'>, ...args: string[]): Promise<Result> =>
    tntar(['copy', source.uri, target.uri, ...args]);

  for (const way of SOURCES) {
    it(`equals the source to the byte, read by ${way}`, async () => {
      await withTarget(async (target) => {
        const { code, stdout, stderr } = await copy(target, '--source', way);
        equal(code, 0, stderr);
        equal(String(stdout), '');
        match(stderr, /^tntar: copied 2 spaces with 4,000 rows, [\d.]+ MB, in [\d.]+ s\n$/);
        await expectSame(source, target);
      });
    });
  }

  it('goes through filters', async () => {
    await withTarget(async (target) => {
      const { code, stderr } = await copy(
        target,
        ...['--space', 'users', '--rename', 'users=people', '--engine', 'vinyl'],
        ...['--where', 'users: id <= 10'],
      );
      equal(code, 0, stderr);
      const people = 'return {box.space.people.engine, box.space.people:select({10})[1][2]}';
      deepEqual(await target.eval(people), ['vinyl', 'User 10']);
      equal(await target.eval('return box.space.people:count()'), 10);
    });
  });

  it('may write into the database that it reads, under another name', async () => {
    await withTarget(
      async (both) => {
        const args = ['copy', both.uri, both.uri, '--space', 'users', '--rename', 'users=again'];
        const { code, stderr } = await tntar([...args, '--no-users']);
        equal(code, 0, stderr);
        deepEqual(
          await both.eval('return {box.space.users:len(), box.space.again:len()}'),
          [1000, 1000],
        );
      },
      { lua: LUA.replace("sequence = 'ids'", '') },
    );
  });

  for (const existing of ['drop', 'truncate']) {
    it(`into its own source is refused before --existing ${existing} removes anything`, async () => {
      await withTarget(
        async (both) => {
          const args = ['copy', both.uri, both.uri, '--source', 'select', '--existing', existing];
          failsWith(await tntar(args), 2, /the same database/);
          failsWith(await tntar([...args, '--dry-run']), 2, /the same database/);
          deepEqual(await both.eval(COUNTS), [1000, 3000]);
        },
        { lua: LUA },
      );
    });
  }

  it('into the replica set of its source is refused, and removes nothing', async () => {
    await withTarget(
      async (master) => {
        const cfg = { replication: [master.uri], read_only: false };
        const replica = await startServer({ cfg });
        try {
          const args = ['copy', replica.uri, master.uri, '--existing', 'truncate'];
          failsWith(await tntar(args), 2, /the same database/);
          deepEqual(await master.eval(COUNTS), [1000, 3000]);
        } finally {
          await replica.stop();
        }
      },
      { lua: LUA },
    );
  });

  it('prints on a dry run what it would do, and changes nothing', async () => {
    await withTarget(async (target) => {
      const { code, stdout, stderr } = await copy(target, '--dry-run');
      equal(code, 0, stderr);
      match(String(stdout), /insert space 'users'/);
      equal(await target.eval('return box.space.users == nil'), true);
    });
  });

  it('copies definitions only, and rows only', async () => {
    await withTarget(async (target) => {
      const schema = await copy(target, '--schema-only');
      equal(schema.code, 0, schema.stderr);
      match(schema.stderr, /copied \d+ definitions and no rows, in/);
      deepEqual(await target.eval(COUNTS), [0, 0]);
      const data = await copy(target, '--data-only');
      equal(data.code, 0, data.stderr);
      deepEqual(await target.eval(COUNTS), [1000, 3000]);
    });
  });

  it('is refused by a target with the same spaces, unless --existing allows it', async () => {
    await withTarget(async (target) => {
      equal((await copy(target)).code, 0);
      failsWith(await copy(target, '-q'), 4, /users/);
      const again = await copy(target, '--existing', 'drop', '--no-users');
      equal(again.code, 0, again.stderr);
      deepEqual(await target.eval(COUNTS), [1000, 3000]);
    });
  });

  it('logs in to each server with its own login, and names the server that refuses', async () => {
    await withTarget(async (target) => {
      const file = (name: string, password: string): string => {
        const path = join(folder, name);
        writeFileSync(path, `${password}\n`, { mode: 0o600 });
        return path;
      };
      await target.eval(`box.schema.user.create('boss', {password = 'b'})
        box.schema.user.grant('boss', 'super')`);
      const args = ['copy', '-q', `${USER}@${source.address}`, `boss@${target.address}`];
      const of = ['--password-file', file('source', PASSWORD)];
      const refused = await tntar([...args, ...of]);
      failsWith(refused, 5, new RegExp(target.address));
      const wrong = [...args, '--password-file', file('wrong', 'x'), '--target-password-file'];
      failsWith(await tntar([...wrong, file('target', 'b')]), 5, new RegExp(source.address));
      const address = `boss:b@${target.address}`;
      const inAddress = ['copy', '-q', `${USER}@${source.address}`, address, '--dry-run', ...of];
      equal((await tntar(inAddress)).code, 0, 'a password in an address comes before a file');
      const both = await tntar([...args, ...of, '--target-password-file', file('target', 'b')]);
      equal(both.code, 0, both.stderr);
      deepEqual(await target.eval(COUNTS), [1000, 3000]);
    });
  });

  it('that loses its source is INCOMPLETE, and names the lost server', async () => {
    const cut = await startProxy(source, {
      bytesPerSecond: 2_000_000,
      after: 2_000_000,
      fault: 'reset',
    });
    await withTarget(async (target) => {
      const result = await tntar(['copy', '-q', `${USER}:${PASSWORD}@${cut.address}`, target.uri]);
      failsWith(result, 1, /the restore is INCOMPLETE: \d+ definitions and \d+ rows were sent/);
      ok(result.stderr.includes(cut.address), result.stderr);
    });
    await cut.stop();
  });

  it('that loses its target is INCOMPLETE, and names the lost server', async () => {
    await withTarget(async (target) => {
      const cut = await startProxy(target, { after: 200_000, fault: 'reset' });
      const result = await tntar(['copy', '-q', source.uri, `${USER}:${PASSWORD}@${cut.address}`]);
      failsWith(result, 1, /INCOMPLETE/);
      ok(result.stderr.includes(cut.address), result.stderr);
      await cut.stop();
    });
  });

  it('that is stopped reports its progress', async () => {
    const slow = await startProxy(source, { bytesPerSecond: 500_000 });
    await withTarget(async (target) => {
      const run = new Running(['copy', '-q', `${USER}:${PASSWORD}@${slow.address}`, target.uri]);
      while ((await target.eval('return box.space.blobs == nil')) === true);
      run.kill('SIGINT');
      const { code, stderr } = await run.end(10_000);
      equal(code, 130, stderr);
      match(stderr, /^tntar: stopped by SIGINT; the restore is INCOMPLETE: .*\nhint: /);
    });
    await slow.stop();
  });

  it('is not from one moment if rows are written while select reads', async () => {
    const slow = await startProxy(source, { bytesPerSecond: 2_000_000 });
    for (const [args, expected] of [
      [[], 0],
      [['--strict'], 1],
    ] as const) {
      await withTarget(async (target) => {
        const from = `${USER}:${PASSWORD}@${slow.address}`;
        const run = new Running(['copy', '-q', from, target.uri, '--source', 'select', ...args]);
        while ((await target.eval('return box.space.users == nil')) === true);
        await source.eval("box.space.users:replace({1, 'User 1'})");
        const { code, stderr } = await run.end(20_000);
        equal(code, expected, stderr);
        match(stderr, /rows were written while the copy read: vclock/);
      });
    }
    await slow.stop();
  });

  it('requires two servers', async () => {
    failsWith(await tntar(['copy', source.uri, 'db2:x']), 2, /port/);
    const { code, stderr } = await tntar(['copy', source.uri]);
    equal(code, 2);
    match(stderr, /missing required argument 'target'/);
  });
});
