import { deepEqual, equal, ok } from 'node:assert/strict';
import {
  identifiersOf,
  mapWords,
  tokensOf,
  withoutTable,
} from '../../../../lib/schema/sql/tokens.js';

describe('the tokens of a text in SQL', () => {
  const cases: [sql: string, tokens: string[]][] = [
    ["'it''s' || ''", ["'it''s'", '|', '|', "''"]],
    ['"a""b"."c"', ['"a""b"', '.', '"c"']],
    ["x'ff' X'00' x", ["x'ff'", "X'00'", 'x']],
    ['a -- b\nc', ['a', 'c']],
    ['a/* b */c/**/d', ['a', 'c', 'd']],
    ['a - b / c', ['a', '-', 'b', '/', 'c']],
    ['1.5e3+0x1f', ['1.5e3', '+', '0x1f']],
    [':a @b $1 #c : ?', [':a', '@b', '$1', '#c', ':', '?']],
    ['имя_1 \u{1d49c}', ['имя_1', '\u{1d49c}']],
    ['\u{1f600}a', ['\u{1f600}', 'a']],
    ['', []],
  ];
  for (const [sql, tokens] of cases) {
    it(JSON.stringify(sql), () => {
      deepEqual(tokensOf(sql), tokens);
      equal(
        mapWords(sql, (word) => word),
        sql,
      );
    });
  }

  it('continue to the end if a comment or a quote is not closed', () => {
    for (const open of ["'b c", '"b c', "x'b c"]) deepEqual(tokensOf(`a ${open}`), ['a', open]);
    for (const open of ['/* b c', '/*/', '-- b c']) deepEqual(tokensOf(`a ${open}`), ['a']);
  });

  // One regular expression for all tokens was quadratic, and ran out of stack.
  for (const [what, sql] of Object.entries({
    'comments that are not closed': '/*x'.repeat(400_000),
    'quotes that are not closed': `'${"''".repeat(400_000)}`,
    'blobs that are not closed': "x'x".repeat(400_000),
    'a long string': `'${'a'.repeat(30_000_000)}'`,
    'a long word': 'ä'.repeat(30_000_000),
    blanks: ' '.repeat(30_000_000),
  })) {
    it(`are found in linear time in ${what}`, () => {
      const started = performance.now();
      identifiersOf(sql);
      ok(performance.now() - started < 5000);
    });
  }
});

describe('an expression without the name of its table', () => {
  for (const [sql, table, expected] of [
    ['T.a > t . "b"', 'T', 'a >   "b"'],
    ['"t".a > T.b', 't', 'a > T.b'],
    ['"say ""hi""".a', 'say "hi"', 'a'],
    [`a = 'T.b' AND T > 1.5`, 'T', `a = 'T.b' AND T > 1.5`],
    ['T.T > 1', 'T', 'T > 1'],
  ] as const) {
    it(`is ${expected} for ${sql}`, () => {
      equal(withoutTable(sql, table), expected);
    });
  }
});
