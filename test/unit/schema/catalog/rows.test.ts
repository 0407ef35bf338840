import { deepEqual, equal, ok } from 'node:assert/strict';
import type { SystemRow } from '../../../../lib/schema/catalog/catalog.js';
import { fitter, withoutChecks, withoutLsn } from '../../../../lib/schema/catalog/rows.js';
import { systemFormat } from '../../../../lib/schema/server/formats.js';
import { decode, type Value } from '../../../../lib/tuple/codec.js';
import { splitFields } from '../../../../lib/tuple/fields.js';
import { coded, ext, float64, type Plain, pack } from '../../../support/msgpack.js';
import { catalogOf, formatRow, indexRow, spaceRow } from '../catalogs.js';

function systemRow(row: readonly Plain[]): SystemRow {
  const raw = pack(row);
  return { raw, fields: decode(raw) as Value[] };
}

/** Checks that the bytes of a row decode to its fields. */
function consistent(row: SystemRow): SystemRow {
  deepEqual(decode(row.raw), row.fields);
  return row;
}

const FIELD = 6;
const FLAGS = 5;
const CHECK = { constraint: { positive: 70 } };
const FOREIGN = { foreign_key: { fk: { space: 513, field: 'id' } } };
/** Values that a decoder and an encoder may change. */
const TENDER: Plain[] = [5 * 2 ** 30, 2n ** 64n - 1n, float64(1), ext(1, Buffer.of(0, 0x12, 0x3c))];

describe('withoutChecks', () => {
  for (const [title, flags, format, flagsLeft, formatLeft] of [
    ['constraints of the space', { ...CHECK, engine: 1 }, [], { engine: 1 }, []],
    ['foreign keys of the space', { ...FOREIGN }, [], {}, []],
    ['the wait for a quorum', { is_sync: true, temporary: false }, [], { temporary: false }, []],
    [
      'constraints of fields',
      {},
      [
        { name: 'id', type: 'unsigned' },
        { name: 'price', ...CHECK, is_nullable: true },
      ],
      {},
      [
        { name: 'id', type: 'unsigned' },
        { name: 'price', is_nullable: true },
      ],
    ],
    [
      'defaults of fields',
      {},
      [{ name: 'a', default: 5, default_func: 71, type: 'any' }],
      {},
      [{ name: 'a', type: 'any' }],
    ],
    ['foreign keys of fields', {}, [{ name: 'a', ...FOREIGN }], {}, [{ name: 'a' }]],
    [
      'all of these at once',
      { ...CHECK, ...FOREIGN, is_sync: true, group_id: 0 },
      [{ ...CHECK, ...FOREIGN, name: 'a' }],
      { group_id: 0 },
      [{ name: 'a' }],
    ],
  ] as [string, Plain, Plain, Value, Value][]) {
    it(`removes ${title}, and nothing else`, () => {
      const row = systemRow(spaceRow(512, 's', { flags, format }));
      const stripped = consistent(withoutChecks(row));
      deepEqual(stripped.fields[FLAGS], flagsLeft);
      deepEqual(stripped.fields[FIELD], formatLeft);
      deepEqual(stripped.fields.slice(0, FLAGS), row.fields.slice(0, FLAGS));
      ok(row.raw.equals(pack(spaceRow(512, 's', { flags, format }))), 'the row itself was changed');
    });
  }

  it('returns the same row if nothing has to be removed', () => {
    for (const row of [
      spaceRow(512, 's'),
      spaceRow(512, 's', { flags: { group_id: 1 }, format: [{ name: 'constraint' }] }),
      [512, 1, 's', 'memtx', 0],
      spaceRow(512, 's', { flags: '' }),
    ]) {
      const given = systemRow(row);
      equal(withoutChecks(given), given);
    }
  });

  it('keeps the encoding of fields that it does not read', () => {
    const [id, ...rest] = spaceRow(512, 's', { flags: CHECK }) as [Plain, ...Plain[]];
    const row = systemRow([coded(0xcf, 8, id as number), ...rest]);
    deepEqual(splitFields(withoutChecks(row).raw)[0], coded(0xcf, 8, 512));
  });

  for (const value of TENDER) {
    it(`keeps ${pack(value).toString('hex')} next to the removed options`, () => {
      const format = [{ name: 'a', comment: value, ...CHECK }];
      const { raw } = withoutChecks(systemRow(spaceRow(512, 's', { format })));
      ok(raw.includes(pack(value)), raw.toString('hex'));
    });
  }
});

describe('withoutLsn', () => {
  const OPTIONS = { unique: true, page_size: 8192, lsn: 1234, bloom_fpr: 0.05 };

  it('removes the lsn of the instance, and nothing else', () => {
    const row = systemRow(indexRow(512, 0, 'pk', { options: OPTIONS }));
    const { lsn: _, ...rest } = OPTIONS;
    const { fields } = consistent(withoutLsn(row));
    deepEqual(fields, [...row.fields.slice(0, 4), rest, row.fields[5]]);
  });

  it('returns the same row if it has no lsn', () => {
    for (const options of [{}, { unique: true }, null]) {
      const row = systemRow(indexRow(512, 0, 'pk', { options }));
      equal(withoutLsn(row), row);
    }
  });

  for (const value of TENDER) {
    it(`keeps ${pack(value).toString('hex')} next to the removed options`, () => {
      const options = { lsn: 5, range_size: value };
      const { raw } = withoutLsn(systemRow(indexRow(512, 0, 'pk', { options })));
      ok(raw.includes(pack(value)), raw.toString('hex'));
    });
  }
});

describe('a row for a newer server', () => {
  const USER = [32, 1, 'app', 'user', { 'chap-sha1': 'x' }];
  const FIELDS: [string, string][] = [
    ['id', 'unsigned'],
    ['owner', 'unsigned'],
    ['name', 'string'],
    ['type', 'string'],
    ['auth', 'map'],
  ];
  const target = (...more: [string, string][]) =>
    catalogOf({ 280: [formatRow(304, '_user', ...FIELDS, ...more)] });

  it('is unchanged if the server has no more fields', () => {
    const row = systemRow(USER);
    equal(fitter(304, target())(row), row);
    equal(fitter(304, catalogOf({}))(row), row);
    equal(fitter(304, catalogOf({ 280: [spaceRow(304, '_user')] }))(row), row);
  });

  it('gets an empty value of the right type for each missing field', () => {
    const types = ['unsigned', 'integer', 'number', 'string', 'boolean', 'array', 'map', 'any'];
    const more = types.map((type, i): [string, string] => [`f${i}`, type]);
    const row = consistent(fitter(304, target(...more))(systemRow(USER)));
    deepEqual(row.fields.slice(5), [0, 0, 0, '', false, [], {}, null]);
    deepEqual(splitFields(row.raw).slice(0, 5), USER.map(pack));
  });

  it('is what the server itself would write, to the byte', () => {
    const more: [string, string][] = [
      ['auth_history', 'array'],
      ['last_modified', 'unsigned'],
      ['options', 'map'],
    ];
    const { raw } = fitter(304, target(...more))(systemRow(USER));
    equal(raw.toString('hex'), pack([...USER, [], 0, {}]).toString('hex'));
  });

  it('does not get fields that may be left out', () => {
    const format = [
      ...FIELDS.map(([name, type]) => ({ name, type })),
      { name: 'extra', type: 'map', is_nullable: true },
    ];
    const row = systemRow(USER);
    equal(fitter(304, catalogOf({ 280: [spaceRow(304, '_user', { format })] }))(row), row);
  });
});

describe('a row for an older server', () => {
  const COLUMNS = systemFormat(296).map(({ name }): [string, string] => [name, 'any']);
  const FUNC: Plain[] = [70, 1, 'f', 0, 'LUA', ...COLUMNS.slice(5, 19).map(() => '')];
  const target = catalogOf({ 280: [formatRow(296, '_func', ...COLUMNS.slice(0, 19))] });
  const fitted = (row: Plain[]): SystemRow => consistent(fitter(296, target)(systemRow(row)));

  it('loses the list of triggers if it is empty, because the server has no field for it', () => {
    deepEqual(fitted([...FUNC, []]).fields, FUNC);
  });

  it('keeps a list with a trigger', () => {
    deepEqual(fitted([...FUNC, ['on_event']]).fields, [...FUNC, ['on_event']]);
  });

  it('keeps empty fields that no known server has added', () => {
    for (const more of [
      [[], ''],
      [[], {}],
      [[], 0, false, null],
    ] as Plain[][]) {
      deepEqual(fitted([...FUNC, ...more]).fields, [...FUNC, ...more]);
    }
  });

  it('loses the history of a password, although it has a value', () => {
    const user: Plain[] = [32, 1, 'app', 'user', { 'chap-sha1': 'x' }];
    const fields: [string, string][] = ['id', 'owner', 'name', 'type', 'auth'].map((name) => [
      name,
      'any',
    ]);
    const older = catalogOf({ 280: [formatRow(304, '_user', ...fields)] });
    const row = systemRow([...user, [{ 'chap-sha1': 'y' }], 1732500000]);
    deepEqual(consistent(fitter(304, older)(row)).fields, user);
  });
});

describe('a mark in _schema', () => {
  it('is restored as the application wrote it, whatever the format of _schema says', () => {
    const fields: [string, string][] = [
      ['key', 'string'],
      ['value', 'any'],
    ];
    const target = catalogOf({ 280: [formatRow(272, '_schema', ...fields)] });
    for (const mark of [
      ['vshard_version', 0, 1, 41, 0],
      ['empties', '', null, {}, []],
      ['alone'],
    ]) {
      const row = systemRow(mark);
      equal(fitter(272, target)(row), row);
    }
  });
});
