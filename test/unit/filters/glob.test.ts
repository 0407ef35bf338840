import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import type { TntarError } from '../../../lib/base/errors.js';
import { chooseSpaces, fitsAny } from '../../../lib/filters/choose.js';
import { glob } from '../../../lib/filters/glob.js';

const GLOB = new URL('../../../lib/filters/glob.js', import.meta.url).href;
/** Far longer than linear matching takes on a busy machine; exponential matching takes years. */
const LIMIT_MS = 30_000;

describe('glob', () => {
  for (const [pattern, fitting, others] of [
    ['*', ['', '.', '.a', 'a/b', 'a\nb', '_x', '😀'], []],
    ['?', ['a', '😀', '\n', '/'], ['', 'ab', '😀😀']],
    ['[!_]*', ['users', '😀'], ['_cache', '']],
    ['[^a-c]', ['d', '^'], ['a', 'c', '']],
    ['[]a]', [']', 'a'], ['[]a]']],
    ['[!]a]', ['b'], [']', 'a']],
    ['[a\\]]', ['a', ']'], ['\\']],
    ['[a-]', ['a', '-'], ['b']],
    ['[😀-😂]', ['😁'], ['a', '\ud83d']],
    ['[a', ['[a'], ['a']],
    ['!a', ['!a'], ['a', 'b']],
    ['(a|b)', ['(a|b)'], ['a', 'b']],
    ['+(a)', ['+(a)'], ['a', 'aa', '(a)']],
    ['@(a)*', ['@(a)', '@(a)b'], ['a']],
    ['"a*"', ['"a"', '"ab"'], ['a']],
    ['\\*', ['*'], ['\\*', 'a']],
    ['a\\', ['a\\'], ['a']],
    ['log_{a,b*}', ['log_a', 'log_b', 'log_bc'], ['log_', 'log_ac', 'log_{a,b*}']],
    ['a{,_log}', ['a', 'a_log'], ['a,']],
    ['{a,{b,c}d}', ['a', 'bd', 'cd'], ['b', 'ad']],
    ['{a}', ['{a}'], ['a']],
    ['{a,b', ['{a,b'], ['a']],
    ['a,b}*', ['a,b}', 'a,b}c'], ['a']],
    ['{a\\,b,c}', ['a,b', 'c'], ['b', 'a\\']],
    ['{[,],x}', [',', 'x'], ['[', ']']],
    ['{*,b}c', ['c', 'bc', 'xxc'], ['b']],
  ] as const) {
    it(`lets ${pattern} match what it stands for, and nothing else`, () => {
      const fits = glob(pattern);
      deepEqual(
        fitting.filter((name) => !fits(name)),
        [],
      );
      deepEqual(
        others.filter((name) => fits(name)),
        [],
      );
    });
  }

  // A regular expression took years for these; the names come from archives and servers.
  it('matches long names by many stars and braces within a time that nobody notices', () => {
    const cases: [string, string][] = [
      ['*_*_*_log', '_'.repeat(64_990)],
      [`${'*a'.repeat(1000)}*b`, 'a'.repeat(64_990)],
      ['{*_*,*_}'.repeat(40), '_'.repeat(64_990)],
      [`${'{a,'.repeat(500)}b${'}*'.repeat(500)}c`, 'a'.repeat(64_990)],
      [`*${'[!b]'.repeat(100)}c`, 'a'.repeat(64_990)],
      [`${'{a,aa}'.repeat(100)}b`, 'a'.repeat(300)],
    ];
    const script = `import { glob } from ${JSON.stringify(GLOB)};
      for (const [pattern, name] of ${JSON.stringify(cases)}) process.stdout.write(String(glob(pattern)(name)) + ' ');`;
    const { stdout, signal } = spawnSync(process.execPath, ['--input-type=module'], {
      input: script,
      encoding: 'utf8',
      timeout: LIMIT_MS,
    });
    deepEqual([stdout, signal], ['false false true false false false ', null]);
  });

  it('refuses a pattern that takes too long for the names of a backup, within a second or two', () => {
    const random = (length: number): string =>
      Array.from({ length }, (_, i) => 'ab'[((i * i * 7 + i) >> 3) % 2]).join('');
    for (const pattern of [
      `{${Array.from({ length: 1000 }, () => '*a').join(',')}}b`,
      `*a${'?'.repeat(1000)}b${'?'.repeat(1000)}c`,
      `${'{a,'.repeat(800)}*${'}'.repeat(800)}?c`,
      `*${'[ab]'.repeat(800)}c`,
    ]) {
      const test = fitsAny([pattern]);
      const began = process.cpuUsage();
      try {
        for (let i = 0; i < 60; i++) test(random(64_900) + i);
      } catch (error) {
        equal((error as TntarError).kind, 'usage');
        match((error as TntarError).message, /: it takes more than 30000000 steps/);
      }
      const { user } = process.cpuUsage(began);
      ok(user < 5_000_000, `${user} microseconds for ${pattern.slice(0, 20)}`);
    }
  });

  it('asks for a name once', () => {
    const test = fitsAny(['a*', '*b']);
    const name = 'x'.repeat(60_000);
    for (let i = 0; i < 1_000_000; i++) ok(!test(name));
  });

  it('refuses as a wrong call what has no meaning', () => {
    for (const [pattern, message] of [
      ['[[:alpha:]]*', /cannot read the pattern '\[\[:alpha:\]\]\*': there are no classes/],
      ['[[.a.]]', /there are no classes/],
      [`*${'x'.repeat(5000)}`, /it has more than 4096 characters/],
      ['', /an empty pattern fits no name/],
    ] as const) {
      throws(() => chooseSpaces({ only: [pattern] }), { kind: 'usage', message });
    }
  });

  it('takes a name of any length that has no special characters', () => {
    equal(glob('x'.repeat(60_000))('x'.repeat(60_000)), true);
  });
});
