import { deepEqual, ok } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * The stages of lib, each of files and folders that stand side by side. A file may import from its own
 * place, and from stages above.
 */
const STAGES: readonly (readonly string[])[] = [
  [
    'awake.ts',
    'calls.ts',
    'errors.ts',
    'lock.ts',
    'memory.ts',
    'report.ts',
    'scratch.ts',
    'temporary.ts',
    'turns.ts',
    'version.ts',
  ],
  ['tuple'],
  ['archive'],
  ['iproto'],
  ['schema'],
  ['text'],
  ['server'],
  ['filters'],
  ['diff'],
  ['sources', 'sinks'],
  [
    'dump.ts',
    'restore.ts',
    'copy.ts',
    'inspect-options.ts',
    'inspect.ts',
    'outline.ts',
    'extract.ts',
    'cat.ts',
    'diff.ts',
    'salvage.ts',
    'index.ts',
  ],
];
/** Files that share a stage and may import from each other; folders that share one may not. */
const isFile = (place: string): boolean => place.endsWith('.ts');

/** Packages that one file alone may know. */
const KEPT_BY: Readonly<Record<string, string>> = {
  'tarantool-driver': 'lib/iproto/driver.ts',
  'zstd-napi': 'lib/archive/compression.ts',
  'tar-stream': 'lib/archive/tar.ts',
  msgpackr: 'lib/tuple/codec.ts',
  'decimal.js': 'lib/tuple/arithmetic.ts',
  'console-table-printer': 'bin/output/table.ts',
  'cli-progress': 'bin/output/progress-bar.ts',
  'string-width': 'bin/output/progress-bar.ts',
  '@marcbachmann/cel-js': 'lib/filters/expression/cel.ts',
};
/** Where stages are joined. */
const PIPELINES = [
  'lib/cat.ts',
  'lib/diff.ts',
  'lib/dump.ts',
  'lib/extract.ts',
  'lib/inspect.ts',
  'lib/restore.ts',
];

interface Source {
  /** From the root, e.g. `lib/tuple/batch.ts`. */
  path: string;
  /** Without comments. */
  code: string;
  /** Paths of the files that it imports, from the root. */
  imports: string[];
}

function sourcesIn(folder: string): Source[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => posix.join(folder, name.replaceAll('\\', '/')))
    .filter((path) => path.endsWith('.ts'))
    .sort()
    .map((path) => {
      const code = withoutComments(readFileSync(join(ROOT, path), 'utf8'));
      return { path, code, imports: importsOf(path, code) };
    });
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
}

function importsOf(path: string, code: string): string[] {
  const named = code.matchAll(/\b(?:from|import|require)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g);
  return [...named].map(([, target]) =>
    posix.join(posix.dirname(path), target!).replace(/\.js$/, '.ts'),
  );
}

/** The stage of a file of lib and its place in it, e.g. `[1, 'tuple']`; stage -1 for neither. */
function placeOf(path: string): [number, string] {
  const place = path.split('/')[1] ?? '';
  return [STAGES.findIndex((places) => places.includes(place)), place];
}

function mayImport(from: string, to: string): boolean {
  if (!to.startsWith('lib/')) return false;
  const [stage, place] = placeOf(from);
  const [targetStage, targetPlace] = placeOf(to);
  if (targetStage < 0) return false;
  if (targetStage !== stage) return targetStage < stage;
  return targetPlace === place || isFile(place);
}

describe('the architecture', () => {
  const lib = sourcesIn('lib');
  const bin = sourcesIn('bin');

  it('was read from the sources', () => {
    ok(lib.length > 20 && bin.length > 0);
    const writer = lib.find(({ path }) => path === 'lib/archive/writer.ts');
    ok(writer?.imports.includes('lib/tuple/batch.ts'));
    ok(writer?.imports.includes('lib/archive/tar.ts'));
  });

  it('has a place for every file of lib', () => {
    deepEqual(
      lib.map(({ path }) => path).filter((path) => placeOf(path)[0] < 0),
      [],
    );
  });

  it('lets no file of lib import from a later stage, nor from outside', () => {
    const wrong = lib.flatMap(({ path, imports }) =>
      imports.filter((target) => !mayImport(path, target)).map((target) => `${path} -> ${target}`),
    );
    deepEqual(wrong, []);
  });

  it('lets bin import from lib and from itself only', () => {
    const wrong = bin.flatMap(({ path, imports }) =>
      imports
        .filter((target) => !/^(lib|bin)\//.test(target))
        .map((target) => `${path} -> ${target}`),
    );
    deepEqual(wrong, []);
  });

  it('lets no file of lib import the public surface, which is made of them', () => {
    deepEqual(
      lib.filter(({ imports }) => imports.includes('lib/index.ts')).map(({ path }) => path),
      [],
    );
  });

  for (const [name, keeper] of Object.entries(KEPT_BY)) {
    it(`lets only ${keeper} know ${name}`, () => {
      const naming = new RegExp(`['"\`]${name}(/[^'"\`]*)?['"\`]`);
      deepEqual(
        [...lib, ...bin].filter(({ code }) => naming.test(code)).map(({ path }) => path),
        [keeper],
      );
    });
  }

  it('joins stages in the pipeline files only', () => {
    const joining = /\bpipeline\s*\(|import\s*\{[^}]*\bpipeline\b[^}]*\}\s*from\s*['"]node:stream/;
    deepEqual(
      [...lib, ...bin].filter(({ code }) => joining.test(code)).map(({ path }) => path),
      PIPELINES,
    );
  });

  it('refuses in this test what it should', () => {
    for (const [from, to, expected] of [
      ['lib/archive/writer.ts', 'lib/tuple/batch.ts', true],
      ['lib/archive/writer.ts', 'lib/archive/tar.ts', true],
      ['lib/archive/writer.ts', 'lib/errors.ts', true],
      ['lib/restore.ts', 'lib/dump.ts', true],
      ['lib/restore.ts', 'lib/sinks/server.ts', true],
      ['lib/tuple/batch.ts', 'lib/archive/writer.ts', false],
      ['lib/sources/archive.ts', 'lib/sinks/archive.ts', false],
      ['lib/sinks/archive.ts', 'lib/sources/archive.ts', false],
      ['lib/sinks/archive.ts', 'lib/dump.ts', false],
      ['lib/errors.ts', 'lib/tuple/batch.ts', false],
      ['lib/errors.ts', 'lib/report.ts', true],
      ['lib/errors.ts', 'bin/output/exit.ts', false],
      ['lib/tuple/batch.ts', 'lib/unheard/of.ts', false],
      ['lib/tuple/batch.ts', 'test/support/msgpack.ts', false],
    ] as const) {
      deepEqual([from, to, mayImport(from, to)], [from, to, expected]);
    }
    deepEqual(importsOf('lib/a/b.ts', "import x from '../../c.js';\nexport * from '../d.js';"), [
      'lib/c.ts',
      'lib/a/d.ts',
    ]);
    deepEqual(importsOf('lib/a/b.ts', "import '../e.js'; await import('../../f/g.js');"), [
      'lib/a/e.ts',
      'lib/f/g.ts',
    ]);
  });
});
