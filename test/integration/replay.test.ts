import { deepEqual, equal, ifError, match, ok, rejects } from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { parseUri } from '../../lib/iproto/uri.js';
import { dump } from '../../lib/pipelines/dump.js';
import { restore } from '../../lib/pipelines/restore.js';
import { fixturePath, readFixture } from '../fixtures/folder.js';
import { tntar } from '../support/cli.js';
import { entriesOf } from '../support/entries.js';
import { decodeRecording, type Recording } from '../support/recording.js';
import { type Cut, type Replay, startReplay } from '../support/replay.js';

/** Names of the recordings, e.g. `2.11.9-restore`. */
const NAMES = readdirSync(fixturePath('streams'))
  .filter((file) => file.endsWith('.jsonl.gz'))
  .map((file) => file.replace('.jsonl.gz', ''));

/** Pieces of 1 to 40 bytes, in an order that follows from the seed. */
const atRandom = (seed: number): Cut =>
  function* (bytes) {
    let state = seed;
    for (let pos = 0; pos < bytes.length; ) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const end = pos + 1 + ((state >>> 16) % 40);
      yield bytes.subarray(pos, end);
      pos = end;
    }
  };

const CUTS: Record<string, Cut> = {
  'in pieces of random sizes': atRandom(1),
  'in pieces of other sizes': atRandom(7),
  'byte by byte': function* (bytes) {
    for (let i = 0; i < bytes.length; i++) yield bytes.subarray(i, i + 1);
  },
};

/**
 * Does by the library what the recorded command did.
 *
 * @returns the archive of a dump
 */
async function repeat(
  { args, login, server }: Recording,
  { address }: Replay,
): Promise<Buffer | undefined> {
  const endpoint = parseUri(`${login}@${address}`);
  const [command, , source] = args;
  if (command === 'restore') {
    await restore(Readable.from([readFixture(`streams/${server}.tar.zst`)]), endpoint);
    return undefined;
  }
  const output = new PassThrough();
  const [archive] = await Promise.all([
    buffer(output),
    dump(endpoint, output, { source: source === 'select' ? 'select' : 'snapshot' }),
  ]);
  return archive;
}

/** Fails where the client says anything else than was recorded. */
async function withReplay(
  recording: Recording,
  cut: Cut | undefined,
  work: (replay: Replay) => Promise<void>,
): Promise<void> {
  const replay = await startReplay(recording, cut);
  try {
    const failure = await work(replay).catch((error: Error) => error);
    // first, for it is the reason of what else went wrong
    deepEqual(replay.problems(), []);
    ifError(failure);
  } finally {
    await replay.stop();
  }
}

describe('a recorded server', () => {
  it('has a recording of each version and for each command', () => {
    for (const server of ['2.11.9', '3.9.0']) {
      for (const what of ['dump-snapshot', 'dump-select', 'restore', 'denied', 'wrong-password']) {
        ok(NAMES.includes(`${server}-${what}`), `${server}-${what}`);
      }
    }
  });

  for (const name of NAMES) {
    describe(name, () => {
      const recording = decodeRecording(readFixture(`streams/${name}.jsonl.gz`));
      const { server, args, login, code } = recording;
      const archive = readFixture(`streams/${server}.tar.zst`);

      it(`lets tntar end with exit code ${code}, as when it was recorded`, async () => {
        await withReplay(recording, undefined, async ({ address }) => {
          const input = args[0] === 'restore' ? archive : '';
          const result = await tntar([...args, `${login}@${address}`], { input });
          equal(result.code, code, result.stderr);
          if (code !== 0) match(result.stderr, /'ann'|password/i);
          else if (args[0] === 'dump') {
            deepEqual(await entriesOf(result.stdout), await entriesOf(archive));
          }
        });
      });

      for (const [how, cut] of Object.entries(CUTS)) {
        it(`is understood ${how}`, async () => {
          await withReplay(recording, cut, async (replay) => {
            if (code !== 0) {
              await rejects(repeat(recording, replay), { name: 'TntarError', kind: 'access' });
              return;
            }
            const copy = await repeat(recording, replay);
            if (copy !== undefined) deepEqual(await entriesOf(copy), await entriesOf(archive));
          });
        });
      }
    });
  }
});
