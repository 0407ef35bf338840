import { deepEqual, equal, ok } from 'node:assert/strict';
import { csvParseRows } from 'd3-dsv';
import { TextBuffer } from '../../../lib/text/buffer.js';
import { JsonWriter } from '../../../lib/text/json.js';
import { INVALID_UTF8, TEXT_FORMATS } from '../../../lib/text/names.js';
import { bin, ext, type Plain, pack } from '../../support/msgpack.js';
import { type Field, layoutFor, textOf, written } from './writing.js';

const FIELDS: readonly Field[] = [
  ['id', 'unsigned'],
  ['text', 'string', { is_nullable: true }],
  ['bytes', 'varbinary', { is_nullable: true }],
  ['any', 'any'],
];

/** Returns a text that is too long to be written at once. */
const text = (piece: string): string => piece.repeat(Math.ceil(60_000 / piece.length));
const TEXTS = {
  'plain text': text('abc '),
  'quotes and backslashes': text('"\\\''),
  'lines and delimiters': text('a,\r\n\tb'),
  'control characters': text('\u0001\u007f\u0085\u009b\u2028\u202e'),
  'characters of two to four bytes': text('aßЯ€😀'),
  'a formula': `=${text('1+')}`,
};

/** Returns a string with these bytes. */
function raw(bytes: Buffer): Buffer {
  const header = Buffer.alloc(5, 0xdb);
  header.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([header, bytes]);
}

function arrayOf(count: number): Buffer {
  const header = Buffer.alloc(5, 0xdd);
  header.writeUInt32BE(count, 1);
  return header;
}

describe('large rows', () => {
  for (const [what, value] of Object.entries(TEXTS)) {
    it(`with ${what} are written in parts as they are at once`, () => {
      const bytes = bin(Buffer.from(value));
      const nested: Plain = {
        a: [value, bytes, 1, { b: null }, []],
        c: ext(100, Buffer.from(value)),
      };
      for (const format of TEXT_FORMATS) {
        const escapeFormulas = format === 'csv' || format === 'tsv';
        const rows = [
          [1, value, bytes, nested],
          [2, null, null, nested],
        ];
        written(format, layoutFor(FIELDS), rows, { escapeFormulas });
      }
    });
  }

  it('with many values are written in parts as they are at once', () => {
    const many = Buffer.concat([arrayOf(99_000), Buffer.alloc(99_000, 0x80)]);
    for (const format of TEXT_FORMATS) {
      written(format, layoutFor(FIELDS), [
        [1, 'a', null, many],
        [2, null, null, many],
      ]);
    }
  });

  it('with strings that are not valid UTF-8 are written in parts as they are at once', () => {
    const broken = Buffer.alloc(100_000, Buffer.from('61e282ffc3', 'hex'));
    const layout = layoutFor(FIELDS);
    for (const format of TEXT_FORMATS) {
      for (const invalidUtf8 of INVALID_UTF8.slice(1)) {
        for (const start of [0, 1, 2]) {
          const string = raw(broken.subarray(start));
          written(format, layout, [[1, string, null, [string]]], { invalidUtf8 });
        }
      }
    }
  });

  it('are read back without changes', () => {
    for (const value of Object.values(TEXTS)) {
      const [, row] = csvParseRows(textOf('csv', layoutFor(FIELDS), [[1, value, null, null]]));
      deepEqual(row, ['1', value, '', '']);
      const line = textOf('ndjson', layoutFor(FIELDS), [[1, value, null, { a: [value] }]]);
      deepEqual(JSON.parse(line), { id: 1, text: value, bytes: null, any: { a: [value] } });
    }
  });

  it('need no more memory for text than one part', () => {
    const long = text('\u0001').repeat(5);
    const row = pack([text('"'), { a: long }, bin(Buffer.alloc(300_000))]);
    const buffer = new TextBuffer(8 * 1024);
    let most = 0;
    let bytes = 0;
    for (const _ of new JsonWriter(buffer).pieces(row, 0)) {
      most = Math.max(most, buffer.length);
      bytes += buffer.length;
      buffer.clear();
    }
    ok(most < 400_000, `${most} bytes at once`);
    ok(bytes > 1_000_000);
  });

  it('return late fields', () => {
    const values = Array.from({ length: 250_000 }, (_, i) => i % 111);
    const row = Buffer.concat([arrayOf(values.length), Buffer.from(values)]);
    const only = ['250000', '100001', '100000', '1', '150000', '250001'];
    const layout = layoutFor([], { only });
    const picked = only.map((number) => values[Number(number) - 1] ?? null);
    equal(textOf('ndjson', layout, [row]), `${JSON.stringify(picked)}\n`);
    equal(textOf('ndjson', layoutFor([]), [row]), `${JSON.stringify(values)}\n`);
  });
});
