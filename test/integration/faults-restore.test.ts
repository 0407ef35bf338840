import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { blobRows, blobs } from '../cli/blobs.js';
import { failsWith, hasNoTrace, isReleased } from '../cli/outcome.js';
import { Running } from '../cli/running.js';
import { withServer } from '../cli/with-server.js';
import { type Result, shell, tntar } from '../support/cli.js';
import { type Fingerprint, fingerprint } from '../support/fingerprint.js';
import { type Behavior, startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';

const MEGABYTES = 17;
const env = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };
/** Nothing may hang: what fails at once takes no longer than this. */
const AT_ONCE_MS = 15_000;
/** After the first part of the archive has come, and before the second is whole. */
const MIDDLE = 12_000_000;
/** Grants and sequence values are to come last, so no target may have them when a restore failed. */
const LAST_THINGS = `
  box.schema.sequence.create('ids')
  box.sequence.ids:set(41)
  box.schema.user.create('bob', {password = 'bob'})
  box.schema.user.grant('bob', 'read', 'space', 'blobs')
`;

/** Leaves room for the definitions and some thousand rows. */
const FILL = `
  local filler = box.schema.space.create('filler', {id = 900})
  filler:create_index('primary')
  local i = 0
  repeat
      i = i + 1
  until not pcall(filler.insert, filler, {i, string.rep('x', 1000)})
  for freed = 1, 4000 do
      filler:delete({freed})
  end
`;
const DROP_ALL = `
  for _, name in ipairs({'blobs', 'few'}) do
      if box.space[name] then box.space[name]:drop() end
  end
  if box.schema.user.exists('bob') then box.schema.user.drop('bob') end
  if box.sequence.ids then box.sequence.ids:drop() end
`;

/** Whether anything of the archive is there, be it a user, or a space without an index. */
const IS_WRITTEN = `
  return box.space._space:len() > box.space._space:count(511, {iterator = 'LE'})
      or box.space._user:count(31, {iterator = 'GT'}) > 0
      or box.space._sequence:len() > 0`;

describe('faults of a restore', () => {
  let archive: Buffer;
  let content: Fingerprint;
  before(async () => {
    await withServer({ lua: blobs(MEGABYTES) + LAST_THINGS }, async (source) => {
      const dump = await tntar(['dump', '-q', source.address], { env });
      equal(dump.code, 0, dump.stderr);
      archive = dump.stdout;
      content = await fingerprint(source);
    });
  });

  let target: TestServer;
  beforeEach(async () => {
    target = await startServer();
  });
  afterEach(() => target.stop());

  /** Restores the whole archive through a proxy that behaves like this. */
  const restoreThrough = async (behavior: Behavior): Promise<Result> => {
    const proxy = await startProxy(target, behavior);
    const args = ['restore', '-q', proxy.address, '--timeout', '1', '--connect-timeout', '1'];
    const result = await tntar(args, { env, input: archive, timeoutMs: AT_ONCE_MS });
    await proxy.stop();
    return result;
  };

  /** Starts a restore from an input that goes on until the test ends it. */
  const start = (...options: string[]): Running =>
    new Running(['restore', '-q', target.address, ...options], { env });

  /** Waits until the first part has arrived in the target. */
  const firstPart = async (restore: Running): Promise<void> => {
    restore.stdin.write(archive.subarray(0, MIDDLE));
    while ((await rowsOf(target)) < 8000) await restore.until(() => true);
  };

  /** Asserts that the message tells what stands in the target, and that nothing that comes last does. */
  const saysIncomplete = async (stderr: string): Promise<void> => {
    match(stderr, /INCOMPLETE/);
    hasNoTrace(stderr);
    const rows = await rowsOf(target);
    const numbers = [...stderr.matchAll(/([\d,]+) rows/g)].map(([, digits]) =>
      Number(digits!.replaceAll(',', '')),
    );
    ok(numbers.length > 0, stderr);
    ok(Math.max(...numbers) >= rows, `it says ${numbers}, and the target has ${rows} rows`);
    deepEqual(await lastThings(target), { grants: 0, value: null });
  };

  for (const fault of ['end', 'reset', 'stall'] as const) {
    it(`the fault '${fault}' of a connection in the middle is a failure, INCOMPLETE`, async () => {
      const result = await restoreThrough({ of: 'client', after: MIDDLE, fault });
      failsWith(result, 1, /connection .*lost.*INCOMPLETE: \d+ definitions/);
      match(result.stderr, /\nhint: .*empty the target/);
      await saysIncomplete(result.stderr);
      ok((await rowsOf(target)) > 8000);
    });
  }

  it('a connection that stalls while definitions are created is a failure after --timeout', async () => {
    const said: string[] = [];
    // Some 900 bytes ask for the catalog; the definitions are in the next 400.
    for (const after of [900, 1000, 1100, 1200]) {
      const result = await restoreThrough({ of: 'client', after, fault: 'stall' });
      failsWith(result, 1, /no byte came for 1 s/);
      said.push(result.stderr);
      await target.eval(DROP_ALL);
    }
    ok(
      said.some((stderr) => /INCOMPLETE: \d+ definitions and 0 rows/.test(stderr)),
      said.join(''),
    );
  });

  it('replies that stop in the middle are a failure, INCOMPLETE', async () => {
    const result = await restoreThrough({ after: 500_000, fault: 'end' });
    failsWith(result, 1, /connection .*lost.*INCOMPLETE/);
    await saysIncomplete(result.stderr);
  });

  it('an invalid reply is a failure, INCOMPLETE', async () => {
    const result = await restoreThrough({ after: 500_000, fault: Buffer.alloc(100, 0xc1) });
    // bytes that land in a length make it wait for as many
    failsWith(result, 1, /(protocol error|no byte came).*INCOMPLETE/);
    await saysIncomplete(result.stderr);
  });

  it('a connection that is lost before the first write is a failure, and not INCOMPLETE', async () => {
    for (const fault of ['end', 'stall'] as const) {
      const result = await restoreThrough({ after: 2000, fault });
      failsWith(result, 1, /connection .*lost/);
      doesNotMatch(result.stderr, /INCOMPLETE/);
    }
    deepEqual(await fingerprint(target), {});
  });

  it('a server that is killed in the middle is a failure, INCOMPLETE', async () => {
    const restore = start();
    await firstPart(restore);
    target.kill('SIGKILL');
    restore.stdin.end(archive.subarray(MIDDLE));
    failsWith(await restore.end(AT_ONCE_MS), 1, /connection .*lost.*INCOMPLETE/);
    await target.restart();
    deepEqual(await lastThings(target), { grants: 0, value: null });
  });

  it('a server that is killed while the input is silent is noticed at once', async () => {
    const restore = start();
    await firstPart(restore);
    target.kill('SIGKILL');
    failsWith(await restore.end(AT_ONCE_MS), 1, /connection .*lost.*INCOMPLETE/);
  });

  it('a server that hangs is a failure after --timeout, INCOMPLETE', async () => {
    const restore = start('--timeout', '1');
    await firstPart(restore);
    target.kill('SIGSTOP');
    try {
      restore.stdin.end(archive.subarray(MIDDLE));
      failsWith(await restore.end(AT_ONCE_MS), 1, /no byte came for 1 s.*INCOMPLETE/);
    } finally {
      target.kill('SIGCONT');
    }
  });

  it('an input that pauses for longer than --timeout is not a fault', async () => {
    const restore = start('--timeout', '1');
    await firstPart(restore);
    await sleep(2500);
    restore.stdin.end(archive.subarray(MIDDLE));
    const { code, stderr } = await restore.end(2 * AT_ONCE_MS);
    equal(code, 0, stderr);
    deepEqual(await fingerprint(target), content);
    deepEqual(await lastThings(target), { grants: 1, value: 41 });
  });

  it('an input that ends early is a damaged archive, INCOMPLETE', async () => {
    const restore = start();
    await firstPart(restore);
    restore.stdin.end();
    failsWith(await restore.end(AT_ONCE_MS), 3, /ends .*INCOMPLETE/);
    await saysIncomplete(restore.stderr);
    ok((await rowsOf(target)) < blobRows(MEGABYTES));
  });

  it('INCOMPLETE is reported whenever something was written', async () => {
    // the end of the input is found while the target is being checked, or written to
    for (const bytes of [8_450_000, 9_000_000, 12_000_000, 16_800_000]) {
      const input = archive.subarray(0, bytes);
      const result = await tntar(['restore', '-q', target.address], { env, input });
      failsWith(result, 3, /ends/);
      const isWritten = await target.eval<boolean>(IS_WRITTEN);
      // A definition that was under way may have been written or not: it is said as well.
      if (isWritten) await saysIncomplete(result.stderr);
      if (!/INCOMPLETE/.test(result.stderr)) equal(isWritten, false, result.stderr);
      await target.eval(DROP_ALL);
    }
  });

  it('an input that is damaged before any row is rejected, and nothing is written', async () => {
    const flipped = Buffer.from(archive.subarray(0, 100_000));
    flipped[200]! ^= 1;
    const inputs = [archive.subarray(0, 50), archive.subarray(0, 100_000), flipped, 'text', ''];
    for (const input of inputs) {
      const result = await tntar(['restore', '-q', target.address], { env, input });
      failsWith(result, 3, /ends|frame|decompress|not a tar\.zst|empty input/);
      doesNotMatch(result.stderr, /INCOMPLETE/);
    }
    deepEqual(await fingerprint(target), {});
  });

  it('a damaged input is rejected at once, although it does not end', async () => {
    const restore = start();
    restore.stdin.write('no archive, and more to come');
    failsWith(await restore.end(AT_ONCE_MS), 3, /not a tar\.zst backup/);
  });

  it('a target that is read-only is refused before any write', async () => {
    await target.eval('box.cfg{read_only = true}');
    const result = await tntar(['restore', '-q', target.address], { env, input: archive });
    failsWith(result, 1, /target .* is read-only/);
    doesNotMatch(result.stderr, /INCOMPLETE/);
    deepEqual(await fingerprint(target), {});
  });

  it('a target without free memory is a failure in the words of the server, INCOMPLETE', async () => {
    await withServer({ cfg: { memtx_memory: 33_554_432 } }, async (small) => {
      await small.eval(FILL);
      const result = await tntar(['restore', '-q', small.address], { env, input: archive });
      failsWith(result, 1, /space 'blobs', row .*Failed to allocate.*INCOMPLETE/);
    });
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    it(`${signal} in the middle ends it with ${code}, INCOMPLETE`, async () => {
      const slow = await startProxy(target, { of: 'client', bytesPerSecond: 10_000_000 });
      const restore = new Running(['restore', '-q', slow.address], { env });
      restore.stdin.end(archive);
      while ((await rowsOf(target)) < 5000) await restore.until(() => true);
      restore.kill(signal);
      const result = await restore.end(AT_ONCE_MS);
      await slow.stop();
      failsWith(
        result,
        code,
        new RegExp(`^tntar: stopped by ${signal}; the restore is INCOMPLETE`),
      );
      await isReleased(target);
      await saysIncomplete(result.stderr);
    });
  }

  it('a signal while the input is silent ends it at once, INCOMPLETE', async () => {
    const restore = start();
    await firstPart(restore);
    restore.kill('SIGTERM');
    failsWith(
      await restore.end(AT_ONCE_MS),
      143,
      /^tntar: stopped by SIGTERM; the restore is INCOMPLETE/,
    );
    await saysIncomplete(restore.stderr);
  });

  it('a signal before anything was written ends it, not INCOMPLETE', async () => {
    const restore = start();
    restore.stdin.write(archive.subarray(0, 50));
    await connected(target, restore);
    restore.kill('SIGTERM');
    failsWith(await restore.end(AT_ONCE_MS), 143, /^tntar: stopped by SIGTERM\n$/);
    deepEqual(await fingerprint(target), {});
  });

  it('a closed stderr changes no exit code', async () => {
    const line = (input: string): string => `tntar restore ${target.address} 2>&- < ${input}`;
    equal((await shell(line('/dev/null'), { env })).code, 3);
    const cut = `head -c ${MIDDLE} | tntar restore ${target.address} 2>&-`;
    equal((await shell(cut, { env, input: archive })).code, 3);
    await target.eval("box.schema.space.create('blobs', {if_not_exists = true})");
    equal(
      (await shell(`cat | tntar restore ${target.address} 2>&-`, { env, input: archive })).code,
      4,
    );
  });
});

/** Rows of the space `blobs`, where it is there. */
function rowsOf(server: TestServer): Promise<number> {
  return server.eval<number>(`
    local blobs = box.space.blobs
    return blobs and blobs.index[0] and blobs:len() or 0
  `);
}

/** What a restore applies last. */
function lastThings(server: TestServer): Promise<{ grants: number; value: number | null }> {
  return server.eval(`
    local bob = box.space._user.index.name:get('bob')
    local grants = 0
    for _, grant in box.space._priv:pairs(bob and {bob.id} or {0}) do
        if bob and grant.object_type == 'space' then
            grants = grants + 1
        end
    end
    local ids = box.sequence.ids
    local is_started, value = pcall(function() return ids:current() end)
    return {grants = grants, value = is_started and value or box.NULL}
  `);
}

/** Waits until the restore stands in the middle of its work: connected, and silent. */
async function connected(server: TestServer, restore: Running): Promise<void> {
  const CONNECTIONS = 'return box.stat.net().CONNECTIONS.current';
  while ((await server.eval<number>(CONNECTIONS)) === 0) await restore.until(() => true);
  await sleep(200);
}
