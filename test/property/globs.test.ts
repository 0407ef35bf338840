import { deepEqual } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { glob } from '../../lib/filters/glob.js';
import { holds } from './runs.js';

/** Prints `1` or `0` for each pair of a pattern and a name, as `case` decides. */
const DECIDE = `
while IFS= read -r -d '' pattern && IFS= read -r -d '' name; do
  case "$name" in $pattern) printf 1;; *) printf 0;; esac
done`;
/** The same for each pattern that braces stand for. An empty word would be lost: so each begins with x. */
const EXPAND = `
set -f
while IFS= read -r -d '' pattern && IFS= read -r -d '' name; do
  eval "all=(x$pattern)"
  fits=0
  for each in "\${all[@]}"; do case "x$name" in $each) fits=1;; esac; done
  printf $fits
done`;

type Pair = readonly [pattern: string, name: string];

function shellDecides(script: string, pairs: readonly Pair[]): boolean[] {
  const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', script], {
    input: pairs.map((pair) => `${pair.join('\0')}\0`).join(''),
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  if (status !== 0 || stdout.length !== pairs.length) throw new Error(`bash: ${stderr}`);
  return [...stdout].map((each) => each === '1');
}

const agreesWith =
  (script: string) =>
  (pairs: Pair[]): void => {
    const shell = shellDecides(script, pairs);
    deepEqual(
      pairs.map(([pattern, name]) => [pattern, name, glob(pattern)(name)]),
      pairs.map((pair, i) => [...pair, shell[i]]),
    );
  };

/** Few characters, so that names and patterns meet. */
const letter = fc.constantFrom(...'aab_c', 'é', '😀', '\u{10ffff}', '\uffff');
const odd = fc.constantFrom(...'.-/!^+@()|"\'$\n ]~#,');
const name = fc.string({
  unit: fc.oneof({ weight: 4, arbitrary: letter }, odd, fc.constantFrom(...'[\\*?')),
  maxLength: 8,
});
const special = fc.constantFrom(...'**?[[]]!^-\\');
const pairsOf = (pattern: fc.Arbitrary<string>): fc.Arbitrary<Pair[]> =>
  fc.array(fc.tuple(pattern, name), { minLength: 1, maxLength: 100, size: 'max' });

/** Any text of letters and of what means something; classes such as `[[:alpha:]]` are refused. */
const anyText = fc
  .string({
    unit: fc.oneof({ weight: 3, arbitrary: letter }, { weight: 3, arbitrary: special }, odd),
    maxLength: 10,
  })
  .filter((text) => !/\[[:.=]/.test(text))
  // In bash, `a\` matches `a\`, and `*\` does not.
  .filter((text) => (/\\*$/.exec(text)?.[0].length ?? 0) % 2 === 0);

const { alternatives } = fc.letrec<{ alternatives: string; group: string; part: string }>(
  (tie) => ({
    part: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      { weight: 3, arbitrary: fc.constantFrom('a', 'b', '_', '😀', '*', '?', '[a_]', '[!a]') },
      { weight: 1, arbitrary: tie('group') },
    ),
    group: fc
      .array(tie('alternatives'), { minLength: 2, maxLength: 3 })
      .map((all) => `{${all.join(',')}}`),
    alternatives: fc
      .array(tie('part'), { maxLength: 3, size: 'max' })
      .map((parts) => parts.join('')),
  }),
);

describe('patterns of names', () => {
  holds(
    'match the same names as in a shell',
    60,
    fc.property(pairsOf(anyText), agreesWith(DECIDE)),
  );
  holds(
    'match the same names as a shell that expands their braces first',
    60,
    fc.property(pairsOf(alternatives), agreesWith(EXPAND)),
  );
});
