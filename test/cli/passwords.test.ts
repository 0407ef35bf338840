import { equal, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { withoutPassword, withoutPasswords } from '../../bin/options/passwords.js';
import { holds } from '../property/runs.js';
import { tntar } from '../support/cli.js';

/** Letters that no message of tntar has in a row, so that four of them come from a password. */
const word = fc.stringMatching(/^[QXZJVK]{5}[ÄЖ]$/);
const sign = fc.constantFrom(
  ...['@', '/', '?', '%', '%40', ':', '#', '[', ']', ' ', '//', '..', '=', '&', "'", '"', '\\'],
  ...['@unix/:', '@unix/:/', '@/', '.zst', '.tar/', 'unix/:', '-o', '😀', '\t'],
);
const HOST = '127.0.0.1:1';

/** Words and what is between them, before and after. */
const password = fc
  .tuple(
    fc.option(sign, { nil: '' }),
    fc.array(fc.tuple(word, sign), { minLength: 1, maxLength: 4 }),
    word,
  )
  .map(([first, pairs, last]) => ({
    text: first + pairs.flat().join('') + last,
    words: [...pairs.map(([each]) => each), last],
  }));

/** Addresses with that password. Without a host, what comes after an @ is a host. */
const address = fc
  .tuple(password, fc.constantFrom(`@${HOST}`, '@[::1]:1', '@1', ''))
  .filter(([{ text }, place]) => place !== '' || !text.includes('@'))
  .map(([{ text, words }, place]) => ({ address: `u:${text}${place}`, words }));

const partsOf = (text: string): string[] =>
  [...text].slice(3).map((_, i) => [...text].slice(i, i + 4).join(''));

function showsNone(shown: string, words: readonly string[]): void {
  for (const part of words.flatMap(partsOf)) ok(!shown.includes(part), `${part} in: ${shown}`);
}

/** Every place of a call that an address may be in, by mistake or not. */
const CALLS: readonly ((address: string, folder: string) => string[])[] = [
  (a) => ['dump', a],
  (a) => ['dump', a, '--connect-timeout', '1', '--progress', 'json'],
  (a) => ['dump', HOST, '-o', a],
  (a, folder) => ['dump', HOST, '-o', join(folder, 'x.zst'), '--password-file', a],
  (a) => ['dump', a, a],
  (a) => ['dump', '--level', a],
  (a) => ['dump', `--${a}`],
  (a) => ['dump', `-q${a}`],
  (a) => ['dump', HOST, '--filter', a],
  (a) => ['dump', HOST, '--tls-ca', a],
  (a) => ['restore', a],
  (a) => ['restore', a, 'none.zst'],
  (a) => ['restore', HOST, a],
  (a) => ['restore', HOST, '-i', a],
  (a) => ['restore', a, '-i', a, '--existing', 'drop'],
  (a) => ['restore', 'none.zst', a],
  (a) => ['restore', HOST, a, '--salvage', '-i', 'none.zst'],
  (a) => ['copy', a, HOST],
  (a) => ['copy', HOST, a],
  (a) => ['copy', a, 'none.zst'],
  (a) => ['copy', 'none.zst', a],
  (a) => ['diff', a, 'none.zst'],
  (a) => ['diff', 'none.zst', a],
  (a) => ['diff', a, a],
  (a) => ['list', a],
  (a) => ['list', '-i', a],
  (a) => ['list', `-i${a}`],
  (a) => ['list', `--input=${a}`],
  (a) => ['list', a, '-i', 'none.zst'],
  (a) => ['list', 'none.zst', '-i', a],
  (a) => ['verify', a],
  (a) => ['verify', '-i', a],
  (a) => ['cat', a],
  (a) => ['cat', 'users', a],
  (a) => ['cat', 'users', '-i', a],
  (a) => ['extract', a, '-C', 'none'],
  (a) => ['extract', 'none.zst', '-C', a],
  (a) => ['completion', a],
  (a) => [a],
  (a) => ['help', a],
];

describe('a password in an argument', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-passwords-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('is replaced by *** in messages, and the rest of the argument is kept', () => {
    for (const [arg, shown] of [
      ['me:hush@db1:3301', 'me:***@db1:3301'],
      ['me:hu@/sh@db1', 'me:***@db1'],
      ['me:hush', 'me:***'],
      ['me:@unix/:hush', 'me:***'],
      ['me:x@/no/such/socket', 'me:***'],
      ['me:hush@[::1]:3301', 'me:***@[::1]:3301'],
      ['--source=me:hush@db1', '--source=me:***@db1'],
      ['me@db1:hush', 'me@db1:***'],
    ] as const) {
      equal(withoutPassword(arg), shown);
    }
  });

  it('is not searched for in arguments that cannot have one', () => {
    for (const arg of [
      'db1:3301',
      'me@db1:3301',
      '3301',
      '[::1]:3301',
      'unix/:/run/a.sock',
      'me@unix/:/run/a.sock',
      '/backup/12:30.zst',
      './a:b',
      'backup@12.zst',
      'monday-12:30.tar.zst',
    ]) {
      equal(withoutPassword(arg), arg);
    }
  });

  it('leaves the colons of a message alone if an address ends with one', () => {
    const hint = 'an address is [user[:password]@]host[:port]';
    for (const address of ['me@db1:', 'me:', 'db1:']) {
      equal(withoutPasswords(hint, ['dump', address]), hint);
    }
  });

  it('is not searched for in expressions and masks, which contain colons', () => {
    const text = "cannot read 'users: age > 3'";
    equal(withoutPasswords(text, ['dump', '--where', 'users: age > 3']), text);
    equal(withoutPasswords(text, ['dump', '--where=users: age > 3']), text);
  });

  holds(
    'is in no argument that is shown, whatever its signs',
    5000,
    fc.property(address, (made) => showsNone(withoutPassword(made.address), made.words)),
  );

  holds(
    'is in no message of any command, in whichever argument it stands',
    20,
    fc.asyncProperty(address, fc.constantFrom(...CALLS), async (made, call) => {
      const { code, stdout, stderr } = await tntar(call(made.address, folder), { cwd: folder });
      ok(code !== 0, `${call(made.address, folder).join(' ')}: ${code}`);
      showsNone(`${stdout}${stderr}`, made.words);
    }),
  );

  it('is not shown if the host is missing and the rest looks like a path', async () => {
    for (const secret of ['unix/:HUSHHUSH', '/HUSHHUSH', 'unix/:/HUSHHUSH', 'unix/:./HUSHHUSH']) {
      for (const given of [`u:@${secret}`, `u:x@${secret}`]) {
        const { code, stderr } = await tntar(['dump', given]);
        equal(code, 2, stderr);
        ok(!stderr.includes('HUSH'), stderr);
      }
    }
  });
});
