import { deepEqual, equal } from 'node:assert/strict';
import {
  definitionsOf,
  type SpaceDefinition,
} from '../../../../lib/schema/describe/definitions.js';
import type { Plain } from '../../../support/msgpack.js';
import { catalogOf, indexRow, type SystemRows, spaceRow } from '../catalogs.js';

const func = (id: number, name: string, language = 'LUA', body = ''): Plain[] => [
  ...[id, 1, name, 0, language, body],
];

/** Returns space 512 with these fields and flags, and a space 513 to refer to. */
function rows(format: Plain, flags: Plain = {}, more: SystemRows = {}): SystemRows {
  const other = [
    { name: 'a', type: 'unsigned' },
    { name: 'b', type: 'string' },
  ];
  return {
    280: [
      spaceRow(512, 'one', { format, flags }),
      spaceRow(513, 'two', { engine: 'vinyl', format: other }),
    ],
    296: [func(70, 'lua'), func(71, 'check_x', 'SQL_EXPR', '"x" > 0')],
    ...more,
  };
}

const first = (given: SystemRows): SpaceDefinition => definitionsOf(catalogOf(given)).spaces[0]!;

describe('definitionsOf', () => {
  it('lists spaces in ascending order of ids, with the reasons why they have no rows', () => {
    const { spaces, sequences } = definitionsOf(catalogOf(rows([])));
    deepEqual(
      spaces.map(({ id, name, engine, rowless }) => [id, name, engine, rowless]),
      [
        [512, 'one', 'memtx', 'no primary index: it cannot hold rows'],
        [513, 'two', 'vinyl', 'no primary index: it cannot hold rows'],
      ],
    );
    deepEqual(sequences, []);
  });

  it('lists fields with everything that formats say about them', () => {
    const { fields } = first(
      rows(
        [
          { name: 'x', type: 'UNSIGNED' },
          { name: 'y', is_nullable: true, collation: 2 },
          { type: 'string', collation: 300, default: 'z' },
          { name: 'w', default_func: 70 },
          { name: 'v', collation: 17, default: [1, null] },
        ],
        {},
        { 276: [[300, 'loud', 1, 'ICU', '', {}]] },
      ),
    );
    deepEqual(fields, [
      { name: 'x', type: 'unsigned', isNullable: false },
      { name: 'y', type: 'any', isNullable: true, collation: 'unicode_ci' },
      { name: '3', type: 'string', isNullable: false, collation: 'loud', default: '"z"' },
      { name: 'w', type: 'any', isNullable: false, default: 'function lua' },
      { name: 'v', type: 'any', isNullable: false, collation: 'number 17', default: '[1,null]' },
    ]);
  });

  it('lists indexes in ascending order of ids, and their parts by the names of fields', () => {
    const parts = [
      { field: 0, type: 'unsigned', sort_order: 'desc' },
      { field: 5, type: 'string', path: 'a[*]', is_nullable: true, collation: 1 },
    ];
    const { indexes } = first(
      rows(
        [{ name: 'x' }],
        {},
        {
          288: [
            indexRow(512, 2, 'by', { type: 'TREE', options: { unique: false, func: 70 }, parts }),
            indexRow(512, 0, 'pk', { options: { unique: false }, parts: [[0, 'num']] }),
          ],
        },
      ),
    );
    deepEqual(indexes, [
      {
        id: 0,
        name: 'pk',
        type: 'tree',
        isUnique: true,
        parts: [{ field: 'x', type: 'num', isNullable: false }],
      },
      {
        id: 2,
        name: 'by',
        type: 'tree',
        isUnique: false,
        parts: [
          { field: 'x', type: 'unsigned', isNullable: false, order: 'desc' },
          { field: '6', path: 'a[*]', type: 'string', isNullable: true, collation: 'unicode' },
        ],
        function: 'lua',
      },
    ]);
  });

  it('lists checks, wherever a server stores them', () => {
    const { checks } = first(
      rows(
        [
          { name: 'x', constraint: 71 },
          { name: 'y', constraint: { two: 99 } },
        ],
        { constraint: { one: 70 } },
        { 364: [[512, 'old', false, 'SQL', 'x < 7', true]] },
      ),
    );
    deepEqual(checks, [
      { name: 'one', code: 'function lua' },
      { name: 'x', code: '"x" > 0' },
      { name: 'two', code: 'function number 99' },
      { name: 'old', code: 'x < 7' },
    ]);
  });

  it('lists foreign keys, wherever a server stores them', () => {
    const { foreignKeys } = first(
      rows(
        [{ name: 'x', foreign_key: { up: { space: 513, field: 'a' } } }, { name: 'y' }],
        { foreign_key: { own: { field: { 1: 0 } }, gone: { space: 600, field: { y: 'q' } } } },
        { 356: [['old', 512, 513, false, 'full', 'cascade', 'no_action', [0, 1], [1, 0]]] },
      ),
    );
    deepEqual(foreignKeys, [
      { name: 'own', space: 'one', fields: [['y', 'x']] },
      { name: 'gone', space: 'number 600', fields: [['y', 'q']] },
      { name: 'up', space: 'two', fields: [['x', 'a']] },
      {
        name: 'old',
        space: 'two',
        fields: [
          ['x', 'b'],
          ['y', 'a'],
        ],
      },
    ]);
  });

  it('lists sequences with numbers of 64 bits, and the one that fills a space', () => {
    const given = rows(
      [],
      {},
      {
        284: [[9, 1, 'ids', 2, -(2n ** 63n), 2n ** 63n - 1n, 1, 0, true]],
        285: [[9, 2n ** 60n + 1n]],
        340: [[512, 9, true, 0, '']],
      },
    );
    const { spaces, sequences } = definitionsOf(catalogOf(given));
    deepEqual([spaces[0]?.sequence, spaces[1]?.sequence], ['ids', undefined]);
    deepEqual(sequences, [
      {
        id: 9,
        name: 'ids',
        step: '2',
        min: '-9223372036854775808',
        max: '9223372036854775807',
        start: '1',
        isCycle: true,
        value: '1152921504606846977',
      },
    ]);
  });

  it('returns the SQL of a view', () => {
    const { sql, rowless } = first(rows([], { view: true, sql: 'SELECT 1' }));
    equal(sql, 'SELECT 1');
    equal(rowless, 'a view: its definition is kept');
  });
});
