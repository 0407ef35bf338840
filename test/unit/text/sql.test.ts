import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { TextBuffer } from '../../../lib/text/buffer.js';
import { rowWriter } from '../../../lib/text/formats.js';
import type { Layout } from '../../../lib/text/layout.js';
import { Row } from '../../../lib/tuple/row.js';
import { bin, ext, float64, type Plain, pack } from '../../support/msgpack.js';
import { DATETIME, DECIMAL, INTERVAL, UUID } from './values.js';
import { type Field, type IndexOf, layoutFor, textOf } from './writing.js';

/** Returns the literal of one value in a column of a type. */
function literal(format: 'sql' | 'sqlite' | 'postgres', type: string, value: Plain): string {
  const layout = layoutFor([['v', type, { is_nullable: true }]], { indexes: [] });
  const text = textOf(format, layout, [[value]]);
  const [, found = ''] =
    (format === 'postgres' ? /STDIN;\n(.*)\n\\\.\n/s : /VALUES\n\((.*)\);\n/s).exec(text) ?? [];
  return found;
}

/** Returns the text of rows, with the notes after the last one. */
function writtenOf(
  format: 'sql' | 'sqlite',
  layout: Layout,
  rows: readonly Plain[][],
): [text: string, notes: readonly string[]] {
  const text = new TextBuffer();
  const writer = rowWriter({ format }, text, layout);
  writer.begin();
  for (const row of rows) writer.row(new Row().read(pack(row), 0));
  writer.end();
  return [text.take().toString(), writer.notes];
}

describe('rows as SQL', () => {
  const FORMS: [string, Plain, sql: string, sqlite: string, postgres: string][] = [
    [
      'unsigned',
      2n ** 64n - 1n,
      '18446744073709551615',
      "'18446744073709551615'",
      '18446744073709551615',
    ],
    [
      'integer',
      -(2n ** 63n),
      '-9223372036854775808',
      '-9223372036854775808',
      '-9223372036854775808',
    ],
    ['num', 1, '1', '1', '1'],
    ['number', 5, "'5'", '5', '5'],
    ['number', float64(5), "'5.0'", '5.0', '5.0'],
    ['number', DECIMAL, "'-12345.67'", "'-12345.67'", '-12345.67'],
    ['double', float64(0.1), '0.1', '0.1', '0.1'],
    ['double', 5, '5', '5', '5'],
    ['double', float64(-1 / 0), "CAST('-Infinity' AS DOUBLE PRECISION)", '-9e999', '-Infinity'],
    ['decimal', DECIMAL, "'-12345.67'", "'-12345.67'", '-12345.67'],
    ['boolean', true, 'TRUE', 'TRUE', 't'],
    ['boolean', false, 'FALSE', 'FALSE', 'f'],
    ['string', "it's", "'it''s'", "'it''s'", "it's"],
    ['str', '', "''", "''", ''],
    [
      'string',
      'ß\t\r\n\b\v\f\\',
      "'ß\t\r\n\b\v\f\\'",
      "CAST(X'c39f090d0a080b0c5c' AS TEXT)",
      'ß\\t\\r\\n\\b\\v\\f\\\\',
    ],
    ['string', '\\.', "'\\.'", "'\\.'", '\\\\.'],
    ['varbinary', bin(Buffer.of(0, 255)), "X'00ff'", "X'00ff'", '\\\\x00ff'],
    [
      'uuid',
      UUID,
      "'64d22e4d-ac92-4a23-899a-e59f34af5479'",
      "'64d22e4d-ac92-4a23-899a-e59f34af5479'",
      '64d22e4d-ac92-4a23-899a-e59f34af5479',
    ],
    [
      'datetime',
      DATETIME,
      "'2024-02-29T12:00:00.000000001+03:00[Europe/Moscow]'",
      "'2024-02-29T12:00:00.000000001+03:00[Europe/Moscow]'",
      '2024-02-29 09:00:00+00',
    ],
    [
      'interval',
      INTERVAL,
      `'{"month":1,"day":-3,"adjust":1}'`,
      `'{"month":1,"day":-3,"adjust":1}'`,
      '{"month":1,"day":-3,"adjust":1}',
    ],
    ['map', { a: "'\\" }, `'{"a":"''\\\\"}'`, `'{"a":"''\\\\"}'`, '{"a":"\'\\\\\\\\"}'],
    ['any', 'x', `'"x"'`, `'"x"'`, '"x"'],
    ['scalar', null, 'NULL', 'NULL', '\\N'],
    ['any', { n: null }, `'{"n":null}'`, `'{"n":null}'`, '{"n":null}'],
  ];
  for (const [type, value, ...forms] of FORMS) {
    it(`write in a column of ${type} ${JSON.stringify(forms[0])}`, () => {
      const read = (['sql', 'sqlite', 'postgres'] as const).map((format) =>
        literal(format, type, value),
      );
      deepEqual(read, forms);
    });
  }

  it('refuse values that do not have the type of their column', () => {
    for (const [type, value] of [
      ['unsigned', 'a'],
      ['string', 1],
      ['decimal', 1],
      ['boolean', 'true'],
      ['uuid', DECIMAL],
      ['datetime', UUID],
      ['varbinary', 'a'],
      ['string', {}],
    ] as [string, Plain][]) {
      for (const format of ['sql', 'sqlite', 'postgres'] as const) {
        throws(() => literal(format, type, value), new RegExp(`the format says ${type}, and `));
      }
    }
  });

  it('refuse a zero byte in SQL', () => {
    throws(
      () => literal('sql', 'string', 'a\0'),
      /a zero byte, which a string literal of SQL cannot hold/,
    );
    equal(literal('sqlite', 'string', "'\0"), "CAST(X'2700' AS TEXT)");
  });

  it('keep carriage returns, which the shell of SQLite removes from the ends of lines', () => {
    equal(literal('sqlite', 'string', 'a\r\nb'), "CAST(X'610d0a62' AS TEXT)");
    equal(literal('sqlite', 'string', 'a\rb\n\r'), "'a\rb\n\r'");
    equal(literal('sql', 'string', 'a\r\nb'), "'a\r\nb'");
  });

  it('are written in statements of several hundred rows', () => {
    const rows = Array.from({ length: 1200 }, (_, id) => [id, 'a']);
    const text = textOf(
      'sql',
      layoutFor([
        ['id', 'unsigned'],
        ['name', 'string'],
      ]),
      rows,
    );
    equal(text.match(/^INSERT INTO "t" \("id", "name"\) VALUES\n/gm)?.length, 3);
    equal(text.match(/^\(\d+,'a'\)[,;]$/gm)?.length, 1200);
    match(text, /^START TRANSACTION;\nCREATE TABLE "t" \(\n {2}"id" NUMERIC\(20\) NOT NULL,\n/);
    match(text, /;\nCOMMIT;\n$/);
  });

  it('quote names', () => {
    const fields: Field[] = [['a "b"', 'unsigned']];
    const indexes = [
      ['p', [0]],
      ['i"', [0], { unique: false }],
    ] as const;
    const text = textOf('sqlite', layoutFor(fields, { indexes }), []);
    match(text, /\n {2}"a ""b""" ANY NOT NULL,\n {2}PRIMARY KEY \("a ""b"""\)\n\) STRICT;/);
    match(text, /\nCREATE INDEX "t_i""" ON "t" \("a ""b"""\);\nCOMMIT;\n$/);
  });

  it('use the types of indexes if there is no format, and JSON for other fields', () => {
    const text = textOf('postgres', layoutFor([], { indexes: [['p', [0]]] }), [[1, 'a']]);
    match(text, /CREATE TABLE "t" \(\n {2}"1" numeric\(20\) NOT NULL,\n {2}"2" jsonb\n/);
    match(text, /\n1\t"a"\n\\\.\nALTER TABLE "t" ADD CONSTRAINT "t_pkey" PRIMARY KEY \("1"\);\n/);
  });

  it('leave out indexes that no table can have, and list them', () => {
    const indexes = [
      ['p', [0]],
      ['bits', [0], { type: 'bitset', unique: false }],
      ['function', [0], { func: 1 }],
      ['other', [1]],
    ] as const;
    const fields: Field[] = [
      ['id', 'unsigned'],
      ['b', 'string'],
    ];
    const layout = layoutFor(fields, { indexes, only: ['id'] });
    const { notes } = rowWriter({ format: 'sql' }, new TextBuffer(), layout);
    deepEqual(notes, [
      "index 'bits' is left out: its type is bitset",
      "index 'function' is left out: it is functional",
      "index 'other' is left out: not all its fields were chosen",
    ]);
  });

  it('have no unique key in `sql` if a float and a decimal in it may have the same text', () => {
    const float = float64(0.1 + 0.2);
    const decimal = ext(1, Buffer.from('1130000000000000004c', 'hex'));
    const ONE = 'CREATE INDEX "t_pkey" ON "t" ("id")';
    const KEY = 'ALTER TABLE "t" ADD CONSTRAINT "t_pkey" PRIMARY KEY ("id")';
    for (const [rows, key, value] of [
      [
        [
          [float, 1],
          [decimal, 2],
        ],
        ONE,
        'UNIQUE INDEX',
      ],
      [
        [
          [float, 1],
          [float64(1.5), 2],
        ],
        KEY,
        'UNIQUE INDEX',
      ],
      [
        [
          [1, float],
          [2, decimal],
        ],
        KEY,
        'INDEX',
      ],
      [
        [
          [1, 2n ** 63n],
          [2, decimal],
        ],
        KEY,
        'UNIQUE INDEX',
      ],
    ] as [Plain[][], string, string][]) {
      const indexes: IndexOf[] = [
        ['pk', [0]],
        ['by_value', [1]],
        ['plain', [1], { unique: false }],
      ];
      const layout = layoutFor(
        [
          ['id', 'number'],
          ['value', 'number'],
        ],
        { indexes },
      );
      const [text, notes] = writtenOf('sql', layout, rows);
      match(
        text,
        /CREATE TABLE "t" \(\n {2}"id" VARCHAR NOT NULL,\n {2}"value" VARCHAR NOT NULL\n\);\n/,
      );
      ok(
        text.endsWith(`;\n${key};
CREATE ${value} "t_by_value" ON "t" ("value");
CREATE INDEX "t_plain" ON "t" ("value");
COMMIT;
`),
        text,
      );
      const blurred = [...(key === ONE ? ['pk'] : []), ...(value === 'INDEX' ? ['by_value'] : [])];
      deepEqual(
        notes,
        blurred.map(
          (name) =>
            `index '${name}' is not unique in the output: a float and another number may have the same text`,
        ),
      );
    }
  });

  it('keep a float and a decimal with the same text apart in `sqlite`, as values of two types', () => {
    const decimal = ext(1, Buffer.from('1130000000000000004c', 'hex'));
    const [text, notes] = writtenOf('sqlite', layoutFor([['id', 'number']]), [
      [float64(0.1 + 0.2)],
      [decimal],
    ]);
    match(
      text,
      /PRIMARY KEY \("id"\)\n\) STRICT;.*\(0\.30000000000000004\),\n\('0\.30000000000000004'\);\nCOMMIT/s,
    );
    deepEqual(notes, []);
  });

  it('are refused if nothing defines the columns of the table', () => {
    for (const format of ['sql', 'sqlite', 'postgres'] as const) {
      throws(
        () => textOf(format, layoutFor([], { indexes: [] }), []),
        /index or row that defines columns/,
      );
    }
  });

  it('refuse names that a reader would end at a zero byte, and run the rest of', () => {
    const name = 'a\0"); DROP';
    for (const format of ['sql', 'sqlite', 'postgres'] as const) {
      for (const layout of [
        layoutFor([[name, 'unsigned']]),
        layoutFor([['id', 'unsigned']], {
          indexes: [
            ['p', [0]],
            [name, [0]],
          ],
        }),
      ]) {
        throws(() => textOf(format, layout, []), /has a zero byte/);
      }
    }
  });

  it('keep the sign of zero, or are refused if a database does not keep it', () => {
    const zero = [[1, float64(-0)]];
    const of = (type: string) =>
      layoutFor([
        ['id', 'unsigned'],
        ['v', type],
      ]);
    match(textOf('sql', of('double'), zero), /CAST\('-0\.0' AS DOUBLE PRECISION\)/);
    match(textOf('postgres', of('double'), zero), /\n1\t-0\.0\n/);
    match(textOf('sqlite', of('number'), zero), /\(1,-0\.0\)/);
    for (const [format, type] of [
      ['sqlite', 'double'],
      ['postgres', 'number'],
      ['postgres', 'any'],
    ] as const) {
      throws(() => textOf(format, of(type), zero), {
        message: /^the number -0\.0, which .* turns into 0$/,
        hint: /--fields/,
      });
    }
  });
});
