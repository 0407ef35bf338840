import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lock } from '../../../lib/base/lock.js';

const LIB = new URL('../../../lib/base/lock.js', import.meta.url).href;

describe('a lock', () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tntar-lock-'));
    file = join(folder, 'a.partial.lock');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const take = (): Promise<Lock> => Lock.take(join(folder, 'a.partial'), 'a');
  /** The holder that is in the file now, with other fields. */
  const amend = (given: object): void => {
    const holder = JSON.parse(readFileSync(file, 'utf8')) as object;
    writeFileSync(file, JSON.stringify({ ...holder, ...given }));
  };
  /** Leaves the lock of a process that is alive: ours, under another name. */
  const leave = async (given: object): Promise<void> => {
    await take();
    amend({ id: 'other', ...given });
  };
  const silent = (minutes: number): void => {
    const then = Date.now() / 1000 - 60 * minutes;
    utimesSync(file, then, then);
  };
  const isTaken = async (): Promise<void> => {
    const lock = await take();
    ok(await lock.isHeld());
    await lock.release();
  };

  it('refuses a directory, a link and a pipe that have its name, and does not wait for them', async () => {
    const make = [
      () => mkdirSync(file),
      () => symlinkSync('none', file),
      () => execFileSync('mkfifo', [file]),
    ];
    for (const each of make) {
      each();
      await rejects(take(), {
        kind: 'usage',
        message: `cannot write a: ${file} is not a file, and tntar needs this name for its lock`,
        hint: `move or remove ${file}, or choose another name`,
      });
      rmSync(file, { recursive: true });
    }
  });

  it('is held by one run at a time, and the other run learns which one', async () => {
    const lock = await take();
    await rejects(take(), {
      kind: 'usage',
      message: `another tntar, process ${process.pid}, is writing a`,
      hint: 'wait until it ends, or choose another name',
    });
    await lock.check();
    await lock.release();
    deepEqual(readdirSync(folder), []);
    await isTaken();
  });

  it('of a process that was killed is taken over', async () => {
    const script = `
      const { Lock } = await import(${JSON.stringify(LIB)});
      await Lock.take(${JSON.stringify(join(folder, 'a.partial'))}, 'a');
      console.log('taken');
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    const [said] = await once(child.stdout, 'data');
    equal(String(said), 'taken\n');
    await rejects(take(), { message: `another tntar, process ${child.pid}, is writing a` });
    child.kill('SIGKILL');
    await once(child, 'close');
    ok(existsSync(file));
    await isTaken();
  });

  it('of a process that was killed is taken over before its parent has noticed that', async function () {
    if (process.platform !== 'linux') this.skip();
    // The shell becomes a program that never asks for the exit code of its child.
    const parent = spawn('bash', ['-c', 'sleep 1000 & echo $!; exec sleep 1000']);
    const [said] = await once(parent.stdout, 'data');
    const pid = Number(said);
    const name = (): string => readFileSync(`/proc/${parent.pid}/comm`, 'utf8');
    while (name() !== 'sleep\n') await new Promise(setImmediate);
    process.kill(pid, 'SIGKILL');
    const stat = (): string[] => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ');
    while (stat()[2] !== 'Z') await new Promise(setImmediate);
    await leave({ pid, start: stat()[21] });
    await isTaken();
    parent.kill('SIGKILL');
  });

  it('is taken over if its process ended and another one has its number', async function () {
    if (process.platform !== 'linux') this.skip();
    await leave({ start: '1' });
    await isTaken();
  });

  it('is taken over after a boot of the machine', async function () {
    if (process.platform !== 'linux') this.skip();
    await leave({ boot: 'an earlier one' });
    await isTaken();
  });

  for (const [title, given, where] of [
    ['on another machine', { host: 'db7', boot: 'of db7' }, " on host 'db7'"],
    ['in another container', { host: 'c0ffee', namespace: 'pid:[1]' }, " on host 'c0ffee'"],
    ['in another container of this name', { namespace: 'pid:[1]' }, ''],
  ] as const) {
    it(`of a run ${title} is taken over after minutes without a sign of life`, async function () {
      if (process.platform !== 'linux') this.skip();
      await leave(given);
      silent(4);
      await rejects(take(), {
        message: `another tntar, process ${process.pid}${where}, is writing a`,
        hint: /if it was killed, try again in 5 minutes, or remove .*a\.partial\.lock$/,
      });
      silent(6);
      await isTaken();
    });
  }

  it('of a run with an unknown start is kept while the run shows that it is alive', async () => {
    await leave({ start: undefined });
    await rejects(take(), { message: /another tntar/ });
    silent(6);
    await isTaken();
  });

  it('without the name of a process was left by a crash, and is taken over', async () => {
    const texts = ['', '{"pid":', 'null', '{"id":"a","host":"b","pid":-1}'];
    await Promise.all(
      texts.map(async (text, i) => {
        const path = join(folder, `${i}.partial`);
        writeFileSync(`${path}.lock`, text);
        const lock = await Lock.take(path, 'a');
        ok(await lock.isHeld(), text);
        await lock.release();
      }),
    );
  });

  it('that is dead is taken over by exactly one of many runs', async () => {
    await leave({ host: hostname(), start: '1', boot: 'an earlier one' });
    const results = await Promise.allSettled(Array.from({ length: 30 }, take));
    const taken = results.filter(({ status }) => status === 'fulfilled');
    equal(taken.length, 1);
    for (const result of results) {
      if (result.status === 'rejected') match(String(result.reason), /another tntar/);
    }
    deepEqual(readdirSync(folder), ['a.partial.lock']);
  });

  it('that is dead is removed by one run at a time', async () => {
    await leave({ host: hostname(), start: '1', boot: 'an earlier one' });
    const guard = `${file}.removing`;
    writeFileSync(guard, '');
    let isOver = false;
    const taking = take().then((lock) => {
      isOver = true;
      return lock;
    });
    await sleep(300);
    equal(isOver, false);
    rmSync(guard);
    await (await taking).release();
    deepEqual(readdirSync(folder), []);
  });

  it('that is dead is removed if a run was killed while it removed it', async () => {
    await leave({ host: hostname(), start: '1', boot: 'an earlier one' });
    const guard = `${file}.removing`;
    writeFileSync(guard, '');
    const then = new Date(Date.now() - 11_000);
    utimesSync(guard, then, then);
    await (await take()).release();
    deepEqual(readdirSync(folder), []);
  });

  it('that another run has taken over is noticed, and left to it', async () => {
    const lock = await take();
    amend({ id: 'of another run' });
    equal(await lock.isHeld(), false);
    await rejects(lock.check(), { kind: 'failure', message: /another run has taken over a / });
    await lock.release();
    ok(existsSync(file));
  });

  it('is removed by a process that ends at once', async () => {
    const script = `
      const { Lock } = await import(${JSON.stringify(LIB)});
      await Lock.take(${JSON.stringify(join(folder, 'a.partial'))}, 'a');
      process.exit(3);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    equal((await once(child, 'close'))[0], 3);
    deepEqual(readdirSync(folder), []);
  });
});
