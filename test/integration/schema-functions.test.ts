import { deepEqual, equal } from 'node:assert/strict';
import { startServer } from '../support/server.js';
import { type Feature, testCopies } from './fidelity/copies.js';
import { dump, needs, restore, withTarget } from './fidelity/roundtrip.js';

const FEATURES: readonly Feature[] = [
  {
    title: 'a stored function',
    make: `box.schema.func.create('sum', {is_deterministic = true, comment = 'adds',
        body = 'function(a, b) return a + b end'})`,
    ask: `return {box.func.sum:call({2, 3}), box.func.sum.is_deterministic, box.func.sum.comment}`,
  },
  {
    title: 'a stored function with letters beyond ASCII, quotes and line ends',
    make: `box.schema.func.create('größe "x"', {body = "function()\\r\\n  return 'ü\\\\0\\"' end"})`,
    ask: `return box.func['größe "x"']:call()`,
  },
  {
    title: 'a sandboxed function',
    make: `box.schema.func.create('caged', {is_sandboxed = true, is_deterministic = true,
        body = 'function() return tostring(box) end'})`,
    ask: `return {box.func.caged:call(), box.func.caged.is_sandboxed}`,
  },
  {
    title: 'the name of a function that the application has',
    make: `function named(...) return {'named', ...} end
      box.schema.func.create('named') box.schema.func.create('module.sub.named', {setuid = true})`,
    ask: `function named(...) return {'named', ...} end
      return {box.func.named:call({1}), box.func['module.sub.named'].setuid, box.func.named.language}`,
  },
  {
    title: 'the name of a function in C',
    make: `box.schema.func.create('library.call', {language = 'C'})`,
    ask: `return box.func['library.call'].language`,
  },
  {
    title: 'a function that SQL can call',
    make: `box.schema.func.create('TWICE', {language = 'LUA', returns = 'integer', is_deterministic = true,
        body = 'function(n) return n * 2 end', param_list = {'integer'}, exports = {'LUA', 'SQL'}})`,
    ask: `return box.execute('SELECT TWICE(21)').rows[1]`,
  },
  {
    title: 'a function with parameters and all flags',
    make: `box.schema.func.create('FLAGGED', {language = 'LUA', is_deterministic = true, is_sandboxed = true,
        setuid = true, if_not_exists = true, comment = 'größe', returns = 'string', param_list = {'string', 'any'},
        exports = {'LUA', 'SQL'}, body = 'function(a, b) return a .. tostring(b) end'})`,
    ask: `local row = box.space._func.index.name:get({'FLAGGED'})
      return {row.setuid, row.comment, row.returns, row.param_list, row.exports, row.is_deterministic,
        box.func.FLAGGED:call({'a', 1}), box.execute([[SELECT FLAGGED('a', 2)]]).rows[1]}`,
  },
  {
    title: 'a function with a long body',
    make: `box.schema.func.create('long', {body = 'function() return #"' .. ('ü'):rep(100000) .. '" end'})`,
    ask: `return box.func.long:call()`,
  },
  {
    title: 'a function whose body only the application completes',
    make: `require('fiber') function helper() return 'helped' end
      box.schema.func.create('helped', {body = 'function() return helper() end'})`,
    ask: `function helper() return 'helped' end return box.func.helped:call()`,
  },
  {
    title: 'a function of a user, which runs as that user',
    make: `box.schema.user.create('fred')
      box.schema.user.grant('fred', 'read,write,create,execute', 'universe')
      box.session.su('fred', box.schema.func.create, 'as_fred', {setuid = true,
        body = 'function() return box.session.effective_user() end'})`,
    ask: `return {box.func.as_fred:call(),
      box.space._user:get({box.space._func.index.name:get({'as_fred'}).owner}).name}`,
  },
  {
    title: 'a function that takes its arguments raw',
    make: `box.schema.func.create('raw', {takes_raw_args = true,
        body = 'function(args) return require("msgpack").is_object(args) end'})`,
    ask: `return {box.func.raw:call({1, 2}), box.func.raw.takes_raw_args}`,
    needs: ['raw arguments', '2.10'],
  },
  {
    title: 'an aggregate for SQL',
    make: `box.schema.func.create('PRODUCT', {language = 'LUA', aggregate = 'group', is_deterministic = true,
        body = 'function(value, state) return (state or 1) * value end',
        param_list = {'integer', 'integer'}, returns = 'integer', exports = {'SQL'}})
      box.schema.func.create('PRODUCT_finalize', {language = 'LUA', is_deterministic = true,
        body = 'function(state) return state end', param_list = {'integer'}, returns = 'integer',
        exports = {'LUA', 'SQL'}})
      box.schema.space.create('factors', {format = {{'n', 'integer'}}}):create_index('primary')
      for i = 2, 4 do box.space.factors:insert({i}) end`,
    ask: `local row = box.space._func.index.name:get({'PRODUCT'})
      box.execute('SET SESSION "sql_seq_scan" = true')
      local result, reason = box.execute('SELECT PRODUCT("n") FROM "factors"')
      return {row.aggregate, result and result.rows or told(reason)}`,
    needs: ['aggregates of users', '2.11'],
  },
  {
    title: 'a function in SQL',
    make: `box.schema.func.create('in_sql', {language = 'SQL_EXPR', is_deterministic = true, body = '"a" > 1'})`,
    ask: `local row = box.space._func.index.name:get({'in_sql'}) return {row.language, row.body}`,
    needs: ['functions of language SQL_EXPR', '2.11'],
  },
  {
    title: 'what box.once() has done already',
    make: `box.once('first', function() end) box.once('the second', function() end)`,
    ask: `local done = {}
      for _, key in ipairs({'first', 'the second', 'third'}) do
          box.once(key, function() table.insert(done, key) end)
      end
      return done`,
  },
  {
    title: 'what the application has noted in _schema',
    make: `box.space._schema:insert({'app.migration', 42, {by = 'me'}})`,
    ask: `return box.space._schema:get({'app.migration'})`,
  },
  {
    title: 'marks whose last fields are empty, such as the version of vshard',
    make: `box.space._schema:insert({'vshard_version', 0, 1, 41, 0})
      box.space._schema:insert({'app.empty', '', 0, false, {}, box.NULL})
      box.space._schema:insert({'app.alone'})`,
    ask: `local fields = {}
      for _, key in ipairs({'vshard_version', 'app.empty', 'app.alone'}) do
          fields[key] = #box.space._schema:get({key})
      end
      return fields`,
  },
  {
    title: 'a new function beside them',
    make: '',
    ask: `box.schema.func.create('new', {body = 'function() return 1 end'})
      return box.func.new:call()`,
  },
];

/** A restore must not set them off: what they do is in the rows already. */
const TRIGGERS: readonly Feature[] = [
  {
    title: 'a trigger that changes rows',
    make: `local space = box.schema.space.create('changed')
      space:create_index('primary')
      space:insert({1, 'as it was'})
      box.schema.func.create('change', {trigger = 'box.space.changed.before_replace',
        body = [[function(old, new) return new and new:update({{'=', 2, 'changed'}}) end]]})
      space:insert({2, 'as it comes'})`,
    ask: `return {box.space.changed:select(), box.space.changed:insert({3, 'as it comes'})}`,
    needs: ['functions as triggers', '3.0'],
  },
  {
    title: 'a trigger that writes a log',
    make: `box.schema.space.create('log'):create_index('primary', {sequence = true})
      local space = box.schema.space.create('logged')
      space:create_index('primary')
      space:insert({1})
      box.schema.func.create('log', {trigger = {'box.space.logged.on_replace', 'other.event'},
        body = [[function(old, new) box.space.log:insert({box.NULL, new[1]}) end]]})
      space:insert({2})`,
    ask: `box.space.logged:insert({3}) return box.space.log:select()`,
    needs: ['functions as triggers', '3.0'],
  },
  {
    title: 'a trigger of definitions and grants, which a restore is full of',
    make: `local space = box.schema.space.create('state')
      space:create_index('primary')
      space:insert({1, 'that matters'})
      box.schema.user.create('grantee')
      box.schema.func.create('watch', {trigger = {'box.space._priv.on_replace', 'box.space._index.on_replace'},
        body = [[function() box.space.state:replace({1, 'overwritten'}) end]]})
      space:replace({1, 'that matters'})`,
    ask: `box.space.logged:create_index('new', {parts = {{1, 'unsigned'}}}) return box.space.state:select()`,
    needs: ['functions as triggers', '3.0'],
  },
];

describe('restore brings functions back', () => {
  testCopies(FEATURES);

  describe('that are triggers', () => testCopies(TRIGGERS));
});

describe('restore leaves unchanged', () => {
  it('the names of the target instance and of its cluster', async function () {
    const source = await startServer();
    try {
      needs(this, source, 'names of clusters', '3.0');
      await source.eval(`
        box.cfg({cluster_name = 'old', replicaset_name = 'old-a', instance_name = 'old-a1'})
        box.space._schema:insert({'app.note', 1})
      `);
      const cfg = { cluster_name: 'new', replicaset_name: 'new-a', instance_name: 'new-a1' };
      const archive = await dump(source);
      await withTarget(async (target) => {
        needs(this, target, 'names of clusters', '3.0');
        await target.eval('box.cfg(...)', cfg);
        await restore(target, archive);
        deepEqual(
          await target.eval(
            'return {box.info.cluster.name, box.info.replicaset.name, box.info.name}',
          ),
          ['new', 'new-a', 'new-a1'],
        );
        equal(await target.eval(`return box.space._schema:get({'app.note'})[2]`), 1);
      });
    } finally {
      await source.stop();
    }
  });
});
