import { deepEqual, equal, match, ok } from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Result, shell } from '../support/cli.js';
import { CONSUMER_TYPES } from './consumer-types.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** What a checkout holds, as far as building and packing may look at it. */
const SOURCES = [
  'package.json',
  'tsconfig.json',
  'README.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'LICENSE',
  'bin',
  'docs',
  'lib',
  'test',
  'benchmarks',
];

/** A program of somebody who uses the library. */
const CONSUMER = `
import { createReadStream, createWriteStream } from 'node:fs';
import {
  archiveSink,
  archiveSource,
  type BackupItem,
  type ConnectionOptions,
  type VerifyResult,
  DEFAULT_LEVEL,
  dump,
  type DumpOptions,
  type DumpResult,
  type ErrorKind,
  verify,
  parseUri,
  type Report,
  restore,
  TntarError,
  type Totals,
  VERSION,
} from 'tntar';

const server: ConnectionOptions = { ...parseUri('app@db1:3301'), password: 'secret', idleTimeout: 1000 };
const report: Report = { note: console.log, warn: console.warn, progress: ({ rows }) => rows.toFixed() };
const options: DumpOptions = { source: 'snapshot', level: DEFAULT_LEVEL, report };

export async function copy(): Promise<Totals> {
  const summary: DumpResult = await dump(server, createWriteStream('backup.tar.zst'), options);
  if (!summary.consistent) throw new Error(summary.source);
  return restore(createReadStream('backup.tar.zst'), server, { signal: AbortSignal.timeout(1000) });
}

export async function rowsOf(file: string): Promise<number> {
  let rows = 0;
  const items: AsyncIterable<BackupItem> = archiveSource(createReadStream(file));
  for await (const item of items) if (item.kind === 'tuples') rows += item.count;
  archiveSink({ level: 3 }).destroy();
  return rows;
}

// @ts-expect-error a level is a number
const wrong: DumpOptions = { level: 'best' };

try {
  const contents: VerifyResult = await verify(createReadStream(import.meta.filename));
  console.log(contents.spaces.length, wrong);
} catch (error) {
  if (!(error instanceof TntarError)) throw error;
  const kind: ErrorKind = error.kind;
  console.log(kind, VERSION);
}
`;

interface Packed {
  filename: string;
  size: number;
  files: { path: string; mode: number }[];
}

describe('the package', () => {
  let folder: string;
  let packed: Packed;
  let paths: string[];
  let version: string;

  const sh = async (line: string, cwd: string): Promise<Result> => {
    const result = await shell(line, { cwd, timeoutMs: 60_000 });
    equal(result.code, 0, `${line}: ${result.stderr}${result.stdout}`);
    return result;
  };

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-package-'));
    const checkout = join(folder, 'checkout');
    for (const name of SOURCES) {
      const from = join(ROOT, name);
      if (existsSync(from))
        cpSync(from, join(checkout, name), { recursive: true, dereference: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'));
    // builds, as it does for whoever packs
    const { stdout } = await sh('npm pack --json --foreground-scripts=false', checkout);
    packed = JSON.parse(String(stdout))[0];
    paths = packed.files.map(({ path }) => path).sort();
    version = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')).version;
    await install(join(checkout, packed.filename));
  });
  after(() => rmSync(folder, { recursive: true }));

  /**
   * Unpacks the package where npm would, and has npm link its program. Of its dependencies only those
   * that it names are there, taken from the checkout: building zstd-napi once more takes minutes.
   */
  const install = async (tarball: string): Promise<void> => {
    const place = join(folder, 'consumer', 'node_modules', 'tntar');
    mkdirSync(place, { recursive: true });
    await sh(`tar -xzf '${tarball}' --strip-components=1`, place);
    const { dependencies } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'));
    for (const name of [...Object.keys(dependencies), 'typescript', '@types/node']) {
      const link = join(folder, 'consumer', 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(join(ROOT, 'node_modules', name), link);
    }
    const manifest = {
      name: 'consumer',
      private: true,
      type: 'module',
      dependencies: { tntar: '*' },
    };
    writeFileSync(join(folder, 'consumer', 'package.json'), JSON.stringify(manifest));
    await sh('npm rebuild tntar --ignore-scripts', join(folder, 'consumer'));
  };

  it('holds the program, the library, its types and its documents, manual pages and completions, and nothing else', () => {
    const documents = [
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'dist/completions/_tntar',
      'dist/completions/tntar.bash',
      'dist/completions/tntar.fish',
      'package.json',
    ];
    const usual =
      /^(dist\/((lib|bin)\/[\w/-]+\.(js|d\.ts)|man\/[\w-]+\.1)|docs\/(guides|reference|explanation)\/[\w-]+\.md)$/;
    deepEqual(
      paths.filter((path) => !usual.test(path)),
      documents,
    );
    for (const path of ['dist/bin/tntar.js', 'dist/lib/index.js', 'dist/lib/index.d.ts']) {
      ok(paths.includes(path), path);
    }
  });

  it('holds no test, no benchmark and no source', () => {
    deepEqual(
      paths.filter((path) => /^(?!docs\/).*(test|bench|demo|support\/)|(?<!\.d)\.ts$/.test(path)),
      [],
    );
  });

  it('is small', () => {
    ok(packed.size < 700_000, `${packed.size} bytes`);
  });

  it('has a program that npm links, and that runs by itself', async () => {
    const consumer = join(folder, 'consumer');
    const { stdout } = await sh('./node_modules/.bin/tntar --version', consumer);
    equal(String(stdout), `${version}\n`);
    const help = await sh('npm exec --offline -- tntar dump --help', consumer);
    match(String(help.stdout), /^Usage: tntar dump /);
    const file = join(consumer, 'node_modules/tntar/dist/bin/tntar.js');
    match(readFileSync(file, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  });

  it('has the manual pages that npm puts where man finds them', () => {
    const { man } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    deepEqual(
      paths.filter((path) => path.startsWith('dist/man/')),
      man.map((path: string) => path.replace('./', '')).sort(),
    );
  });

  it('has a program that needs no package but those it names', async () => {
    const consumer = join(folder, 'consumer');
    const calls: [string, number][] = [
      ['echo text | ./node_modules/.bin/tntar verify', 3],
      ['echo text | ./node_modules/.bin/tntar restore 127.0.0.1:1', 5],
      ['./node_modules/.bin/tntar dump 127.0.0.1:1 > a', 5],
      ['echo text | ./node_modules/.bin/tntar list', 3],
    ];
    for (const [call, code] of calls) {
      const result = await shell(call, { cwd: consumer });
      equal(result.code, code, `${call}: ${result.stderr}`);
    }
  });

  for (const module of ['nodenext', 'bundler']) {
    it(`has types that a strict program of its user agrees with, resolved by ${module}`, async () => {
      const consumer = join(folder, 'consumer');
      writeFileSync(join(consumer, 'use.ts'), CONSUMER);
      writeFileSync(join(consumer, 'types.ts'), CONSUMER_TYPES);
      const options = [
        '--strict --noUncheckedIndexedAccess --skipLibCheck false',
        `--exactOptionalPropertyTypes ${module === 'nodenext'}`,
        `--target es2023 --module ${module === 'bundler' ? 'esnext' : module}`,
        `--moduleResolution ${module} --types node --outDir out-${module}`,
      ].join(' ');
      await sh(`node node_modules/typescript/bin/tsc use.ts types.ts ${options}`, consumer);
      const { stdout } = await sh(`node out-${module}/use.js`, consumer);
      equal(String(stdout), `archive ${version}\n`);
    });
  }

  it('lets nobody import what it does not export', async () => {
    const consumer = join(folder, 'consumer');
    const inner =
      "import('tntar/dist/lib/base/errors.js').catch((error) => console.log(error.code))";
    const { stdout } = await sh(`node -e "${inner}"`, consumer);
    equal(String(stdout), 'ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });
});
