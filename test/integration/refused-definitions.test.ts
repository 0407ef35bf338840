import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { Readable } from 'node:stream';
import { TntarError } from '../../lib/base/errors.js';
import { RequestType } from '../../lib/iproto/constants.js';
import { store } from '../../lib/iproto/requests.js';
import { parseUri } from '../../lib/iproto/uri.js';
import { restore } from '../../lib/pipelines/restore.js';
import { crafted, functionRow, type SystemRows } from '../support/crafted.js';
import { fingerprint } from '../support/fingerprint.js';
import { type Plain, pack } from '../support/msgpack.js';
import type { TestServer } from '../support/server.js';
import { connect, isAtLeast, startTarget } from './fidelity/roundtrip.js';

const FIELDS: Plain = [
  { name: 'id', type: 'unsigned' },
  { name: 'n', type: 'string', is_nullable: true },
  { name: 'list', type: 'array' },
];
const space = (given: { flags?: Plain; format?: Plain; engine?: string; count?: number } = {}) => [
  ...[512, 1, 's', given.engine ?? 'memtx', given.count ?? 0],
  ...[given.flags ?? {}, given.format ?? FIELDS],
];
const PK: Plain[] = [512, 0, 'pk', 'tree', { unique: true }, [{ field: 0, type: 'unsigned' }]];
const GOOD: SystemRows = { 280: [space()], 288: [PK] };
const index = (type: string, options: Plain, ...parts: Plain[]): SystemRows => ({
  ...GOOD,
  288: [PK, [512, 1, 'sk', type, options, parts]],
});
const primary = (type: string, options: Plain, ...parts: Plain[]): SystemRows => ({
  ...GOOD,
  288: [[512, 0, 'pk', type, options, parts]],
});
const PART = { field: 0, type: 'unsigned' };
const TEXT = { field: 1, type: 'string' };
const NULLABLE = { ...TEXT, is_nullable: true };
const formatted = (...format: Plain[]): SystemRows => ({ ...GOOD, 280: [space({ format })] });
const flagged = (flags: Plain): SystemRows => ({ ...GOOD, 280: [space({ flags })] });
const sequence = (...rest: Plain[]): SystemRows => ({ 284: [[1, 1, 'ids', ...rest, 0, false]] });
const ROLES: Plain[][] = [
  [40, 1, 'ra', 'role', {}],
  [41, 1, 'rb', 'role', {}],
  [42, 1, 'rc', 'role', {}],
];
const user = (type: string, auth: Plain): SystemRows => ({ 304: [[40, 1, 'ann', type, auth]] });
const granted = (...grants: Plain[][]): SystemRows => ({ ...GOOD, 304: ROLES, 312: grants });
/** A function with one field of its row changed. */
const func = (at: number, value: Plain): SystemRows => ({
  296: [functionRow(100, 'f').with(at, value)],
});
const view = (sql: Plain): SystemRows => ({
  280: [[512, 1, 'v', 'memtx', 0, { view: true, ...(sql === null ? {} : { sql }) }, []]],
});
const collation = (...rest: Plain[]): SystemRows => ({ 276: [[300, 'c', 1, ...rest]] });

/** Definitions that at least one server refuses. */
const CASES: Readonly<Record<string, SystemRows>> = {
  'what every server takes': GOOD,
  'two roles in each other': granted([1, 40, 'role', 41, 4], [1, 41, 'role', 40, 4]),
  'three roles in a circle': granted(
    [1, 40, 'role', 41, 4],
    [1, 41, 'role', 42, 4],
    [1, 42, 'role', 40, 4],
  ),
  'a role in itself': granted([1, 40, 'role', 40, 4]),
  'a right on a role for itself': granted([1, 40, 'role', 40, 128]),
  'a right on a role for a role in it': granted([1, 40, 'role', 41, 4], [1, 41, 'role', 40, 132]),
  'a role in super, which is in it': granted([1, 31, 'role', 40, 4], [1, 40, 'role', 31, 4]),
  'a user granted as a role': { 304: [[40, 1, 'u', 'user', {}]], 312: [[1, 0, 'role', 40, 4]] },
  'a role granted as a user': granted([1, 0, 'user', 40, 128]),
  'a grant of nothing': granted([1, 40, 'space', 512, 0]),
  'a grant of bits that no server has': granted([1, 40, 'space', 512, 65536]),
  'a grant on a constructor': granted([1, 40, 'constructor', 512, 1]),
  'a grant on every constructor': granted([1, 40, 'constructor', '', 1]),
  'a grant on __proto__': granted([1, 40, '__proto__', 512, 1]),
  'a grant on a space by name': granted([1, 40, 'space', 's', 1]),
  'a grant by somebody else': { ...granted([42, 40, 'space', 512, 1]) },
  'a grant of a role by somebody else': granted([42, 40, 'role', 41, 4]),
  'a grant on all spaces by somebody else': granted([42, 40, 'space', '', 1]),
  'a grant on universe by somebody else': granted([42, 40, 'universe', 0, 1]),
  'a user that is a group': user('group', {}),
  'a role with a password': user('role', { 'chap-sha1': 'vhvewKp0tNyweZQ+cFKAlsyphfg=' }),
  'a password in plain text': user('user', { 'chap-sha1': 'secret' }),
  'a password that is a number': user('user', { 'chap-sha1': 5 }),
  'a password by no method': user('user', { 'no-method': 'x' }),
  'a user without a name': { 304: [[40, 1, '', 'user', {}]] },
  'a space without a name': { ...GOOD, 280: [[512, 1, '', 'memtx', 0, {}, []]] },
  'a name with a line break': { ...GOOD, 280: [[512, 1, 'a\nb', 'memtx', 0, {}, []]] },
  'a name that is too long': { ...GOOD, 280: [[512, 1, 'n'.repeat(65001), 'memtx', 0, {}, []]] },
  'an engine that does not exist': { 280: [space({ engine: 'constructor' })] },
  'the engine of system views': { 280: [space({ engine: 'sysview' })] },
  'the engine of services': { 280: [space({ engine: 'service' })] },
  'fewer fields than its format has': { ...GOOD, 280: [space({ count: 2 })] },
  'a group that does not exist': flagged({ group_id: 7 }),
  'a space option that does not exist': flagged({ constructor: 1 }),
  'a space option of another type': flagged({ temporary: 'yes' }),
  'a constraint that is a list': flagged({ constraint: [1] }),
  'a constraint without a function': flagged({ constraint: { c: 999 } }),
  'a foreign key to nowhere': flagged({ foreign_key: { k: { space: 999, field: { 0: 0 } } } }),
  'a foreign key of no fields': flagged({ foreign_key: { k: { space: 512, field: {} } } }),
  'a field twice': formatted({ name: 'a', type: 'any' }, { name: 'a', type: 'any' }),
  'a field without a name': formatted({ type: 'any' }),
  'a field with an empty name': formatted({ name: '', type: 'any' }),
  'a field that is no map': formatted(5),
  'a field of a type that does not exist': formatted({ name: 'a', type: 'constructor' }),
  'a field with a collation that does not exist': formatted({
    ...{ name: 'a', type: 'string', collation: 999 },
  }),
  'a number with a collation': formatted({ name: 'a', type: 'unsigned', collation: 2 }),
  'a field that may be null by a text': formatted({ name: 'a', type: 'any', is_nullable: 'yes' }),
  'a field with an action that does not exist': formatted({
    ...{ name: 'a', type: 'any', nullable_action: 'cry' },
  }),
  'an index of no parts': index('tree', { unique: true }),
  'an index of 256 parts': index(
    'tree',
    { unique: true },
    ...Array.from({ length: 256 }, (_, field) => ({ field: field + 3, type: 'unsigned' })),
  ),
  'an index type that does not exist': index('constructor', { unique: true }, PART),
  'a part of a type that does not exist': index('tree', {}, { field: 1, type: 'constructor' }),
  'a part of another type than its field': index('tree', {}, { field: 1, type: 'unsigned' }),
  'a part of any': index('tree', {}, { field: 3, type: 'any' }),
  'a part of an array': index('tree', {}, { field: 2, type: 'array' }),
  'a part beyond all fields': index('tree', {}, { field: 32_768, type: 'unsigned' }),
  'a part far beyond all fields': index('tree', {}, { field: 100_000_000, type: 'unsigned' }),
  'a part twice': index('tree', {}, PART, PART),
  'a part that does not know that its field may be null': index('tree', {}, TEXT),
  'a part with a collation that does not exist': index('tree', {}, { ...NULLABLE, collation: 999 }),
  'a number part with a collation': index('tree', {}, { ...PART, collation: 2 }),
  'a part with a path that leads nowhere': index('tree', {}, { ...PART, path: '[[' }),
  'an option of a part that does not exist': index('tree', {}, { ...PART, constructor: 1 }),
  'an option of an index that does not exist': index('tree', { constructor: 1 }, PART),
  'an option of an index of another type': index('tree', { unique: 'yes' }, PART),
  'a hash that is not unique': index('hash', { unique: false }, PART),
  'a hash of what may be null': index('hash', { unique: true }, NULLABLE),
  'an rtree that is unique': index('rtree', { unique: true }, { field: 2, type: 'array' }),
  'an rtree of a number': index('rtree', { unique: false }, PART),
  'an rtree of 30 dimensions': index(
    'rtree',
    { unique: false, dimension: 30 },
    {
      ...{ field: 2, type: 'array' },
    },
  ),
  'a distance that does not exist': index(
    'rtree',
    { unique: false, distance: 'far' },
    {
      ...{ field: 2, type: 'array' },
    },
  ),
  'a bitset that is unique': index('bitset', { unique: true }, PART),
  'a bitset of two parts': index('bitset', { unique: false }, PART, NULLABLE),
  'a primary key that is not unique': primary('tree', { unique: false }, PART),
  'a primary key that may be null': primary('tree', { unique: true }, NULLABLE),
  'a primary rtree': primary('rtree', { unique: false }, { field: 2, type: 'array' }),
  'a primary bitset': primary('bitset', { unique: false }, PART),
  'a multikey primary key': primary(
    'tree',
    { unique: true },
    {
      ...{ field: 2, type: 'unsigned', path: '[*]' },
    },
  ),
  'an index with id 128': { ...GOOD, 288: [PK, [512, 128, 'sk', 'tree', {}, [PART]]] },
  'a secondary index alone': { ...GOOD, 288: [[512, 1, 'sk', 'tree', {}, [PART]]] },
  'an index of a view': { ...view('CREATE VIEW "v" AS SELECT 1 AS "a"'), 288: [PK] },
  'a hash in vinyl': {
    280: [space({ engine: 'vinyl' })],
    288: [[512, 0, 'pk', 'hash', { unique: true }, [PART]]],
  },
  'an index without a name': { ...GOOD, 288: [PK, [512, 1, '', 'tree', {}, [PART]]] },
  'a page of no bytes in vinyl': {
    280: [space({ engine: 'vinyl' })],
    288: [[512, 0, 'pk', 'tree', { unique: true, page_size: 0 }, [PART]]],
  },
  'a sequence without a step': sequence(0, 1, 10, 1),
  'a sequence that ends before it begins': sequence(1, 10, 1, 10),
  'a sequence that starts outside': sequence(1, 1, 10, 50),
  'a sequence beyond 64 bits': sequence(1, 1, 2n ** 63n, 1),
  'a sequence without a name': { 284: [[1, 1, '', 1, 1, 10, 1, 0, false]] },
  'a sequence in a field of texts': {
    ...{ ...GOOD, 284: [[1, 1, 'ids', 1, 1, 10, 1, 0, false]] },
    340: [[512, 1, false, 1, '']],
  },
  'a value outside of its sequence': {
    ...{ 284: [[1, 1, 'ids', 1, 1, 10, 1, 0, false]], 285: [[1, 50]] },
  },
  'a function in no language': func(4, 'constructor'),
  'a function in SQL': func(4, 'SQL'),
  'a function that is no function': func(6, 'procedure'),
  'a function of parameters that do not exist': func(7, ['constructor']),
  'a function that returns what does not exist': func(8, 'constructor'),
  'a function of an aggregate that does not exist': func(9, 'constructor'),
  'a function that is an aggregate': func(9, 'group'),
  'a function that reads SQL': func(10, 'reads'),
  'a function that is not called with null': func(13, false),
  'a function that is exported nowhere': func(14, ['constructor']),
  'a function option that does not exist': func(15, { constructor: true }),
  'a function without a name': func(2, ''),
  'a function with id 40000': { 296: [functionRow(40_000, 'f')] },
  'a view without SQL': view(null),
  'views of each other': {
    280: [
      [512, 1, 'v', 'memtx', 0, { view: true, sql: 'CREATE VIEW "v" AS SELECT * FROM "w"' }, []],
      [513, 1, 'w', 'memtx', 0, { view: true, sql: 'CREATE VIEW "w" AS SELECT * FROM "v"' }, []],
    ],
  },
  'a view of itself': view('CREATE VIEW "v" AS SELECT * FROM "v"'),
  'a trigger without SQL': { ...GOOD, 328: [['t', 512, {}]] },
  'a check in no language': { ...GOOD, 364: [[512, 'c', false, 'LUA', '"id" > 0', true]] },
  'a foreign key of columns that do not exist': {
    ...{ ...GOOD, 356: [['k', 512, 512, false, 'simple', 'no_action', 'no_action', [9], [9]]] },
  },
  'a foreign key with an action that does not exist': {
    ...{ ...GOOD, 356: [['k', 512, 512, false, 'simple', 'cry', 'no_action', [1], [0]]] },
  },
  'a collation of no kind': collation('BSD', 'de', {}),
  'a collation option that does not exist': collation('ICU', 'de', { constructor: 1 }),
  'a collation of a strength that does not exist': collation('ICU', 'de', { strength: 'iron' }),
};

/** Lua that removes all that a case has made. */
const EMPTY = `
  for _, space in ipairs({'_trigger', '_fk_constraint', '_ck_constraint', '_space_sequence'}) do
    for _, row in box.space[space]:pairs() do
      local key = {}
      for _, part in ipairs(box.space[space].index[0].parts) do table.insert(key, row[part.fieldno]) end
      box.space[space]:delete(key)
    end
  end
  for _, row in box.space._space:pairs(511, {iterator = 'GT'}) do box.space[row.id]:drop() end
  for _, row in box.space._sequence:pairs() do box.sequence[row.name]:drop() end
  for _, name in ipairs({'f'}) do if box.space._func.index.name:get(name) then box.schema.func.drop(name) end end
  for _, row in box.space._priv:pairs() do
    if row[2] >= 40 or (row[3] == 'role' and row[4] ~= '' and row[4] >= 40) then
      box.space._priv:delete({row[2], row[3], row[4]})
    end
  end
  for _, row in box.space._user:pairs(31, {iterator = 'GT'}) do
    if row.type == 'role' then box.schema.role.drop(row.name) else box.schema.user.drop(row.name) end
  end
  if box.space._collation:get(300) then box.space._collation:delete(300) end
`;

/** What is there before, and would be dropped. */
const STANDING = `
  box.schema.space.create('s'):create_index('pk')
  box.space.s:insert({7})
`;

/** The order in which a server takes what names something else. */
const ORDER = [276, 304, 296, 284, 280, 288, 285, 340, 356, 364, 372, 328, 312];

/** Fails if the server takes all of these rows. */
async function isRefused(server: TestServer, system: SystemRows): Promise<void> {
  await server.eval('box.space.s:drop()');
  const added: Record<number, Plain[]> = {
    296: isAtLeast(server, '3.1') ? [[]] : [],
    304: isAtLeast(server, '2.11') ? [[], 0] : [],
  };
  const connection = await connect(server);
  try {
    const all = system[280] === undefined ? { ...GOOD, ...system } : system;
    for (const id of ORDER) {
      for (const row of all[id] ?? []) {
        const raw = pack([...row, ...(added[id] ?? [])]);
        await connection.request(store(RequestType.REPLACE, id, raw), `store into ${id}`);
      }
    }
  } catch (error) {
    ok(error instanceof TntarError, String(error));
    return;
  } finally {
    connection.close();
  }
  throw new Error('the server takes all of it');
}

describe('definitions that a server refuses', () => {
  let target: TestServer;
  before(async () => {
    target = await startTarget();
  });
  beforeEach(async () => {
    try {
      await target.eval(EMPTY + STANDING);
    } catch {
      // Some servers end themselves when they get what they should refuse.
      await target.stop();
      target = await startTarget();
      await target.eval(STANDING);
    }
  });
  after(() => target.stop());

  for (const [title, system] of Object.entries(CASES)) {
    it(`are recognized before anything is dropped: ${title}`, async () => {
      const version = target.version.replace(/-.*/, '');
      const archive = crafted(system[280] === undefined ? { ...GOOD, ...system } : system, version);
      const before = await fingerprint(target, { system: true });
      let error: unknown;
      try {
        await restore(Readable.from([archive]), parseUri(target.uri), { existing: 'drop' });
      } catch (caught) {
        error = caught;
      }
      if (error === undefined) return;
      ok(error instanceof TntarError, String(error));
      equal(error.outcome, undefined, error.message);
      deepEqual(await fingerprint(target, { system: true }), before);
      if (error.message.includes('would refuse definitions')) await isRefused(target, system);
    });
  }

  it('are all named in one error', async () => {
    const system = {
      ...granted([1, 40, 'role', 41, 4], [1, 41, 'role', 40, 4]),
      ...sequence(0, 1, 10, 1),
    };
    const version = target.version.replace(/-.*/, '');
    await rejects(
      restore(Readable.from([crafted(system, version)]), parseUri(target.uri), {
        existing: 'drop',
      }),
      {
        kind: 'target',
        message:
          /sequence 'ids': its step is 0; grant of role 'ra' to role 'rb': roles would contain each other/,
      },
    );
  });

  it('are recognized by grants between roles that only the target has', async () => {
    await target.eval(`
      box.schema.role.create('ra') box.schema.role.create('rb')
      box.schema.role.grant('rb', 'ra')`);
    const roles = [
      [50, 1, 'ra', 'role', {}],
      [51, 1, 'rb', 'role', {}],
    ];
    const system = { ...GOOD, 304: roles, 312: [[1, 50, 'role', 51, 4]] };
    const version = target.version.replace(/-.*/, '');
    await rejects(
      restore(Readable.from([crafted(system, version)]), parseUri(target.uri), {
        existing: 'drop',
        without: { users: true },
      }),
      { message: /grant of role 'rb' to role 'ra': roles would contain each other/ },
    );
  });
});
