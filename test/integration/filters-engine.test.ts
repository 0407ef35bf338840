import { deepEqual, equal, match } from 'node:assert/strict';
import { Readable } from 'node:stream';
import { setEngine } from '../../lib/filters/engine.js';
import type { Filter } from '../../lib/filters/filter.js';
import { renameSpaces } from '../../lib/filters/rename.js';
import { parseUri } from '../../lib/iproto/uri.js';
import { restore as restoreStream } from '../../lib/pipelines/restore.js';
import { fingerprint } from '../support/fingerprint.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, withTarget } from './fidelity/roundtrip.js';

const SOURCE = `
  box.schema.user.create('ann')
  local users = box.schema.space.create('USERS', {format = {{'ID', 'unsigned'}, {'NICK', 'string'}}})
  users:create_index('primary', {sequence = true})
  -- a server before 2.7 knows no hints
  if not pcall(users.create_index, users, 'by_nick', {parts = {2}, hint = true}) then
    users:create_index('by_nick', {parts = {2}})
  end
  for i = 1, 1000 do users:insert({box.NULL, 'Row ' .. i}) end
  local log = box.schema.space.create('log', {engine = 'vinyl'})
  log:create_index('primary', {page_size = 4096, range_size = 1048576, bloom_fpr = 0.1,
      run_count_per_level = 3, run_size_ratio = 4})
  for i = 1, 100 do log:insert({i}) end
  box.schema.space.create('scratch', {temporary = true}):create_index('primary')
  box.execute([[CREATE VIEW "NICKS" AS SELECT USERS.NICK FROM USERS]])
  box.execute([[CREATE TABLE "PETS" (ID INT PRIMARY KEY, OWNER UNSIGNED REFERENCES USERS(ID))]])
  box.schema.user.grant('ann', 'read', 'space', 'USERS')
`;
const HASHED = `
  box.schema.space.create('hashed'):create_index('primary', {type = 'hash'})
  box.space.hashed:insert({1})
`;

function apply(target: TestServer, archive: Buffer, ...filters: Filter[]) {
  return restoreStream(Readable.from([archive]), parseUri(target.uri), { filters });
}

describe('spaces changed on their way', () => {
  let source: TestServer;
  let archive: Buffer;
  before(async () => {
    source = await startServer({ lua: SOURCE });
    archive = await dump(source);
  });
  after(() => source.stop());

  const engines = `
    local engines = {}
    for _, name in ipairs({'USERS', 'log', 'scratch'}) do engines[name] = box.space[name].engine end
    return engines`;

  it('change from memtx to vinyl with all their rows, except temporary spaces', async () => {
    await withTarget(async (target) => {
      await apply(target, archive, setEngine('vinyl'));
      deepEqual(await target.eval(engines), { USERS: 'vinyl', log: 'vinyl', scratch: 'memtx' });
      deepEqual(await fingerprint(target), await fingerprint(source));
      equal(await target.eval(`return box.space.USERS.index.by_nick:get('Row 7')[1]`), 7);
    });
  });

  it('change from vinyl to memtx with all their rows', async () => {
    await withTarget(async (target) => {
      await apply(target, archive, setEngine('memtx'));
      deepEqual(await target.eval(engines), { USERS: 'memtx', log: 'memtx', scratch: 'memtx' });
      deepEqual(await fingerprint(target), await fingerprint(source));
    });
  });

  describe('that vinyl cannot hold', () => {
    let hashed: Buffer;
    before(async () => {
      const other = await startServer({ lua: HASHED });
      hashed = await dump(other).finally(() => other.stop());
    });

    it('are refused before anything is written', async () => {
      await withTarget(async (target) => {
        const lsn = await target.eval('return tostring(box.info.lsn)');
        const error = await apply(target, hashed, setEngine('vinyl')).catch((cause) => cause);
        equal(error.kind, 'target');
        match(
          error.message,
          /index 'primary' of space 'hashed': vinyl does not support indexes of type 'hash'/,
        );
        equal(await target.eval('return tostring(box.info.lsn)'), lsn);
      });
    });

    it('load their rows into existing spaces', async () => {
      await withTarget(async (target) => {
        await target.eval(`box.schema.space.create('hashed'):create_index('primary')`);
        const options = { only: 'data', filters: [setEngine('vinyl')] } as const;
        await restoreStream(Readable.from([hashed]), parseUri(target.uri), options);
        deepEqual(await target.eval('return box.space.hashed:get(1)'), [1]);
      });
    });
  });

  it('get other names, and everything that belongs to them follows', async () => {
    await withTarget(async (target) => {
      await apply(target, archive, renameSpaces(new Map([['USERS', 'people']])));
      equal(await target.eval('return box.space.USERS == nil'), true);
      equal(await target.eval(`return box.space.people.index.by_nick:get('Row 7')[1]`), 7);
      equal(await target.eval(`return box.space.people:insert({box.NULL, 'next'})[1]`), 1001);
      equal(await target.eval('return box.sequence.USERS_seq ~= nil'), true);
      const count = `return box.execute([[SELECT COUNT(*) FROM NICKS]]).rows[1][1]`;
      equal(await target.eval(count), 1001);
      const read = `
        return box.session.su('ann', function() return box.space.people:get(7)[2] end)`;
      equal(await target.eval(read), 'Row 7');
      const orphan = `return (box.execute([[INSERT INTO PETS VALUES (1, 5000)]])) == nil`;
      equal(await target.eval(orphan), true);
      equal(
        await target.eval(`return box.execute([[INSERT INTO PETS VALUES (1, 7)]]) ~= nil`),
        true,
      );
    });
  });
});
