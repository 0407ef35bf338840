import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { TextBuffer } from '../../../lib/text/buffer.js';
import { rowWriter } from '../../../lib/text/formats.js';
import type { TextFormat } from '../../../lib/text/names.js';
import { type Field, layoutFor, layoutOfMany, textOf } from './writing.js';

const TABLES = ['sql', 'sqlite', 'postgres'] as const;

const named = (...names: string[]): Field[] => names.map((name) => [name, 'unsigned']);
const columns = (count: number): Field[] =>
  named(...Array.from({ length: count }, (_, i) => `f${i}`));

/** Returns the error for a table with these columns; undefined if there is none. */
function refusal(format: TextFormat, fields: readonly Field[]): Error | undefined {
  try {
    textOf(format, layoutFor(fields), []);
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

describe('a table of another database', () => {
  for (const [format, most] of [
    ['sqlite', 2000],
    ['postgres', 1600],
  ] as const) {
    it(`accepts up to ${most} columns in ${format}, and --fields chooses them`, () => {
      equal(refusal(format, columns(most)), undefined);
      throws(() => textOf(format, layoutFor(columns(most + 1)), []), {
        message: new RegExp(
          `^there are ${most + 1} columns, and a table of .* can have at most ${most}$`,
        ),
        hint: new RegExp(`choose up to ${most} of them with --fields`),
      });
      const some = layoutFor(columns(most + 1), { only: ['f1', 'f0'] });
      match(textOf(format, some, []), /CREATE TABLE "t" \(\n {2}"f1" /);
    });
  }

  it('has columns for as many fields as the first row has', () => {
    const row = [Array(2001).fill(1)];
    throws(() => textOf('sqlite', layoutFor(columns(1)), row), /^Error: there are 2001 columns/);
  });

  it('accepts any number of columns in standard SQL, JSON and CSV', () => {
    for (const format of ['sql', 'ndjson', 'json', 'csv', 'tsv', 'msgpack'] as const) {
      equal(refusal(format, columns(2500)), undefined, format);
    }
  });

  it('accepts names of up to 63 bytes in PostgreSQL', () => {
    for (const name of ['x'.repeat(63), 'я'.repeat(31)]) {
      equal(refusal('postgres', named(name)), undefined);
    }
    for (const name of ['x'.repeat(64), 'я'.repeat(32)]) {
      throws(() => textOf('postgres', layoutFor(named(name)), []), {
        message: /^the name "[xя]+" has 64 bytes, and the limit of PostgreSQL is 63$/,
        hint: /--fields/,
      });
      for (const format of ['sql', 'sqlite'] as const)
        equal(refusal(format, named(name)), undefined);
    }
  });

  it('refuses a column that every table of PostgreSQL has', () => {
    for (const name of ['ctid', 'xmin', 'cmin', 'xmax', 'cmax', 'tableoid']) {
      throws(() => textOf('postgres', layoutFor(named('id', name)), []), {
        message: `every table of PostgreSQL already has a column "${name}"`,
        hint: /--fields/,
      });
      equal(refusal('sqlite', named('id', name)), undefined);
    }
  });

  it('refuses two columns that the database treats as equal', () => {
    for (const format of TABLES) {
      throws(() => textOf(format, layoutFor(named('a', 'a'), { indexes: [] }), []), {
        message: /cannot tell the columns "a" and "a" apart$/,
        hint: /--fields/,
      });
    }
    const cases = named('Name', 'nAME');
    for (const format of ['sqlite', 'sql'] as const) {
      throws(() => textOf(format, layoutFor(cases), []), {
        message: /cannot tell the columns "Name" and "nAME" apart$/,
        hint: /--fields/,
      });
    }
    equal(refusal('postgres', cases), undefined);
    equal(refusal('sqlite', named('Я', 'я')), undefined);
    match(String(refusal('sql', named('Я', 'я'))), /a database such as DuckDB cannot tell/);
  });

  it('leaves out indexes of more than 32 fields in PostgreSQL, the primary key included', () => {
    const all = Array.from({ length: 33 }, (_, i) => i);
    const indexes = [
      ['pk', all],
      ['fits', all.slice(1)],
    ] as const;
    const layout = layoutFor(columns(33), { indexes });
    const text = textOf('postgres', layout, []);
    equal(text.includes('PRIMARY KEY'), false);
    match(text, /CREATE UNIQUE INDEX "t_fits" ON "t"/);
    deepEqual(rowWriter({ format: 'postgres' }, new TextBuffer(), layout).notes, [
      "index 'pk' is left out: it has 33 fields, and the limit of PostgreSQL is 32",
    ]);
    match(textOf('sqlite', layout, []), /PRIMARY KEY/);
  });

  it('gives each index its own name', () => {
    const indexes = ['primary', 'pkey', 'a', 'A', 'a_2', 'y'.repeat(63)].map(
      (name) => [name, [0]] as const,
    );
    const layout = layoutFor(named('id'), { indexes });
    const found = (format: TextFormat) =>
      [...textOf(format, layout, []).matchAll(/^CREATE UNIQUE INDEX (.*)ON/gm)].map(
        ([, name]) => name,
      );
    const long = (length: number) => `"t_${'y'.repeat(length)}" `;
    deepEqual(found('sqlite'), ['"t_pkey_2" ', '"t_a" ', '"t_A_2" ', '"t_a_2_2" ', long(63)]);
    deepEqual(found('postgres'), ['"t_pkey_2" ', '"t_a" ', '"t_A" ', '"t_a_2" ', long(61)]);
  });

  it('gives no index the name of another space or of an index of one', () => {
    const spaces = [
      ['t', ['pk', 'a', 'b_c']],
      ['t_b', ['pk', 'c']],
      ['t_a', ['pk']],
      ['t_pkey', ['pk']],
    ] as const;
    const names = spaces.flatMap(([name]) => {
      const text = textOf('postgres', layoutOfMany(spaces, name), []);
      return [...text.matchAll(/(?:CONSTRAINT|INDEX) "(\w+)"/g)].map(([, index]) => index);
    });
    deepEqual(names, [
      't_pkey_2',
      't_a_2',
      't_b_c',
      't_b_pkey',
      't_b_c_2',
      't_a_pkey',
      't_pkey_pkey',
    ]);
  });

  it('warns about another space that the database treats as the same table', () => {
    const spaces = [
      ['Users', ['pk']],
      ['users', ['pk']],
    ] as const;
    const notes = (format: TextFormat) =>
      rowWriter({ format }, new TextBuffer(), layoutOfMany(spaces, 'users')).notes;
    deepEqual(notes('sqlite'), ["SQLite treats 'Users' and 'users' as the same table"]);
    deepEqual(notes('postgres'), []);
  });

  it('refuses a name that the database, or the loading program, would change', () => {
    for (const [format, space, reason] of [
      ['postgres', 'pg_class', /PostgreSQL does not allow a table with the name "pg_class"/],
      ['sqlite', 'SQLITE_x', /SQLite does not allow a table with the name "SQLITE_x"/],
      ['sqlite', 'a\r\nb', /a line end of two characters/],
      ['sql', '', /a name is empty/],
    ] as const) {
      const layout = layoutFor(named('id'), { space });
      throws(() => textOf(format, layout, []), { message: reason, hint: /--format csv/ });
    }
  });

  it('is refused if an index is on a very late field, without creating as many columns', () => {
    for (const format of ['csv', 'tsv', 'sql', 'postgres', 'sqlite'] as const) {
      const layout = layoutFor(named('id'), { indexes: [['far', [100_000_000]]] });
      throws(() => textOf(format, layout, []), { hint: /--fields/ });
    }
    const layout = layoutFor(named('id'), { indexes: [['far', [100_000_000]]] });
    equal(textOf('ndjson', layout, [[1, 2]]), '{"id":1,"2":2}\n');
  });
});
