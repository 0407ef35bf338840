import { deepEqual, equal, match } from 'node:assert/strict';
import { Running } from '../cli/running.js';
import type { Result } from '../support/cli.js';
import { type Fingerprint, fingerprint } from '../support/fingerprint.js';
import { type Behavior, startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import { sweep } from '../support/sweep.js';
import { dump, restore, tryRestore, withTarget } from './fidelity/roundtrip.js';

const env = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };
const LIMIT_MS = 20_000;

/** All that a restore does in steps of its own: before the rows, the rows of two engines, and behind them. */
const SOURCE = `
  local digest = require('digest')
  box.schema.user.create('ann', {password = 'a'})
  box.schema.role.create('clerk')
  box.schema.role.grant('clerk', 'read', 'universe')
  box.schema.user.grant('ann', 'clerk')
  box.schema.func.create('lower', {is_deterministic = true, is_sandboxed = true,
      body = 'function(tuple) return {tuple[2]:lower()} end'})
  box.schema.sequence.create('ids')
  box.schema.sequence.create('counter', {start = 77}):next()
  local users = box.schema.space.create('users', {format = {{'id', 'unsigned'}, {'name', 'string'}}})
  users:create_index('primary', {sequence = 'ids'})
  users:create_index('by_name', {parts = {{2, 'string'}}})
  users:create_index('lower', {func = 'lower', parts = {{1, 'string'}}})
  for i = 1, 100 do users:insert({box.NULL, 'User ' .. i}) end
  for _, engine in ipairs({'memtx', 'vinyl'}) do
      local blobs = box.schema.space.create(engine .. '_blobs', {engine = engine})
      blobs:create_index('primary')
      blobs:create_index('second', {parts = {{2, 'string'}}})
      for i = 1, 400 do blobs:insert({i, digest.urandom(1000)}) end
  end
  box.schema.user.grant('ann', 'read,write', 'space', 'users')
  box.schema.user.grant('guest', 'read', 'space', 'vinyl_blobs')
`;
const EMPTY = `
  for _, name in ipairs({'users', 'memtx_blobs', 'vinyl_blobs'}) do box.space[name]:truncate() end
`;

const HAS_ROWS = `
  local blobs = box.space.memtx_blobs
  return blobs ~= nil and blobs.index[0] ~= nil and blobs:len() > 50`;
/** Refuses a row of a space, also of one that is made later in its place. */
const REFUSE = `
  local fiber = require('fiber')
  refuse = function(old, new) if new and new[1] == 300 then error('not this one') end end
  fiber.create(function()
      while refuse do
          local blobs = box.space.vinyl_blobs
          if blobs and blobs.index[0] and #blobs:before_replace() == 0 then
              blobs:before_replace(refuse)
          end
          fiber.sleep(0)
      end
  end)
`;

/** Makes the server stop, as by SIGSTOP, at the first index behind the rows. */
const HANGING_INDEX = `
  local ffi = require('ffi')
  ffi.cdef('int raise(int signal);')
  hang = function(old, new)
      if new and new[2] == 1 then
          ffi.C.raise(19)
      end
      return new
  end
  box.space._index:before_replace(hang)
`;

let source: TestServer;
let archive: Buffer;
let whole: Fingerprint;

/** All that a target holds. */
const contentOf = (server: TestServer): Promise<Fingerprint> =>
  fingerprint(server, { system: true });

/** Starts a restore through a proxy, with the archive as its input. */
async function through<T>(
  target: TestServer,
  existing: string,
  behavior: Behavior,
  work: (restore: Running) => Promise<T>,
): Promise<T> {
  const proxy = await startProxy(target, { of: 'client', ...behavior });
  try {
    const run = new Running(['restore', '-q', proxy.address, '--existing', existing], { env });
    run.stdin.end(archive);
    return await work(run);
  } finally {
    await proxy.stop();
  }
}

/** How many bytes a whole restore sends. */
async function bytesOf(target: TestServer, existing: string): Promise<number> {
  let bytes = 0;
  const onPassed = (passed: number): void => {
    bytes = passed;
  };
  const { code, stderr } = await through(target, existing, { onPassed }, (run) =>
    run.end(LIMIT_MS),
  );
  equal(code, 0, stderr);
  return bytes;
}

/** Kills a restore as soon as it has sent so many bytes, of which not one more arrives. */
async function killedAt(target: TestServer, existing: string, after: number): Promise<void> {
  let isReached = false;
  const onPassed = (passed: number): void => {
    isReached = passed === after;
  };
  await through(target, existing, { after, fault: 'stall', onPassed }, async (run) => {
    await run.until(() => isReached);
    run.kill('SIGKILL');
    equal((await run.end(LIMIT_MS)).signal, 'SIGKILL');
  });
}

async function resetAt(target: TestServer, existing: string, after: number): Promise<Result> {
  const result = await through(target, existing, { after, fault: 'reset' }, (run) =>
    run.end(LIMIT_MS),
  );
  equal(result.code, 1, result.stderr);
  return result;
}

/**
 * When a restore is broken off, by what it has sent by then: some 900 bytes ask for the catalog, definitions
 * are the next two thousand, and the last thousand; between them are the rows.
 */
function momentsOf(total: number): number[] {
  return [1200, 1900, Math.round(total / 3), Math.round((2 * total) / 3), total - 700, total - 200];
}

describe('a restore that was interrupted, run again', () => {
  before(async () => {
    source = await startServer({ lua: SOURCE });
    archive = await dump(source);
    whole = await withTarget(async (target) => {
      await restore(target, archive);
      return contentOf(target);
    });
    deepEqual(await contentOf(source), whole);
  });
  after(() => source.stop());

  for (const existing of ['drop', 'truncate', 'replace']) {
    describe(`with --existing ${existing}, into existing spaces`, () => {
      let target: TestServer;
      let moments: number[];
      before(async () => {
        target = await startServer();
        await restore(target, archive);
        await target.eval(EMPTY);
        moments = momentsOf(await bytesOf(target, existing));
      });
      after(() => target.stop());

      const endsTheSame = async (): Promise<void> => {
        await restore(target, archive, '--existing', existing);
        deepEqual(await contentOf(target), whole);
      };

      it('gives the same result wherever it was killed', async () => {
        // the rows, and by chance or with SWEEP=all the moments before and behind
        for (const i of sweep(moments.length, [2])) {
          const moment = moments[i]!;
          await target.eval(EMPTY);
          await killedAt(target, existing, moment);
          await endsTheSame();
        }
      });

      it('gives the same result wherever its connection was reset, as its hint says', async () => {
        for (const moment of [moments[1]!, moments[3]!, moments[4]!]) {
          await target.eval(EMPTY);
          const { stderr } = await resetAt(target, existing, moment);
          match(stderr, new RegExp(`hint: .*restore again with --existing ${existing}\\b`));
          await endsTheSame();
        }
      });

      it('gives the same result if its server was killed', async () => {
        await target.eval(EMPTY);
        const behavior = { bytesPerSecond: 200_000 };
        const { code, stderr } = await through(target, existing, behavior, async (run) => {
          while (!(await target.eval(HAS_ROWS))) await run.until(() => true);
          target.kill('SIGKILL');
          return run.end(LIMIT_MS);
        });
        equal(code, 1, stderr);
        await target.restart();
        await endsTheSame();
      });

      it('gives the same result after the reason of a refused row is removed', async () => {
        await target.eval(EMPTY + REFUSE);
        const { code, stderr } = await tryRestore(target, archive, ['--existing', existing]);
        equal(code, 1, stderr);
        match(stderr, /space 'vinyl_blobs', row \[300\]: .*not this one.*INCOMPLETE/s);
        await target.eval('box.space.vinyl_blobs:before_replace(nil, refuse) refuse = nil');
        await endsTheSame();
      });
    });
  }

  it('fails when its server hangs while it builds an index, and then gives the same result', () =>
    withTarget(async (target) => {
      await target.eval(HANGING_INDEX);
      const run = new Running(['restore', '-q', target.address, '--timeout', '1'], { env });
      run.stdin.end(archive);
      try {
        const { code, stderr } = await run.end(LIMIT_MS);
        equal(code, 1, stderr);
        match(stderr, /no byte came for 1 s.*INCOMPLETE.* 900 of them confirmed/s);
      } finally {
        target.kill('SIGCONT');
      }
      await target.eval('box.space._index:before_replace(nil, hang)');
      await restore(target, archive, '--existing', 'drop');
      deepEqual(await contentOf(target), whole);
    }));

  describe('into spaces that the first run created', () => {
    /** Lets a restore go on slowly until the target is so far, kills it, and restores again. */
    const again = async (
      existing: string,
      isReached: string,
      check: (result: Result, content: Fingerprint) => void,
    ): Promise<void> =>
      withTarget(async (target) => {
        await through(target, existing, { bytesPerSecond: 2000 }, async (run) => {
          while (!(await target.eval(isReached))) await run.until(() => true);
          run.kill('SIGKILL');
          await run.end(LIMIT_MS);
        });
        const result = await tryRestore(target, archive, ['--existing', existing]);
        check(result, await contentOf(target));
        await restore(target, archive, '--existing', 'drop');
        deepEqual(await contentOf(target), whole);
      });
    const NO_INDEX = 'return box.space.users ~= nil and box.space.users.index[0] == nil';
    const SOME_ROWS = `
      local users = box.space.users
      return users ~= nil and users.index[0] ~= nil and users:len() > 0`;
    const lacks = /space 'users' is kept without these parts of the backup: .*index 'by_name'/;

    for (const existing of ['truncate', 'replace']) {
      it(`${existing} refuses a space without an index, and the hint recommends drop`, () =>
        again(existing, NO_INDEX, ({ code, stderr }) => {
          equal(code, 4, stderr);
          match(stderr, /rows cannot be loaded into 'users': no primary index/);
          match(stderr, /hint: .*recreate them with --existing drop/);
        }));

      it(`${existing} restores all rows, and names the missing indexes`, () =>
        again(existing, SOME_ROWS, ({ code, stderr }, content) => {
          equal(code, 0, stderr);
          for (const name of ['users', 'memtx_blobs', 'vinyl_blobs']) {
            deepEqual(content[name], whole[name]);
          }
          match(stderr, lacks);
        }));
    }

    for (const [what, isReached] of [
      ['without an index', NO_INDEX],
      ['with some of the rows', SOME_ROWS],
    ] as const) {
      it(`skip leaves a space ${what} unchanged, and says so`, () =>
        again('skip', isReached, ({ code, stderr }) => {
          equal(code, 0, stderr);
          match(
            stderr,
            /left out: space 'users', with its rows and everything .*: it already exists on the target/,
          );
          match(stderr, lacks);
        }));
    }
  });
});
