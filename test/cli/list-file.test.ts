import { deepEqual, doesNotMatch, equal, match } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  archive,
  type Entry,
  goodEntries,
  jsonEntry,
  keysEntry,
  manifest,
  rowsEntry,
  sealed,
  seekable,
  trailer,
} from '../support/archive-builder.js';
import { type Result, shell, tntar } from '../support/cli.js';
import { TerminalSession } from '../support/terminal.js';
import { failsWith } from './outcome.js';

const FIELDS = [
  { name: 'id', type: 'unsigned' },
  { name: 'name', type: 'string', is_nullable: true },
];
const space = (id: number, name: string, engine: string, format: object[]) => ({
  id,
  name,
  engine,
  format,
  rowsFrom: 'snapshot',
});

function entries(given: object = {}): Entry[] {
  const spaces = [space(512, 'users', 'memtx', FIELDS), space(513, 'log', 'vinyl', [])];
  return [
    jsonEntry('manifest.json', manifest({ spaces, ...given })),
    rowsEntry(
      '280.dump',
      [512, 1, 'users', 'memtx', 0, {}, FIELDS],
      [513, 1, 'log', 'vinyl', 0, {}, []],
    ),
    rowsEntry('284.dump', [1, 1, 'ids', 1, 1, 100, 1, 0, false]),
    rowsEntry('285.dump', [1, 7]),
    keysEntry(),
    rowsEntry('340.dump', [512, 1, true, 0, '']),
    ...goodEntries().slice(3),
  ];
}

const GOOD = entries();
const WHOLE = seekable(sealed(GOOD));
const PLAIN = archive(sealed(GOOD));
/** Where its rows are, something is damaged. */
const DAMAGED = Buffer.from(WHOLE);
DAMAGED[archive(GOOD.slice(0, -1)).length - 40]! ^= 1;

describe('list of a file', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-list-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const fileOf = (bytes: Buffer): string => {
    const file = join(folder, 'some.tar.zst');
    writeFileSync(file, bytes);
    return file;
  };
  const list = async (bytes: Buffer, ...args: string[]): Promise<Result> => {
    const result = await tntar(['list', '-i', fileOf(bytes), ...args]);
    equal(result.code, 0, result.stderr);
    return result;
  };
  const json = async (bytes: Buffer, ...args: string[]) =>
    JSON.parse(String((await list(bytes, '--json', ...args)).stdout));

  it('prints the same as for a pipe, and that the contents were not verified', async () => {
    const { verified, ...contents } = await json(WHOLE);
    const piped = await tntar(['list', '--json'], { input: WHOLE });
    const { verified: isVerified, ...others } = JSON.parse(String(piped.stdout));
    deepEqual([verified, isVerified], [false, true]);
    deepEqual(contents, others);
    equal(contents.archiveBytes, WHOLE.length);
    const { stdout } = await list(WHOLE);
    match(String(stdout), /^complete, from one moment, .*, contents not verified \(tntar verify /m);
  });

  it('works in the same way if standard input is a file', async () => {
    const { stdout } = await shell(`tntar list --json < ${fileOf(WHOLE)}`);
    equal(JSON.parse(String(stdout)).verified, false);
  });

  it('does not read rows, even damaged ones', async () => {
    const { rows } = await json(DAMAGED);
    equal(rows, 5);
    failsWith(await tntar(['list', '-q'], { input: DAMAGED }), 3, /cannot decompress/);
  });

  it('reads and verifies the whole file if the seek table is missing or wrong', async () => {
    equal((await json(PLAIN)).verified, true);
    const wrong = Buffer.from(WHOLE);
    wrong[PLAIN.length + 8]! ^= 1;
    const { stdout, stderr } = await list(wrong, '--json');
    equal(JSON.parse(String(stdout)).verified, true);
    match(stderr, /^tntar: warning: the seek table is wrong: .*; the whole archive is read/);
    equal(stderr.split('\n').length, 2, 'it is said once');
  });

  it('refuses two archives in one file', async () => {
    for (const bytes of [Buffer.concat([WHOLE, WHOLE]), Buffer.concat([PLAIN, WHOLE])]) {
      const { code, stderr } = await tntar(['list', '-i', fileOf(bytes)]);
      equal(code, 3);
      match(stderr, /another frame follows the end of the archive/);
    }
  });

  it('shows the selected spaces with their rows', async () => {
    const { spaces, rows, shown, verified } = await json(WHOLE, '--space', 'users');
    deepEqual([spaces.length, spaces[0].name, spaces[0].rows, rows], [1, 'users', 2, 2]);
    deepEqual([shown.length, verified], [1, false]);
    const none = await tntar(['list', '-i', fileOf(WHOLE), '--space', 'nobody']);
    failsWith(none, 2, /no space matches 'nobody'/);
  });

  it('says that an archive is partial and not from one moment', async () => {
    const some = entries({ partial: ['only the best'], source: 'select' });
    const end = jsonEntry('trailer.json', trailer(some, { consistent: false }));
    const { stdout } = await list(seekable([...some, end]));
    match(String(stdout), /^a part, NOT from one moment: rows were written meanwhile, /m);
    match(String(stdout), /^PARTIAL: only the best$/m);
  });

  it('shows definitions in readable form with --schema', async () => {
    const { stdout } = await list(WHOLE, '--schema');
    const text = String(stdout);
    const shown = [
      "space 512 'users' (memtx; ids from sequence 'ids')",
      '  id    unsigned',
      '  name  string nullable',
      "  index 0 'pk': unique tree (id unsigned)",
      '',
      "space 513 'log' (vinyl)",
      "  index 0 'pk': unique tree (1 unsigned)",
      '',
      "sequence 1 'ids': from 1 by 1, within 1 to 100; at 7",
      '',
    ].join('\n');
    equal(text.slice(text.indexOf('space 512')), shown);
    const chosen = String((await list(WHOLE, '--schema', '--space', 'log')).stdout);
    doesNotMatch(chosen, /space 512|sequence/);
  });

  it('adds the definitions to the JSON document with --schema and --json', async () => {
    const { schema, ...others } = await json(WHOLE, '--schema');
    deepEqual(others, await json(WHOLE));
    deepEqual(schema.sequences, [
      {
        id: 1,
        name: 'ids',
        step: '1',
        min: '1',
        max: '100',
        start: '1',
        isCycle: false,
        value: '7',
      },
    ]);
    deepEqual(schema.spaces[0].fields[1], { name: 'name', type: 'string', isNullable: true });
    const piped = await tntar(['list', '--json', '--schema'], { input: WHOLE });
    deepEqual(JSON.parse(String(piped.stdout)).schema, schema);
  });

  it('prints no colors and no lines if the output is not a terminal', async () => {
    const { stdout } = await list(WHOLE);
    equal(String(stdout).includes('\x1b'), false);
    doesNotMatch(String(stdout), /[│┌]/);
  });

  it('draws with ASCII if the locale has no UTF-8', async () => {
    const line = `tntar list -i ${fileOf(WHOLE)}`;
    const env = { LC_ALL: 'POSIX', TERM: 'xterm', NO_COLOR: '1' };
    const { stdout } = await shell(line, { env });
    match(String(stdout), /^ +total .* #{10} 100\.0%$/m);
    const { shown } = await new TerminalSession(line, { env }).end();
    match(shown, /^[\x20-\x7e\r\n]+$/);
  });

  it('prints lines on a terminal, and colors unless NO_COLOR is set', async () => {
    for (const NO_COLOR of ['', '1']) {
      const env = { NO_COLOR, TERM: 'xterm' };
      const { code, shown } = await new TerminalSession(`tntar list -i ${fileOf(WHOLE)}`, {
        env,
      }).end();
      equal(code, 0, shown);
      match(shown, /┌─+┬/);
      equal(shown.includes('\x1b['), NO_COLOR === '');
    }
  });
});
