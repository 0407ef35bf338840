import { type Feature, testCopies } from './fidelity/copies.js';
import { attempt } from './fidelity/lua.js';

/** Lua that logs in over the network, and tells what happens there. */
const as = (user: string, password: string, lua: string): string => `
  local connection = require('net.box').connect(box.info.listen,
      {user = '${user}', password = '${password}', wait_connected = true})
  local function try(what)
      local ok, result = pcall(what)
      return ok and result or told(result)
  end
  local answer = connection.state ~= 'active' and 'no login: ' .. told(connection.error)
      or (function() ${lua} end)()
  connection:close()
  return answer
`;

/** Lua that tells what a role or a user may do with some objects: releases ship different grants. */
const grants = (kind: 'user' | 'role', name: string, ...objects: string[]): string => `
  local objects, found = {['${objects.join("'] = true, ['")}'] = true}, {}
  for _, grant in ipairs(box.schema.${kind}.info('${name}')) do
      if objects[grant[3]] then table.insert(found, table.concat(grant, ' ')) end
  end
  table.sort(found)
  return found
`;

const READS = `
  return {try(function() return connection.space.shelf:select() end),
      try(function() return connection.space.shelf:replace({2}) end),
      try(function() return connection:call('greet') end),
      try(function() return connection:eval('return 1') end)}
`;

const SPACES = `
  box.schema.space.create('shelf'):create_index('primary')
  box.space.shelf:insert({1})
  box.schema.sequence.create('counter')
  box.schema.func.create('greet', {body = 'function() return "hello" end'})
`;

const FEATURES: readonly Feature[] = [
  {
    title: 'a password',
    make: `${SPACES}
      box.schema.user.create('ann', {password = 'secret of ann ü'})
      box.schema.user.grant('ann', 'read', 'space', 'shelf')`,
    ask: as('ann', 'secret of ann ü', READS),
  },
  {
    title: 'a wrong password',
    make: '',
    ask: as('ann', 'secret of bob', READS),
  },
  {
    title: 'a user without a password',
    make: `box.schema.user.create('mute')`,
    ask: `return box.schema.user.exists('mute')`,
  },
  {
    title: 'a user with an unusual name',
    make: `box.schema.user.create("Zoë O'Hara/ops", {password = 'p'})`,
    ask: `return box.schema.user.exists("Zoë O'Hara/ops")`,
  },
  {
    title: 'roles in roles',
    make: `box.schema.role.create('reader') box.schema.role.create('clerk') box.schema.role.create('boss')
      box.schema.role.grant('reader', 'read', 'space', 'shelf')
      box.schema.role.grant('clerk', 'write', 'space', 'shelf')
      box.schema.role.grant('clerk', 'reader')
      box.schema.role.grant('boss', 'clerk')
      box.schema.role.grant('boss', 'execute', 'function', 'greet')
      box.schema.user.create('bea', {password = 'b'})
      box.schema.user.grant('bea', 'boss')`,
    ask: as('bea', 'b', READS),
  },
  {
    title: 'privileges of all kinds on all kinds of objects',
    make: `box.schema.user.create('carl', {password = 'c'})
      box.schema.user.grant('carl', 'read,write,create,alter,drop', 'space', 'shelf')
      box.schema.user.grant('carl', 'read,write', 'sequence', 'counter')
      box.schema.user.grant('carl', 'execute,drop', 'function', 'greet')
      box.schema.user.grant('carl', 'alter', 'user', 'ann')
      box.schema.user.grant('carl', 'drop', 'role', 'reader')`,
    ask: `return box.schema.user.info('carl')`,
  },
  {
    title: 'privileges on everything of a kind',
    make: `box.schema.user.create('dora', {password = 'd'})
      for _, kind in ipairs({'space', 'function', 'sequence', 'user', 'role'}) do
          box.schema.user.grant('dora', 'create,drop', kind)
      end
      box.schema.user.grant('dora', 'read,write', 'space')
      box.schema.user.grant('dora', 'execute', 'function')`,
    ask: as('dora', 'd', READS),
  },
  {
    title: 'privileges on the universe',
    make: `box.schema.user.create('emil', {password = 'e'})
      box.schema.user.grant('emil', 'read,execute', 'universe')`,
    ask: as('emil', 'e', READS),
  },
  {
    title: 'privileges to run Lua and SQL',
    make: `box.schema.user.create('fay', {password = 'f'})
      box.schema.user.grant('fay', 'execute', 'lua_eval')
      box.schema.user.grant('fay', 'execute', 'lua_call', 'box.info')
      box.schema.user.grant('fay', 'execute', 'sql')`,
    ask: as('fay', 'f', READS),
    needs: ['lua_eval, lua_call and sql as objects', '3.0'],
  },
  {
    title: 'grants to guest',
    make: `box.schema.user.grant('guest', 'read', 'space', 'shelf')
      box.schema.user.grant('guest', 'clerk')
      box.schema.user.grant('guest', 'execute', 'function', 'greet')
      box.schema.user.grant('guest', 'execute', 'universe')`,
    ask: `return box.schema.user.info('guest')`,
  },
  {
    title: 'grants to public',
    make: `box.schema.role.grant('public', 'read', 'sequence', 'counter')
      box.schema.role.grant('public', 'read,write', 'space', '_cluster')`,
    ask: grants('role', 'public', 'counter', '_cluster'),
  },
  {
    title: 'grants to the role replication, and of it',
    make: `box.schema.role.grant('replication', 'execute', 'function', 'greet')
      box.schema.user.create('replica', {password = 'r'})
      box.schema.user.grant('replica', 'replication')`,
    ask: attempt(grants('role', 'replication', 'greet'), `return box.schema.user.info('replica')`),
  },
  {
    title: 'the role super',
    make: `box.schema.user.create('sue', {password = 's'}) box.schema.user.grant('sue', 'super')`,
    ask: as('sue', 's', `return connection:eval('return box.session.effective_user()')`),
  },
  {
    title: 'a user who may not log in',
    make: `box.schema.user.create('gus', {password = 'g'})
      box.schema.user.revoke('gus', 'session,usage', 'universe')`,
    ask: as('gus', 'g', READS),
  },
  {
    title: 'a space of a user, and what its owner has granted',
    make: `box.schema.user.create('hal', {password = 'h'})
      box.schema.user.grant('hal', 'read,write,create', 'universe')
      box.session.su('hal', function()
          box.schema.space.create('own'):create_index('primary')
          box.space.own:insert({1})
          box.schema.user.grant('ann', 'read', 'space', 'own')
      end)`,
    ask: `return {box.space._user:get({box.space._space.index.name:get({'own'}).owner}).name,
      box.schema.user.info('ann')}`,
  },
  {
    title: 'a function that runs as its owner',
    make: `box.schema.func.create('whoami', {setuid = true,
          body = 'function() return box.session.effective_user() end'})
      box.schema.user.grant('ann', 'execute', 'function', 'whoami')`,
    ask: as('ann', 'secret of ann ü', `return connection:call('whoami')`),
  },
  {
    title: 'a new user, who inherits nothing',
    make: '',
    ask: `box.schema.user.create('new') return box.schema.user.info('new')`,
  },
];

/** What an empty server has too is told from it by all of the row. */
const ON_SYSTEM_SPACES: readonly Feature[] = [
  {
    title: 'read for public on system spaces',
    make: `for _, space in ipairs({'_cluster', '_user', '_space'}) do
          box.schema.role.grant('public', 'read', 'space', space)
      end`,
    ask: grants('role', 'public', '_cluster', '_user', '_space'),
  },
  {
    title: 'other grants for replication on system spaces',
    make: `box.schema.role.grant('replication', 'write', 'space', '_schema')`,
    ask: grants('role', 'replication', '_schema', '_cluster', ''),
  },
];

/** A closed door must not be open in the copy. */
const REVOKED: readonly Feature[] = [
  {
    title: 'that guest may not log in',
    make: `box.schema.user.revoke('guest', 'session,usage', 'universe')`,
    ask: `return box.schema.user.info('guest')`,
  },
  {
    title: 'that guest is not public',
    make: `box.schema.user.revoke('guest', 'public')`,
    ask: `return box.schema.user.info('guest')`,
  },
  {
    title: 'that public may not see who is there',
    make: `box.schema.role.revoke('public', 'read', 'space', '_vuser')`,
    ask: grants('role', 'public', '_vuser', '_vspace'),
  },
];

describe('restore brings users, roles and privileges back', () => {
  testCopies(FEATURES);

  describe('on system spaces', () => testCopies(ON_SYSTEM_SPACES));

  describe('that were revoked from what every server ships', () => testCopies(REVOKED));
});
