import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { seedsOf } from './seeds.js';
import { found, foundIn, type Target } from './targets.js';

/** What a run of the fuzzer came to. */
export interface Fuzzed {
  /** That were tried. */
  inputs: number;
  /** That executed code which none before them did. */
  kept: number;
  /** Bytes of the code of `lib/` that were executed: by the seeds alone, and in the end. */
  code: [before: number, after: number];
  failure: { input: Uint8Array; message: string } | undefined;
}

/** What the thread that fuzzes is to do. */
export interface Job {
  target: Target;
  seconds: number;
  /** The same one makes the same inputs of the same corpus. */
  seed: number;
  seeds: Uint8Array[];
  /** For inputs that got further than others. */
  folder: string;
  /** How many inputs were begun, and the length of the last one. */
  beat: Int32Array;
  /** The last input. */
  at: Uint8Array;
}

/** No input of ours takes so long, nor so much memory: what does is a finding. */
const INPUT_MS = 10_000;
const HEAP_MIB = 512;
/** Larger than any input becomes. */
const ROOM_BYTES = 64 * 1024;

function prepare(target: Target, seconds: number, folder: string): Job {
  mkdirSync(folder, { recursive: true });
  const earlier = readdirSync(folder).map((name) => readFileSync(join(folder, name)));
  return {
    target,
    seconds,
    seed: randomInt(2 ** 31),
    seeds: [...seedsOf(target), ...found(target).map(([, input]) => input), ...earlier],
    folder,
    beat: new Int32Array(new SharedArrayBuffer(8)),
    at: new Uint8Array(new SharedArrayBuffer(ROOM_BYTES)),
  };
}

/** Resolves when the same input has been under way for too long. */
async function stalled({ beat }: Job, signal: AbortSignal): Promise<void> {
  let last = -1;
  for await (const _ of setInterval(INPUT_MS, undefined, { signal, ref: false })) {
    const now = Atomics.load(beat, 0);
    if (now === last && now > 0) return;
    last = now;
  }
}

/**
 * Fuzzes one target for some time, guided by the coverage of `lib/`, and stops at the first input that
 * makes it fail, or takes too long: that is then among the fixtures.
 *
 * @param corpus - a folder for inputs that got further than others; the next run goes on from them
 * @example
 * const { inputs, failure } = await fuzzFor('packets', 60, '.fuzz');
 */
export async function fuzzFor(target: Target, seconds: number, corpus: string): Promise<Fuzzed> {
  const job = prepare(target, seconds, join(corpus, target));
  const worker = new Worker(new URL('./loop.js', import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  const done = new AbortController();
  const cut = (message: string): Fuzzed => ({
    inputs: Atomics.load(job.beat, 0),
    kept: 0,
    code: [0, 0],
    failure: { input: job.at.slice(0, Atomics.load(job.beat, 1)), message },
  });
  const fuzzed = await Promise.race([
    once(worker, 'message').then(([result]) => result as Fuzzed),
    stalled(job, done.signal).then(() => cut(`an input takes over ${INPUT_MS} ms`)),
  ]).catch((error: Error) => cut(`${error.stack}`));
  done.abort();
  await worker.terminate();
  if (fuzzed.failure !== undefined) {
    const folder = foundIn(target);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `found-${Date.now()}`), fuzzed.failure.input);
  }
  return fuzzed;
}
