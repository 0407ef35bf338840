import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blobRows, blobs } from '../cli/blobs.js';
import { failsWith, isReleased } from '../cli/outcome.js';
import { withServer } from '../cli/with-server.js';
import { type Result, shell, tntar } from '../support/cli.js';
import { fingerprint } from '../support/fingerprint.js';
import { startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';
import { isAtLeast } from './fidelity/roundtrip.js';

const MEGABYTES = 12;
const env = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };
const MIB = 2 ** 20;

const ROWS = `
  local blobs = box.space.blobs
  return blobs and blobs.index[0] and blobs:len() or 0
`;
/** Makes the server count those who log in. */
const COUNT_LOGINS = `
  _G.logins = 0
  box.session.on_auth(function() _G.logins = _G.logins + 1 end)
`;

/** What the line of a restore that was INCOMPLETE says of rows. */
function told(stderr: string): { sent: number; confirmed: number } {
  const [, sent, confirmed] =
    /and (\d+) rows were sent, (\d+) of them confirmed/.exec(stderr) ?? [];
  return { sent: Number(sent), confirmed: Number(confirmed) };
}

describe('a target that fails a restore', () => {
  let source: TestServer;
  let archive: Buffer;
  before(async () => {
    source = await startServer({ lua: blobs(MEGABYTES) });
    const dump = await tntar(['dump', '-q', source.address], { env });
    equal(dump.code, 0, dump.stderr);
    archive = dump.stdout;
  });
  after(() => source.stop());

  const restoreInto = (address: string, ...options: string[]): Promise<Result> =>
    tntar(['restore', '-q', address, ...options], { env, input: archive, timeoutMs: 20_000 });

  it('with a full disk for its write-ahead log is reported, with the progress of the restore', async function () {
    const folder = mkdtempSync(join(tmpdir(), 'tntar-wal-'));
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    const mounted = await shell(`mount -t tmpfs -o size=9m tmpfs ${disk}`);
    try {
      if (mounted.code !== 0) this.skip(); // it takes root and a machine of one's own
      await withServer({ cfg: { wal_dir: disk } }, async (target) => {
        const result = await restoreInto(target.address);
        failsWith(result, 1, /space 'blobs', row \[\d+\]: Failed to write to disk.*INCOMPLETE/);
        await isReleased(target);
        const { sent, confirmed } = told(result.stderr);
        const rows = await target.eval<number>(ROWS);
        ok(confirmed > 1000 && confirmed <= rows && rows < sent, `${confirmed} ${rows} ${sent}`);
        // newer servers write when they start
        await shell(`mount -o remount,size=64m ${disk}`);
        await target.restart();
        // what it has confirmed is in its log, and nothing of what it has refused
        equal(await target.eval(ROWS), rows);
      });
    } finally {
      await shell(`umount ${disk}`);
      rmSync(folder, { recursive: true });
    }
  });

  it('with too little memory for vinyl is reported in the words of the server', async () => {
    const large = `
      local space = box.schema.space.create('large', {engine = 'vinyl'})
      space:create_index('primary')
      for i = 1, 3 do space:insert({i, ('x'):rep(i * 3000000)}) end`;
    const cfg = { vinyl_max_tuple_size: 16 * MIB };
    const input = await withServer({ cfg, lua: large }, async (server) => {
      return (await tntar(['dump', '-q', server.address], { env })).stdout;
    });
    const small = { ...cfg, vinyl_memory: 8 * MIB, vinyl_timeout: 1 };
    await withServer({ cfg: small }, async (target) => {
      const result = await tntar(['restore', '-q', target.address], { env, input });
      failsWith(result, 1, /space 'large', row \[3\]: Failed to allocate .*vinyl.*INCOMPLETE/);
      deepEqual(told(result.stderr), { sent: 3, confirmed: 2 });
      equal(await target.eval('return box.space.large:count()'), 2);
    });
  });

  it('that is read-only because its replicas are missing is reported before any write', async () => {
    await withServer({}, async (target) => {
      const replication = ['127.0.0.1:1', '127.0.0.1:2'];
      // newer servers do not wait for the others but where they are told to
      const waits = isAtLeast(target, '2.11') ? { bootstrap_strategy: 'legacy' } : {};
      await target.restart({ replication, replication_connect_timeout: 0.1, ...waits });
      equal(await target.eval('return box.info.status'), 'orphan');
      for (const options of [['--dry-run'], []]) {
        const result = await restoreInto(target.address, ...options);
        failsWith(result, 1, /the target .* is read-only: .*\nhint: .*box\.info\.ro.*orphan/);
      }
      deepEqual(await fingerprint(target), {});
    });
  });

  it('with a lost connection has at least the confirmed rows and at most the sent rows, because nothing is sent again', async () => {
    await withServer({ lua: COUNT_LOGINS }, async (target) => {
      const proxy = await startProxy(target, { after: 3_000_000, fault: 'reset' });
      const result = await restoreInto(proxy.address);
      await proxy.stop();
      failsWith(result, 1, /connection .*lost.*INCOMPLETE/);
      const { sent, confirmed } = told(result.stderr);
      await isReleased(target);
      const rows = await target.eval<number>(ROWS);
      ok(confirmed > 1000 && sent < blobRows(MEGABYTES), `${confirmed} of ${sent}`);
      ok(confirmed <= rows && rows <= sent, `${confirmed} ${rows} ${sent}`);
      equal(await target.eval('return _G.logins'), 1);
    });
  });

  it('after all gets spaces, sequences and rows that work like those of the source', async () => {
    await withServer({ lua: COUNT_LOGINS }, async (target) => {
      const { code, stderr } = await restoreInto(target.address);
      equal(code, 0, stderr);
      deepEqual(await fingerprint(target), await fingerprint(source));
      const next = await target.eval(`
        box.schema.space.create('next'):create_index('primary', {sequence = true})
        return {box.space.next.id > box.space.blobs.id, box.space.next:insert({box.NULL})[1]}`);
      deepEqual(next, [true, 1]);
    });
  });
});

describe('a server that fails a dump', () => {
  it('with a lost connection is asked only once, because another read view would be another moment', async () => {
    await withServer({ lua: blobs(MEGABYTES) + COUNT_LOGINS }, async (server) => {
      for (const source of ['snapshot', 'select']) {
        for (const fault of ['reset', 'stall'] as const) {
          await server.eval('_G.logins = 0');
          const proxy = await startProxy(server, { after: 6_000_000, fault });
          const args = ['dump', '-q', proxy.address, '--source', source, '--timeout', '1'];
          const { code, stderr } = await tntar(args, { env });
          await proxy.stop();
          equal(code, 1, stderr);
          match(stderr, /connection .*lost/);
          equal(await server.eval('return _G.logins'), 1);
        }
      }
    });
  });
});
