import { type Feature, testCopies } from './fidelity/copies.js';
import { attempt } from './fidelity/lua.js';

const ENGINES = ['memtx', 'vinyl'] as const;

const FEATURES: readonly Feature[] = ENGINES.flatMap((engine): Feature[] => {
  const create = `
    local function create(name, options)
        options.engine = '${engine}'
        return box.schema.space.create(name .. '_${engine}', options)
    end
    local function check(name, body)
        if box.func[name] == nil then
            box.schema.func.create(name, {is_deterministic = true, is_sandboxed = true, body = body})
        end
    end
  `;
  const space = (name: string): string => `box.space.${name}_${engine}`;
  return [
    {
      title: `constraints with names, several of a field and of the space (${engine})`,
      make: `${create}
        check('is_positive', 'function(value) return value > 0 end')
        check('is_small', 'function(value) return value < 100 end')
        check('is_ordered', 'function(tuple) return tuple[1] <= tuple[2] end')
        check('is_not_both', 'function(tuple) return tuple[1] ~= tuple[2] end')
        create('limited', {constraint = {ordered = 'is_ordered', distinct = 'is_not_both'}, format = {
          {name = 'a', type = 'integer', constraint = {positive = 'is_positive', small = 'is_small'}},
          {name = 'b', type = 'integer', is_nullable = true, constraint = 'is_positive'}}})
        ${space('limited')}:create_index('primary')
        ${space('limited')}:insert({1, 2})`,
      ask: attempt(
        `return ${space('limited')}:insert({-1, 2})`,
        `return ${space('limited')}:insert({100, 200})`,
        `return ${space('limited')}:insert({5, 2})`,
        `return ${space('limited')}:insert({5, 5})`,
        `return ${space('limited')}:insert({5, 6})`,
        `return ${space('limited')}.constraint`,
        `return ${space('limited')}:format()[1].constraint`,
      ),
      needs: ['constraints', '2.10'],
    },
    {
      title: `a constraint in SQL (${engine})`,
      make: `${create}
        if box.func.in_sql == nil then
            box.schema.func.create('in_sql', {language = 'SQL_EXPR', is_deterministic = true, body = '"a" > "b"'})
        end
        create('spoken', {constraint = 'in_sql', format = {{'a', 'integer'}, {'b', 'integer'}}})
        ${space('spoken')}:create_index('primary')
        ${space('spoken')}:insert({2, 1})`,
      ask: attempt(
        `return ${space('spoken')}:insert({1, 2})`,
        `return ${space('spoken')}:insert({3, 2})`,
      ),
      needs: ['functions of language SQL_EXPR', '2.11'],
    },
    {
      title: `foreign keys to a later space, to the space itself, and in a circle (${engine})`,
      make: `${create}
        local function refer(from, to)
            from:format({{'id', 'unsigned'}, {'other', 'unsigned', is_nullable = true,
              foreign_key = {link = {space = to.name, field = 'id'}}}})
        end
        local spaces = {}
        for i, name in ipairs({'a', 'b', 'c', 'self'}) do
            spaces[i] = create('fk_' .. name, {format = {{'id', 'unsigned'}, {'other', 'unsigned', is_nullable = true}}})
            spaces[i]:create_index('primary')
            spaces[i]:insert({1, 1})
        end
        refer(spaces[1], spaces[2]) refer(spaces[2], spaces[3]) refer(spaces[3], spaces[1])
        spaces[4]:format({{'id', 'unsigned'}, {'other', 'unsigned', is_nullable = true, foreign_key = {field = 'id'}}})`,
      ask: attempt(
        `return ${space('fk_a')}:insert({2, 11})`,
        `return ${space('fk_b')}:insert({2, 11})`,
        `return ${space('fk_c')}:insert({2, 1})`,
        `return ${space('fk_self')}:insert({3, 4})`,
        `return ${space('fk_self')}:insert({5, 5})`,
        `return ${space('fk_self')}:insert({6, 1})`,
        `return ${space('fk_a')}:format()[2].foreign_key.link.field`,
      ),
      needs: ['foreign keys in formats', '2.10'],
    },
    {
      title: `foreign keys over several fields, in a circle too (${engine})`,
      make: `${create}
        local format = {{'x', 'unsigned'}, {'y', 'string'}, {'z', 'unsigned', is_nullable = true}}
        local parent = create('both_parent', {format = format})
        parent:create_index('primary', {parts = {{2, 'string'}, {1, 'unsigned'}}})
        local child = create('both_child', {format = format,
          foreign_key = {both = {space = parent.name, field = {x = 'x', y = 'y'}}}})
        child:create_index('primary', {parts = {{1, 'unsigned'}, {2, 'string'}}})
        local own = create('both_own', {format = format})
        own:create_index('primary', {parts = {{1, 'unsigned'}}})
        own:create_index('second', {parts = {{3, 'unsigned'}, {2, 'string'}}})
        parent:insert({1, 'a'}) child:insert({1, 'a'}) own:insert({1, 'a', 1})
        own:alter({foreign_key = {own = {field = {x = 'z', y = 'y'}}}})
        parent:alter({foreign_key = {back = {space = child.name, field = {x = 'x', y = 'y'}}}})`,
      ask: attempt(
        `return ${space('both_child')}:insert({2, 'b'})`,
        `return ${space('both_parent')}:insert({2, 'b'})`,
        `return ${space('both_own')}:insert({2, 'a', 1})`,
        `return ${space('both_own')}:insert({3, 'b', 1})`,
        `return ${space('both_own')}:insert({3, 'a', 3})`,
      ),
      needs: ['foreign keys in formats', '2.10'],
    },
  ];
});

/** Only memtx knows who refers to a row. */
const MEMTX: readonly Feature[] = [
  {
    title: 'a row that others refer to, which stays',
    make: `local parent = box.schema.space.create('parent', {format = {{'x', 'unsigned'}, {'y', 'string'}}})
      parent:create_index('primary', {parts = {{2, 'string'}, {1, 'unsigned'}}})
      local child = box.schema.space.create('child', {format = {{'x', 'unsigned'}, {'y', 'string'}},
        foreign_key = {both = {space = 'parent', field = {x = 'x', y = 'y'}}}})
      child:create_index('primary', {parts = {{1, 'unsigned'}, {2, 'string'}}})
      parent:insert({1, 'a'}) parent:insert({2, 'b'}) child:insert({1, 'a'})`,
    ask: attempt(
      `return box.space.parent:delete({'a', 1})`,
      `return box.space.parent:delete({'b', 2})`,
      `return box.space.parent:drop()`,
    ),
    needs: ['foreign keys in formats', '2.10'],
  },
];

describe('restore brings constraints back', () => {
  testCopies(FEATURES);

  describe('on spaces with rows', () => testCopies(MEMTX));
});
