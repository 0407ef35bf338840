import { type Feature, testCopies } from './fidelity/copies.js';
import { attempt } from './fidelity/lua.js';

const ENGINES = ['memtx', 'vinyl'] as const;

/** On both engines. */
const FEATURES: readonly Feature[] = ENGINES.flatMap((engine): Feature[] => [
  {
    title: `nullable fields (${engine})`,
    make: `local space = box.schema.space.create('nullable_${engine}', {engine = '${engine}', format = {
        {'id', 'unsigned'}, {name = 'a', type = 'string', is_nullable = true},
        {name = 'b', type = 'integer', is_nullable = false},
        {name = 'c', type = 'map', nullable_action = 'none', is_nullable = true},
        {name = 'd', type = 'any', nullable_action = 'default'}}})
      space:create_index('primary')
      space:insert({1, box.NULL, 2, box.NULL, 3})`,
    ask: attempt(
      `return box.space.nullable_${engine}:format()`,
      `return box.space.nullable_${engine}:insert({2, 'a', box.NULL, {}, 1})`,
      `return box.space.nullable_${engine}:insert({3, box.NULL, 1, box.NULL, 1})`,
      `return box.space.nullable_${engine}:select()`,
    ),
  },
  {
    title: `a number of fields (${engine})`,
    make: `box.schema.space.create('three_${engine}', {field_count = 3, engine = '${engine}'}):create_index('primary')
      box.space.three_${engine}:insert({1, 2, 3})`,
    ask: attempt(
      `return box.space.three_${engine}:insert({1})`,
      `return box.space.three_${engine}:insert({2, 3, 4})`,
      `return box.space.three_${engine}.field_count`,
    ),
  },
  {
    title: `a collation of the user on a field without an index (${engine})`,
    make: `if not box.space._collation.index.name:get({'of_field'}) then
          box.internal.collation.create('of_field', 'ICU', 'en', {strength = 'primary'})
      end
      box.schema.space.create('folded_${engine}', {engine = '${engine}', format = {
        {'id', 'unsigned'}, {name = 'v', type = 'string', collation = 'of_field'}}}):create_index('primary')
      box.space.folded_${engine}:insert({1, 'É'})`,
    ask: `box.execute('SET SESSION "sql_seq_scan" = true')
      local id = box.space.folded_${engine}:format()[2].collation
      return {type(id) == 'number' and box.space._collation:get({id}).name or id,
        box.execute([[SELECT "id" FROM "folded_${engine}" WHERE "v" = 'e']]).rows}`,
  },
  {
    title: `datetime and interval (${engine})`,
    make: `local datetime = require('datetime')
      box.schema.space.create('times_${engine}', {engine = '${engine}', format = {
        {'at', 'datetime'}, {'every', 'interval'}}})
      box.space.times_${engine}:create_index('primary')
      box.space.times_${engine}:insert({datetime.new({year = 2024, nsec = 5, tz = 'Europe/Berlin'}),
        datetime.interval.new({month = 1, day = -3})})`,
    ask: attempt(
      `return tostring(box.space.times_${engine}:select()[1])`,
      `return box.space.times_${engine}:insert({1, 2})`,
    ),
    needs: ['datetime and interval', '2.10'],
  },
  {
    title: `numbers of a fixed size (${engine})`,
    make: `local format, row = {{'id', 'unsigned'}}, {1}
      for _, name in ipairs({'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64',
          'float32', 'float64'}) do
          table.insert(format, {name, name, is_nullable = true})
          table.insert(row, name:find('float') and require('ffi').new(name == 'float32' and 'float' or 'double', 0.5) or 7)
      end
      for _, name in ipairs({'decimal32', 'decimal64', 'decimal128', 'decimal256'}) do
          table.insert(format, {name = name, type = name, scale = 2, is_nullable = true})
          table.insert(row, require('decimal').new('1.25'))
      end
      box.schema.space.create('sized_${engine}', {engine = '${engine}', format = format}):create_index('primary')
      box.space.sized_${engine}:insert(row)`,
    ask: attempt(
      `return tostring(box.space.sized_${engine}:select()[1])`,
      `return box.space.sized_${engine}:format()`,
      `return box.space.sized_${engine}:insert({2, 200})`,
    ),
    needs: ['numbers of a fixed size', '3.5'],
  },
  {
    title: `defaults of all kinds (${engine})`,
    make: `box.schema.func.create('default_of_${engine}', {is_deterministic = true, body = [[function(given)
          return {made = given}
      end]]})
      box.schema.space.create('defaults_${engine}', {engine = '${engine}', format = {{'id', 'unsigned'},
        {name = 'n', type = 'integer', default = -5}, {name = 'd', type = 'double', default = 1.5},
        {name = 's', type = 'string', default = "'quoted'"}, {name = 'b', type = 'boolean', default = false},
        {name = 'm', type = 'map', default = {key = {1, 2}}}, {name = 'a', type = 'array', default = {1, 'x'}},
        {name = 'u', type = 'uuid', default = require('uuid').fromstr('00112233-4455-6677-8899-aabbccddeeff')},
        {name = 'e', type = 'decimal', default = require('decimal').new('1.50')},
        {name = 'f', type = 'map', default_func = 'default_of_${engine}', default = 'given'},
      }}):create_index('primary')
      box.space.defaults_${engine}:insert({1})`,
    ask: attempt(
      `return tostring(box.space.defaults_${engine}:insert({2}))`,
      `return tostring(box.space.defaults_${engine}:get({1}))`,
    ),
    needs: ['defaults of fields', '3.0'],
  },
]);

/** With values that Lua has no literals for. */
const TYPES: readonly Feature[] = [
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

describe('restore brings formats back', () => {
  testCopies([...FEATURES, ...TYPES]);

  describe('with more options than the server knows', () => testCopies(ODD_FORMATS));

  describe('with default values of fields', () => testCopies(DEFAULTS));
});
