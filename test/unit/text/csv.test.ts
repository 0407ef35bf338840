import { deepEqual, equal, match, throws } from 'node:assert/strict';
import { csvParseRows, tsvParseRows } from 'd3-dsv';
import fc from 'fast-check';
import { TextBuffer } from '../../../lib/text/buffer.js';
import { rowWriter } from '../../../lib/text/formats.js';
import { Row } from '../../../lib/tuple/row.js';
import { float64, type Plain, pack } from '../../support/msgpack.js';
import { FORMS, NOT_UTF8 } from './values.js';
import { type Field, layoutFor, textOf, written } from './writing.js';

const ANY: readonly Field[] = [
  ['id', 'unsigned'],
  ['value', 'any', { is_nullable: true }],
  ['last', 'any', { is_nullable: true }],
];
const layout = layoutFor(ANY);

describe('rows as CSV', () => {
  for (const [what, value, json, csv = json] of FORMS) {
    it(`write ${what} as ${csv.slice(0, 60) || 'nothing'}`, () => {
      equal(textOf('csv', layout, [[1, value, 2]]), `id,value,last\n1,${csv},2\n`);
    });
  }

  it('distinguish null from an empty string, and are empty for missing fields', () => {
    equal(textOf('csv', layout, [[1, null, ''], [2]]), 'id,value,last\n1,,""\n2,,\n');
  });

  it('are parsed by another parser without changes', () => {
    const cell = fc.string({
      unit: fc.constantFrom('"', ',', '\t', '\r', '\n', ' ', 'a', 'ß', '😀'),
    });
    const same = fc.property(cell, cell, (a, b) => {
      const rows = [['1', a, b]];
      deepEqual(csvParseRows(textOf('csv', layout, rows)).slice(1), rows);
      deepEqual(tsvParseRows(textOf('tsv', layout, rows)).slice(1), rows);
    });
    fc.assert(same, { numRuns: 500 });
  });

  it('separate fields by tabs in the format tsv, and quote fields with tabs', () => {
    equal(textOf('tsv', layout, [[1, 'a\tb', 'c,d']]), 'id\tvalue\tlast\n1\t"a\tb"\tc,d\n');
  });

  it('quote names with special characters', () => {
    equal(textOf('csv', layoutFor([['a,"b"', 'any']]), []), '"a,""b"""\n');
  });

  it('have columns for all fields of the first row, and refuse a longer row', () => {
    equal(textOf('csv', layoutFor([]), [[1, 2], [3]]), '1,2\n1,2\n3,\n');
    equal(textOf('csv', layout, [[1, 2, 3, 4]]), 'id,value,last,4\n1,2,3,4\n');
    throws(
      () => textOf('csv', layout, [[1], [1, 2, 3, 4]]),
      /a row has 4 fields, but there are only 3/,
    );
  });

  it('give each column its own name, and refuse two columns with one name', () => {
    const numbered: Field[] = [
      ['3', 'unsigned'],
      ['a', 'string'],
    ];
    equal(textOf('csv', layoutFor(numbered), [[1, 'x', 'y']]), '3,a,field_3\n1,x,y\n');
    const twice: Field[] = [
      ['a', 'unsigned'],
      ['a', 'unsigned'],
    ];
    throws(() => textOf('csv', layoutFor(twice), []), { message: 'two columns have the name "a"' });
  });

  it('escape what a spreadsheet would run, and no number, if this is requested', () => {
    const cells: Plain[] = ['=1+1', '+a', '-a', '@a', '\t=1', '\r', '＝1', 'a=1', '"=1', '=",'];
    const rows = cells.map((cell, id) => [-id, cell, float64(-1.5)]);
    const text = textOf('csv', layout, rows, { escapeFormulas: true });
    deepEqual(
      csvParseRows(text).slice(1),
      cells.map((cell, id) => [String(-id), id < 7 || id === 9 ? `'${cell}` : cell, '-1.5']),
    );
    equal(textOf('csv', layoutFor([['=a', 'any']]), [], { escapeFormulas: true }), "'=a\n");
    throws(() => textOf('ndjson', layout, [], { escapeFormulas: true }), { kind: 'usage' });
  });

  it('warn about rows that are an empty line', () => {
    const one = layoutFor(ANY, { only: ['value'] });
    const writer = rowWriter({ format: 'csv' }, new TextBuffer(), one);
    for (const value of ['a', null, null]) writer.row(new Row().read(pack([1, value]), 0));
    match(writer.notes[0]!, /^2 rows are empty lines, .*--fields, or use --format ndjson$/);
  });

  it('have only the chosen fields', () => {
    const some = layoutFor(ANY, { only: ['5', 'id'] });
    equal(textOf('csv', some, [[1], [1, 2, 3, 4, 5, 6]]), '5,id\n,1\n5,1\n');
  });

  it('refuse a string that is not valid UTF-8', () => {
    const quoted = Buffer.from('a32c22ff', 'hex');
    for (const value of [NOT_UTF8, quoted, [NOT_UTF8]]) {
      throws(() => textOf('csv', layout, [[1, value]]), /not valid UTF-8/);
    }
  });
});

describe('rows as MessagePack', () => {
  it('keep their bytes', () => {
    const rows = FORMS.map(([, value]) => [1, value]);
    const all = written('msgpack', layout, rows);
    equal(all.equals(written('msgpack', layoutFor([]), rows)), true);
    equal(all[0], 0x92);
  });

  it('keep the bytes of the chosen fields, with nil for missing ones', () => {
    const some = layoutFor(ANY, { only: ['value', '5', 'id'] });
    deepEqual(written('msgpack', some, [[1, NOT_UTF8]]), Buffer.from('93a261ffc001', 'hex'));
  });
});

describe('the chosen fields', () => {
  it('must exist, and be named once', () => {
    throws(() => layoutFor(ANY, { only: ['id', 'x'] }), {
      message: "space 't' has no field 'x'",
      hint: /^there are id; value; last;/,
    });
    throws(() => layoutFor(ANY, { only: ['id', '1'] }), /'id' is named twice/);
    throws(() => layoutFor(ANY, { only: ['0'] }), /no field '0'/);
  });
});
