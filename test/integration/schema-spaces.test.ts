import { type Feature, testCopies } from './fidelity/copies.js';
import { attempt } from './fidelity/lua.js';

const FEATURES: readonly Feature[] = [
  {
    title: 'a format with all types of fields',
    make: `box.schema.space.create('typed', {format = {
        {'id', 'unsigned'}, {'a', 'any', is_nullable = true}, {'b', 'string', is_nullable = true},
        {'c', 'number', is_nullable = true}, {'d', 'double', is_nullable = true},
        {'e', 'integer', is_nullable = true}, {'f', 'boolean', is_nullable = true},
        {'g', 'varbinary', is_nullable = true}, {'h', 'scalar', is_nullable = true},
        {'i', 'decimal', is_nullable = true}, {'j', 'uuid', is_nullable = true},
        {'k', 'array', is_nullable = true}, {'l', 'map', is_nullable = true}}})
      box.space.typed:create_index('primary')
      local decimal, ffi, uuid = require('decimal'), require('ffi'), require('uuid')
      box.space.typed:insert({1, {}, 's', 1.5, ffi.new('double', 1), -1, true, box.NULL, 'x',
        decimal.new('1.50'), uuid.new(), {1}, setmetatable({}, {__serialize = 'map'})})
      box.space.typed:insert({2})`,
    ask: attempt(
      `return box.space.typed:format()`,
      `return box.space.typed:insert({'no number'})`,
      `return box.space.typed:insert({3, 1, 7})`,
    ),
  },
  {
    title: 'a number of fields',
    make: `box.schema.space.create('three', {field_count = 3}):create_index('primary')
      box.space.three:insert({1, 2, 3})`,
    ask: attempt(`return box.space.three:insert({1})`, `return box.space.three.field_count`),
  },
  {
    title: 'a space without rows, without an index, without a format',
    make: `box.schema.space.create('empty'):create_index('primary') box.schema.space.create('bare')`,
    ask: `return {box.space.empty:len(), #box.space.bare.index, box.space.bare:format()}`,
  },
  {
    title: 'a space of the engine blackhole',
    make: `box.schema.space.create('hole', {engine = 'blackhole', format = {{'id', 'unsigned'}}})
      box.space.hole:insert({1})`,
    ask: `return {box.space.hole.engine, box.space.hole:insert({2})}`,
  },
  {
    title: 'a local space',
    make: `box.schema.space.create('local', {is_local = true}):create_index('primary')
      box.space['local']:insert({1, 'here only'})`,
    ask: `return {box.space['local'].is_local, box.space['local']:select()}`,
  },
  {
    title: 'a temporary space, without its rows',
    make: `box.schema.space.create('cache', {temporary = true}):create_index('primary')`,
    ask: `return {box.space.cache.temporary, box.space.cache:len()}`,
  },
  {
    title: 'a space of vinyl that was changed',
    make: `local space = box.schema.space.create('changed', {engine = 'vinyl'})
      space:create_index('primary')
      for i = 1, 300 do space:replace({i, i}) end
      box.snapshot()
      space:create_index('second', {parts = {{2, 'unsigned'}}})
      for i = 1, 300, 2 do space:delete({i}) end
      for i = 300, 400 do space:upsert({i, i + 1000}, {{'=', 3, 'upserted'}}) end`,
    ask: `return {box.space.changed:count(), box.space.changed.index.second:get({1350})}`,
  },
  {
    title: 'a space that was renamed, truncated and filled again',
    make: `local space = box.schema.space.create('old_name')
      space:create_index('primary')
      for i = 1, 100 do space:insert({i}) end
      space:truncate()
      space:rename('new_name')
      space:insert({1000})`,
    ask: `return {box.space.old_name == nil, box.space.new_name:select()}`,
  },
  {
    title: 'a collation of the user',
    make: `box.internal.collation.create('loud', 'ICU', 'de_DE', {strength = 'primary'})
      box.schema.space.create('sorted'):create_index('primary',
        {parts = {{1, 'string', collation = 'loud'}}})
      for _, name in ipairs({'Zoë', 'ärger', 'Bea'}) do box.space.sorted:insert({name}) end`,
    ask: `return {box.space.sorted:select(), box.space.sorted:get({'zoe'})}`,
  },
  {
    title: 'a synchronous space',
    make: `if box.ctl.promote then box.ctl.promote() end
      box.schema.space.create('agreed', {is_sync = true}):create_index('primary')
      box.space.agreed:insert({1})`,
    ask: `if box.ctl.promote then box.ctl.promote() end
      return {box.space.agreed.is_sync, box.space.agreed:insert({2})}`,
  },
  {
    title: 'a format with datetime and interval',
    make: `local datetime = require('datetime')
      box.schema.space.create('times', {format = {{'at', 'datetime'}, {'every', 'interval'}}})
      box.space.times:create_index('primary')
      box.space.times:insert({datetime.new({year = 2024, nsec = 5, tz = 'Europe/Berlin'}),
        datetime.interval.new({month = 1, day = -3})})`,
    ask: `return tostring(box.space.times:select()[1])`,
    needs: ['datetime and interval', '2.10'],
  },
  {
    title: 'constraints on fields and on tuples',
    make: `box.schema.func.create('positive', {is_deterministic = true, is_sandboxed = true,
        body = 'function(value) return value > 0 end'})
      box.schema.func.create('ordered', {is_deterministic = true, is_sandboxed = true,
        body = 'function(tuple) return tuple[1] <= tuple[2] end'})
      box.schema.space.create('limited', {constraint = 'ordered',
        format = {{'a', 'integer', constraint = 'positive'}, {'b', 'integer'}}})
      box.space.limited:create_index('primary')
      box.space.limited:insert({1, 2})`,
    ask: attempt(
      `return box.space.limited:insert({-1, 2})`,
      `return box.space.limited:insert({5, 2})`,
      `return box.space.limited:insert({5, 6})`,
    ),
    needs: ['constraints', '2.10'],
  },
  {
    title: 'foreign keys of formats: to a later space, to the space itself, in a circle',
    make: `local function create(name)
          local space = box.schema.space.create(name, {format = {{'id', 'unsigned'}, {'other', 'unsigned', is_nullable = true}}})
          space:create_index('primary')
          return space
      end
      local a, b, c = create('fk_a'), create('fk_b'), create('fk_c')
      local function refer(from, to)
          from:format({{'id', 'unsigned'}, {'other', 'unsigned', is_nullable = true,
            foreign_key = {link = {space = to.name, field = 'id'}}}})
      end
      a:insert({1, 10}) b:insert({10, 1}) c:insert({1, 2}) c:insert({2, 1})
      refer(a, b) refer(b, a) refer(c, c)
      local parent = box.schema.space.create('fk_parent', {format = {{'x', 'unsigned'}, {'y', 'string'}}})
      parent:create_index('primary', {parts = {{2, 'string'}, {1, 'unsigned'}}})
      local child = box.schema.space.create('fk_child', {format = {{'x', 'unsigned'}, {'y', 'string'}},
        foreign_key = {both = {space = 'fk_parent', field = {x = 'x', y = 'y'}}}})
      child:create_index('primary')
      parent:insert({1, 'a'}) child:insert({1, 'a'})`,
    ask: attempt(
      `return box.space.fk_a:insert({2, 11})`,
      `return box.space.fk_a:delete({1})`,
      `return box.space.fk_b:insert({11, 1})`,
      `return box.space.fk_c:insert({3, 4})`,
      `return box.space.fk_child:insert({2, 'b'})`,
      `return box.space.fk_parent:delete({'a', 1})`,
    ),
    needs: ['foreign keys in formats', '2.10'],
  },
  {
    title: 'a new space beside them',
    make: '',
    ask: `local space = box.schema.space.create('new')
      space:create_index('primary')
      return {space:insert({1}), box.space.new:len()}`,
  },
];

/** Formats may hold anything beside names and types. */
const ODD_FORMATS: readonly Feature[] = [
  {
    title: 'a format with keys that only the application knows',
    make: `box.schema.space.create('noted', {format = {
        {name = 'id', type = 'unsigned', comment = 'the key', big = 18446744073709551615ULL, not_a = 0 / 0,
          price = require('decimal').new('1.50'), nested = {list = {1, 2}, flag = true}}}})
      box.space.noted:create_index('primary')
      box.space.noted:insert({1})`,
    ask: `local field = box.space.noted:format()[1]
      return {field.comment, tostring(field.big), tostring(field.price), field.nested}`,
  },
];

/** Such fields fill themselves on insert: not only where they are missing, but also where they are null. */
const DEFAULTS: readonly Feature[] = [
  {
    title: 'a default, younger than rows without the field',
    make: `local space = box.schema.space.create('default', {format = {
        {'id', 'unsigned'}, {name = 'v', type = 'string', is_nullable = true}}})
      space:create_index('primary')
      space:insert({1})
      space:insert({2, box.NULL})
      space:format({{'id', 'unsigned'},
        {name = 'v', type = 'string', is_nullable = true, default = 'filled'}})
      space:insert({3})`,
    ask: `return {box.space.default:select(), box.space.default:insert({4})}`,
    needs: ['defaults of fields', '3.0'],
  },
  {
    title: 'a default that a function makes',
    make: `box.schema.func.create('fill', {is_deterministic = true, body = 'function() return "made" end'})
      local space = box.schema.space.create('made', {format = {
        {'id', 'unsigned'}, {name = 'v', type = 'string', is_nullable = true}}})
      space:create_index('primary')
      space:insert({1})
      space:insert({2, box.NULL})
      space:format({{'id', 'unsigned'},
        {name = 'v', type = 'string', is_nullable = true, default_func = 'fill'}})
      space:insert({3})`,
    ask: `return {box.space.made:select(), box.space.made:insert({4})}`,
    needs: ['functions as defaults', '3.0'],
  },
];

describe('restore brings spaces back', () => {
  testCopies(FEATURES);

  describe('whose formats hold more than the server knows', () => testCopies(ODD_FORMATS));

  describe('whose fields have defaults', () => testCopies(DEFAULTS));
});
