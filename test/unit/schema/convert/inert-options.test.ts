import { deepEqual, equal } from 'node:assert/strict';
import { type Conversion, convert } from '../../../../lib/schema/convert/convert.js';
import { versionsOf } from '../../../../lib/schema/server/release.js';
import { catalogOf, indexRow, type SystemRows, spaceRow } from '../catalogs.js';

const SPACE = 280;
const INDEX = 288;
const FUNC = 296;
const PRIV = 312;

function converted(rows: SystemRows, source: string, target: string): Conversion {
  return convert(catalogOf(rows), versionsOf(source), versionsOf(target));
}

describe('custom keys in a format', () => {
  const NOTES = {
    compression: 'zstd',
    constraint: 'ours',
    foreign_key: { up: { space: 512, field: 0 } },
    default_func: 7,
    scale: 2,
    layout: 'wide',
  };
  const ROWS = {
    [SPACE]: [spaceRow(512, 's', { format: [{ comment: 1, name: 'f', type: 'any', ...NOTES }] })],
  };
  const left = (key: string, since: string): string =>
    `field 'f' of space 's': the custom key '${key}' is left out, because servers from ${since} on treat it as an option`;

  const cases: [source: string, target: string, left: [string, string][]][] = [
    [
      '2.6',
      '2.11',
      [
        ['compression', '2.10'],
        ['constraint', '2.10'],
        ['foreign_key', '2.10'],
      ],
    ],
    ['2.11', '3.0', [['default_func', '3.0']]],
    [
      '3.0',
      '3.6',
      [
        ['scale', '3.5'],
        ['layout', '3.6'],
      ],
    ],
    ['2.6', '2.8', []],
    ['2.8', '2.6', []],
  ];
  for (const [source, target, gone] of cases) {
    const keys = gone.map(([key]) => key);
    it(`from ${source} to ${target} are kept without ${keys.join(', ') || 'any loss'}`, () => {
      const { backup, notes } = converted(ROWS, source, target);
      deepEqual(
        notes,
        gone.map(([key, since]) => left(key, since)),
      );
      const kept = Object.entries(NOTES).filter(([key]) => !keys.includes(key));
      deepEqual(backup.rows(SPACE)[0]?.fields[6], [
        { comment: 1, name: 'f', type: 'any', ...Object.fromEntries(kept) },
      ]);
    });
  }

  it('do not hide the options that a conversion creates', () => {
    const rows = {
      [SPACE]: [
        spaceRow(512, 's', {
          format: [{ name: 'f', type: 'integer', default: '1 + 1', default_func: 'ours' }],
        }),
      ],
    };
    const { backup, notes } = converted(rows, '2.6', '3.0');
    deepEqual(backup.rows(SPACE)[0]?.fields[6], [{ name: 'f', type: 'integer', default_func: 66 }]);
    equal(backup.rows(FUNC)[0]?.fields[5], '(CAST((1 + 1) AS INTEGER))');
    equal(notes[0], left('default_func', '3.0'));
  });
});

describe('an index order without effect', () => {
  const ROWS = {
    [SPACE]: [spaceRow(512, 's')],
    [INDEX]: [
      indexRow(512, 0, 'pk', { parts: [{ field: 0, type: 'unsigned', sort_order: 'DESC' }] }),
      indexRow(512, 1, 'up', { parts: [{ field: 0, type: 'unsigned', sort_order: 'asc' }] }),
    ],
  };
  const ordersOf = ({ backup }: Conversion): unknown[] =>
    backup
      .rows(INDEX)
      .map(({ fields }) => (fields[5] as { sort_order: string }[]).map((part) => part.sort_order));

  it('stays without effect from 3.0 on, and is reported', () => {
    const conversion = converted(ROWS, '2.6', '3.0');
    deepEqual(ordersOf(conversion), [['asc'], ['asc']]);
    deepEqual(conversion.notes, [
      `index 'pk' of space 's': it stays in ascending order, because servers before 3.0 ignore 'desc'`,
    ]);
  });

  it('is kept if the index has no order, and if the order has an effect', () => {
    for (const [source, target] of [
      ['2.6', '2.11'],
      ['3.0', '3.6'],
    ] as const) {
      const conversion = converted(ROWS, source, target);
      deepEqual(ordersOf(conversion), [['DESC'], ['asc']]);
      deepEqual(conversion.notes, []);
    }
  });
});

describe('grants on all collations', () => {
  const ROWS = {
    [PRIV]: [
      [1, 32, 'collation', '', 1],
      [1, 32, 'collation', 7, 1],
      [1, 32, 'space', '', 1],
    ],
  };
  const objectsOf = ({ backup }: Conversion): unknown[] =>
    backup.rows(PRIV).map(({ fields }) => [fields[2], fields[3]]);

  it('are left out and reported from 2.8.3 on, because they crash some servers', () => {
    for (const [source, target] of [
      ['2.6', '2.8.3'],
      ['2.6', '2.8.4'],
      ['2.6', '2.10'],
      ['2.6', '3.0'],
      ['3.0', '2.11'],
    ] as const) {
      const conversion = converted(ROWS, source, target);
      deepEqual(objectsOf(conversion), [
        ['collation', 7],
        ['space', ''],
      ]);
      deepEqual(conversion.notes, [
        'grants on all collations are left out, because they permit nothing, and some servers crash on them',
      ]);
    }
  });

  it('are kept for servers that accept them', () => {
    for (const [source, target] of [
      ['2.8.4', '2.6.0'],
      ['2.6.0', '2.8.2'],
      ['2.8.4', '2.9.0'],
    ] as const) {
      const { backup, notes } = converted(ROWS, source, target);
      equal(backup.rows(PRIV).length, 3);
      deepEqual(notes, []);
    }
  });
});
