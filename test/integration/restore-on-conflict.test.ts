import { deepEqual, equal, match, ok } from 'node:assert/strict';
import type { Result } from '../support/cli.js';
import { startServer, type TestServer } from '../support/server.js';
import { dump, tryRestore, withTarget } from './fidelity/roundtrip.js';

/** More rows than are under way at once. */
const ROWS = 3000;
const SOURCE = `
  local users = box.schema.space.create('users')
  users:create_index('primary')
  for i = 1, ${ROWS} do users:insert({i, 'new'}) end
`;
/** Has every third row, and one behind the last. */
const THERE = `
  for i = 3, ${ROWS + 3}, 3 do box.space.users:insert({i, 'old'}) end
`;
const COUNTS = `
  local counts = {new = 0, old = 0}
  for _, row in box.space.users:pairs() do counts[row[2]] = counts[row[2]] + 1 end
  return counts`;
const THIRD = ROWS / 3;

describe('restore --data-only --on-conflict', () => {
  let archive: Buffer;
  before(async () => {
    const source = await startServer({ lua: SOURCE });
    archive = await dump(source);
    await source.stop();
  });

  function into(
    onConflict: string,
    lua: string,
    check: (target: TestServer, result: Result) => Promise<void>,
    args: readonly string[] = [],
  ): Promise<void> {
    return withTarget(async (target) => {
      await target.eval(lua);
      const all = ['--data-only', '--on-conflict', onConflict, ...args];
      await check(target, await tryRestore(target, archive, all));
    });
  }

  for (const engine of ['memtx', 'vinyl']) {
    const users = `box.schema.space.create('users', {engine = '${engine}'}):create_index('primary') `;

    it(`stops at the first existing row with error, and the hint names the options that continue (${engine})`, () =>
      into('error', users + THERE, async (_target, { code, stderr }) => {
        equal(code, 1, stderr);
        match(stderr, /space 'users', row \[3\]: Duplicate key/);
        match(stderr, /hint: .*--on-conflict skip .*--on-conflict replace/);
      }));

    it(`keeps existing rows with skip, and counts them (${engine})`, () =>
      into('skip', users + THERE, async (target, { code, stderr }) => {
        equal(code, 0, stderr);
        deepEqual(await target.eval(COUNTS), { new: ROWS - THIRD, old: THIRD + 1 });
        match(stderr, new RegExp(`space 'users': ${THIRD} existing rows were kept`));
        match(stderr, /restored 1 space with 2,000 rows/);
        const again = await tryRestore(target, archive, ['--data-only', '--on-conflict', 'skip']);
        equal(again.code, 0, again.stderr);
        match(again.stderr, new RegExp(`: ${ROWS} existing rows were kept`));
      }));

    it(`replaces existing rows with replace, and counts them (${engine})`, () =>
      into('replace', users + THERE, async (target, { code, stderr }) => {
        equal(code, 0, stderr);
        deepEqual(await target.eval(COUNTS), { new: ROWS, old: 1 });
        match(stderr, new RegExp(`space 'users': ${THIRD} existing rows were replaced`));
      }));
  }

  for (const onConflict of ['skip', 'replace']) {
    it(`does not confuse a key of another unique index with that of the row with ${onConflict}`, () =>
      into(
        onConflict,
        `local users = box.schema.space.create('users')
         users:create_index('primary')
         users:create_index('other', {parts = {{2, 'string'}}})`,
        async (target, { code, stderr }) => {
          equal(code, 1, stderr);
          match(stderr, /row \[2\]: Duplicate key exists in unique index .other./);
          match(stderr, /hint: .*the same command again goes on with what is missing/);
          equal(await target.eval('return box.space.users:count()'), 1);
        },
      ));
  }

  it('recognizes a primary index with quotes in its name', () =>
    into(
      'skip',
      `box.schema.space.create('users'):create_index([[it's "it"]]) ${THERE}`,
      async (target, { code, stderr }) => {
        equal(code, 0, stderr);
        deepEqual(await target.eval(COUNTS), { new: ROWS - THIRD, old: THIRD + 1 });
      },
    ));

  for (const [onConflict, how] of [
    ['skip', /insert, where their keys are not there, 3,000 rows .* into space 'users'/],
    ['replace', /insert, or put over those that have their keys, 3,000 rows .* into space 'users'/],
  ] as const) {
    it(`prints with --dry-run what ${onConflict} would do, and writes nothing`, () =>
      into(
        onConflict,
        `box.schema.space.create('users'):create_index('primary')`,
        async (target, { code, stdout, stderr }) => {
          equal(code, 0, stderr);
          match(String(stdout), how);
          ok((await target.eval('return box.space.users:count()')) === 0);
        },
        ['--dry-run'],
      ));
  }
});
