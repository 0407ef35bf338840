import { deepEqual, equal } from 'node:assert/strict';
import { Connection } from '../../lib/iproto/connection.js';
import type { Catalog } from '../../lib/schema/catalog/catalog.js';
import { isShipped, isShippedFunction } from '../../lib/schema/server/builtin.js';
import { ShippedGrants } from '../../lib/schema/server/builtin-grants.js';
import { SYSTEM_SPACE_NAMES, SYSTEM_SPACES } from '../../lib/schema/server/system-spaces.js';
import { readCatalog } from '../../lib/server/catalog.js';
import type { Value } from '../../lib/tuple/codec.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';

const ALL = 0xffffffff;

const func = (id: number, name: string, language = 'LUA', owner = 1): Value[] => [
  id,
  owner,
  name,
  1,
  language,
];

const GRANTS = new ShippedGrants(
  [3, 8, 0],
  [{ fields: func(1, 'box.schema.user.info') }, { fields: func(65, 'LUA') }],
);

/** Rows as empty servers of 2.6 to 3.x have them, and rows that only a user can make. */
const ROWS: Record<string, { id: number; shipped: Value[][]; users: Value[][] }> = {
  _schema: {
    id: 272,
    shipped: [
      ['version', 2, 3, 1],
      ['cluster', '35a01909-a1e0-4af8-a60b-34e0cb6781bd'],
      ['replicaset_uuid', '35a01909-a1e0-4af8-a60b-34e0cb6781bd'],
      ['max_id', 511],
      ['bootstrap_leader_uuid', '35a01909-a1e0-4af8-a60b-34e0cb6781bd'],
      ['replicaset_name', 'storage-1'],
    ],
    users: [['onceinit'], ['once', 1], ['migrations', [1, 2]], ['versions', 1], ['']],
  },
  _collation: {
    id: 276,
    shipped: [
      [0, 'none', 1, 'BINARY', '', {}],
      [1, 'unicode', 1, 'ICU', '', {}],
      [276, 'unicode_zu_s3', 1, 'ICU', 'zu', {}],
    ],
    users: [[277, 'mine', 1, 'ICU', 'de', {}]],
  },
  _space: {
    id: 280,
    shipped: [
      [257, 1, '_vinyl_deferred_delete'],
      [280, 1, '_space'],
      [511, 1, '_last'],
    ],
    users: [
      [512, 1, 'a'],
      [2 ** 31 - 1, 1, 'b'],
    ],
  },
  _index: {
    id: 288,
    shipped: [
      [280, 0, 'primary'],
      [511, 2, 'x'],
    ],
    users: [
      [512, 0, 'pk'],
      [512, 1, 'sk'],
    ],
  },
  _func: {
    id: 296,
    shipped: [
      func(1, 'box.schema.user.info'),
      func(65, 'LUA'),
      func(2, 'TRIM', 'SQL_BUILTIN'),
      func(9, 'anything', 'SQL_BUILTIN'),
    ],
    users: [
      func(66, 'mine'),
      func(67, 'mine', 'C'),
      func(68, 'lua'),
      func(69, 'LUA', 'LUA', 32),
      func(70, 'TRIM'),
    ],
  },
  _user: {
    id: 304,
    shipped: [
      [0, 1, 'guest', 'user', {}],
      [1, 1, 'admin', 'user', {}],
      [2, 1, 'public', 'role', {}],
      [3, 1, 'replication', 'role', {}],
      [31, 1, 'super', 'role', {}],
    ],
    users: [
      [32, 1, 'app', 'user', {}],
      [4, 1, 'early', 'role', {}],
      [30, 1, 'x', 'user', {}],
    ],
  },
  _priv: {
    id: 312,
    shipped: [
      [1, 0, 'role', 2, 4],
      [1, 0, 'universe', 0, 24],
      [1, 1, 'universe', 0, ALL],
      [1, 31, 'universe', 0, ALL],
      [1, 3, 'universe', 0, 1],
      [1, 3, 'space', 320, 2],
      [1, 3, 'space', 388, 2],
      [1, 2, 'function', 1, 4],
      [1, 2, 'function', 65, 1],
      ...[277, 281, 286, 289, 297, 305, 313, 341].map((id) => [1, 2, 'space', id, 1]),
      [1, 2, 'space', 330, 2],
      [1, 2, 'space', 380, 3],
    ],
    users: [
      [1, 0, 'universe', 0, 31],
      [1, 0, 'universe', 0, 8],
      [1, 0, 'space', 512, 3],
      [1, 0, 'role', 33, 4],
      [1, 0, 'role', 31, 4],
      [1, 0, 'function', 66, 4],
      [1, 2, 'space', 512, 1],
      [1, 2, 'space', 281, 3],
      [1, 2, 'space', 276, 2],
      [1, 2, 'space', 330, 3],
      // what a user may grant on a system space that is no view
      [1, 2, 'space', 280, 1],
      [1, 2, 'space', 304, 1],
      [1, 2, 'space', 320, 1],
      [1, 2, 'function', 66, 4],
      [1, 2, 'function', 1, 36],
      [1, 2, 'function', 65, 4],
      [1, 31, 'universe', 0, 1],
      [32, 2, 'space', 281, 1],
      [1, 2, 'universe', 0, 1],
      [1, 2, 'role', 33, 4],
      [1, 3, 'universe', 0, 3],
      [1, 3, 'space', 320, 3],
      [1, 3, 'space', 512, 2],
      [1, 32, 'universe', 0, 31],
      [1, 32, 'role', 31, 4],
      [1, 33, 'space', 281, 1],
      [1, 31, 'space', 512, 1],
    ],
  },
  _sequence: { id: 284, shipped: [], users: [[1, 1, 'ids', 1, 1, 100, 1, 0, false]] },
  _sequence_data: { id: 285, shipped: [], users: [[1, 42]] },
  _trigger: { id: 328, shipped: [], users: [['t', 512, {}]] },
  _space_sequence: { id: 340, shipped: [], users: [[512, 1, true, 0, '']] },
  _fk_constraint: { id: 356, shipped: [], users: [['fk', 512, 513]] },
  _ck_constraint: { id: 364, shipped: [], users: [[512, 'ck', false, 'SQL', 'a > 0', true]] },
  _func_index: { id: 372, shipped: [], users: [[512, 1, 66]] },
};

describe('isShipped', () => {
  for (const [name, { id, shipped, users }] of Object.entries(ROWS)) {
    for (const [rows, expected] of [
      [shipped, true],
      [users, false],
    ] as const) {
      for (const row of rows) {
        it(`recognizes ${JSON.stringify(row)} of ${name} as a row of ${expected ? 'the server' : 'a user'}`, () => {
          equal(isShipped(id, row, GRANTS, [3, 8, 0]), expected);
        });
      }
    }
  }

  it('is tested for every system space of an archive', () => {
    const tried = Object.entries(ROWS).map(([name, { id }]) => [id, name] as const);
    deepEqual(
      tried.toSorted(([a], [b]) => a - b),
      [...SYSTEM_SPACE_NAMES],
    );
    deepEqual(
      SYSTEM_SPACES,
      SYSTEM_SPACES.toSorted((a, b) => a - b),
    );
  });

  it('knows the functions whose grants are shipped', () => {
    const { shipped, users } = ROWS['_func']!;
    equal(shipped.every(isShippedFunction), true);
    equal(users.some(isShippedFunction), false);
  });
});

describe('the catalog of a real server', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.stop());

  async function read(): Promise<Catalog> {
    const { host, port } = server;
    const connection = await Connection.open({ host, port, user: USER, password: PASSWORD });
    try {
      return await readCatalog(connection);
    } finally {
      connection.close();
    }
  }

  /** User rows by the name of their system space, each by its first fields. */
  function userRows(catalog: Catalog, fields: number): Record<string, Value[][]> {
    const entries = [...SYSTEM_SPACE_NAMES].map(([id, name]): [string, Value[][]] => [
      name,
      sorted(catalog.userRows(id).map((row) => row.fields.slice(0, fields))),
    ]);
    return Object.fromEntries(entries.filter(([, rows]) => rows.length > 0));
  }

  /** In any order that is the same for the same rows. */
  function sorted(rows: Value[][]): Value[][] {
    return rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }

  it('has no row of a user if no user made one', async () => {
    const catalog = await read();
    deepEqual(userRows(catalog, 99), {});
    deepEqual(catalog.shippedGrants.revoked(catalog.rows(312)), []);
  });

  it('has exactly the rows that a user made', async () => {
    await server.eval(`
      box.schema.user.create('app', {password = 'x'})
      box.schema.role.create('readers')
      box.schema.sequence.create('ids')
      box.schema.func.create('mine', {body = 'function() end'})
      local space = box.schema.space.create('made')
      space:create_index('pk', {sequence = 'ids'})
      space:create_index('sk', {parts = {{2, 'string', is_nullable = true}}, unique = false})
      box.schema.user.grant('app', 'execute', 'role', 'readers')
      box.schema.role.grant('readers', 'read', 'space', 'made')
      box.schema.role.grant('public', 'read', 'space', '_cluster')
      box.schema.role.grant('public', 'execute', 'function', 'mine')
      box.schema.user.grant('guest', 'read,write', 'universe')
      box.once('init', function() end)`);
    const catalog = await read();
    const made = userRows(catalog, 4);
    const app = catalog.userRows(304).find(({ fields }) => fields[2] === 'app')?.fields[0];
    const readers = catalog.userRows(304).find(({ fields }) => fields[2] === 'readers')?.fields[0];
    const mine = catalog.userRows(296)[0]?.fields[0];
    const id = catalog.spaces[0]?.id;
    deepEqual(made, {
      _schema: [['onceinit']],
      _space: [[id, 1, 'made', 'memtx']],
      _sequence: [[1, 1, 'ids', 1]],
      _index: [
        [id, 0, 'pk', 'tree'],
        [id, 1, 'sk', 'tree'],
      ],
      _func: [[mine, 1, 'mine', 0]],
      _user: [
        [app, 1, 'app', 'user'],
        [readers, 1, 'readers', 'role'],
      ],
      _priv: sorted([
        [1, 0, 'universe', 0],
        [1, 2, 'function', mine!],
        [1, 2, 'space', 320],
        [1, app!, 'role', 2],
        [1, app!, 'role', readers!],
        [1, app!, 'universe', 0],
        [1, app!, 'user', app!],
        [1, readers!, 'space', id!],
      ]),
      _space_sequence: [[id, 1, false, 0]],
    });
  });
});
