import { type Feature, testCopies } from './fidelity/copies.js';

/** The next three values of a sequence, or what it says instead. */
const next = (name: string): string => `
  local values = {}
  for i = 1, 3 do
      local ok, value = pcall(function() return box.sequence['${name}']:next() end)
      table.insert(values, ok and tostring(value) or told(value))
  end
  return values
`;

/** The keys that the next three rows get. */
const insert = (space: string, tuple = '{box.NULL}', key = '[1]'): string => `
  local keys = {}
  for i = 1, 3 do
      table.insert(keys, tostring(box.space['${space}']:insert(${tuple})${key}))
  end
  return keys
`;

const FEATURES: readonly Feature[] = [
  {
    title: 'a sequence that was never used',
    make: `box.schema.sequence.create('unused', {start = 7})`,
    ask: next('unused'),
  },
  {
    title: 'a sequence that only next() has moved',
    make: `box.schema.sequence.create('called') for i = 1, 5 do box.sequence.called:next() end`,
    ask: next('called'),
  },
  {
    title: 'a sequence that only inserts have moved',
    make: `box.schema.space.create('filled'):create_index('primary', {sequence = true})
      for i = 1, 5 do box.space.filled:insert({box.NULL}) end`,
    ask: insert('filled'),
  },
  {
    title: 'a sequence whose space has greater keys, given by hand',
    make: `box.schema.space.create('jumped'):create_index('primary', {sequence = true})
      box.space.jumped:insert({box.NULL}) box.space.jumped:insert({1000})`,
    ask: insert('jumped'),
  },
  {
    title: 'a sequence whose last rows were deleted',
    make: `box.schema.space.create('deleted'):create_index('primary', {sequence = true})
      for i = 1, 5 do box.space.deleted:insert({box.NULL}) end
      for i = 3, 5 do box.space.deleted:delete({i}) end`,
    ask: insert('deleted'),
  },
  {
    title: 'a sequence of two spaces',
    make: `box.schema.sequence.create('shared', {start = 100, step = 10})
      for _, name in ipairs({'first', 'second'}) do
          box.schema.space.create(name):create_index('primary', {sequence = 'shared'})
          box.space[name]:insert({box.NULL})
      end`,
    ask: `return {box.space.first:insert({box.NULL}), box.space.second:insert({box.NULL}),
      box.sequence.shared:next()}`,
  },
  {
    title: 'a sequence for another field than the first',
    make: `box.schema.sequence.create('elsewhere', {start = 5})
      box.schema.space.create('elsewhere'):create_index('primary',
          {parts = {{1, 'string'}, {3, 'unsigned'}}, sequence = {id = 'elsewhere', field = 3}})
      box.space.elsewhere:insert({'a', 'b', box.NULL})`,
    ask: insert('elsewhere', `{'a', 'b', box.NULL}`, '[3]'),
  },
  {
    title: 'a sequence for the value behind a JSON path',
    make: `box.schema.sequence.create('inside', {start = 5})
      box.schema.space.create('inside'):create_index('primary',
          {parts = {{'[2].id', 'unsigned'}}, sequence = {id = 'inside', field = '[2].id'}})
      box.space.inside:insert({'a', {id = box.NULL, name = 'n'}})`,
    ask: insert('inside', `{'a', {id = box.NULL, name = 'n'}}`, '[2].id'),
  },
  {
    title: 'a sequence that begins anew, at its end',
    make: `box.schema.sequence.create('circle', {min = 1, max = 3, cycle = true})
      for i = 1, 3 do box.sequence.circle:next() end`,
    ask: next('circle'),
  },
  {
    title: 'a sequence that does not, at its end',
    make: `box.schema.sequence.create('finite', {max = 4}) for i = 1, 3 do box.sequence.finite:next() end`,
    ask: next('finite'),
  },
  {
    title: 'a sequence that counts down, below zero',
    make: `box.schema.sequence.create('down', {start = 3, step = -2, min = -100, max = 3})
      for i = 1, 4 do box.sequence.down:next() end`,
    ask: next('down'),
  },
  {
    title: 'a sequence at the largest integers',
    make: `box.schema.sequence.create('large', {start = 9223372036854775800LL, max = 9223372036854775807LL})
      box.sequence.large:next()`,
    ask: next('large'),
  },
  {
    title: 'a sequence that was set',
    make: `box.schema.sequence.create('placed') box.sequence.placed:next() box.sequence.placed:set(77)`,
    ask: next('placed'),
  },
  {
    title: 'a sequence that was reset',
    make: `box.schema.sequence.create('again', {start = 50})
      box.sequence.again:next() box.sequence.again:reset()`,
    ask: next('again'),
  },
  {
    title: 'a sequence of vinyl',
    make: `box.schema.space.create('disk', {engine = 'vinyl'}):create_index('primary', {sequence = true})
      for i = 1, 5 do box.space.disk:insert({box.NULL}) end`,
    ask: insert('disk'),
  },
  {
    title: 'a sequence with all options',
    make: `box.schema.sequence.create('full', {start = 5, min = -3, max = 100, step = 3, cycle = true, cache = 7})
      box.sequence.full:next()`,
    ask: `local row = box.space._sequence.index.name:get({'full'})
      return {row.start, row.min, row.max, row.step, row.cycle, row.cache, box.sequence.full:next()}`,
  },
  {
    title: 'a sequence that was altered and renamed',
    make: `box.schema.sequence.create('before', {step = 2}) box.sequence.before:next()
      box.sequence.before:alter({step = 5, name = 'after', max = 1000})`,
    ask: `return {box.sequence.before == nil, box.sequence.after:next()}`,
  },
  {
    title: 'a sequence at the smallest integers, in a circle',
    make: `box.schema.sequence.create('small', {step = -1, start = -9223372036854775807LL,
        min = -9223372036854775807LL - 1, max = -1, cycle = true})
      box.sequence.small:next()`,
    ask: next('small'),
  },
  {
    title: 'a sequence of a user, for a space of another',
    make: `box.schema.user.create('counter')
      box.schema.user.grant('counter', 'read,write,create,alter', 'universe')
      box.session.su('counter', function()
          box.schema.sequence.create('of_counter', {start = 10})
          box.schema.space.create('of_counter')
          box.space.of_counter:create_index('primary', {sequence = 'of_counter'})
          box.space.of_counter:insert({box.NULL})
      end)`,
    ask: `local row = box.space._sequence.index.name:get({'of_counter'})
      return {box.space._user:get({row.owner}).name, box.space.of_counter:insert({box.NULL})}`,
  },
  {
    title: 'a generated sequence, which goes with its space',
    make: `box.schema.space.create('owned'):create_index('primary', {sequence = true})
      box.space.owned:insert({box.NULL})`,
    ask: `local before = box.sequence.owned_seq ~= nil
      box.space.owned:drop()
      return {before, box.sequence.owned_seq == nil}`,
  },
  {
    title: 'a space whose sequence was taken away',
    make: `box.schema.space.create('freed'):create_index('primary', {sequence = true})
      box.space.freed.index.primary:alter({sequence = false})
      box.space.freed:insert({1})`,
    ask: `return (pcall(box.space.freed.insert, box.space.freed, {box.NULL}))`,
  },
  {
    title: 'a new sequence beside them',
    make: '',
    ask: `return {box.schema.sequence.create('new').id, box.sequence.new:next()}`,
  },
];

describe('restore brings sequences back', () => testCopies(FEATURES));
