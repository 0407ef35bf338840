import { deepEqual, doesNotMatch, equal, match, rejects } from 'node:assert/strict';
import { once } from 'node:events';
import { Connection } from '../../lib/iproto/connection.js';
import { parseUri } from '../../lib/iproto/uri.js';
import { selectSource } from '../../lib/sources/select.js';
import { type Result, tntar } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import { expectSame, isAtLeast, list, mayHang, restore, withTarget } from './fidelity/roundtrip.js';

/** System spaces that a dump by select reads. */
const SYSTEM_SPACES = [
  ...['_schema', '_collation', '_space', '_sequence', '_index', '_func', '_user', '_priv'],
  ...['_trigger', '_space_sequence', '_fk_constraint', '_ck_constraint', '_func_index'],
];
/** User spaces that have rows to read, but for that of the user. */
const FILLED = ['plain', 'hashed', 'sorted', 'local'];

const DATA = `
  box.schema.user.create('ann', {password = 'ann'})
  for _, name in ipairs({'plain', 'hashed', 'sorted', 'local', 'temporary'}) do
      local space = box.schema.space.create(name, {engine = name == 'sorted' and 'vinyl' or 'memtx',
          is_local = name == 'local', temporary = name == 'temporary'})
      space:create_index('primary', {type = name == 'hashed' and 'hash' or 'tree'})
      for i = 1, name == 'temporary' and 0 or 500 do space:insert({i, name}) end
  end
  box.schema.space.create('keyless')
  box.schema.user.grant('ann', 'read,write,create', 'universe')
  box.session.su('ann', function()
      box.schema.space.create('own'):create_index('primary')
      box.space.own:insert({1})
  end)
  box.schema.user.revoke('ann', 'read,write,create', 'universe')
`;

const grantSpaces = (names: readonly string[], what = 'grant'): string => `
  for _, name in ipairs({${names.map((name) => `'${name}'`).join(', ')}}) do
      box.schema.user.${what}('ann', 'read', 'space', name)
  end
`;

function dumpAsAnn(server: TestServer, ...args: string[]): Promise<Result> {
  return tntar(['dump', `ann:ann@${server.address}`, ...args]);
}

/** What a dump says it may not read, in its order; it has to fail, and to write nothing. */
async function hiddenFromAnn(server: TestServer, ...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await dumpAsAnn(server, ...args);
  equal(code, 5, stderr);
  equal(stdout.length, 0);
  const [, names = ''] = /user 'ann' may not read (.*?)(, nor what these| \()/.exec(stderr) ?? [];
  return names.split('; ');
}

async function isWholeBackup(server: TestServer, { code, stdout, stderr }: Result): Promise<void> {
  equal(code, 0, stderr);
  await withTarget(async (target) => {
    await restore(target, stdout);
    await expectSame(server, target);
  });
}

describe('a user', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startServer({ lua: DATA });
  });
  afterEach(() => server.stop());

  describe('who dumps from a snapshot', () => {
    it('needs read on the universe, and also gets the spaces that no snapshot has', async () => {
      await server.eval(`box.schema.user.grant('ann', 'read', 'universe')`);
      const force = mayHang(server) ? ['--force-snapshot'] : [];
      const result = await dumpAsAnn(server, '--source', 'snapshot', ...force);
      await isWholeBackup(server, result);
      const { spaces } = await list(result.stdout);
      const local = spaces.find(({ name }) => name === 'local');
      deepEqual([local?.rowsFrom, local?.rows], ['select', 500]);
    });

    it('is refused with read on every space alone', async () => {
      await server.eval(`box.schema.user.grant('ann', 'read', 'space')`);
      const { code, stdout, stderr } = await dumpAsAnn(server, '--source', 'snapshot');
      equal(code, 5, stderr);
      equal(stdout.length, 0);
      match(stderr, /Read access to universe/);
    });
  });

  describe('who dumps by select', () => {
    it('needs read on the system spaces and each space, granted in any way', async () => {
      await server.eval(grantSpaces([...SYSTEM_SPACES, ...FILLED]));
      await isWholeBackup(server, await dumpAsAnn(server, '--source', 'select'));
    });

    it('may do so with read on every space', async () => {
      await server.eval(`box.schema.user.grant('ann', 'read', 'space')`);
      await isWholeBackup(server, await dumpAsAnn(server, '--source', 'select'));
    });

    it('may get these privileges from a role in a role, and from public', async () => {
      await server.eval(`
        box.schema.role.create('clerk') box.schema.role.create('boss')
        box.schema.role.grant('boss', 'clerk') box.schema.user.grant('ann', 'boss')
        box.schema.role.grant('clerk', 'read', 'space', 'plain')
        box.schema.role.grant('public', 'read', 'space', 'hashed')
        ${grantSpaces([...SYSTEM_SPACES, 'sorted', 'local'])}
      `);
      await isWholeBackup(server, await dumpAsAnn(server, '--source', 'select'));
    });

    it('is refused if any of these privileges is missing, and the missing one is named before any row', async () => {
      await server.eval(grantSpaces([...SYSTEM_SPACES, ...FILLED]));
      for (const name of [...SYSTEM_SPACES, ...FILLED]) {
        await server.eval(grantSpaces([name], 'revoke'));
        const connection = await Connection.open(parseUri(`ann:ann@${server.address}`));
        await rejects(once(selectSource(connection), 'readable'), {
          kind: 'access',
          code: 'TNTAR_PRIVILEGE',
          message: new RegExp(`^user 'ann' may not read space '${name}'(, nor what these| \\()`),
        });
        connection.close();
        await server.eval(grantSpaces([name]));
      }
    });

    it('gets the names of all hidden spaces at once, system spaces included', async () => {
      await server.eval(
        grantSpaces(SYSTEM_SPACES.filter((name) => name !== '_user' && name !== '_priv')),
      );
      deepEqual(await hiddenFromAnn(server, '--source', 'select'), [
        ...["space '_user'", "space '_priv'"],
        ...FILLED.map((name) => `space '${name}'`),
      ]);
    });

    it('gets the names of all hidden system spaces, and that there may be more', async () => {
      const { stderr } = await dumpAsAnn(server, '--source', 'select');
      match(stderr, /, nor what these would tell of/);
      deepEqual(
        await hiddenFromAnn(server),
        SYSTEM_SPACES.map((name) => `space '${name}'`),
      );
    });

    it('gets the names of a hundred hidden spaces, and the number of the others', async () => {
      await server.eval(`
        for i = 1, 150 do box.schema.space.create('many' .. i):create_index('primary') end
        ${grantSpaces([...SYSTEM_SPACES, ...FILLED])}`);
      const hidden = await hiddenFromAnn(server, '--source', 'select');
      equal(hidden.length, 101);
      equal(hidden.at(-1), 'and 50 more');
    });

    it('is refused without usage, whatever else was granted', async () => {
      await server.eval(`
        box.schema.user.grant('ann', 'read', 'universe')
        box.schema.user.revoke('ann', 'usage', 'universe')`);
      const { code, stdout, stderr } = await dumpAsAnn(server);
      equal(code, 5, stderr);
      equal(stdout.length, 0);
      match(stderr, /user 'ann' lacks usage on universe, and may read nothing/);
      match(stderr, /\nhint: grant 'ann' usage on universe.*box\.schema\.user\.enable\('ann'\)/);
    });
  });

  describe('who dumps from any source', () => {
    it('is refused after being disabled, and the hint names the privilege that was revoked', async () => {
      await server.eval(`box.schema.user.grant('ann', 'read', 'universe')`);
      for (const lacks of ['usage', 'session']) {
        await server.eval(`box.schema.user.revoke('ann', '${lacks}', 'universe')`);
        for (const source of ['auto', 'snapshot', 'select']) {
          const { code, stderr } = await dumpAsAnn(server, '--source', source);
          equal(code, 5, stderr);
          match(stderr, new RegExp(`hint: grant 'ann' ${lacks} on universe`), source);
          doesNotMatch(stderr, /may not read|read on universe/);
        }
        await server.eval(`box.schema.user.enable('ann')`);
      }
    });
  });

  describe('a user who dumps sequences by select', () => {
    beforeEach(() =>
      server.eval(`
        box.schema.sequence.create('moved') box.sequence.moved:next()
        box.schema.sequence.create('unused')
        box.schema.space.create('numbered'):create_index('primary', {sequence = true})
        box.space.numbered:insert({box.NULL})
        box.schema.user.grant('ann', 'read', 'space')`),
    );
    const sequences = ['moved', 'unused', 'numbered_seq'];
    const values = sequences.map((name) => `the value of sequence '${name}'`);
    const grantLua = (): Promise<unknown> => {
      const object = isAtLeast(server, '3.0') ? 'lua_eval' : 'universe';
      return server.eval(`box.schema.user.grant('ann', 'execute', '${object}')`);
    };

    it('also needs to run Lua and to write each sequence', async () => {
      await grantLua();
      await server.eval(`box.schema.user.grant('ann', 'write', 'sequence')`);
      await isWholeBackup(server, await dumpAsAnn(server, '--source', 'select'));
    });

    it('is refused without the privilege to run Lua', async () => {
      await server.eval(`box.schema.user.grant('ann', 'read,write', 'sequence')`);
      deepEqual(await hiddenFromAnn(server, '--source', 'select'), values);
    });

    it('is refused without write on each sequence', async () => {
      await grantLua();
      for (const name of sequences) {
        await server.eval(`box.schema.user.grant('ann', 'write', 'sequence', '${name}')`);
      }
      for (const [i, name] of sequences.entries()) {
        await server.eval(`box.schema.user.revoke('ann', 'write', 'sequence', '${name}')`);
        deepEqual(await hiddenFromAnn(server, '--source', 'select'), [values[i]]);
        await server.eval(`box.schema.user.grant('ann', 'write', 'sequence', '${name}')`);
      }
    });

    it('gets the names of hidden sequences and spaces at once', async () => {
      await server.eval(`
        box.schema.user.revoke('ann', 'read', 'space')
        ${grantSpaces([...SYSTEM_SPACES, ...FILLED])}`);
      deepEqual(await hiddenFromAnn(server, '--source', 'select'), ["space 'numbered'", ...values]);
    });
  });

  describe('who lets tntar choose the source', () => {
    it('dumps by select if the universe is hidden, and is told so', async () => {
      await server.eval(`box.schema.user.grant('ann', 'read', 'space')`);
      const result = await dumpAsAnn(server);
      match(
        result.stderr,
        /reading by select, because a snapshot is not available: .*universe.*denied/,
      );
      await isWholeBackup(server, result);
      equal((await list(result.stdout)).source, 'select');
    });

    it('is told so, and gets the names of what is hidden from select as well', async () => {
      await server.eval(grantSpaces([...SYSTEM_SPACES, 'plain']));
      deepEqual(
        await hiddenFromAnn(server),
        FILLED.filter((name) => name !== 'plain').map((name) => `space '${name}'`),
      );
      const { stderr } = await dumpAsAnn(server);
      match(stderr, /reading by select, because a snapshot is not available/);
    });
  });
});
