import { equal, match, ok } from 'node:assert/strict';
import { PAGES, pageAt } from '../docs/pages.js';
import { shell } from '../support/cli.js';

const README = pageAt('README.md');
const MAX_LINES = 150;

describe('README.md', () => {
  it('is short', () => {
    ok(README.text.trimEnd().split('\n').length <= MAX_LINES);
  });

  it('leads to every guide, reference and explanation', () => {
    for (const { path } of PAGES) {
      if (path.startsWith('docs/') && !path.startsWith('docs/contributing/')) {
        ok(README.text.includes(`](${path})`), path);
      }
    }
  });

  it('has the two commands for a fresh machine', () => {
    match(README.text, /^```sh\nbash \.ci\/setup\nnpm test\n```$/m);
  });
});

describe('docs/reference/exit-codes.md', () => {
  const { text } = pageAt('docs/reference/exit-codes.md');
  const rows = [...text.matchAll(/^\| (\d|128\+n) +\| (.*?) *\|$/gm)];

  it('has the exit codes of every command', async () => {
    const { stdout } = await shell('tntar --help');
    const codes = rows.slice(0, 7);
    equal(codes.at(-1)?.[1], '128+n');
    for (const [, code = '', meaning = ''] of codes) {
      ok(stdout.toString().includes(`${code}  ${meaning}`), `${code} ${meaning}`);
    }
  });

  it('has the exit codes of diff', async () => {
    const { stdout } = await shell('tntar diff --help');
    const codes = rows.slice(7);
    equal(codes.length, 3);
    for (const [, code = '', meaning = ''] of codes) {
      ok(stdout.toString().includes(`${code}  ${meaning}`), `${code} ${meaning}`);
    }
  });
});
