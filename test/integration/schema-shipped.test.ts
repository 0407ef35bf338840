import { deepEqual, equal, match } from 'node:assert/strict';
import type { BackupStart } from '../../lib/backup/item.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import { readArchive } from '../unit/archive/reading.js';
import { dump, restore, SOURCES, startTarget, withTarget } from './fidelity/roundtrip.js';

/** Whether a user can log in over the network. */
const logIn = (server: TestServer, user: string, password: string): Promise<boolean> =>
  server.eval(
    `local user, password = ...
    local connection = require('net.box').connect(box.info.listen, {user = user, password = password})
    local is_in = connection:wait_connected() and connection:ping()
    connection:close()
    return is_in`,
    user,
    password,
  );

/** All rows of all system spaces, and how much was ever written. */
const everything = (server: TestServer): Promise<unknown> =>
  server.eval(`
    local all = {lsn = tonumber(box.info.lsn)}
    for _, space in box.space._space:pairs() do
        if space.engine == 'memtx' and space.name ~= '_schema' then
            all[space.name] = require('digest').sha1_hex(require('msgpack').encode(box.space[space.id]:select()))
        end
    end
    for _, row in box.space._schema:pairs() do
        all['_schema ' .. row[1]] = tostring(row)
    end
    return all
  `);

for (const source of SOURCES) {
  describe(`what a server ships by itself, read by ${source}`, () => {
    let server: TestServer;
    let archive: Buffer;
    before(async () => {
      server = await startServer();
      archive = await dump(server, '--source', source);
    });
    after(() => server.stop());

    it('is not in a backup', async () => {
      const { items } = await readArchive(archive);
      deepEqual(
        items.map(({ kind }) => kind),
        ['start', 'end'],
      );
      const { spaces, omitted, revoked } = (items[0] as BackupStart).manifest;
      deepEqual({ spaces, omitted, revoked }, { spaces: [], omitted: [], revoked: [] });
    });

    it('is not touched by the restore of an empty backup', async () => {
      await withTarget(async (target) => {
        const before = await everything(target);
        await restore(target, archive);
        deepEqual(await everything(target), before);
      });
    });

    it('is not touched on a target with objects of users', async () => {
      await withTarget(
        async (target) => {
          const before = await everything(target);
          await restore(target, archive);
          deepEqual(await everything(target), before);
        },
        {
          lua: `box.schema.user.create('ann', {password = 'a'})
            box.schema.space.create('own'):create_index('primary', {sequence = true})
            box.space.own:insert({box.NULL})
            box.schema.user.grant('ann', 'read', 'space', 'own')`,
        },
      );
    });
  });
}

describe('passwords of users that every server has', () => {
  let source: TestServer;
  let target: TestServer;
  before(async () => {
    source = await startServer({
      lua: `box.schema.user.passwd('${USER}', 'of the source')
        box.schema.user.create('ann', {password = 'of ann'})`,
    });
    target = await startTarget();
    const uri = source.uri.replace(PASSWORD, encodeURIComponent('of the source'));
    await restore(target, await dump({ ...source, uri } as TestServer));
  });
  after(() => Promise.all([source.stop(), target.stop()]));

  it('stay those of the target', async () => {
    equal(await logIn(target, USER, PASSWORD), true);
  });

  it('do not come from the source', async () => {
    equal(await logIn(source, USER, 'of the source'), true);
    equal(await logIn(target, USER, 'of the source'), false);
  });

  it('are not in a backup, but those of other users are', async () => {
    equal(await logIn(target, 'ann', 'of ann'), true);
    const hash = `box.space._user.index.name:get({'ann'}).auth['chap-sha1']`;
    match(await target.eval<string>(`return ${hash}`), /^[\w+/]{27}=$/);
    equal(await target.eval(`return ${hash}`), await source.eval(`return ${hash}`));
  });
});
