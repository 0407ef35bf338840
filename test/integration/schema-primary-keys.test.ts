import { type Feature, testCopies } from './fidelity/copies.js';

const MEMTX = ['memtx'];
const BOTH = ['memtx', 'vinyl'];

/** Lua for the first index of a space, and what it finds. */
const PRIMARY: readonly [title: string, options: string, tuple: string, key: string][] = [
  ['hash', `{type = 'hash', parts = {{1, 'string'}}}`, `{'k' .. i, i}`, `'k7'`],
  ['of several parts', `{parts = {{3, 'string'}, {1, 'unsigned'}}}`, `{i, 0, 'k'}`, `'k', 7`],
  ['behind paths', `{parts = {{'[2].id', 'integer'}}}`, `{0, {id = -i}}`, '-7'],
  ['of a collation', `{parts = {{1, 'string', collation = 'unicode_ci'}}}`, `{'É' .. i}`, `'é7'`],
  ['with a name', `{parts = {{2, 'string'}}}`, `{0, 'k' .. i}`, `'k7'`],
];
const VINYL_OPTIONS = `{page_size = 4096, bloom_fpr = 0.5, range_size = 2 ^ 23, run_count_per_level = 5,
  run_size_ratio = 1.5}`;

const primary = PRIMARY.flatMap(([title, options, tuple, key]) =>
  (title === 'hash' ? MEMTX : BOTH).map((engine): Feature => {
    const name = `${title} (${engine})`;
    return {
      title: name,
      make: `local space = box.schema.space.create('${name}', {engine = '${engine}'})
        space:create_index('the first', ${options})
        for i = 1, 20 do space:insert(${tuple}) end`,
      ask: `local space = box.space['${name}']
        return {space:get({${key}}), space.index[0].name, space:count()}`,
    };
  }),
);

const FEATURES: readonly Feature[] = [
  ...primary,
  {
    title: 'with options of vinyl',
    make: `local space = box.schema.space.create('tuned', {engine = 'vinyl'})
      space:create_index('primary', ${VINYL_OPTIONS})
      space:insert({1})`,
    ask: `return {box.space.tuned:select(), box.space._index:get({box.space.tuned.id, 0}).opts.page_size,
      box.space.tuned.index[0].options}`,
  },
];

describe('restore brings primary keys back', () => testCopies(FEATURES));
