import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TestServer } from '../support/server.js';
import { Violation } from './checks.js';
import { FAULT_NAMES } from './faults.js';
import { Soak } from './run.js';

const PROGRAM = fileURLToPath(new URL('soak.js', import.meta.url));
const SMALL = { seed: 20, writers: 2, ballast: 1 };

describe('a short soak', function () {
  // some twenty seconds where nothing else runs
  this.timeout(180_000);

  it('loses no row to any kind of fault', async () => {
    const soak = await Soak.start({ ...SMALL, minutes: 2.5, faults: FAULT_NAMES.length });
    await soak.run();
    const { dumps, restores, archives, committed, survived, lost } = soak.figures;
    deepEqual(
      [...survived].filter(([, count]) => count === 0),
      [],
      'kinds of faults that did not come',
    );
    ok(archives > 2 && dumps > archives && restores > archives, `${soak.figures}`);
    ok(committed > 100, `${soak.figures}`);
    equal(lost, 0);
    match(`${soak.figures}`, /\| rows lost \| 0 \|/);
  });

  /** Runs a soak of a bank in which something is done that must never be. */
  async function finds(spoil: (source: TestServer) => Promise<unknown>): Promise<Violation> {
    const soak = await Soak.start({ ...SMALL, minutes: 2.5, spoil });
    let found: unknown;
    await rejects(soak.run(), (error) => {
      found = error;
      return error instanceof Violation;
    });
    const violation = found as Violation;
    ok(violation.archive, 'no archive shows it');
    equal(soak.figures.lost, violation.lost);
    return violation;
  }

  it('finds a balance that was changed on one side alone', async () => {
    const { message, lost } = await finds((source) =>
      source.eval(`box.space.vinyl_left:update({1}, {{'+', 2, 1}})`),
    );
    match(message, /vinyl: balances are 1000001 together, and were 1000000/);
    equal(lost, 0);
  });

  it('finds missing rows, and counts them', async () => {
    const { message, lost } = await finds((source) =>
      source.eval('for row = 1, 3 do box.space.memtx_ballast:delete({row}) end'),
    );
    match(message, /space memtx_ballast: 997 rows, and 1000 expected/);
    equal(lost, 3);
  });

  it('ends on a signal, stops everything that it has started, and prints its figures', async () => {
    const child = spawn(process.execPath, [PROGRAM, '--minutes', '5', '--ballast', '1']);
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    await once(child.stdout, 'data');
    const servers = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    equal(code, 130, printed);
    match(printed, /\nstopped by SIGINT\n[\s\S]*\| rows lost \| 0 \|\n$/);
    const pids = servers.trim().split(' ').map(Number);
    ok(pids.length >= 3, servers);
    await sleep(500); // they were killed, and have to have been told
    for (const pid of pids) ok(isGone(pid), `process ${pid} still runs`);
  });
});

/** True for a process that has ended, though nobody may have asked how. */
function isGone(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
