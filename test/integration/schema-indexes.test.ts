import type { Feature } from './fidelity/copies.js';
import { testCopies } from './fidelity/copies.js';

/** A kind of index, and a question that only this index answers. */
interface Case {
  title: string;
  /** Lua that makes and fills a space. */
  lua: string;
  /** Lua that returns what the index finds. */
  ask: string;
  engines?: readonly string[];
  needs?: [feature: string, since: string];
}

const BOTH = ['memtx', 'vinyl'];
const MEMTX = ['memtx'];

const CASES: readonly Case[] = [
  {
    title: 'tree, unique, of several parts',
    lua: `space:create_index('i', {parts = {{3, 'string'}, {2, 'unsigned'}}})
      fill(300, function(i) return {i, i % 7, 'k' .. i % 100} end)`,
    ask: `return space.index.i:select({'k5'})`,
    engines: BOTH,
  },
  {
    title: 'tree, not unique',
    lua: `space:create_index('i', {parts = {{2, 'integer'}}, unique = false})
      fill(300, function(i) return {i, -(i % 9)} end)`,
    ask: `return {space.index.i:count({-3}), space.index.i.unique}`,
    engines: BOTH,
  },
  {
    title: 'of nullable parts',
    lua: `space:create_index('i', {parts = {{2, 'string', is_nullable = true}}, unique = true})
      space:create_index('j', {parts = {{3, 'number', is_nullable = true}}, unique = false})
      fill(300, function(i) return i % 3 == 0 and {i} or {i, i % 3 == 1 and 'k' .. i or nil, i / 2} end)`,
    ask: `return {space.index.i:select({box.NULL}, {limit = 5}), space.index.j:select({1.5})}`,
    engines: BOTH,
  },
  {
    title: 'that leaves nulls out',
    lua: `space:create_index('i', {unique = false,
        parts = {{2, 'unsigned', is_nullable = true, exclude_null = true}}})
      fill(100, function(i) return i % 2 == 0 and {i, i} or {i} end)`,
    ask: `return space.index.i:count()`,
    engines: BOTH,
    needs: ['exclude_null', '2.8.1'],
  },
  {
    title: 'of strings with collations',
    lua: `space:create_index('i', {parts = {{2, 'string', collation = 'unicode_ci'}}})
      space:create_index('j', {unique = false, parts = {{3, 'string', collation = 'unicode_de__phonebook_s1'}}})
      fill(100, function(i) return {i, 'É' .. i, ({'ä', 'a', 'ae'})[i % 3 + 1]} end)`,
    ask: `return {space.index.i:get({'é5'}), space.index.j:count({'AE'})}`,
    engines: BOTH,
  },
  {
    title: 'behind JSON paths',
    lua: `space:create_index('i', {parts = {{'[2].who["the name"]', 'string'}, {'[2].at[2]', 'integer'}}})
      fill(100, function(i) return {i, {who = {['the name'] = 'n' .. i}, at = {1, -i}}} end)`,
    ask: `return space.index.i:get({'n7', -7})`,
    engines: BOTH,
  },
  {
    title: 'multikey',
    lua: `space:create_index('i', {parts = {{'[2][*].tag', 'string'}}, unique = false})
      fill(100, function(i) return {i, {{tag = 'a' .. i % 3}, {tag = 'b'}, {tag = 'b'}}} end)`,
    ask: `return {space.index.i:count({'a1'}), space.index.i:count({'b'})}`,
    engines: BOTH,
  },
  {
    title: 'functional',
    lua: `box.schema.func.create('lower', {is_deterministic = true, is_sandboxed = true,
        body = 'function(tuple) return {tuple[2]:lower(), tuple[1] % 2} end'})
      space:create_index('i', {func = 'lower', parts = {{1, 'string'}, {2, 'unsigned'}}})
      fill(100, function(i) return {i, 'NAME' .. i} end)`,
    ask: `return space.index.i:get({'name9', 1})`,
  },
  {
    title: 'functional and multikey',
    lua: `box.schema.func.create('words', {is_deterministic = true, is_sandboxed = true,
        opts = {is_multikey = true}, body = [[function(tuple)
            local words = {}
            for word in tuple[2]:gmatch('%S+') do table.insert(words, {word}) end
            return words
        end]]})
      space:create_index('i', {func = 'words', parts = {{1, 'string'}}, unique = false})
      fill(100, function(i) return {i, ('word%d and more'):format(i % 10)} end)`,
    ask: `return {space.index.i:count({'word3'}), space.index.i:count({'more'})}`,
  },
  {
    title: 'hash',
    lua: `space:create_index('i', {type = 'hash', parts = {{2, 'string'}, {3, 'uuid'}}})
      id = require('uuid').fromstr('00112233-4455-6677-8899-aabbccddeeff')
      fill(100, function(i) return {i, 'k' .. i, id} end)`,
    ask: `return space.index.i:get({'k3', require('uuid').fromstr('00112233-4455-6677-8899-aabbccddeeff')})[1]`,
  },
  {
    title: 'rtree',
    lua: `space:create_index('i', {type = 'rtree', parts = {{2, 'array'}}, unique = false})
      space:create_index('j', {type = 'rtree', parts = {{3, 'array'}}, unique = false, dimension = 3,
        distance = 'manhattan'})
      fill(100, function(i) return {i, {i, -i / 2}, {i, i, i, i + 1, i + 1, i + 1}} end)`,
    ask: `return {space.index.i:select({5.2, -2}, {iterator = 'neighbor', limit = 3}),
      space.index.j:select({3, 3, 3}, {iterator = 'overlaps'})}`,
  },
  {
    title: 'bitset',
    lua: `space:create_index('i', {type = 'bitset', parts = {{2, 'unsigned'}}, unique = false})
      fill(100, function(i) return {i, i} end)`,
    ask: `return space.index.i:select({9}, {iterator = 'bits_all_set', limit = 5})`,
  },
  {
    title: 'with options of vinyl',
    lua: `space:create_index('i', {parts = {{2, 'unsigned'}}, page_size = 2048, bloom_fpr = 0.1,
        range_size = 2 ^ 22, run_count_per_level = 3, run_size_ratio = 2.5})
      fill(100, function(i) return {i, i} end)`,
    ask: `return {space.index.i:get({7}), space.index.i.options}`,
    engines: ['vinyl'],
  },
  {
    title: 'without hints',
    lua: `space:create_index('i', {parts = {{2, 'unsigned'}}, hint = false})
      fill(100, function(i) return {i, i} end)`,
    ask: `return {space.index.i:get({7}), tostring(space.index.i.hint)}`,
    needs: ['hint', '2.6.1'],
  },
  {
    title: 'with hints',
    lua: `space:create_index('i', {parts = {{2, 'unsigned'}}, hint = true})
      fill(100, function(i) return {i, i} end)`,
    ask: `return {space.index.i:get({7}), tostring(space.index.i.hint)}`,
    needs: ['hint', '2.6.1'],
  },
  {
    title: 'that says which fields it covers',
    lua: `space:create_index('i', {parts = {{2, 'unsigned'}}, covers = {1}})
      fill(100, function(i) return {i, i, i} end)`,
    ask: `return {space.index.i:get({7}), box.space._index:get({space.id, 1}).opts.covers}`,
    engines: BOTH,
    needs: ['covers', '3.4'],
  },
  {
    title: 'that leaves nulls behind a path out',
    lua: `space:create_index('i', {unique = false,
        parts = {{'[2].x', 'unsigned', is_nullable = true, exclude_null = true}, {3, 'string', is_nullable = true}}})
      fill(100, function(i) return i % 2 == 0 and {i, {x = i}, 'a'} or {i, {y = i}} end)`,
    ask: `return {space.index.i:count(), space.index.i:select({8, 'a'})}`,
    engines: BOTH,
    needs: ['exclude_null', '2.8.1'],
  },
  {
    title: 'multikey, of nullable values',
    lua: `space:create_index('i', {unique = false,
        parts = {{'[2][*].tag', 'string', is_nullable = true}, {3, 'unsigned'}}})
      fill(100, function(i) return {i, {{tag = 'a' .. i % 3}, {other = 1}}, i % 2} end)`,
    ask: `return {space.index.i:count({'a1'}), space.index.i:count({box.NULL, 1})}`,
    engines: BOTH,
  },
  {
    title: 'functional, of nullable values with a collation',
    lua: `box.schema.func.create('perhaps', {is_deterministic = true, is_sandboxed = true,
        body = 'function(tuple) return {tuple[2], tuple[1]} end'})
      space:create_index('i', {func = 'perhaps', unique = false,
        parts = {{1, 'string', is_nullable = true, collation = 'unicode_ci'}, {2, 'unsigned'}}})
      fill(100, function(i) return {i, i % 2 == 0 and 'É' .. i or box.NULL} end)`,
    ask: `return {space.index.i:select({'é8'}), space.index.i:count({box.NULL})}`,
  },
  {
    title: 'functional, two of one function',
    lua: `box.schema.func.create('both', {is_deterministic = true, is_sandboxed = true,
        body = 'function(tuple) return {tuple[2]} end'})
      space:create_index('i', {func = 'both', parts = {{1, 'string'}}})
      space:create_index('j', {func = 'both', parts = {{1, 'string', collation = 'unicode_ci'}}})
      fill(100, function(i) return {i, 'K' .. i} end)`,
    ask: `return {space.index.i:count({'K7'}), space.index.i:count({'k7'}), space.index.j:get({'k7'})}`,
  },
  {
    title: 'hash behind paths',
    lua: `space:create_index('i', {type = 'hash', parts = {{'[2].a', 'string'}, {'[2].b[1]', 'integer'}}})
      fill(100, function(i) return {i, {a = 'k' .. i, b = {-i}}} end)`,
    ask: `return space.index.i:get({'k3', -3})`,
  },
  {
    title: 'rtree of twenty dimensions, and behind a path',
    lua: `space:create_index('i', {type = 'rtree', parts = {{2, 'array'}}, unique = false, dimension = 20})
      space:create_index('j', {type = 'rtree', parts = {{'[3].at', 'array'}}, unique = false, distance = 'euclid'})
      local function point(i, count) local all = {} for k = 1, count do all[k] = i end return all end
      fill(100, function(i) return {i, point(i, 20), {at = {i, i + 0.5}}} end)`,
    ask: `return {space.index.i.dimension, space.index.j:select({5.2, 5}, {iterator = 'neighbor', limit = 3})}`,
  },
  {
    title: 'bitset of strings',
    lua: `space:create_index('i', {type = 'bitset', parts = {{2, 'string'}}, unique = false})
      fill(100, function(i) return {i, string.char(i)} end)`,
    ask: `return space.index.i:select({string.char(9)}, {iterator = 'bits_any_set', limit = 5})`,
  },
  {
    title: 'with a gap before its number',
    lua: `space:create_index('i', {id = 55, parts = {{2, 'unsigned'}}})
      space:create_index('dropped', {parts = {{3, 'unsigned', is_nullable = true}}})
      space:create_index('j', {parts = {{4, 'unsigned', is_nullable = true}}, unique = false})
      space.index.dropped:drop()
      fill(100, function(i) return {i, i, i, i} end)`,
    ask: `return {space.index[55]:get({7}), space.index[57].name, space.index.j:select({7})}`,
    engines: BOTH,
  },
  {
    title: 'renamed and altered',
    lua: `space:create_index('old', {parts = {{2, 'unsigned'}}})
      fill(100, function(i) return {i, i, -i} end)
      space.index.old:rename('i')
      space.index.i:alter({parts = {{3, 'integer'}}, unique = false})`,
    ask: `return {space.index.old == nil, space.index.i:select({-7})}`,
    engines: BOTH,
  },
  {
    title: 'of each type of key',
    lua: `local types = {'number', 'scalar', 'boolean', 'decimal', 'uuid', 'varbinary', 'double', 'integer'}
      for i, type in ipairs(types) do
          space:create_index(type, {parts = {{i + 1, type, is_nullable = true}}, unique = false})
      end
      local uuid = require('uuid').fromstr('00112233-4455-6677-8899-aabbccddeeff')
      fill(10, function(i) return {i, i / 2, 'x', i % 2 == 0, require('decimal').new('1.5'), uuid, box.NULL,
        require('ffi').new('double', i), -i} end)`,
    ask: `local found = {}
      for i, key in ipairs({2.5, 'x', true, require('decimal').new('1.5'),
          require('uuid').fromstr('00112233-4455-6677-8899-aabbccddeeff'), box.NULL,
          require('ffi').new('double', 3), -4}) do
          found[i] = space.index[i]:count({key})
      end
      return found`,
    engines: BOTH,
  },
  {
    title: 'of decimals of a fixed size',
    lua: `space:create_index('i', {parts = {{2, 'decimal64', scale = 2}}})
      fill(100, function(i) return {i, require('decimal').new(i) / 4} end)`,
    ask: `return {space.index.i:count(), space.index.i:get({require('decimal').new('0.5')})[1]}`,
    engines: BOTH,
    needs: ['numbers of a fixed size', '3.5'],
  },
  {
    title: 'in descending order',
    lua: `space:create_index('i', {parts = {{2, 'unsigned', sort_order = 'desc'}}})
      fill(100, function(i) return {i, i} end)`,
    ask: `return space.index.i:select({}, {limit = 3})`,
    engines: MEMTX,
    needs: ['sort_order', '3.2'],
  },
];

/** Fills a space in one transaction. */
const FILL = `
local function fill(count, tuple)
    box.begin()
    for i = 1, count do
        space:insert(tuple(i))
    end
    box.commit()
end
`;

const features = CASES.flatMap(({ title, lua, ask, engines = MEMTX, needs }) =>
  engines.map((engine): Feature => {
    const name = `${title} (${engine})`;
    const make = `
      local space = box.schema.space.create('${name}', {engine = '${engine}'})
      space:create_index('primary')
      ${FILL}
      ${lua}
    `;
    const answer = `local space = box.space['${name}'] ${ask}`;
    return { title: name, make, ask: answer, ...(needs === undefined ? {} : { needs }) };
  }),
);

describe('restore brings indexes back', () => testCopies(features));
