import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { visibleText } from '../../bin/output/visible.js';
import { jsonText } from '../../lib/base/report.js';
import { tntar } from '../support/cli.js';
import { TerminalSession } from '../support/terminal.js';
import { writeSpace } from '../unit/text/carried.js';

/** U+009B is what a terminal with 8-bit controls takes for ESC and a bracket; U+202E turns what follows. */
const EVIL = '\u001b[2J\u009b2J\u0090\u007f\u2028\u202e\u2066';
const CONTROLS = /(?![\n\t])[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;
const NAME = `evil${EVIL.replace('\u001b', '')}`;
const FORMAT = [
  { name: 'id', type: 'unsigned' },
  { name: EVIL, type: 'string' },
];

describe('control characters from an archive', () => {
  let folder: string;
  let file: string;
  let other: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-controls-'));
    file = join(folder, 'a.tar.zst');
    other = join(folder, 'b.tar.zst');
    writeSpace(file, { name: NAME, format: FORMAT }, [[1, `a${EVIL}`]]);
    writeSpace(other, { name: NAME, format: [FORMAT[0]!] }, [[1, `b${EVIL}`]]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('are escaped in JSON, which reads back unchanged', async () => {
    for (const args of [
      ['list', '--json', '--schema', file],
      ['cat', NAME, file],
      ['cat', NAME, file, '--format', 'json'],
      ['diff', file, other, '--json'],
      ['diff', file, other, '--json', '--rows'],
      ['cat', `no${EVIL}`, file, '--progress', 'json'],
    ]) {
      const { stdout, stderr } = await tntar(args);
      const text = String(stdout) + stderr;
      ok(!CONTROLS.test(text), `${args[0]}: ${JSON.stringify(text)}`);
      match(text, /\\u009b2J/);
    }
    const { stdout } = await tntar(['cat', NAME, file]);
    deepEqual(JSON.parse(String(stdout)), { id: 1, [EVIL]: `a${EVIL}` });
  });

  it('are never printed in text for people', async () => {
    for (const args of [
      ['list', '--schema', file],
      ['verify', file],
      ['diff', file, other, '--rows'],
      ['cat', `no${EVIL}`, file],
    ]) {
      const { stdout, stderr } = await tntar(args);
      const text = String(stdout) + stderr;
      ok(!CONTROLS.test(text), `${args[0]}: ${JSON.stringify(text)}`);
    }
  });

  it('are shown escaped in rows on a terminal, and written unchanged to files and pipes', async () => {
    for (const format of ['csv', 'tsv', 'sql', 'sqlite', 'postgres', 'json']) {
      const line = `tntar cat "$NAME" "$FILE" --format ${format}`;
      const { shown } = await new TerminalSession(line, { env: { NAME, FILE: file } }).end();
      // a terminal ends lines with two characters
      ok(!CONTROLS.test(shown.replaceAll('\r\n', '\n')), `${format}: ${JSON.stringify(shown)}`);
    }
    const { stdout } = await tntar(['cat', NAME, file, '--format', 'csv', '--fields', '2']);
    equal(String(stdout), `${EVIL}\na${EVIL}\n`);
  });

  it('are shown escaped if a character is split between two chunks', () => {
    const visible = visibleText();
    const bytes = Buffer.from('\u009bя\u2028\n\t\r');
    const parts = [...bytes].map((byte) => visible(Buffer.of(byte)));
    equal(parts.join(''), '\\x9bя\\u2028\n\t\\x0d');
  });

  it('are escaped in every kind of JSON, which reads back unchanged', () => {
    const all = String.fromCharCode(...Array(0x3000).keys());
    const text = jsonText({ [all]: all });
    ok(!CONTROLS.test(text));
    deepEqual(JSON.parse(text), { [all]: all });
    equal(jsonText(undefined), 'null');
  });
});
