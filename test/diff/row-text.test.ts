import { equal } from 'node:assert/strict';
import { rowText } from '../../lib/diff/row-text.js';

describe('a row as text', () => {
  for (const [title, row, text] of [
    ['has integers with all their digits', '91 cf ffffffffffffffff', '[18446744073709551615]'],
    ['has text and nothing', '93 a178 c0 c3', '["x",null,true]'],
    ['has binary values in hexadecimal', '91 c402 00ff', '["00ff"]'],
    ['has decimals as text', '91 c7030101015d', '["-1.5"]'],
    ['has maps by their keys', '91 82 a161 01 a162 90', '[{"a":1,"b":[]}]'],
    ['has maps with other keys as pairs', '91 81 01 a161', '[[[1,"a"]]]'],
    ['has what nests too deep in hexadecimal', `${'91'.repeat(600)}90`, `"${'91'.repeat(600)}90"`],
  ] as const) {
    it(title, () => {
      const shown = rowText(Buffer.from(row.replaceAll(' ', ''), 'hex'));
      equal(shown, text);
    });
  }
});
