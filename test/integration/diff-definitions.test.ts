import { deepEqual, ok } from 'node:assert/strict';
import { compareDefinitions } from '../../lib/diff/definitions.js';
import { Catalog } from '../../lib/schema/catalog/catalog.js';
import { versionsOf } from '../../lib/schema/server/release.js';
import { SYSTEM_SPACES } from '../../lib/schema/server/system-spaces.js';
import { readCatalog } from '../../lib/server/catalog.js';
import { atOnce } from '../support/at-once.js';
import { startServer, type TestServer } from '../support/server.js';
import { connect, isAtLeast } from './fidelity/roundtrip.js';

const SOURCE = `
  box.schema.user.create('ann', {password = 'a'})
  box.schema.role.create('clerk')
  box.schema.user.grant('ann', 'read', 'space', '_space')
  box.schema.sequence.create('ids')
  local s = box.schema.space.create('s', {format = {
      {'id', 'unsigned'}, {'b', 'boolean', is_nullable = true}, {'t', 'string', is_nullable = true},
      {'v', 'any', is_nullable = true}}})
  s:create_index('pk')
  s:create_index('sk', {parts = {{3, 'string', is_nullable = true}}, unique = false})
  box.space._schema:replace({'app_version', 3, 1})
  box.schema.func.create('f', {body = 'function() return 1 end'})
  box.schema.func.create('g', {body = 'function() return 1 end'})
  local t = box.schema.space.create('t', {user = 'ann'})
  box.schema.role.grant('clerk', 'read', 'space', 't')
`;

const format = (more: string): string => `box.space.s:format({{'id', 'unsigned'},
  {'b', 'boolean', is_nullable = true}, {'t', 'string', is_nullable = true},
  {name = 'v', type = 'any', is_nullable = true${more}}})`;
const priv = (bits: number): string => `
  local ann = box.space._user.index.name:get('ann').id
  box.space._priv:update({ann, 'space', 280}, {{'=', 5, ${bits}}})`;

const onT = (change: string): string => `
  local users = box.space._user.index.name
  local ann, clerk = users:get('ann').id, users:get('clerk').id
  box.space._priv:update({clerk, 'space', box.space.t.id}, {{'=', ${change}}})`;

/** Each changes one thing of what is there after the ones before. */
const CHANGES: readonly (readonly [what: string, lua: string, since?: string, until?: string])[] = [
  ['a second value of a mark', `box.space._schema:replace({'app_version', 3, 2})`],
  ['the type of a value of a mark', `box.space._schema:replace({'app_version', 3, '2'})`],
  [
    'a mark of one list instead of two values',
    `box.space._schema:replace({'app_version', {3, '2'}})`,
  ],
  ['a default that is false', format(', default = false'), '3.0'],
  ["a default that is ''", format(`, default = ''`), '3.0'],
  ['a default that is 5', format(', default = 5'), '3.0'],
  ["a default that is '5'", format(`, default = '5'`), '3.0'],
  ['a default that is 5.0', format(`, default = require('ffi').cast('double', 5)`), '3.0'],
  ['a default in SQL', format(`, default = '5'`), '2.6', '3.0'],
  ["a default in SQL that is ''''", format(`, default = "''"`), '2.6', '3.0'],
  ['a note that is an empty map', format(', note = setmetatable({}, {__serialize = "map"})')],
  ['a note that is an empty list', format(', note = {}')],
  ['a note that is false', format(', note = false')],
  ['a note that is 0', format(', note = 0')],
  ['an index that is unique', `box.space.s.index.sk:alter({unique = true})`],
  ['a privilege that has a name', priv(3)],
  ['a privilege that has no name', priv(3 + 65536)],
  ['another privilege that has no name', priv(3 + 131072)],
  ['who granted something', onT('1, ann')],
  ['the origins of a grant', onT('6, {origins = {config = 1}}')],
  ['other origins of it', onT(`6, {origins = {config = 1, [''] = 1}}`)],
  [
    'the origins of a user',
    `local id = box.space._user.index.name:get('ann').id
     box.space._user:update(id, {{'=', 8, {origins = {config = true}}}})`,
    '3.6',
  ],
  ['the owner of a space', `box.space._space:update(box.space.s.id, {{'=', 2, 0}})`],
  ['the end of a long name', `box.space.s:rename(('s'):rep(300) .. '1')`],
  ['the end of a longer name', `box.space[('s'):rep(300) .. '1']:rename(('s'):rep(300) .. '2')`],
];

describe('definitions of a server', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ lua: SOURCE });
  });
  after(() => server.stop());

  async function definitions() {
    const connection = await connect(server);
    try {
      const all = await readCatalog(connection);
      const catalog = Catalog.of((id) => all.userRows(id));
      ok(SYSTEM_SPACES.some((id) => catalog.rows(id).length > 0));
      return { catalog, versions: versionsOf('3.2.1'), manifest: { revoked: [] } };
    } finally {
      connection.close();
    }
  }

  it('differ after each single change, and in nothing else', async () => {
    let before = await definitions();
    deepEqual(atOnce(compareDefinitions(before, await definitions())).differences, []);
    for (const [what, lua, since = '2.6', until] of CHANGES) {
      if (!isAtLeast(server, since) || (until !== undefined && isAtLeast(server, until))) continue;
      await server.eval(lua);
      const after = await definitions();
      const { differences } = atOnce(compareDefinitions(before, after));
      ok(differences.length > 0, `${what}, is called equal`);
      before = after;
    }
  });
});
