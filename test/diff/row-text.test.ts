import { equal } from 'node:assert/strict';
import { rowText } from '../../lib/diff/row-text.js';

const DEEP = `${'91'.repeat(600)}90`;

describe('a row as text', () => {
  for (const [title, row, text] of [
    ['has integers with all their digits', '91 cf ffffffffffffffff', '[18446744073709551615]'],
    ['has text and nothing', '93 a178 c0 c3', '["x",null,true]'],
    ['has binary values in base64', '91 c402 00ff', '["AP8="]'],
    ['that is no UTF-8 is there in hexadecimal', '91 a2 c3 28', '"91a2c328"'],
    ['has decimals as text', '91 c7030101015d', '["-1.5"]'],
    ['has maps by their keys', '91 82 a161 01 a162 90', '[{"a":1,"b":[]}]'],
    ['has maps with other keys as pairs', '91 81 01 a161', '[{"$map":[[1,"a"]]}]'],
    ['that nests too deep is there in hexadecimal', DEEP, `"${DEEP}"`],
    ['is as ever behind that', '91 90', '[[]]'],
  ] as const) {
    it(title, () => {
      const shown = rowText(Buffer.from(row.replaceAll(' ', ''), 'hex'));
      equal(shown, text);
    });
  }
});
