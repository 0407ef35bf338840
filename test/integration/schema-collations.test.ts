import { type Feature, testCopies } from './fidelity/copies.js';

/** Words of which each option of a collation changes the order, or what is equal. */
const WORDS = `{'a', 'A', 'b', 'B', 'ä', 'cote', 'côte', 'coté', 'côté', 'a10', 'a9', 'a-b', 'ab', 'e\u{301}', 'é'}`;

/** Lua that makes a collation, and an index that sorts by it. */
const make = (name: string, locale: string, options: string): string => `
  box.internal.collation.create('${name}', 'ICU', '${locale}', ${options})
  local space = box.schema.space.create('by_${name}')
  space:create_index('primary')
  space:create_index('sorted', {unique = false, parts = {{2, 'string', collation = '${name}'}}})
  for i, word in ipairs(${WORDS}) do space:insert({i, word}) end
`;

/** Lua that tells how the words are sorted, and which of them equal 'a' and 'é'. */
const ask = (name: string): string => `
  local sorted = box.space.by_${name}.index.sorted
  local row = box.space._collation.index.name:get({'${name}'})
  return {sorted:select(), sorted:count({'a'}), sorted:count({'é'}), row.type, row.locale, row.opts}
`;

const OPTIONS: readonly [name: string, locale: string, options: string][] = [
  ['plain', '', '{}'],
  ['primary', 'de', `{strength = 'primary'}`],
  ['secondary', 'de_DE', `{strength = 'secondary'}`],
  ['tertiary', 'de__phonebook', `{strength = 'tertiary'}`],
  ['quaternary', 'ru_RU', `{strength = 'quaternary'}`],
  ['identical', 'en', `{strength = 'identical'}`],
  ['french', 'fr_CA', `{french_collation = 'on'}`],
  ['shifted', 'en', `{alternate_handling = 'shifted'}`],
  ['ignorable', 'en', `{alternate_handling = 'non_ignorable'}`],
  ['upper', 'en', `{case_first = 'upper_first'}`],
  ['lower', 'en', `{case_first = 'lower_first'}`],
  ['level', 'en', `{strength = 'primary', case_level = 'on'}`],
  ['normal', 'en', `{normalization_mode = 'on'}`],
  ['unnormal', 'en', `{normalization_mode = 'off'}`],
  ['numeric', 'en', `{numeric_collation = 'on'}`],
  [
    'full',
    'ru_RU',
    `{french_collation = 'on', alternate_handling = 'shifted', case_first = 'upper_first', case_level = 'on',
      normalization_mode = 'on', strength = 'quaternary', numeric_collation = 'on'}`,
  ],
];

const FEATURES: readonly Feature[] = [
  ...OPTIONS.map(([name, locale, options]) => ({
    title: name,
    make: make(name, locale, options),
    ask: ask(name),
  })),
  {
    title: 'binary',
    make: `box.internal.collation.create('bytes', 'BINARY', '', {})
      box.schema.space.create('by_bytes'):create_index('primary', {parts = {{1, 'string', collation = 'bytes'}}})
      for _, word in ipairs({'b', 'B', 'ä'}) do box.space.by_bytes:insert({word}) end`,
    ask: `return box.space.by_bytes:select()`,
  },
  {
    title: 'of a user',
    make: `box.schema.user.create('cleo') box.schema.user.grant('cleo', 'read,write,create,execute', 'universe')
      box.session.su('cleo', box.internal.collation.create, 'of_cleo', 'ICU', 'en', {})`,
    ask: `return box.space._user:get({box.space._collation.index.name:get({'of_cleo'}).owner}).name`,
  },
  {
    title: 'as the key of a space',
    make: `box.internal.collation.create('loud', 'ICU', 'de_DE', {strength = 'primary'})
      box.schema.space.create('sorted', {engine = 'vinyl'}):create_index('primary',
        {parts = {{1, 'string', collation = 'loud'}}})
      for _, name in ipairs({'Zoë', 'ärger', 'Bea'}) do box.space.sorted:insert({name}) end`,
    ask: `return {box.space.sorted:select(), box.space.sorted:get({'zoe'})}`,
  },
  {
    title: 'a new one beside them',
    make: '',
    ask: `box.internal.collation.create('new', 'ICU', 'en', {})
      return box.space._collation.index.name:get({'new'}).name`,
  },
];

describe('restore brings collations back', () => testCopies(FEATURES));
