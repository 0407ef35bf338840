import { type Feature, testCopies } from './fidelity/copies.js';
import { attempt } from './fidelity/lua.js';

/** Bits of privileges that may be granted on each kind of object. */
const ON_OBJECTS: readonly [kind: string, object: string, privileges: readonly string[]][] = [
  ['space', 'shelf', ['read', 'write', 'create', 'alter', 'drop']],
  ['space', '', ['read', 'write', 'create', 'alter', 'drop']],
  ['function', 'greet', ['execute', 'create', 'drop']],
  ['function', '', ['execute', 'create', 'drop']],
  ['sequence', 'counter', ['read', 'write', 'create', 'alter', 'drop']],
  ['sequence', '', ['read', 'write', 'create', 'alter', 'drop']],
  ['user', 'ann', ['create', 'alter', 'drop']],
  ['user', '', ['create', 'alter', 'drop']],
  ['role', 'reader', ['create', 'drop']],
  ['role', '', ['execute', 'create', 'drop']],
  ['universe', '', ['read', 'write', 'execute', 'session', 'usage', 'create', 'alter', 'drop']],
];

/**
 * Two users for each object, of which each has every second privilege: so none can stand in for its
 * neighbor, and all users together are no more than the 32 that a server can have.
 */
const ON_EACH: readonly Feature[] = ON_OBJECTS.flatMap(([kind, object, privileges]) =>
  [0, 1].map((half) => {
    const granted = privileges.filter((_, i) => i % 2 === half).join(',');
    const grantee = `${half} ${kind} ${object}`;
    return {
      title: `${granted} on ${kind} ${object === '' ? 'of any name' : object}`,
      make: `box.schema.user.create('${grantee}')
        box.schema.user.grant('${grantee}', '${granted}', '${kind}', ${object === '' ? 'nil' : `'${object}'`})`,
      ask: `return box.schema.user.info('${grantee}')`,
    };
  }),
);

const OBJECTS: Feature = {
  title: 'the objects',
  make: `box.schema.space.create('shelf', {format = {{'id', 'unsigned'}}}):create_index('primary')
    box.schema.sequence.create('counter')
    box.schema.func.create('greet', {body = 'function() return "hello" end'})
    box.schema.user.create('ann', {password = 'a'})
    box.schema.role.create('reader')`,
};

/** Lua that tells what a user gets, and what it is refused. */
const as = (user: string, ...tries: string[]): string => `
  local answers = {}
  for i, try in ipairs({${tries.map((each) => `function() return ${each} end`).join(', ')}}) do
      box.session.su('${user}', function()
          local ok, result = pcall(try)
          answers[i] = ok and tostring(result) or told(result)
      end)
  end
  return answers
`;

const USES = [
  'box.space.shelf:count()',
  'box.space.shelf:replace({1})',
  'box.sequence.counter:next()',
  'box.func.greet:call()',
];

const FEATURES: readonly Feature[] = [
  OBJECTS,
  {
    title: 'what they open',
    make: `box.schema.user.create('all') box.schema.user.create('one')
      box.schema.user.grant('all', 'read', 'space') box.schema.user.grant('all', 'write', 'sequence')
      box.schema.user.grant('all', 'execute', 'function')
      box.schema.user.grant('one', 'write', 'space', 'shelf') box.schema.user.grant('one', 'read', 'sequence', 'counter')`,
    ask: attempt(...['all', 'one'].map((user) => as(user, ...USES))),
  },
  {
    title: 'roles of roles of roles, on whatever there is',
    make: `box.schema.role.create('inner') box.schema.role.create('middle') box.schema.role.create('outer')
      box.schema.role.grant('inner', 'read', 'space', 'shelf')
      box.schema.role.grant('inner', 'read', 'sequence')
      box.schema.role.grant('middle', 'inner') box.schema.role.grant('outer', 'middle')
      box.schema.role.grant('outer', 'reader')
      box.schema.user.create('deep') box.schema.user.grant('deep', 'outer')`,
    ask: as('deep', 'box.space.shelf:count()', 'box.space.shelf:delete({1})'),
  },
  {
    title: 'what one user grants to another, and to a role',
    make: `box.schema.user.grant('ann', 'read,write,create,execute', 'universe')
      box.schema.user.create('bob')
      box.session.su('ann', function()
          box.schema.space.create('of_ann'):create_index('primary', {sequence = true})
          box.schema.func.create('of_ann', {setuid = true, body = 'function() return box.space.of_ann:count() end'})
          box.schema.sequence.create('ids_of_ann')
          box.schema.role.create('role_of_ann')
          box.schema.user.grant('bob', 'execute', 'function', 'of_ann')
          box.schema.user.grant('bob', 'role_of_ann')
          box.schema.role.grant('role_of_ann', 'read', 'sequence', 'ids_of_ann')
      end)`,
    ask: `local grantors = {}
      for _, row in box.space._priv:pairs() do
          if row.grantor ~= 1 then
              table.insert(grantors, box.space._user:get({row.grantor}).name .. ' ' .. row.object_type)
          end
      end
      local owners = {}
      for _, space in ipairs({'_space', '_func', '_sequence', '_user'}) do
          for _, name in ipairs({'of_ann', 'ids_of_ann', 'role_of_ann'}) do
              local row = box.space[space].index.name:get({name})
              table.insert(owners, row and box.space._user:get({row.owner}).name or 'none')
          end
      end
      return {grantors, owners, (function() ${as('bob', 'box.func.of_ann:call()')} end)()}`,
  },
  {
    title: 'to the roles that every server has',
    make: `box.schema.role.grant('public', 'execute', 'function', 'greet')
      box.schema.role.grant('public', 'read', 'space', 'shelf')
      box.schema.role.grant('public', 'reader')
      box.schema.role.grant('replication', 'reader')
      box.schema.role.grant('super', 'execute', 'function', 'greet')
      box.schema.role.grant('super', 'reader')`,
    ask: as(
      'guest',
      'box.func.greet:call()',
      'box.space.shelf:count()',
      'box.space.shelf:delete({1})',
    ),
  },
  {
    title: 'to guest, also on all that there is',
    make: `box.schema.user.grant('guest', 'write', 'space')
      box.schema.user.grant('guest', 'read', 'universe')`,
    ask: as(
      'guest',
      'box.space.shelf:insert({7})',
      'box.sequence.counter:next()',
      'box.space._user:len()',
    ),
  },
  {
    title: 'to run Lua and SQL',
    make: `box.schema.user.create('caller', {password = 'c'})
      box.schema.user.grant('caller', 'execute', 'lua_call')
      box.schema.user.grant('caller', 'execute', 'lua_eval')
      box.schema.user.create('sql', {password = 's'})
      box.schema.user.grant('sql', 'execute', 'sql')
      box.schema.user.create('named', {password = 'n'})
      box.schema.user.grant('named', 'execute', 'lua_call', 'box.info')
      box.schema.user.grant('named', 'execute', 'lua_call', 'some.name')`,
    ask: `local answers = {}
      for i, login in ipairs({'caller:c', 'sql:s', 'named:n'}) do
          local connection = require('net.box').connect(login .. '@' .. box.info.listen)
          answers[i] = {(pcall(connection.eval, connection, 'return 1')),
              (pcall(connection.call, connection, 'tostring', {1})),
              (pcall(connection.call, connection, 'box.info')),
              (pcall(connection.execute, connection, 'SELECT 1'))}
          connection:close()
      end
      return answers`,
    needs: ['lua_eval, lua_call and sql as objects', '3.0'],
  },
];

/** Half of what a server ships can be taken away, too. */
const NARROWED: readonly Feature[] = [
  {
    title: 'usage of guest, who keeps the session',
    make: `box.schema.user.revoke('guest', 'usage', 'universe')`,
    ask: `return box.schema.user.info('guest')`,
  },
  {
    title: 'read of the role replication',
    make: `box.schema.role.revoke('replication', 'read', 'universe')`,
    ask: `return box.schema.role.info('replication')[1]`,
  },
];

describe('restore brings privileges back', () => {
  testCopies(FEATURES);

  describe('of each kind', () => testCopies([OBJECTS, ...ON_EACH]));

  describe('that were narrowed', () => testCopies(NARROWED));
});
