import { deepEqual, equal, ok } from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { blocksOf, PAGES, ROOT } from './pages.js';

const MAX_ROW = 160;
/** Languages of blocks that some test runs, and of blocks that only show something. */
const LANGUAGES = ['sh', 'ts', 'lua', 'ini', 'json', 'text'];

/** Returns a page without its fenced blocks, and without code in lines. */
const proseOf = (text: string): string =>
  text.replace(/^ *```\w*\n.*?^ *```$/gms, '').replace(/`[^`\n]*`/g, '');

/** Returns the anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(text: string): string[] {
  const headings = text.replace(/^```\w*\n.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Returns what is wrong with a link of the page; undefined if it leads somewhere. */
function wrongLink(page: string, target: string): string | undefined {
  if (/^https?:/.test(target)) return undefined;
  const [file = '', anchor] = target.split('#');
  const path = file === '' ? page : join(dirname(page), file);
  if (!existsSync(join(ROOT, path))) return `${target}: no such file`;
  if (anchor === undefined) return undefined;
  const text = PAGES.find((each) => each.path === path)?.text;
  if (text === undefined) return `${target}: an anchor of a file that is no page`;
  return anchorsOf(text).includes(anchor) ? undefined : `${target}: no such heading`;
}

describe('the pages', () => {
  it('are found', () => {
    ok(PAGES.length > 30, String(PAGES.length));
  });

  for (const { path, text, blocks } of PAGES) {
    describe(path, () => {
      it('begins with one title', () => {
        const [first = '', ...others] = text.replace(/^```\w*\n.*?^```$/gms, '').split('\n');
        ok(first.startsWith('# '), first);
        deepEqual(
          others.filter((line) => line.startsWith('# ')),
          [],
        );
      });

      it('has links that lead to files and headings', () => {
        const targets = [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(
          ([, target = '']) => target,
        );
        deepEqual(
          targets.map((target) => wrongLink(path, target)).filter((wrong) => wrong !== undefined),
          [],
        );
      });

      it('names no test that does not exist', () => {
        for (const [, named = ''] of text.matchAll(/`(test\/[\w./*-]+)`/g)) {
          const start = basename(named).replace(/\*$/, '');
          const names = readdirSync(join(ROOT, dirname(named)));
          ok(
            names.some((name) => name.startsWith(start)),
            named,
          );
        }
      });

      it('names no source file that does not exist', () => {
        const files = [...text.matchAll(/`((?:lib|bin)\/[\w./-]+\.ts)`/g)].map(
          ([, file = '']) => file,
        );
        deepEqual(
          files.filter((file) => !existsSync(join(ROOT, file))),
          [],
        );
      });

      it('has no row of a table that is too long to read', () => {
        const rows = text.split('\n').filter((line) => line.startsWith('|'));
        deepEqual(
          rows.filter((row) => row.length > MAX_ROW),
          [],
        );
      });

      it('has the language of every block, and no block by indentation', () => {
        for (const { language, line } of blocks) ok(LANGUAGES.includes(language), `line ${line}`);
        const lines = proseOf(text).split('\n');
        const indented = lines.filter(
          (line, index) => /^ {4}\S/.test(line) && lines[index - 1] === '',
        );
        deepEqual(indented, []);
      });

      it('says why a block is not run', () => {
        for (const { notRun, line } of blocks)
          ok(notRun === undefined || notRun.length > 20, `line ${line}`);
        const marks = [...text.matchAll(/^<!-- (?!Generated)/gm)].length;
        const understood = blocks.flatMap(({ notRun, file, before, after, exitCode }) => [
          ...[notRun, file].filter((mark) => mark !== undefined),
          ...before,
          ...after,
          ...(exitCode === 0 ? [] : [exitCode]),
        ]);
        equal(understood.length, marks);
      });
    });
  }

  it('leave few blocks out of the tests', () => {
    const all = PAGES.flatMap(({ path, blocks }) =>
      path === 'docs/reference/commands.md'
        ? []
        : blocks.filter(({ language }) => language === 'sh'),
    );
    const left = all.filter(({ notRun }) => notRun !== undefined);
    ok(all.length > 60, String(all.length));
    ok(left.length <= 20, String(left.length));
  });
});

describe('a page', () => {
  const page = [
    '<!-- before: make it -->',
    '<!-- exits: 3 -->',
    '```sh',
    'try it',
    '```',
    '<!-- after: check it -->',
    '',
    '```text',
    'printed',
    '```',
    '',
    'Words.',
    '<!-- not run: a reason -->',
    '```sh',
    'leave it',
    '```',
  ].join('\n');

  it('gives each block the marks around it, and the output that follows', () => {
    const [first, , last] = blocksOf(page);
    deepEqual(
      [first?.before, first?.exitCode, first?.text, first?.after, first?.printed],
      [['make it'], 3, 'try it\n', ['check it'], ['printed']],
    );
    deepEqual([last?.notRun, last?.before, last?.exitCode, last?.line], ['a reason', [], 0, 14]);
  });
});
