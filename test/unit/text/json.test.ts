import { deepEqual, equal, throws } from 'node:assert/strict';
import fc from 'fast-check';
import { rowAsJson } from '../../../lib/text/ndjson.js';
import { type Plain, pack } from '../../support/msgpack.js';
import { FORMS, NOT_UTF8 } from './values.js';
import { type Field, layoutFor, textOf } from './writing.js';

const ANY: readonly Field[] = [
  ['id', 'unsigned'],
  ['value', 'any', { is_nullable: true }],
];
const layout = layoutFor(ANY);

describe('rows as JSON', () => {
  for (const [what, value, json] of FORMS) {
    it(`write ${what} as ${json.slice(0, 60)}`, () => {
      equal(textOf('ndjson', layout, [[1, value]]), `{"id":1,"value":${json}}\n`);
      equal(
        textOf('ndjson', layout, [[1, { in: [value] }]]),
        `{"id":1,"value":{"in":[${json}]}}\n`,
      );
    });
  }

  it('are restored by JSON.parse', () => {
    // Whole doubles beyond 64 bits are not integers.
    const inRange = (_: string, each: unknown) =>
      typeof each === 'number' && !(Math.abs(each) < 2 ** 53 && each !== 0) ? 1 : each;
    // A map with one key such as $map is written in a form that marks the key.
    const value = fc
      .json()
      .filter((json) => !json.includes('"$'))
      .map((json) => JSON.parse(json, inRange));
    const same = fc.property(value, fc.string({ unit: 'grapheme' }), (json, text) => {
      const row = textOf('ndjson', layout, [[1, [json as Plain, text]]]);
      deepEqual(JSON.parse(row), { id: 1, value: [json, text] });
    });
    fc.assert(same, { numRuns: 300 });
  });

  it('keep each double to its last bit', () => {
    const short = fc
      .tuple(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.constantFrom(1, 10, 100, 1000))
      .map(([digits, by]) => digits / by);
    const any = fc.double({ noNaN: true, noDefaultInfinity: true });
    const same = fc.property(fc.oneof(any, short), (value) => {
      const bytes = Buffer.alloc(9, 0xcb);
      bytes.writeDoubleBE(value, 1);
      const text = textOf('ndjson', layout, [[1, bytes]]);
      equal(Object.is(JSON.parse(text).value, value), true);
      const digits = Object.is(value, -0) ? '-0' : String(value);
      equal(text, `{"id":1,"value":${/[.e]/.test(digits) ? digits : `${digits}.0`}}\n`);
    });
    fc.assert(same, { numRuns: 1000 });
  });

  it('are arrays if there is no format, or if names do not distinguish the fields', () => {
    equal(textOf('ndjson', layoutFor([]), [[1, 'a'], [2]]), '[1,"a"]\n[2]\n');
    const twice: Field[] = [
      ['a', 'any'],
      ['a', 'any'],
    ];
    equal(textOf('ndjson', layoutFor(twice), [[1, 2]]), '[1,2]\n');
    equal(textOf('ndjson', layoutFor([['3', 'any']]), [[1, 2]]), '[1,2]\n');
  });

  it('use the number of a field without a name, and leave out missing fields', () => {
    equal(
      textOf('ndjson', layout, [[1], [2, 'b', 'c', 'd']]),
      '{"id":1}\n{"id":2,"value":"b","3":"c","4":"d"}\n',
    );
  });

  it('have the chosen fields, in that order', () => {
    const some = layoutFor(ANY, { only: ['4', 'id', 'value'] });
    equal(textOf('ndjson', some, [[1, 2, 3, 4], [5]]), '{"4":4,"id":1,"value":2}\n{"id":5}\n');
    const bare = layoutFor([], { only: ['2', '1'] });
    equal(textOf('ndjson', bare, [[1, 2], [3]]), '[2,1]\n[null,3]\n');
  });

  it('are elements of one array in the format json', () => {
    equal(textOf('json', layout, [[1, null], [2]]), '[\n{"id":1,"value":null},\n{"id":2}\n]\n');
    deepEqual(JSON.parse(textOf('json', layout, [])), []);
  });

  it('write names with special characters', () => {
    equal(textOf('ndjson', layoutFor([['a"\n', 'any']]), [[1]]), '{"a\\"\\n":1}\n');
  });

  it('can be written one by one', () => {
    equal(rowAsJson(pack([1, 'größe']), layout), '{"id":1,"value":"größe"}');
  });

  it('refuse a string that is not valid UTF-8, and values that nest too deep', () => {
    for (const value of [NOT_UTF8, [NOT_UTF8], { a: NOT_UTF8 }]) {
      throws(() => textOf('ndjson', layout, [[1, value]]), /not valid UTF-8/);
    }
    const deep = Buffer.concat([Buffer.alloc(100_000, 0x91), Buffer.of(0xc0)]);
    throws(() => textOf('ndjson', layout, [[1, deep]]), /nests deeper than 512/);
  });
});
