import { deepEqual, equal } from 'node:assert/strict';
import { fixturePath, readFixture } from '../fixtures/folder.js';
import { tntar, tntarProcess } from './cli.js';

const ARCHIVE = fixturePath('2.6.0-plain.tar.zst');

/** What a run may not change of the process of its test. */
const facts = (): unknown => ({
  listeners: process.eventNames().map((name) => [name, process.listenerCount(name)]),
  outputs: [process.stdout, process.stderr].map((stream) => stream.listenerCount('error')),
  exitCode: process.exitCode,
  console: globalThis.console,
});

const withoutTime = (text: string): string => text.replace(/in [\d.]+ s$/m, 'in a while');

describe('a command that runs in the process of its test', () => {
  for (const [title, args, input] of [
    ['prints its help', ['--help']],
    ['prints its version', ['--version']],
    ['refuses a command that it does not have', ['frobnicate']],
    ['refuses a wrong option', ['list', '--frobnicate']],
    ['completes', ['completion', 'bash']],
    ['lists a file', ['list', ARCHIVE]],
    ['writes rows', ['cat', 'orders', ARCHIVE]],
    ['finds two archives equal', ['diff', ARCHIVE, ARCHIVE]],
    ['finds two archives different', ['diff', ARCHIVE, fixturePath('2.6.0-full.tar.zst')]],
    ['reads its input', ['verify', '-q'], readFixture('2.6.0-plain.tar.zst')],
    [
      'refuses a part of an archive',
      ['verify'],
      readFixture('2.6.0-plain.tar.zst').subarray(0, 5000),
    ],
    ['refuses an empty input', ['list']],
    ['reports in JSON', ['verify', '--progress', 'json'], Buffer.from('nothing')],
    ['cannot connect', ['dump', '127.0.0.1:1']],
    ['has no password, and nobody to ask', ['dump', 'app@127.0.0.1:1']],
  ] as [string, string[], Buffer?][]) {
    it(`${title} as it does in a process of its own, and leaves nothing behind`, async () => {
      const before = facts();
      const options = input === undefined ? {} : { input };
      const here = await tntar(args, options);
      deepEqual(facts(), before);
      const alone = await tntarProcess(args, options);
      equal(here.code, alone.code, here.stderr);
      equal(withoutTime(here.stderr), withoutTime(alone.stderr));
      deepEqual(here.stdout, alone.stdout);
    });
  }
});
