import { deepEqual, equal, match, ok, throws } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';

import type { Manifest } from '../../../lib/backup/manifest.js';
import type { TntarError } from '../../../lib/base/errors.js';
import { chooseSpaces } from '../../../lib/filters/choose.js';
import { glob, MAX_GLOB_STEPS } from '../../../lib/filters/glob.js';
import { NamePatterns } from '../../../lib/filters/name-patterns.js';
import { Catalog } from '../../../lib/schema/catalog/catalog.js';

const GLOB = new URL('../../../lib/filters/glob.js', import.meta.url).href;
/** Far longer than linear matching takes on a busy machine; exponential matching takes years. */
const LIMIT_MS = 30_000;

/** Creates a text again, because V8 reads a text slowly that was joined from pieces. */
const flat = (text: string): string => Buffer.from(text).toString();

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
    it(`matches exactly what ${pattern} means`, () => {
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

  // A regular expression would take years for these, and the names come from untrusted archives and servers.
  it('matches long names with many stars and braces in a time that nobody notices', () => {
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

  it('refuses a pattern that takes too long for the names of a backup, within two seconds', () => {
    const letters = flat(
      Array.from({ length: 64_800 }, (_, i) => 'ab'[((i * i * 7 + i) >> 3) % 2]).join(''),
    );
    const characters = Array.from({ length: 60 * 16_000 }, (_, i) =>
      String.fromCodePoint(0x10000 + i),
    );
    const random = Array.from({ length: 60 }, (_, i) => flat(letters.slice(i) + i));
    // No character occurs twice: the state for one must serve for others.
    const different = random.map((_, i) =>
      flat(characters.slice(i * 16_000, (i + 1) * 16_000).join('')),
    );
    for (const pattern of [
      `{${Array.from({ length: 1000 }, () => '*a').join(',')}}b`,
      `*a${'?'.repeat(1000)}b${'?'.repeat(1000)}c`,
      `${'{a,'.repeat(800)}*${'}'.repeat(800)}?c`,
      `*${'[ab]'.repeat(800)}c`,
      `*{${','.repeat(4000)}}c`,
      `*${'{,'.repeat(1300)}${'}'.repeat(1300)}c`,
      `{${Array.from({ length: 20 }, () => `*[!${'x-z'.repeat(60)}]`).join(',')}}b`,
      `${'{,a}'.repeat(1000)}c`,
    ]) {
      for (const names of [random, different]) {
        const patterns = new NamePatterns([pattern]);
        const began = process.cpuUsage();
        try {
          for (const each of names) patterns.fit(each);
        } catch (error) {
          equal((error as TntarError).kind, 'usage');
          match((error as TntarError).message, /: it takes more than 20000000 steps/);
        }
        const { user } = process.cpuUsage(began);
        ok(user < 3_000_000, `${user} microseconds for ${pattern.slice(0, 20)}`);
      }
    }
  });

  it('takes one step for a character, and none for positions that cannot matter', () => {
    const name = `log_${'x'.repeat(6000)}`;
    const stepsOf = (pattern: string): number => {
      const patterns = new NamePatterns([pattern]);
      for (let count = 1; count <= 4000; count++) {
        try {
          patterns.fit(flat(name + count));
        } catch {
          return Math.round(MAX_GLOB_STEPS / count);
        }
      }
      return 0;
    };
    ok(stepsOf('*y') < 6100);
    for (const pattern of [
      'log_*',
      '{app,web}_*',
      `{${Array.from({ length: 400 }, (_, i) => `log_${i}`).join(',')}}`,
    ]) {
      equal(stepsOf(pattern), 0);
    }
  });

  it('resets its steps for the names of another backup', () => {
    const filter = chooseSpaces({ except: ['*y'], mayLack: true });
    const name = 'x'.repeat(60_000);
    const match = (count: number): void => {
      for (let i = 0; i < count; i++) ok(filter.wants?.(flat(`${name}${count} ${i}`)));
    };
    for (const count of [150, 151, 152]) {
      match(count);
      filter.head({ manifest: { spaces: [] } as unknown as Manifest, catalog: new Catalog() });
    }
    throws(() => match(1000), /it takes more than 20000000 steps/);
  });

  it('matches each name once', () => {
    const patterns = new NamePatterns(['a*', '*b']);
    const name = 'x'.repeat(60_000);
    for (let i = 0; i < 1_000_000; i++) ok(!patterns.fit(name));
  });

  it('refuses invalid patterns as wrong usage', () => {
    for (const [pattern, message] of [
      [
        '[[:alpha:]]*',
        /cannot read the pattern '\[\[:alpha:\]\]\*': classes such as \[\[:alpha:\]\] are not supported/,
      ],
      ['[[.a.]]', /classes such as .* are not supported/],
      [`*${'x'.repeat(5000)}`, /it has more than 4096 characters/],
      ['', /an empty pattern cannot match a space name/],
    ] as const) {
      throws(() => chooseSpaces({ only: [pattern] }), { kind: 'usage', message });
    }
  });

  it('accepts a name of any length without special characters', () => {
    equal(glob('x'.repeat(60_000))('x'.repeat(60_000)), true);
  });
});
