import { deepEqual, equal, match } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  archive,
  type Entry,
  jsonEntry,
  manifest,
  rowsEntry,
  sealed,
} from '../support/archive-builder.js';
import { shell, tntar } from '../support/cli.js';
import { type Plain, pack } from '../support/msgpack.js';
import { failsWith } from './outcome.js';

const FORMAT = [
  { name: 'id', type: 'unsigned' },
  { name: 'name', type: 'string', is_nullable: true },
  { name: 'age', type: 'unsigned' },
];
/** As many parts as make output that fits no pipe. */
const PARTS = 30;
const ROWS_A_PART = 200;

const rowsOfPart = (part: number): Plain[][] =>
  Array.from({ length: ROWS_A_PART }, (_, i) => [part * ROWS_A_PART + i, 'x'.repeat(200), i % 100]);

function entries(): Entry[] {
  const spaces = [
    { id: 512, name: 'users', engine: 'memtx', format: FORMAT, rowsFrom: 'snapshot' },
    { id: 513, name: 'log', engine: 'vinyl', format: [], rowsFrom: 'snapshot' },
    { id: 514, name: 'old', engine: 'memtx', format: [], rowsFrom: 'none' },
  ];
  const primary = [0, 'pk', 'tree', { unique: true }, [[0, 'unsigned']]] as const;
  return [
    jsonEntry('manifest.json', manifest({ spaces })),
    rowsEntry(
      '280.dump',
      [512, 1, 'users', 'memtx', 0, {}, FORMAT],
      [513, 1, 'log', 'vinyl', 0, {}, []],
      [514, 1, 'old', 'memtx', 0, { temporary: true }, []],
    ),
    rowsEntry('288.dump', [512, ...primary], [513, ...primary], [514, ...primary]),
    ...Array.from({ length: PARTS }, (_, part) =>
      rowsEntry(`512.dump.${String(part).padStart(5, '0')}`, ...rowsOfPart(part)),
    ),
    rowsEntry('513.dump', [1, 'one'], [2, pack('a\nb')], [3, Buffer.of(0xa1, 0xff)]),
  ];
}

const WHOLE = archive(sealed(entries()));

describe('cat', () => {
  let folder: string;
  let file: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-cat-'));
    file = join(folder, 'whole.tar.zst');
    writeFileSync(file, WHOLE);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const cat = (...args: string[]) => tntar(['cat', ...args], { input: WHOLE });

  it('writes each row of a space once, in their order', async () => {
    const { code, stdout, stderr } = await cat('users');
    equal(code, 0, stderr);
    const lines = String(stdout).trimEnd().split('\n');
    equal(lines.length, PARTS * ROWS_A_PART);
    deepEqual(JSON.parse(lines[1]!), { id: 1, name: 'x'.repeat(200), age: 1 });
    deepEqual(
      lines.map((line) => JSON.parse(line).id),
      Array.from({ length: lines.length }, (_, i) => i),
    );
    match(stderr, /^tntar: wrote 6,000 rows \(.* MB\) in [\d.]+ s\n$/);
  });

  it('reads a file, and takes fields, a condition and a limit', async () => {
    const args = ['users', '-i', file, '--format', 'csv', '--fields', 'age,id', '-q'];
    const { code, stdout, stderr } = await cat(...args, '--where', 'age >= 98', '--limit', '3');
    deepEqual([code, String(stdout), stderr], [0, 'age,id\n98,98\n99,99\n98,198\n', '']);
  });

  it('says that rows after a limit were not verified', async () => {
    const { stderr } = await cat('users', '--limit', '1');
    match(stderr, /^tntar: wrote 1 row .*the rest of the archive was neither read nor verified$/m);
  });

  it('stops at a limit in front of damage, and of a limit that is not reached reads all', async () => {
    const input = WHOLE.subarray(0, -1);
    const few = await tntar(['cat', 'users', '-q', '--limit', '1'], { input });
    deepEqual([few.code, few.stderr], [0, '']);
    const all = await tntar(['cat', 'users', '-q', '--limit', '100000'], { input });
    equal(all.code, 3);
  });

  it('writes the header of a text with a limit of zero and for a space without rows', async () => {
    equal(String((await cat('users', '--limit', '0', '--format', 'csv')).stdout), 'id,name,age\n');
    const { code, stdout, stderr } = await cat('old', '--format', 'json');
    deepEqual([code, JSON.parse(String(stdout))], [0, []]);
    match(stderr, /^tntar: warning: 'old': temporary/);
  });

  it('writes the verified rows before a damaged place, and exits with 3', async () => {
    const input = Buffer.from(WHOLE);
    input.fill(0, input.length - 3000);
    const { code, stdout, stderr } = await tntar(['cat', 'users', '-q'], { input });
    equal(code, 3, stderr);
    const lines = String(stdout).split('\n').slice(0, -1);
    for (const [i, line] of lines.entries()) equal(JSON.parse(line).id, i);
    equal(lines.length > ROWS_A_PART, true);
  });

  it('refuses a missing space or field, and names the ones that exist', async () => {
    failsWith(
      await cat('user', '-q'),
      2,
      /space 'user' does not exist\nhint: there are users; log; old\n/,
    );
    failsWith(await cat('users', '--fields', 'nam'), 2, /no field 'nam'\nhint: .*id; name; age/);
    failsWith(await cat('users', '--where', 'x > 1'), 2, /x/);
    for (const args of [['--limit', 'x'], ['--fields', 'a,,b'], ['--format', 'xml'], []]) {
      equal((await cat(...args, ...(args.length > 0 ? ['users'] : []))).code, 2);
    }
  });

  it('names the row and the field that a format has no form for', async () => {
    const { code, stderr } = await cat('log', '-q');
    equal(code, 1);
    match(
      stderr,
      /^tntar: space 'log', row \[3\], field '2': a string that is not valid UTF-8\nhint: /,
    );
    equal((await cat('log', '-q', '--fields', '1')).code, 0);
    equal((await cat('log', '-q', '--format', 'msgpack')).code, 0);
  });

  it('writes strings that are not valid UTF-8 by the chosen option, and reports their number', async () => {
    const replaced = await cat('log', '--invalid-utf8', 'replace');
    equal(replaced.code, 0);
    match(String(replaced.stdout), /^\[3,"\ufffd"\]$/m);
    match(replaced.stderr, /^tntar: warning: 1 string not valid UTF-8.*U\+FFFD/m);
    const base64 = await cat('log', '--invalid-utf8', 'base64', '--format', 'csv');
    match(String(base64.stdout), /^3,base64:\/w==$/m);
    const { code, stderr } = await cat('log', '--invalid-utf8', 'ignore');
    deepEqual([code, /error, replace, base64/.test(stderr)], [2, true], stderr);
  });

  it('leaves its output open for the next writer', async () => {
    const one = `tntar cat log -q -i ${file} --fields 1 --limit 1`;
    const { code, stdout } = await shell(`${one} && ${one} && echo done`);
    deepEqual([code, String(stdout)], [0, '[1]\n[1]\ndone\n']);
  });

  it('ends silently if its reader closes the pipe', async () => {
    const result = await shell(`tntar cat users -q -i ${file} | head -n 1; echo \${PIPESTATUS[0]}`);
    const [row, code] = String(result.stdout).trim().split('\n');
    deepEqual([JSON.parse(row!).id, code, result.stderr], [0, '141', '']);
  });
});
