import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import type { DiffResult } from '../../lib/pipelines/diff-options.js';
import { fixturePath } from '../fixtures/folder.js';
import { type Result, tntar } from '../support/cli.js';
import type { TestServer } from '../support/server.js';
import { aboutTarget, isAtLeast, withTarget } from './fidelity/roundtrip.js';

/** Names of the frozen archives, e.g. `2.6.0-full`. */
const NAMES = readdirSync(fixturePath())
  .filter((file) => file.endsWith('.tar.zst'))
  .map((file) => file.replace('.tar.zst', ''));

const archiveOf = (name: string): string => fixturePath(`${name}.tar.zst`);

/** Restores an input, and compares afterwards. */
function afterRestore(input: string, compare: (target: TestServer) => Promise<void>) {
  return withTarget(async (target) => {
    const { code, stderr } = await tntar(['restore', target.uri, '-i', input, '-q']);
    equal(code, 0, stderr);
    await compare(target);
  });
}

function isEqual({ code, stdout, stderr }: Result): void {
  equal(code, 0, `${stdout}${stderr}`);
  match(String(stdout), /^equal: [\d,]+ rows?\n$/);
}

describe('tntar diff of two versions', () => {
  let target: Pick<TestServer, 'version'>;
  /** An archive of SQL of a version whose SQL the target has in other words. */
  let foreign: string;
  before(async () => {
    target = await aboutTarget();
    foreign = archiveOf(isAtLeast(target, '3.0') ? '2.6.0-sql' : '3.2.1-sql');
  });

  for (const name of NAMES) {
    it(`finds no difference right after a restore, in either order of the sides: ${name}`, async function () {
      const [release = '', kind] = name.split('-');
      if (kind === 'full' && !isAtLeast(target, release)) return this.skip();
      await afterRestore(archiveOf(name), async ({ uri }) => {
        isEqual(await tntar(['diff', archiveOf(name), uri]));
        isEqual(await tntar(['diff', uri, archiveOf(name)]));
      });
    });
  }

  it('finds no difference between the archive and a dump of the restored database', async () => {
    await afterRestore(foreign, async ({ uri }) => {
      const { stdout } = await tntar(['dump', uri, '-q']);
      isEqual(await tntar(['diff', foreign, '-', '-q'], { input: stdout }));
      isEqual(await tntar(['diff', '-', foreign, '-q'], { input: stdout }));
    });
  });

  it('shows each change that was made after the restore, and no other', async () => {
    await afterRestore(foreign, async (server) => {
      await server.eval(`
        local space = box.space.USERS or box.space.users
        box.execute('DROP VIEW ' .. (box.space.NESTED and 'NESTED' or '"nested"'))
        box.space.Quoted:create_index('more', {parts = {{2, 'integer'}}, unique = false})
        box.schema.user.grant('ann', 'write', 'space', space.name)
        space:insert({7, 'new'})`);
      const { code, stdout } = await tntar(['diff', foreign, server.uri, '-q']);
      equal(code, 1);
      const upper = String(stdout).toUpperCase().split('\n');
      deepEqual(upper, [
        "- VIEW 'NESTED'",
        "+ INDEX 'MORE' OF SPACE 'QUOTED'",
        "+ GRANT OF WRITE ON SPACE 'USERS' TO USER 'ANN'",
        "~ ROWS OF 'USERS': 0 REMOVED, 1 ADDED, 0 CHANGED, 3 EQUAL",
        'DIFFERENT: 3 DEFINITIONS, ROWS OF 1 SPACE',
        '',
      ]);
    });
  });

  it('names everything that a restore leaves out, also with -q and in JSON', async () => {
    const [from, lost] = isAtLeast(target, '2.9')
      ? ['2.6.0', 'grant of execute on function 2']
      : ['3.2.1', 'grant of read on space 341'];
    const archive = archiveOf(`${from}-sql`);
    await afterRestore(archive, async ({ uri, version }) => {
      const { code, stderr } = await tntar(['diff', archive, uri, '-q']);
      equal(code, 0, stderr);
      const changed = `a restore from ${from} to ${version} changes this, so it is no difference`;
      ok(stderr.includes(`warning: ${changed}: ${lost}`), stderr);
      for (const [side, args] of [
        ['A', [archive, uri]],
        ['B', [uri, archive]],
      ] as const) {
        const { stdout } = await tntar(['diff', ...args, '-q', '--json']);
        const { converted } = JSON.parse(String(stdout)) as DiffResult;
        const { notes = [], ...ends } = converted ?? {};
        deepEqual(ends, { side, from, to: version });
        ok(
          notes.some((line) => line.startsWith(lost)),
          notes.join('\n'),
        );
        const lines = await tntar(['diff', ...args, '-q', '--json', '--rows']);
        const last = String(lines.stdout).trimEnd().split('\n').at(-1)!;
        deepEqual(JSON.parse(last), { isEqual: true, converted });
      }
    });
  });

  it('does not mention versions if both sides have the same', async () => {
    const archive = archiveOf('2.6.0-sql');
    const { stdout, stderr } = await tntar(['diff', archive, archive, '--json']);
    equal((JSON.parse(String(stdout)) as DiffResult).converted, undefined);
    doesNotMatch(stderr, /restore/);
  });

  it('finds the differences between two archives of one database in two releases', async () => {
    const args = ['diff', archiveOf('2.6.0-full'), archiveOf('3.9.0-full'), '-q'];
    const { code, stdout } = await tntar(args);
    equal(code, 1);
    match(String(stdout), /^\+ space 'times'$/m);
  });
});
