import { deepEqual, equal, match } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadFilter } from '../../bin/options/filter-file.js';
import { failsWith, hasNoTrace } from '../cli/outcome.js';
import { Running } from '../cli/running.js';
import { tntar } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, tryRestore, withTarget } from './fidelity/roundtrip.js';

const SOURCE = `
  local users = box.schema.space.create('users')
  users:create_index('primary')
  for i = 1, 100 do users:insert({i, ('x'):rep(100000)}) end
`;
/** Nothing here waits for a time that is longer. */
const SOON_MS = 10_000;
const SLEEP = `const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));`;

/** What a filter does behind the back of the run. */
const STRAYS: [what: string, code: string][] = [
  ['a promise that it does not await', `Promise.reject(new Error('who cares'));`],
  ['a timer', `setTimeout(() => { throw new Error('who cares'); });`],
];

/** A filter that does so at row 90, and gives it time to be noticed. */
const filterThat = (code: string): string => `${SLEEP}
  export default async (space, tuple) => {
    if (space.name !== 'users' || tuple.get(0) !== 90) return tuple;
    ${code}
    await sleep(300);
    return tuple;
  };`;

describe('a filter that fails outside of its call', () => {
  let source: TestServer;
  let folder: string;
  let output: string;
  before(async () => {
    source = await startServer({ lua: SOURCE });
  });
  after(() => source.stop());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-faults-'));
    output = join(folder, 'out');
    mkdirSync(output);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const file = (code: string): string => {
    const path = join(folder, 'clean.mjs');
    writeFileSync(path, code);
    return path;
  };
  const dumpBy = (code: string): string[] => [
    ...['dump', '-q', source.uri, '--filter', file(code)],
    ...['-o', join(output, 'a.tar.zst')],
  ];

  for (const [what, code] of STRAYS) {
    it(`in ${what} ends a dump with the words of its error, and leaves no file`, async () => {
      const result = await tntar(dumpBy(filterThat(code)), { timeoutMs: SOON_MS });
      failsWith(result, 1, /: who cares\nhint: .*check the filter for promises/);
      deepEqual(readdirSync(output), []);
    });

    it(`in ${what} leaves an INCOMPLETE target, and the error says so`, async () => {
      const whole = await dump(source);
      await withTarget(async (target) => {
        const args = ['-q', '--filter', file(filterThat(code))];
        const { code: exit, stderr } = await tryRestore(target, whole, args);
        equal(exit, 1, stderr);
        hasNoTrace(stderr);
        match(stderr, /^tntar: .*: who cares; the restore is INCOMPLETE: \d+ definitions/);
        match(stderr, /\nhint: .*not awaited.*; no grant was applied; empty the target/);
      });
    });
  }

  it('after the end of the run is reported, and the finished archive is kept', async () => {
    const code = `setTimeout(() => { throw new Error('too late'); }, 4000);
      export default (space, tuple) => tuple;`;
    failsWith(await tntar(dumpBy(code), { timeoutMs: SOON_MS }), 1, /: too late\n/);
    deepEqual(readdirSync(output), ['a.tar.zst']);
  });

  it('while it loads cannot be loaded', async () => {
    const code = `setTimeout(() => { throw new Error('too early'); });\nawait new Promise(() => {});`;
    const result = await tntar(dumpBy(code), { timeoutMs: SOON_MS });
    failsWith(result, 2, /cannot load the filter .*clean\.mjs: .*too early\n/);
    deepEqual(readdirSync(output), []);
  });

  it('by waiting for ever while it loads cannot be loaded', async () => {
    const result = await tntar(dumpBy('await new Promise(() => {});'), { timeoutMs: SOON_MS });
    failsWith(
      result,
      2,
      /cannot load the filter .*clean\.mjs: .*waits for something that never happens\nhint: .*promises/,
    );
    deepEqual(readdirSync(output), []);
  });

  it('by waiting for ever before the first row ends the run', async () => {
    const code = `export default (space) => (space.isSystem ? new Promise(() => {}) : null);`;
    const result = await tntar(dumpBy(code), { timeoutMs: SOON_MS });
    failsWith(result, 1, /waits for something that never happens\nhint: .*promises/);
    deepEqual(readdirSync(output), []);
  });

  it('by loading for too long cannot be loaded', async () => {
    const path = file(`${SLEEP}\nawait sleep(2000);\nexport default () => null;`);
    await loadFilter(path, new AbortController().signal, 200).then(
      () => Promise.reject(new Error('it was loaded')),
      (error: Error) => match(error.message, /cannot load .*: it did not load within 0\.2 s/),
    );
  });

  it('can be stopped by a signal while it loads', async () => {
    const code = `process.stderr.write('loading\\n');\n${SLEEP}\nawait sleep(60000);`;
    const running = new Running(dumpBy(code));
    await running.until(() => running.stderr.includes('loading'));
    running.kill('SIGTERM');
    const { code: exit, stderr } = await running.end(SOON_MS);
    equal(exit, 143, stderr);
    match(stderr, /stopped by SIGTERM\n$/);
    deepEqual(readdirSync(output), []);
  });
});
