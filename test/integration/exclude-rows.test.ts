import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tntar } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import { aboutTarget, dump, needs, restore, tryRestore, withTarget } from './fidelity/roundtrip.js';

const SOURCE = `
  box.schema.user.create('ann', {password = 'a'})
  local function fill(name, options, index)
    local space = box.schema.space.create(name, options)
    space:create_index('primary', index)
    space:create_index('second', {parts = {{2, 'string'}}, unique = false})
    for i = 1, 50 do space:insert({index and box.NULL or i, name .. i}) end
    return space
  end
  fill('users')
  fill('log_1', nil, {sequence = true})
  fill('log_2', {engine = 'vinyl'})
  fill('log_local', {is_local = true})
  box.schema.space.create('log_temporary', {temporary = true}):create_index('primary')
  box.schema.user.grant('ann', 'read', 'space', 'log_1')
`;
const KEYED = `
  local function space(name, format, more)
    local made = box.schema.space.create(name, {format = format, foreign_key = more})
    made:create_index('pk')
    for i = 1, 10 do made:insert({i, i}) end
  end
  space('parent', {{'id', 'unsigned'}, {'n', 'unsigned'}})
  space('child', {{'id', 'unsigned'}, {'n', 'unsigned'}},
      {of_parent = {space = 'parent', field = {n = 'id'}}})
`;
const SQL_KEYED = `
  box.execute([[CREATE TABLE PARENT (ID INTEGER PRIMARY KEY)]])
  box.execute([[CREATE TABLE CHILD (ID INTEGER PRIMARY KEY, N INTEGER,
      CONSTRAINT OF_PARENT FOREIGN KEY (N) REFERENCES PARENT (ID))]])
  box.execute([[INSERT INTO PARENT VALUES (1)]])
  box.execute([[INSERT INTO CHILD VALUES (1, 1)]])
`;
const COUNTS = `
  local counts = {}
  for _, name in ipairs({'users', 'log_1', 'log_2', 'log_local'}) do
    table.insert(counts, box.space[name] and box.space[name]:count() or -1)
  end
  return counts`;
const FULL = [50, 50, 50, 50];
const EXCLUDED = [50, 0, 0, 0];
const ARGS = ['--exclude-rows', 'log_*'];

interface Listed {
  partial?: string[];
  omitted: { what: string; why: string }[];
  spaces: { name: string; rows: number; rowsFrom: string; rowsExcluded?: boolean }[];
}

describe('excluding rows', () => {
  let folder: string;
  let source: TestServer;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-exclude-'));
    source = await startServer({ lua: SOURCE });
  });
  after(async () => {
    await source.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const fileOf = (archive: Buffer): string => {
    const file = join(folder, 'a.tar.zst');
    writeFileSync(file, archive);
    return file;
  };

  for (const how of ['snapshot', 'select'] as const) {
    it(`dumps definitions by ${how} without the rows, and says so`, async () => {
      const dumped = await tntar(['dump', source.uri, '--source', how, ...ARGS]);
      equal(dumped.code, 0, dumped.stderr);
      match(dumped.stderr, /^tntar: no rows of 3 spaces: 'log_1'; 'log_2'; 'log_local'$/m);
      const listed = await tntar(['list', '--json'], { input: dumped.stdout });
      const { partial, omitted, spaces }: Listed = JSON.parse(String(listed.stdout));
      deepEqual(partial, ["no rows of spaces 'log_*'"]);
      deepEqual(
        spaces.map(({ name, rows, rowsFrom, rowsExcluded }) => [
          name,
          rows,
          rowsFrom,
          rowsExcluded,
        ]),
        [
          ['users', 50, how, undefined],
          ['log_1', 0, 'none', true],
          ['log_2', 0, 'none', true],
          ['log_local', 0, 'none', true],
          ['log_temporary', 0, 'none', undefined],
        ],
      );
      const rows = omitted.map(({ what }) => what).sort();
      deepEqual(
        rows,
        ['log_1', 'log_2', 'log_local', 'log_temporary'].map((name) => `rows of '${name}'`),
      );
      const table = await tntar(['list'], { input: dumped.stdout });
      match(String(table.stdout), /^PARTIAL: no rows of spaces 'log_\*'$/m);
      const verified = await tntar(['verify'], { input: dumped.stdout });
      equal(verified.code, 0);
      match(
        verified.stderr,
        /^tntar: this is only a part of the database: no rows of spaces 'log_\*'$/m,
      );
    });
  }

  it('restores all definitions, empty spaces, and sequences with their values', async () => {
    const archive = await dump(source, ...ARGS);
    await withTarget(async (target) => {
      const { stderr } = await restore(target, archive);
      match(stderr, /warning: left out: rows of space 'log_1': they are excluded$/m);
      deepEqual(await target.eval(COUNTS), EXCLUDED);
      equal(await target.eval('return box.space.log_1.index.second ~= nil'), true);
      equal(await target.eval(`return box.space.log_1:insert({box.NULL, 'next'})[1]`), 51);
      const privileges = await target.eval<unknown[]>(`return box.schema.user.info('ann')`);
      ok(JSON.stringify(privileges).includes('log_1'));
    });
  });

  it('leaves out rows of a whole archive from a file, of one from a pipe, and in a copy', async () => {
    const archive = await dump(source);
    const file = fileOf(archive);
    for (const run of [
      (target: TestServer) => tntar(['restore', target.uri, '-i', file, ...ARGS]),
      (target: TestServer) => tryRestore(target, archive, ARGS),
      (target: TestServer) => tntar(['copy', source.uri, target.uri, ...ARGS]),
    ]) {
      await withTarget(async (target) => {
        const { code, stderr } = await run(target);
        equal(code, 0, stderr);
        deepEqual(await target.eval(COUNTS), EXCLUDED);
      });
    }
  });

  it('prints in a dry run that the rows are left out', async () => {
    const archive = await dump(source, ...ARGS);
    await withTarget(async (target) => {
      const { stdout } = await tryRestore(target, archive, ['--dry-run']);
      match(
        String(stdout),
        /^Left out:\n(?: {2}.*\n)*? {2}rows of space 'log_1': they are excluded$/m,
      );
      ok(!/into space 'log_1'/.test(String(stdout)));
    });
  });

  it('keeps the rows of the target in spaces that are kept, even if others are truncated', async () => {
    const archive = await dump(source, ...ARGS);
    await withTarget(
      async (target) => {
        await target.eval(`box.space.users:delete({1}) box.space.log_1:delete({1})`);
        for (const existing of ['replace', 'truncate']) {
          const { stderr } = await restore(target, archive, '--existing', existing);
          match(
            stderr,
            /rows of space 'log_1': they are excluded; the rows on the target are kept/,
          );
          deepEqual(await target.eval(COUNTS), [50, 49, 50, 50]);
        }
        await target.eval(`box.space.users:truncate() box.space.log_2:drop()`);
        await restore(
          target,
          await dump(source, '--data-only', '--exclude-rows', 'log*'),
          '--data-only',
        );
        deepEqual(await target.eval(COUNTS), [50, 49, -1, 50]);
      },
      { lua: SOURCE },
    );
  });

  it('names the spaces whose rows a drop removes and the restore does not bring back', async () => {
    const archive = await dump(source, ...ARGS);
    await withTarget(
      async (target) => {
        const args = ['--existing', 'drop'];
        const dry = await tryRestore(target, archive, [...args, '--dry-run']);
        match(
          String(dry.stdout),
          /space 'log_1' is recreated without rows, because the rows of the backup/,
        );
        deepEqual(await target.eval(COUNTS), FULL);
        await restore(target, archive, ...args);
        deepEqual(await target.eval(COUNTS), EXCLUDED);
      },
      { lua: SOURCE },
    );
  });

  it('lets a user dump by select without read access to the rows that are left out', async () => {
    await source.eval(`
      box.schema.user.create('reader', {password = 'r'})
      for id = 272, 380 do
        if box.space[id] and box.space[id].engine == 'memtx' then
          box.schema.user.grant('reader', 'read', 'space', box.space[id].name)
        end
      end
      box.schema.user.grant('reader', 'read', 'space', 'users')
      box.schema.user.grant('reader', 'execute', 'universe')
      box.schema.user.grant('reader', 'write', 'sequence')`);
    try {
      const args = ['dump', source.uri.replace('admin:secret', 'reader:r'), '--source', 'select'];
      const refused = await tntar(args);
      equal(refused.code, 5);
      match(
        refused.stderr,
        /'reader' may not read space 'log_1'; space 'log_2'; space 'log_local'/,
      );
      const { code, stderr } = await tntar([...args, ...ARGS]);
      equal(code, 0, stderr);
    } finally {
      await source.eval(`box.schema.user.drop('reader')`);
    }
  });

  it('requests no page of a space whose rows are left out', async () => {
    const requests = async (how: string, ...args: string[]): Promise<number> => {
      const selects = (): Promise<number> => source.eval('return box.stat().SELECT.total');
      const before = await selects();
      await dump(source, '--source', how, ...args);
      return (await selects()) - before;
    };
    // a snapshot has all rows but those of the local space
    for (const how of ['snapshot', 'select']) {
      const [all, some] = [await requests(how), await requests(how, ...ARGS)];
      ok(some < all, `${how}: ${some} requests, and ${all} for all rows`);
    }
  });

  it('compares no rows that a side excludes, and names their spaces', async () => {
    const file = fileOf(await dump(source, ...ARGS));
    const compare = async (...args: string[]) => {
      const { code, stdout, stderr } = await tntar(['diff', ...args]);
      return { code, out: String(stdout), stderr };
    };
    const same = await compare(file, source.uri);
    equal(same.code, 0, same.stderr + same.out);
    match(same.out, /^equal: 50 rows; rows of 3 spaces were not compared$/m);
    match(
      same.stderr,
      /not compared, because A \(.*\) excludes them: 'log_1'; 'log_2'; 'log_local'$/m,
    );
    const json = JSON.parse((await compare(source.uri, file, '--json')).out);
    deepEqual(
      [json.isEqual, json.uncompared, json.spaces.length],
      [true, ['log_1', 'log_2', 'log_local'], 1],
    );
    const asked = await compare(source.uri, source.uri, '--exclude-rows', 'log_1', '--json');
    deepEqual(JSON.parse(asked.out).uncompared, ['log_1']);
    match(asked.stderr, /not compared, because both sides exclude them: 'log_1'$/m);
    await withTarget(
      async (target) => {
        await target.eval(`box.space.users:delete({1})`);
        const other = await compare(file, target.uri);
        equal(other.code, 1);
        match(other.out, /^different: 0 definitions, rows of 1 space; rows of 3 spaces were not/m);
      },
      { lua: SOURCE },
    );
  });

  it('warns on cat that the rows of the space are excluded', async () => {
    const { code, stdout, stderr } = await tntar(['cat', 'log_1'], {
      input: await dump(source, ...ARGS),
    });
    deepEqual([code, String(stdout)], [0, '']);
    match(stderr, /warning: 'log_1': its rows are excluded: the backup has its definition only/);
  });

  it('refuses patterns that match no space, and options that contradict it', async () => {
    const idle = await tntar(['dump', source.uri, '--exclude-rows', 'logs']);
    equal(idle.code, 2);
    match(idle.stderr, /no space matches 'logs'\nhint: there are users; log_1; /);
    const gone = await tntar(['dump', source.uri, '--exclude', 'log*', ...ARGS]);
    equal(gone.code, 2);
    match(gone.stderr, /no space matches 'log_\*'/);
    for (const command of ['dump', 'restore']) {
      const both = await tntar([command, source.uri, '--schema-only', ...ARGS]);
      equal(both.code, 2);
      match(both.stderr, /'--exclude-rows <glob>' cannot be used with option '--schema-only'/);
    }
    for (const command of [['list'], ['verify'], ['extract', '-C', folder], ['cat', 'users']]) {
      const { code, stderr } = await tntar([...command, ...ARGS]);
      equal(code, 2);
      match(stderr, /unknown option '--exclude-rows'/);
    }
  });

  it('refuses rows whose foreign key refers to excluded rows, before the first write', async function () {
    needs(this, source, 'foreign keys of spaces', '2.11');
    needs(this, await aboutTarget(), 'foreign keys of spaces', '2.11');
    await withKeyed(KEYED, async (keyed) => {
      const { stdout: archive, stderr } = await tntar([
        'dump',
        keyed.uri,
        '--exclude-rows',
        'parent',
      ]);
      match(
        stderr,
        /warning: foreign key 'of_parent' of 'child' refers to 'parent'; rows of 'parent' are excluded/,
      );
      await withTarget(async (target) => {
        for (const args of [[], ['--dry-run']]) {
          const refused = await tryRestore(target, archive, args);
          equal(refused.code, 4, refused.stderr);
          match(
            refused.stderr,
            /excluded: foreign key 'of_parent' of 'child' refers to 'parent'\nhint: /,
          );
          equal(await target.eval('return box.space.child == nil'), true);
        }
        await restore(target, archive, '--exclude-rows', 'child');
        equal(await target.eval('return box.space.child.foreign_key ~= nil'), true);
        // the parent is there now, and has rows of its own
        await target.eval(`for i = 1, 10 do box.space.parent:insert({i, i}) end`);
        const { stderr: said } = await restore(target, archive, '--existing', 'replace');
        match(
          said,
          /some rows may be refused by 'child': foreign key 'of_parent' of 'child' refers/,
        );
        equal(await target.eval('return box.space.child:count()'), 10);
      });
    });
  });

  it('restores such rows if only SQL checks the foreign key, and says so', async function () {
    needs(this, source, 'foreign keys of SQL alone', '2.6', '2.11');
    needs(this, await aboutTarget(), 'foreign keys of SQL alone', '2.6', '2.11');
    await withKeyed(SQL_KEYED, async (keyed) => {
      const archive = await dump(keyed, '--exclude-rows', 'PARENT');
      await withTarget(async (target) => {
        const { stderr } = await restore(target, archive);
        match(
          stderr,
          /'OF_PARENT' of 'CHILD' refers to 'PARENT'; rows of 'PARENT' are excluded, so SQL may/,
        );
        deepEqual(
          await target.eval('return {box.space.PARENT:count(), box.space.CHILD:count()}'),
          [0, 1],
        );
      });
    });
  });
});

async function withKeyed(lua: string, work: (keyed: TestServer) => Promise<void>): Promise<void> {
  const keyed = await startServer({ lua });
  try {
    await work(keyed);
  } finally {
    await keyed.stop();
  }
}
