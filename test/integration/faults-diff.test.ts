import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blobs } from '../cli/blobs.js';
import { failsWith, isReleased } from '../cli/outcome.js';
import { Running } from '../cli/running.js';
import { shell, tntar } from '../support/cli.js';
import { type Peer, startProxy } from '../support/proxy.js';
import { startServer, type TestServer } from '../support/server.js';

const MEGABYTES = 24;
/** A run ends no later than this, whatever it meets. */
const AT_ONCE_MS = 10_000;

describe('faults of a comparison', () => {
  let folder: string;
  let archive: string;
  let server: TestServer;
  let slow: Peer;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-faults-diff-'));
    archive = join(folder, 'whole.tar.zst');
    server = await startServer({ lua: blobs(MEGABYTES) });
    slow = await startProxy(server, { bytesPerSecond: 20_000_000 });
    equal((await tntar(['dump', server.uri, '-q', '-o', archive])).code, 0);
  });
  after(async () => {
    await slow?.stop();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const atSlow = (): string =>
    `${server.uri.slice(0, server.uri.lastIndexOf('@'))}@${slow.address}`;

  it('a signal ends it, closes its connection, and leaves no file', async () => {
    const place = join(folder, 'tmp');
    mkdirSync(place);
    const diff = new Running(['diff', archive, atSlow(), '--sort'], { env: { TMPDIR: place } });
    await diff.until(() => diff.stderr.includes('reading from'));
    diff.kill('SIGINT');
    const { code, stdout, stderr } = await diff.end(AT_ONCE_MS);
    deepEqual([code, String(stdout)], [130, ''], stderr);
    match(stderr, /^tntar: stopped by SIGINT$/m);
    deepEqual(readdirSync(place), []);
    await isReleased(server);
  });

  it('a truncated side is damaged, and nothing is reported as equal', async () => {
    const cut = join(folder, 'cut.tar.zst');
    const bytes = readFileSync(archive);
    writeFileSync(cut, bytes.subarray(0, bytes.length - 100));
    for (const sides of [
      [archive, cut],
      [cut, archive],
    ] as const) {
      const { code, stdout, stderr } = await tntar(['diff', ...sides]);
      equal(code, 3, stderr);
      match(stderr, sides[0] === cut ? /^tntar: A \(/m : /^tntar: B \(/m);
      ok(!/equal: /.test(String(stdout)), String(stdout));
    }
  });

  it('a lost connection is a failure that names the side', async () => {
    const diff = new Running(['diff', archive, atSlow()]);
    await diff.until(() => diff.stderr.includes('reading from'));
    await slow.stop();
    const { code, stdout, stderr } = await diff.end(AT_ONCE_MS);
    deepEqual([code, String(stdout)], [6, ''], stderr);
    match(stderr, /^tntar: B \(127\.0\.0\.1:\d+\): connection to .* lost/m);
    slow = await startProxy(server, { bytesPerSecond: 20_000_000 });
  });

  it('a reader that closes the pipe ends it silently, and is not reported as a difference', async () => {
    const other = await startServer();
    try {
      const args = `'${archive}' '${other.uri}' --rows -q`;
      const { stdout } = await shell(
        `(tntar diff ${args}; echo $? >&3) 3>&1 1> >(head -c 10 > /dev/null)`,
      );
      equal(String(stdout), '141\n');
    } finally {
      await other.stop();
    }
  });

  it('a missing folder for temporary files is a failure that names TMPDIR', async () => {
    await server.eval('box.space.blobs:delete{1}');
    const args = ['diff', archive, server.uri, '--sort', '-q'];
    const result = await tntar(args, { env: { TMPDIR: join(folder, 'none') } });
    failsWith(result, 6, /cannot use a temporary file.*ENOENT.*\n.*TMPDIR/);
  });
});
