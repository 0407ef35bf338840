import { equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tntar } from '../support/cli.js';
import { crafted } from '../support/crafted.js';
import type { Plain } from '../support/msgpack.js';

const LONGEST_TURN = new URL('../support/longest-turn.js', import.meta.url).href;
/** Of the processor, on a machine that has much else to do; half a second on one that has not. */
const TURN_MS = 1500;
const COUNT = 60;
/** A space may have a name of 65,000 bytes. */
const LENGTH = 64_900;

/** A text of two letters that repeats late. */
function letters(seed: number): string {
  let state = seed;
  return Array.from({ length: LENGTH }, () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return 'ab'[(state >>> 16) % 2];
  }).join('');
}

/** A text in which each character occurs once. */
const characters = (from: number): string =>
  Array.from({ length: LENGTH / 4 }, (_, i) => String.fromCodePoint(0x10000 + from + i)).join('');

const HARDEST = `*a${'?'.repeat(4000)}c`;
const PATTERNS: readonly (readonly [title: string, pattern: string])[] = [
  ['many stars within braces', `{${'*a,'.repeat(1362)}c}d`],
  ['many nested braces', `${'{a,'.repeat(1000)}*${'}'.repeat(1000)}?c`],
  ['many empty alternatives', `*{${','.repeat(4000)}}c`],
  ['many sets', `*${'[a-z]'.repeat(800)}c`],
  ['a set of many ranges', `*[!${'x-z'.repeat(1360)}]c`],
  ['many question marks', HARDEST],
  ['a question mark after each star', `${'*?'.repeat(2000)}c`],
  ['stars only', `${'*'.repeat(4000)}c`],
];

describe('a pattern of names', function () {
  this.timeout(60_000);

  const folder = mkdtempSync(join(tmpdir(), 'tntar-patterns-'));
  const file = join(folder, 'archive.tar.zst');
  const other = join(folder, 'other.tar.zst');
  before(() => {
    const name = (i: number): string =>
      i % 2 === 0 ? letters(i) : characters((i * LENGTH) / 4) + String(i);
    const spaces: Plain[][] = Array.from({ length: COUNT }, (_, i) => [
      ...[512 + i, 1, name(i), 'memtx', 0, {}, []],
    ]);
    writeFileSync(file, crafted({ 280: spaces }, '2.6.0'));
    writeFileSync(other, crafted({ 280: spaces.slice(1) }, '2.6.0'));
  });
  after(() => rmSync(folder, { recursive: true }));

  /** Runs the command, and checks what it says and how long it kept its event loop. */
  const look = async (args: readonly string[]): Promise<void> => {
    const TNTAR_LONGEST_TURN = join(folder, 'turn');
    const env = { NODE_OPTIONS: `--import=${LONGEST_TURN}`, TNTAR_LONGEST_TURN };
    const { code, stderr } = await tntar(args, { env, timeoutMs: 30_000 });
    equal(code, 2, stderr);
    match(stderr, /^tntar: (no space matches|.*: it takes more than 20000000 steps)/);
    const longest = Number(readFileSync(TNTAR_LONGEST_TURN, 'utf8'));
    ok(longest < TURN_MS, `${longest} ms`);
  };

  for (const [title, pattern] of PATTERNS) {
    it(`lets list react to signals: ${title}`, () =>
      look(['list', '-i', file, '--space', pattern]));
  }

  for (const [command, args] of [
    ['verify', ['-i', file, '--exclude', HARDEST]],
    ['extract', ['-i', file, '-C', join(folder, 'out'), '--space', HARDEST, '--space', 'c*']],
    ['diff', [file, other, '--space', 'a*', '--exclude', HARDEST]],
    ['diff', [file, other, '--exclude-rows', HARDEST]],
  ] as const) {
    it(`lets ${command} ${args.find((arg) => arg.startsWith('--'))} react to signals`, () =>
      look([command, ...args]));
  }
});
