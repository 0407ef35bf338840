import { deepEqual, ok } from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/**
 * The floors of lib, each of rooms that stand side by side. A file may import from its own room, and from the
 * floors above it in this list. A room is a folder; each folder of `lib/schema` is one.
 */
const FLOORS: readonly (readonly string[])[] = [
  ['base'],
  ['tuple'],
  ['backup'],
  ['archive', 'iproto'],
  ['schema/server'],
  ['schema/catalog'],
  ['schema/sql'],
  ['schema/describe'],
  ['schema/read'],
  ['schema/convert'],
  ['schema/select'],
  ['schema/trust'],
  ['schema/refuse'],
  ['schema/plan'],
  ['schema/access'],
  ['server'],
  ['text'],
  ['flow'],
  ['sources', 'filters', 'sinks', 'diff'],
  ['cluster'],
  ['pipelines'],
  ['index.ts', 'archive.ts'],
];

/** Packages that one file alone may know. */
const KEPT_BY: Readonly<Record<string, string>> = {
  'tarantool-driver': 'lib/iproto/driver.ts',
  'zstd-napi': 'lib/archive/compression.ts',
  'tar-stream': 'lib/archive/tar.ts',
  'decimal.js': 'lib/tuple/arithmetic.ts',
  'console-table-printer': 'bin/output/table.ts',
  'cli-progress': 'bin/output/progress-bar.ts',
  'string-width': 'bin/output/progress-bar.ts',
  '@marcbachmann/cel-js': 'lib/filters/expression/cel.ts',
};
/** Where stages are joined. */
const PIPELINES = [
  'lib/pipelines/cat.ts',
  'lib/pipelines/cluster-reading.ts',
  'lib/pipelines/comparison.ts',
  'lib/pipelines/dump-cluster.ts',
  'lib/pipelines/dump.ts',
  'lib/pipelines/extract.ts',
  'lib/pipelines/restore.ts',
  'lib/pipelines/verify.ts',
];

interface Source {
  /** From the root, e.g. `lib/backup/batch.ts`. */
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

/** The room of a file of lib, e.g. `schema/plan`. */
function roomOf(path: string): string {
  const [, room = '', inner = ''] = path.split('/');
  return room === 'schema' ? `${room}/${inner}` : room;
}

/** The floor of a file of lib; -1 for a room that no floor has. */
const floorOf = (path: string): number => FLOORS.findIndex((rooms) => rooms.includes(roomOf(path)));

function mayImport(from: string, to: string): boolean {
  if (!to.startsWith('lib/')) return false;
  const [floor, target] = [floorOf(from), floorOf(to)];
  if (target < 0) return false;
  return target < floor || roomOf(from) === roomOf(to);
}

/** Finds imports that lead back to where they began, those of types included. */
function circlesIn(sources: readonly Source[]): string[] {
  const imports = new Map(sources.map((source) => [source.path, source.imports]));
  const state = new Map<string, 'open' | 'done'>();
  const circles: string[] = [];
  const visit = (path: string, way: readonly string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      circles.push([...way.slice(way.indexOf(path)), path].join(' -> '));
      return;
    }
    state.set(path, 'open');
    for (const next of imports.get(path) ?? []) visit(next, [...way, path]);
    state.set(path, 'done');
  };
  for (const { path } of sources) visit(path, []);
  return circles;
}

describe('the architecture', () => {
  const lib = sourcesIn('lib');
  const bin = sourcesIn('bin');

  it('was read from the sources', () => {
    ok(lib.length > 20 && bin.length > 0);
    const writer = lib.find(({ path }) => path === 'lib/archive/writer.ts');
    ok(writer?.imports.includes('lib/backup/batch.ts'));
    ok(writer?.imports.includes('lib/archive/entry-writer.ts'));
  });

  it('has a place for every file of lib', () => {
    deepEqual(
      lib.map(({ path }) => path).filter((path) => floorOf(path) < 0),
      [],
    );
  });

  it('lets no file of lib import from a later floor or from outside', () => {
    const wrong = lib.flatMap(({ path, imports }) =>
      imports.filter((target) => !mayImport(path, target)).map((target) => `${path} -> ${target}`),
    );
    deepEqual(wrong, []);
  });

  it('has no circle of imports, those of types included', () => {
    deepEqual(circlesIn([...lib, ...bin]), []);
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

  it('has a test that refuses what it should', () => {
    for (const [from, to, expected] of [
      ['lib/archive/writer.ts', 'lib/backup/batch.ts', true],
      ['lib/archive/writer.ts', 'lib/archive/tar.ts', true],
      ['lib/archive/writer.ts', 'lib/iproto/uri.ts', false],
      ['lib/schema/plan/plan.ts', 'lib/schema/catalog/catalog.ts', true],
      ['lib/schema/catalog/catalog.ts', 'lib/schema/plan/plan.ts', false],
      ['lib/pipelines/restore.ts', 'lib/pipelines/dump.ts', true],
      ['lib/pipelines/restore.ts', 'lib/sinks/server.ts', true],
      ['lib/backup/batch.ts', 'lib/archive/writer.ts', false],
      ['lib/sources/archive.ts', 'lib/sinks/archive.ts', false],
      ['lib/sinks/archive.ts', 'lib/sources/archive.ts', false],
      ['lib/sinks/archive.ts', 'lib/pipelines/dump.ts', false],
      ['lib/base/errors.ts', 'bin/output/exit.ts', false],
      ['lib/backup/batch.ts', 'lib/unheard/of.ts', false],
      ['lib/backup/batch.ts', 'test/support/msgpack.ts', false],
    ] as const) {
      deepEqual([from, to, mayImport(from, to)], [from, to, expected]);
    }
    deepEqual(importsOf('lib/a/b.ts', "import x from '../c.js';\nexport * from './d.js';"), [
      'lib/c.ts',
      'lib/a/d.ts',
    ]);
    deepEqual(importsOf('lib/a/b.ts', "import './e.js'; await import('../f/g.js');"), [
      'lib/a/e.ts',
      'lib/f/g.ts',
    ]);
    const source = (path: string, ...imports: string[]): Source => ({ path, code: '', imports });
    deepEqual(circlesIn([source('a', 'b', 'c'), source('b', 'c'), source('c', 'b')]), [
      'b -> c -> b',
    ]);
  });
});
