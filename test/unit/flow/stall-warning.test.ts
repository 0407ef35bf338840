import { deepEqual, match } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { silent } from '../../../lib/base/report.js';
import { warnOfStalls } from '../../../lib/flow/stall-warning.js';
import { suspend } from '../../support/suspend.js';

const CHUNKS = ['a', 'b', 'c'].map((text) => Buffer.from(text));

/** Reads all, with so many milliseconds between two chunks, and gives what was warned of. */
async function warnings(pause: number, ms: number): Promise<string[]> {
  const lines: string[] = [];
  const report = { ...silent, warn: (line: string) => lines.push(line) };
  async function* source(): AsyncGenerator<Buffer> {
    yield* CHUNKS;
  }
  const got: Buffer[] = [];
  for await (const chunk of warnOfStalls(source(), ms, report)) {
    got.push(chunk);
    await sleep(pause);
  }
  deepEqual(got, CHUNKS);
  return lines;
}

describe('a reader that takes its time', () => {
  it('causes one warning', async () => {
    const lines = await warnings(60, 20);
    deepEqual(lines.length, 1);
    match(lines[0]!, /^the output was not read for 0\.02 s; the server keeps/);
  });

  it('causes no warning if the whole process was suspended in the meantime', async () => {
    const lines: string[] = [];
    const report = { ...silent, warn: (line: string) => lines.push(line) };
    async function* source(): AsyncGenerator<Buffer> {
      yield* CHUNKS;
    }
    for await (const _ of warnOfStalls(source(), 100, report)) {
      suspend(200);
      await sleep(1);
    }
    deepEqual(lines, []);
  });

  it('causes no warning if it takes less time, or if nobody listens', async () => {
    deepEqual(await warnings(1, 5000), []);
    deepEqual(await warnings(30, 0), []);
  });
});
