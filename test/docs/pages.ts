import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the checkout. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A fenced block of a page, with the marks that stand around it. */
export interface Block {
  /** The line of the page on which the fence opens, from 1. */
  line: number;
  /** The word after the fence, e.g. `sh`; empty if there is none. */
  language: string;
  text: string;
  /** The reason why no test runs the block, from `<!-- not run: … -->` before it. */
  notRun: string | undefined;
  /** The path at which the reader saves the block, from `<!-- file: … -->` before it. */
  file: string | undefined;
  /** Commands that prepare the block, from `<!-- before: … -->` before it. */
  before: readonly string[];
  /** Commands that check what the block did, from `<!-- after: … -->` after it. */
  after: readonly string[];
  /** The exit code that the block has, from `<!-- exits: … -->` before it. */
  exitCode: number;
  /** The lines that the block prints: those of a `text` block that directly follows. */
  printed: readonly string[];
}

/** A page of the documentation. */
export interface Page {
  /** From the root of the checkout, e.g. `docs/guides/restore.md`. */
  path: string;
  text: string;
  blocks: readonly Block[];
}

const MARK = /^<!-- (not run|file|before|after|exits): (.*) -->$/;

interface Draft {
  line: number;
  language: string;
  lines: string[];
  marks: [name: string, value: string][];
  isOutput: boolean;
}

/** Splits the page into fenced blocks. A mark belongs to the next block, and `after` to the last one. */
function draftsOf(text: string): Draft[] {
  const drafts: Draft[] = [];
  let open: Draft | undefined;
  let marks: [string, string][] = [];
  let isAfterShell = false;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^ *```(\w*)$/.exec(line);
    const mark = MARK.exec(line);
    if (open !== undefined && fence === null) open.lines.push(line);
    else if (open !== undefined) {
      isAfterShell = open.language === 'sh';
      open = undefined;
    } else if (fence !== null) {
      const language = fence[1] ?? '';
      const isOutput = isAfterShell && language === 'text';
      open = { line: index + 1, language, lines: [], marks, isOutput };
      drafts.push(open);
      marks = [];
    } else if (mark?.[1] === 'after') drafts.at(-1)?.marks.push(['after', mark[2] ?? '']);
    else if (mark !== null) marks.push([mark[1] ?? '', mark[2] ?? '']);
    else if (line.trim() !== '') isAfterShell = false;
  }
  return drafts;
}

/**
 * Reads the fenced blocks of a page.
 *
 * @example blocksOf('```sh\ntntar --version\n```\n')[0].text; // 'tntar --version\n'
 */
export function blocksOf(text: string): Block[] {
  const drafts = draftsOf(text);
  return drafts.map(({ line, language, lines, marks }, index) => {
    const all = (name: string): string[] =>
      marks.filter(([mark]) => mark === name).map(([, value]) => value);
    const next = drafts[index + 1];
    return {
      line,
      language,
      text: lines.map((each) => `${each}\n`).join(''),
      notRun: all('not run')[0],
      file: all('file')[0],
      before: all('before'),
      after: all('after'),
      exitCode: Number(all('exits')[0] ?? 0),
      printed: next?.isOutput ? next.lines : [],
    };
  });
}

function pageOf(path: string): Page {
  const text = readFileSync(join(ROOT, path), 'utf8');
  return { path, text, blocks: blocksOf(text) };
}

/** Every page: those of `docs`, and those that stand beside what they describe. */
export const PAGES: readonly Page[] = [
  'README.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'benchmarks/RESULTS.md',
  'test/fixtures/README.md',
  ...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path}`)
    .sort(),
].map(pageOf);

/** Returns the blocks of one language of a page that are typed and run, not saved as a file. */
export function runnable(page: Page, language: string): Block[] {
  return page.blocks.filter(
    (block) =>
      block.language === language && block.notRun === undefined && block.file === undefined,
  );
}

/** Returns the text that a page says to save at the path. */
export function fileOf(page: Page, path: string): string {
  const block = page.blocks.find(({ file }) => file === path);
  if (block === undefined) throw new Error(`${page.path} has no file ${path}`);
  return block.text;
}

/** Returns the page at the path. */
export function pageAt(path: string): Page {
  const page = PAGES.find((each) => each.path === path);
  if (page === undefined) throw new Error(`no page ${path}`);
  return page;
}
