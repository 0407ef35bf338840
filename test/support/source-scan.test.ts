// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the tests read sources, which stand in strings
import { deepEqual, equal } from 'node:assert/strict';
import { textOf } from './expression-text.js';
import { afterToken, callsOf, splitOutside, withoutComments } from './source-scan.js';

const nothing = (): undefined => undefined;

describe('the scan of a source text', () => {
  it('skips strings, templates, comments, regular expressions and groups as one token', () => {
    for (const token of [
      `'it\\'s ('`,
      '`a ${f(`}`)} b`',
      '/* ( */',
      '// (\n',
      "(1, ')', [2])",
      '{ a: "}" }',
    ]) {
      equal(afterToken(`${token}rest`, 0), token.length, token);
    }
    equal(afterToken('= /[/)]\\//;', 2), '= /[/)]\\//'.length);
    equal(afterToken('6 / 2 / 3', 2), 3);
  });

  it('splits a text only outside of brackets and strings', () => {
    deepEqual(splitOutside("a, f(b, c), ', '", /^,/), ['a', ' f(b, c)', " ', '"]);
  });

  it('removes comments, but nothing from strings', () => {
    equal(
      withoutComments("f('// no'); // yes\n/* a\nb */g({ /* c */ })"),
      "f('// no'); \n\ng({  })",
    );
  });

  it('finds calls with their arguments, and no definition', () => {
    const text = "function warn(text) {}\nreport.warn('a', [1, 2]);\nprewarn('b');";
    deepEqual(
      callsOf(text, 'warn').map((call) => call.arguments),
      [["'a'", '[1, 2]']],
    );
  });
});

describe('the text of an expression', () => {
  const cases: [expression: string, text: string][] = [
    ["'it\\'s'", "it's"],
    ['`space ${quoted(space.name)}: ${messageOf(error)}`', "space '<space>': <reason>"],
    ["'a ' + `b${count}`", 'a b<count>'],
    ["isOld ? 'old' : isNew ? 'new' : 'other'", '{old | new | other}'],
    ["hint ?? 'try again'", 'try again'],
    ["`${plural(rows, 'row')} of ${names.join(', ')}`", '<number of rows> of <names>'],
    ['32 * KIB', '<kib>'],
    ['1_000', '1,000'],
  ];
  for (const [expression, text] of cases) {
    it(`of ${expression} is ${text}`, () => equal(textOf(expression, nothing), text));
  }

  it('has the text of constants in place of their names', () => {
    equal(
      textOf('`${WAIT}, or stop`', (name) => (name === 'WAIT' ? "'wait'" : undefined)),
      'wait, or stop',
    );
  });

  it('ends where constants refer to each other', () => {
    equal(
      textOf('a', (name) => name),
      '<a>',
    );
  });
});
