import { deepEqual, equal } from 'node:assert/strict';
import type { Catalog } from '../../../../lib/schema/catalog/catalog.js';
import { type Conversion, convert } from '../../../../lib/schema/convert/convert.js';
import { versionsOf } from '../../../../lib/schema/server/release.js';
import { type Plain, pack } from '../../../support/msgpack.js';
import { catalogOf, indexRow, type SystemRows, spaceRow } from '../catalogs.js';

const SPACE = 280;
const INDEX = 288;
const FUNC = 296;
const PRIV = 312;
const FK = 356;
const CK = 364;

function converted(rows: SystemRows, source: string, target: string): Conversion {
  return convert(catalogOf(rows), versionsOf(source), versionsOf(target));
}

const fieldsOf = (catalog: Catalog, spaceId: number): unknown[] =>
  catalog.rows(spaceId).map(({ fields }) => fields);
const spaceOf = ({ backup }: Conversion): { flags: unknown; format: unknown } => {
  const fields = backup.rows(SPACE)[0]?.fields ?? [];
  return { flags: fields[5], format: fields[6] };
};
const expression = (id: number, name: string, sql: string): Plain[] => [
  ...[id, 1, name, 1, 'SQL_EXPR', sql, 'function', [], 'any', 'none', 'none', true, true, true],
  ...[['LUA'], {}, '', '', ''],
];
const fkRow = (given: { deferred?: boolean; onDelete?: string; onUpdate?: string }): Plain[] => [
  ...['fk', 513, 512, given.deferred ?? false, 'simple'],
  ...[given.onDelete ?? 'no_action', given.onUpdate ?? 'no_action', [0, 2], [1, 0]],
];

describe('a backup for the same release', () => {
  it('is not changed, without notes', () => {
    const catalog = catalogOf({ [SPACE]: [spaceRow(512, 's', { flags: { type: 'normal' } })] });
    const { backup, notes } = convert(catalog, versionsOf('3.0.0'), versionsOf('3.0.0'));
    equal(backup, catalog);
    deepEqual(notes, []);
  });
});

describe('constraints of SQL, for 2.11 and newer', () => {
  const TABLES = [spaceRow(513, 'child'), spaceRow(512, 'parent')];
  const INDEXED = { [INDEX]: [indexRow(513, 1, 'up', { parts: [{ field: 2 }, [0, 'integer']] })] };

  const CHECKED_NOW = `foreign keys of space 'child': all of its rows will be checked, because Lua could bypass the keys before 2.11`;

  it('become constraints of the space', () => {
    const rows = {
      [SPACE]: TABLES,
      ...INDEXED,
      [FK]: [fkRow({})],
      [CK]: [[513, 'ck', false, 'SQL', 'a > 0', true]],
    };
    const { backup, notes } = converted(rows, '2.6', '2.11');
    deepEqual(notes, [CHECKED_NOW]);
    deepEqual(fieldsOf(backup, FK), []);
    deepEqual(fieldsOf(backup, CK), []);
    deepEqual(backup.rows(SPACE)[0]?.fields[5], {
      foreign_key: { fk: { space: 512, field: { 0: 1, 2: 0 } } },
      constraint: { ck: 66 },
    });
    deepEqual(fieldsOf(backup, FUNC), [expression(66, 'check_child_ck', 'a > 0')]);
  });

  it('get functions with free ids and names', () => {
    const rows = {
      [SPACE]: TABLES,
      [FUNC]: [[90, 1, 'check_child_ck', 0, 'LUA', '']],
      [CK]: [
        [513, 'ck', false, 'SQL', 'a', true],
        [512, 'ck', false, 'SQL', 'b', true],
      ],
    };
    const { backup } = converted(rows, '2.6', '2.11');
    deepEqual(
      backup.rows(FUNC).map(({ fields }) => [fields[0], fields[2]]),
      [
        [90, 'check_child_ck'],
        [91, 'check_child_ck_2'],
        [92, 'check_parent_ck'],
      ],
    );
  });

  it('get functions with names within the length limit', () => {
    const long = 'ж'.repeat(32_500);
    const checks = ['a', 'b'].map((name) => [512, `${long}${name}`, false, 'SQL', 'a', true]);
    const { backup } = converted({ [SPACE]: TABLES, [CK]: checks }, '2.6', '2.11');
    const cut = `check_parent_${'ж'.repeat(32_485)}`;
    deepEqual(
      backup.rows(FUNC).map(({ fields }) => fields[2]),
      [cut, `${cut}_2`],
    );
  });

  it('are added to those of the space, and replace values that are no constraints', () => {
    const flagged = (flags: Plain): unknown => {
      const rows = { [SPACE]: [spaceRow(513, 'child', { flags }), TABLES[1]!], [FK]: [fkRow({})] };
      return spaceOf(converted(rows, '2.10', '2.11')).flags;
    };
    const fk = { space: 512, field: { 0: 1, 2: 0 } };
    deepEqual(flagged({ foreign_key: { own: 1, fk: 2 } }), { foreign_key: { own: 1, fk } });
    for (const none of [7, 'x', null, [1]]) {
      deepEqual(flagged({ foreign_key: none }), { foreign_key: { fk } });
    }
    deepEqual(flagged(7), 7);
  });

  it('are moved in linear time', () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `c${i}`);
    const rows = {
      [SPACE]: TABLES,
      [CK]: names.map((name) => [513, name, false, 'SQL', 'a', true]),
      [FK]: names.map((name) => [name, ...fkRow({}).slice(1)]),
    };
    const { flags } = spaceOf(converted(rows, '2.6', '3.0')) as { flags: Record<string, object> };
    equal(Object.keys(flags['foreign_key']!).length, names.length);
    equal(Object.keys(flags['constraint']!).length, names.length);
    // Quadratic time would be far longer.
  }).timeout(60_000);

  it('use the beginning of a very long name', () => {
    const long = 'ж'.repeat(1000);
    const { notes } = converted(
      { [SPACE]: [spaceRow(513, long)], [CK]: [[513, long, false, 'SQL', 'a', false]] },
      '2.6',
      '2.11',
    );
    const shown = `'${'ж'.repeat(200)}…'`;
    equal(notes[0]?.split(' is disabled')[0], `check ${shown} of space ${shown}`);
  });

  for (const [given, lost] of [
    [{ onDelete: 'cascade' }, 'ON DELETE CASCADE'],
    [{ onUpdate: 'set_null' }, 'ON UPDATE SET NULL'],
    [{ deferred: true }, 'DEFERRED'],
  ] as const) {
    it(`report that ${lost} is left out`, () => {
      const { notes } = converted(
        { [SPACE]: TABLES, ...INDEXED, [FK]: [fkRow(given)] },
        '2.6',
        '3.0',
      );
      deepEqual(notes, [
        CHECKED_NOW,
        `foreign key 'fk' of space 'child': ${lost} is left out, because servers from 2.11 on do not support it`,
      ]);
    });
  }

  it('report which of them will prevent deletes of rows', () => {
    const index = indexRow(513, 1, 'other', { parts: [{ field: 0 }, { field: 1 }] });
    const rows = { [SPACE]: TABLES, [INDEX]: [index], [FK]: [fkRow({})] };
    deepEqual(converted(rows, '2.6', '2.11').notes, [
      CHECKED_NOW,
      `foreign key 'fk' of space 'child': no index covers its columns; servers from 2.11 on refuse to delete from 'parent' until one does`,
    ]);
  });

  it('leave out a disabled check, and report it', () => {
    const rows = { [SPACE]: TABLES, [CK]: [[513, 'ck', false, 'SQL', 'a > 0', false]] };
    const { backup, notes } = converted(rows, '2.6', '2.11');
    deepEqual(notes, [
      `check 'ck' of space 'child' is disabled and left out, because servers from 2.11 on would enforce it`,
    ]);
    deepEqual(fieldsOf(backup, FUNC), []);
    deepEqual(backup.rows(SPACE)[0]?.fields[5], {});
  });
});

describe('checks in SQL, for servers before 2.11', () => {
  const CHECKED = spaceRow(512, 's', {
    flags: { constraint: { positive: 66, lua: 70 } },
    format: [{ name: 'a', constraint: { small: 67 } }, { name: 'b' }],
  });
  const FUNCTIONS = [
    expression(66, 'check_s_positive', '"a" > 0'),
    expression(67, 'check_s_small', '"a" < 9'),
    [70, 1, 'lua', 0, 'LUA', 'function() return true end'],
  ];

  it('become rows of their own, and their functions are removed', () => {
    const result = converted({ [SPACE]: [CHECKED], [FUNC]: FUNCTIONS }, '2.11', '2.6');
    deepEqual(spaceOf(result), {
      flags: { constraint: { lua: 70 } },
      format: [{ name: 'a' }, { name: 'b' }],
    });
    deepEqual(fieldsOf(result.backup, CK), [
      [512, 'positive', false, 'SQL', '"a" > 0', true],
      [512, 'small', false, 'SQL', '"a" < 9', true],
    ]);
    deepEqual(fieldsOf(result.backup, FUNC), FUNCTIONS.slice(2));
  });

  it('are kept if a name would occur twice, or if the function was granted to somebody', () => {
    const twice = spaceRow(512, 's', {
      flags: { constraint: { c: 66 } },
      format: [{ name: 'a', constraint: { c: 67 } }],
    });
    const rows = { [SPACE]: [twice], [FUNC]: FUNCTIONS };
    const { backup } = converted(rows, '2.11', '2.6');
    deepEqual(
      backup.rows(FUNC).map(({ fields }) => fields[0]),
      [67, 70],
    );
    const granted = converted({ ...rows, [PRIV]: [[1, 32, 'function', 66, 4]] }, '2.11', '2.6');
    deepEqual(spaceOf(granted).flags, { constraint: { c: 66 } });
  });

  it('are kept between servers that both support them', () => {
    const result = converted({ [SPACE]: [CHECKED], [FUNC]: FUNCTIONS }, '3.9', '2.11');
    deepEqual(fieldsOf(result.backup, CK), []);
    deepEqual(fieldsOf(result.backup, FUNC), FUNCTIONS);
  });
});

describe('defaults of 2.x, for 3.x', () => {
  const FIELDS = [
    { name: 'a', type: 'string', default: "'Brno'", is_nullable: true },
    { name: 'b', type: 'string', default: "upper('x')" },
    { name: 'c', type: 'any', default: 'NULL' },
    { name: 'd', type: 'any', default: 'filled' },
    { name: 'e' },
  ];
  const ROW = spaceRow(512, 's', { format: FIELDS });
  const result = converted({ [SPACE]: [ROW] }, '2.11', '3.0');

  it('become values or functions', () => {
    deepEqual(spaceOf(result).format, [
      { name: 'a', type: 'string', is_nullable: true, default: 'Brno' },
      { name: 'b', type: 'string', default_func: 66 },
      { name: 'c', type: 'any' },
      { name: 'd', type: 'any' },
      { name: 'e' },
    ]);
    deepEqual(fieldsOf(result.backup, FUNC), [expression(66, 'default_s_b', `("UPPER"('x'))`)]);
  });

  it('are listed if they are left out or get more effects', () => {
    deepEqual(result.notes, [
      `field 'd' of space 's': its default (filled) is left out, because servers from 3.0 on accept constants only`,
      `defaults of fields of 's': from 3.0 on they also replace NULL, they also apply to rows that Lua writes, and SQL triggers do not see them yet`,
    ]);
  });

  it('are kept between servers that treat them alike', () => {
    for (const [source, target] of [
      ['2.6', '2.11'],
      ['3.0', '3.9'],
      ['3.9', '3.0'],
    ] as const) {
      const { backup } = converted({ [SPACE]: [ROW] }, source, target);
      equal(backup.rows(SPACE)[0]?.raw.toString('hex'), pack(ROW).toString('hex'));
    }
  });
});

describe('for an older server', () => {
  it('makes a data-temporary space a temporary one', () => {
    const rows = {
      [SPACE]: [spaceRow(512, 's', { flags: { type: 'data-temporary', group_id: 0 } })],
    };
    deepEqual(spaceOf(converted(rows, '3.0', '2.11')).flags, { group_id: 0, temporary: true });
    deepEqual(spaceOf(converted(rows, '3.9', '3.0')).flags, {
      type: 'data-temporary',
      group_id: 0,
    });
  });

  it('leaves out hints for speed', () => {
    const rows = {
      [SPACE]: [spaceRow(512, 's', { flags: { defer_deletes: true, group_id: 0 } })],
      [INDEX]: [
        indexRow(512, 0, 'pk', { options: { unique: true, hint: false } }),
        indexRow(512, 1, 'i', {
          options: {},
          parts: [
            { field: 0, exclude_null: false },
            { field: 1, exclude_null: true },
            [2, 'string'],
          ],
        }),
      ],
      [FUNC]: [
        [
          'f',
          1,
          'f',
          0,
          'LUA',
          '',
          '',
          [],
          '',
          '',
          '',
          true,
          true,
          true,
          [],
          { takes_raw_args: false },
        ],
      ],
    };
    const { backup, notes, hints } = converted(rows, '2.11.5', '2.6.0');
    deepEqual(notes, []);
    deepEqual(hints, [
      "space 's': 'defer_deletes' is left out, because it needs 2.10",
      "index 'pk' of space 's': 'hint' is left out, because it needs 2.6.1",
    ]);
    deepEqual(backup.rows(SPACE)[0]?.fields[5], { group_id: 0 });
    deepEqual(backup.rows(INDEX)[0]?.fields[4], { unique: true });
    deepEqual(backup.rows(INDEX)[1]?.fields[5], [
      { field: 0 },
      { field: 1, exclude_null: true },
      [2, 'string'],
    ]);
    deepEqual(backup.rows(FUNC)[0]?.fields[15], {});
    deepEqual(
      fieldsOf(converted(rows, '3.9', '2.11').backup, INDEX),
      fieldsOf(catalogOf(rows), INDEX),
    );
    for (const [source, target] of [
      ['2.6.3', '2.6.1'],
      ['2.8.4', '2.8.1'],
    ] as const) {
      equal(converted(rows, source, target).backup.rows(INDEX)[0]?.raw.includes('hint'), true);
    }
    const { fields } = converted(rows, '2.8.1', '2.8.0').backup.rows(INDEX)[1]!;
    deepEqual((fields[5] as unknown[])[0], { field: 0 });
  });
});

describe('SQL of views, triggers and functions', () => {
  it('is in the dialect of the target', () => {
    const rows = {
      [SPACE]: [
        spaceRow(512, 'V', { flags: { view: true, sql: 'CREATE VIEW v AS SELECT a FROM t' } }),
      ],
      [FUNC]: [expression(66, 'sql', 'a > 0'), [67, 1, 'lua', 0, 'LUA', 'a > 0']],
      328: [['TR', 512, { sql: 'CREATE TRIGGER tr' }]],
    };
    const { backup } = converted(rows, '2.11', '3.0');
    deepEqual(backup.rows(SPACE)[0]?.fields[5], {
      view: true,
      sql: 'CREATE VIEW "V" AS SELECT "A" FROM SEQSCAN "T"',
    });
    deepEqual(
      backup.rows(FUNC).map(({ fields }) => fields[5]),
      ['"A" > 0', 'a > 0'],
    );
    deepEqual(backup.rows(328)[0]?.fields[2], { sql: 'CREATE TRIGGER "TR"' });
  });
});
