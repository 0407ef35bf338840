import { type Feature, testCopies } from './fidelity/copies.js';

const FEATURES: readonly Feature[] = [
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
  ...['memtx', 'vinyl'].flatMap((engine): Feature[] => [
    {
      title: `a local space (${engine})`,
      make: `local space = box.schema.space.create('local_${engine}', {is_local = true, engine = '${engine}'})
        space:create_index('primary')
        space:insert({1, 'here only'})`,
      ask: `return {box.space.local_${engine}.is_local, box.space.local_${engine}:select()}`,
    },
    {
      title: `a synchronous space (${engine})`,
      make: `if box.ctl.promote then box.ctl.promote() end
        local space = box.schema.space.create('agreed_${engine}', {is_sync = true, engine = '${engine}'})
        space:create_index('primary')
        space:insert({1})`,
      ask: `if box.ctl.promote then box.ctl.promote() end
        return {box.space.agreed_${engine}.is_sync, box.space.agreed_${engine}:insert({2})}`,
    },
    {
      title: `spaces that belong to a user, a role and a guest (${engine})`,
      make: `if not box.schema.user.exists('owner') then
            box.schema.user.create('owner') box.schema.role.create('owners')
        end
        for _, owner in ipairs({'owner', 'owners', 'guest'}) do
            box.schema.space.create(owner .. '_${engine}', {user = owner, engine = '${engine}'}):create_index('primary')
        end`,
      ask: `local owners = {}
        for i, owner in ipairs({'owner', 'owners', 'guest'}) do
            local row = box.space._space.index.name:get({owner .. '_${engine}'})
            owners[i] = {box.space._user:get({row.owner}).name,
                box.session.su('owner', function() return (pcall(box.space[row.id].insert, box.space[row.id], {i})) end)}
        end
        return owners`,
    },
  ]),
  {
    title: 'names that no identifier can have',
    make: `for _, name in ipairs({'a b', 'x/y.z', 'größe "1"', "it's", '_own', ('long'):rep(1000)}) do
          box.schema.space.create(name, {format = {{'a field', 'unsigned'}}}):create_index('an index')
          box.space[name]:insert({1})
      end`,
    ask: `local answers = {}
      for i, name in ipairs({'a b', 'x/y.z', 'größe "1"', "it's", '_own', ('long'):rep(1000)}) do
          answers[i] = box.space[name].index['an index']:get({1})['a field']
      end
      return answers`,
  },
  {
    title: 'a space of vinyl that defers deletes',
    make: `box.schema.space.create('deferring', {engine = 'vinyl', defer_deletes = true}):create_index('primary')
      box.space.deferring:insert({1})`,
    ask: `return {box.space._space.index.name:get({'deferring'}).flags.defer_deletes, box.space.deferring:select()}`,
    needs: ['deferred deletes', '2.10'],
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
    title: 'a new space beside them',
    make: '',
    ask: `local space = box.schema.space.create('new')
      space:create_index('primary')
      return {space:insert({1}), box.space.new:len()}`,
  },
];

const OF_LARGE_IDS: readonly Feature[] = [70_000, 2 ** 29, 2 ** 30 + 5].map((id) => ({
  title: `the id ${id}`,
  make: `local space = box.schema.space.create('of_${id}', {id = ${id}})
    space:create_index('primary', {sequence = true})
    space:create_index('second', {parts = {{2, 'string'}}})
    space:insert({box.NULL, 'a'})
    box.schema.user.grant('guest', 'read', 'space', 'of_${id}')`,
  ask: `return {box.space.of_${id}.id, box.space[${id}]:insert({box.NULL, 'b'}), box.space[${id}].index.second:get({'a'}),
    box.session.su('guest', function() return box.space.of_${id}:count() end)}`,
}));

describe('restore brings spaces back', () => {
  testCopies(FEATURES);

  describe('with large ids', () => {
    testCopies([
      ...OF_LARGE_IDS,
      {
        title: 'and leaves ids for new ones',
        make: '',
        ask: `local space = box.schema.space.create('new') space:create_index('primary')
          return {space:insert({1}), box.space.new:len()}`,
      },
    ]);
  });
});
