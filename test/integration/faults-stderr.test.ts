import { deepEqual, equal } from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blobs } from '../cli/blobs.js';
import { shell, tntar } from '../support/cli.js';
import { type Peer, startProxy } from '../support/proxy.js';
import { PASSWORD, startServer, type TestServer, USER } from '../support/server.js';

const env = { TT_CLI_USERNAME: USER, TT_CLI_PASSWORD: PASSWORD };
/** Closed, a full disk, and a pipe that nobody reads. */
const REDIRECTIONS = ['2>&-', '2>/dev/full', '2> >(exec 0<&-)'];
const THROWING = `export default (space, tuple) => {
  if (space.name === 'few') throw new Error('not this one');
  return tuple;
};`;
const STRAYING = `export default (space, tuple) => {
  if (space.name === 'few') Promise.reject(new Error('nobody waits for this'));
  return tuple;
};`;

/** By what `$log` stands for, where stderr goes to. */
const RUNS: [title: string, line: string, code: number][] = [
  ['a lost connection', 'tntar dump $cut $log | cat > /dev/null', 1],
  ['a full disk', 'tntar dump $db $log > /dev/full', 1],
  ['a closed pipe', 'set +o pipefail; tntar dump $db $log | true; exit $PIPESTATUS', 1],
  ['a filter that throws', 'tntar dump $db --filter throwing.mjs $log > /dev/null', 1],
  ['a promise that nobody waits for', 'tntar dump $db --filter straying.mjs $log > /dev/null', 1],
  ['a wrong password', 'TT_CLI_PASSWORD=x tntar dump $db $log > /dev/null', 5],
  ['a signal', 'timeout --preserve-status -s TERM 1 tntar dump $db $log | sleep 2', 143],
  ['a damaged archive', 'head -c 1000000 whole | tntar verify $log', 3],
  ['a damaged archive on its way', 'head -c 7000000 whole | tntar restore $target $log', 3],
  ['a target that is not empty', 'cat whole | tntar restore $db $log', 4],
  ['nothing at all, but for warnings', 'tntar dump $db --source select $log > /dev/null', 0],
];

describe('a run that cannot print its error', () => {
  let server: TestServer;
  let target: TestServer;
  let cut: Peer;
  let folder: string;
  before(async () => {
    [server, target] = await Promise.all([startServer({ lua: blobs(12) }), startServer()]);
    cut = await startProxy(server, { after: 6_000_000, fault: 'reset' });
    folder = mkdtempSync(join(tmpdir(), 'tntar-stderr-'));
    writeFileSync(join(folder, 'throwing.mjs'), THROWING);
    writeFileSync(join(folder, 'straying.mjs'), STRAYING);
    const { code } = await tntar(['dump', server.address, '-o', join(folder, 'whole')], { env });
    equal(code, 0);
  });
  after(async () => {
    await cut.stop();
    await Promise.all([server.stop(), target.stop()]);
    rmSync(folder, { recursive: true });
  });

  for (const [title, line, code] of RUNS) {
    it(`still ends with ${code}: ${title}`, async () => {
      const variables = { db: server.address, cut: cut.address, target: target.address };
      const codes: (number | null)[] = [];
      for (const log of REDIRECTIONS) {
        const result = await shell(line.replace('$log', log), {
          cwd: folder,
          env: { ...env, ...variables },
        });
        codes.push(result.code);
        await target.eval(`if box.space.blobs then box.space.blobs:drop() end
          if box.space.few then box.space.few:drop() end`);
      }
      deepEqual(codes, [code, code, code]);
    });
  }
});
