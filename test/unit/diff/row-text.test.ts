import { deepEqual, equal, ok } from 'node:assert/strict';
import { rowBytes, rowParts, rowText } from '../../../lib/diff/row-text.js';

import { pack } from '../../support/msgpack.js';
import { NOT_UTF8 } from '../text/values.js';

const DEEP = `${'91'.repeat(600)}90`;

describe('a row as text', () => {
  for (const [title, row, text] of [
    ['has integers with all their digits', '91 cf ffffffffffffffff', '[18446744073709551615]'],
    ['has text and nothing', '93 a178 c0 c3', '["x",null,true]'],
    ['has binary values in base64', '91 c402 00ff', '["AP8="]'],
    ['that is not valid UTF-8 is written in hexadecimal', '91 a2 c3 28', '"91a2c328"'],
    ['has decimals as text', '91 c7030101015d', '["-1.5"]'],
    ['has maps by their keys', '91 82 a161 01 a162 90', '[{"a":1,"b":[]}]'],
    ['has maps with other keys as pairs', '91 81 01 a161', '[{"$map":[[1,"a"]]}]'],
    ['that nests too deep is written in hexadecimal', DEEP, `"${DEEP}"`],
    ['writes later values as usual', '91 90', '[[]]'],
  ] as const) {
    it(title, () => {
      const shown = rowText(Buffer.from(row.replaceAll(' ', ''), 'hex'));
      equal(shown, text);
    });
  }

  it('is the same in parts if it is large', () => {
    const long = 'я"'.repeat(400_000);
    for (const value of [long, [long, { a: long }], Buffer.concat([Buffer.of(0x91), NOT_UTF8])]) {
      const row = pack([1, value, long]);
      const parts = [...rowParts(row)];
      equal(parts.join(''), rowText(row));
      ok(parts.length > 2);
    }
  });
});

describe('rowBytes', () => {
  const bytes = (before: string, after: string) =>
    rowBytes(...([before, after].map((hex) => Buffer.from(hex, 'hex')) as [Buffer, Buffer]));

  it('returns the bytes if the texts are equal', () => {
    deepEqual(bytes('920105', '9201cf0000000000000005'), {
      at: 2,
      before: '05',
      after: 'cf0000000000000005',
    });
    deepEqual(bytes('91a161', '91d90161'), { at: 1, before: 'a161', after: 'd90161' });
  });

  it('returns nothing if the texts differ, and for one row alone', () => {
    equal(bytes('9101', '9102'), undefined);
    equal(rowBytes(Buffer.of(0x90)), undefined);
  });

  it('returns the bytes of large rows, because nobody finds the difference in their texts', () => {
    const row = (end: string) => pack(['x'.repeat(300_000) + end]);
    const { at, before, after } = rowBytes(row('a'), row('b'))!;
    deepEqual([at, before, after], [300_006, '61', '62']);
  });
});
