import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { Coverage } from './coverage.js';
import type { Fuzzed, Job } from './fuzzer.js';
import { mutated, randomFrom, smallest } from './mutate.js';
import { functionOf } from './targets.js';

/**
 * The thread that fuzzes. Inputs that execute code which none before them did are kept, and others are
 * made of them.
 */
const { target, seconds, seed, seeds, folder, beat, at } = workerData as Job;
const LIB = new URL('../../lib/', import.meta.url).href;

/** Asking V8 takes as long as some inputs: it is asked about so many at once. */
const BATCH = 64;

const fuzz = await functionOf(target);
const random = randomFrom(seed);
const corpus: Buffer[] = [];
let inputs = 0;

/** Where the watching thread finds the input that takes too long. */
function show(input: Buffer): void {
  input.copy(at);
  Atomics.store(beat, 1, input.length);
  Atomics.add(beat, 0, 1);
}

async function failureOf(input: Buffer): Promise<unknown> {
  show(input);
  inputs++;
  try {
    await fuzz(Buffer.from(input));
    return undefined;
  } catch (error) {
    return error ?? new Error('nothing was thrown');
  }
}

/** The first of the inputs that makes the target fail, made smaller. */
async function failing(batch: readonly Buffer[]): Promise<Fuzzed['failure']> {
  for (const input of batch) {
    const error = await failureOf(input);
    if (error === undefined) continue;
    const found = await smallest(input, async (less) => (await failureOf(less)) !== undefined);
    const { stack, message } = ((await failureOf(found)) ?? error) as Error;
    return { input: found, message: stack ?? message };
  }
  return undefined;
}

function keep(input: Buffer, isNew: boolean): void {
  corpus.push(input);
  const name = createHash('sha1').update(input).digest('hex');
  if (isNew) writeFileSync(join(folder, name), input);
}

async function run(coverage: Coverage): Promise<Fuzzed> {
  const given = seeds.map((each) => Buffer.from(each));
  let failure = await failing(given);
  for (const input of given) keep(input, false);
  coverage.add(await coverage.take());
  const before = coverage.bytes;

  const pick = (): Buffer => corpus[random(corpus.length)]!;
  const end = performance.now() + 1000 * seconds;
  while (failure === undefined && performance.now() < end) {
    const batch = Array.from({ length: BATCH }, () => mutated(pick(), pick(), random));
    failure = await failing(batch);
    const executed = await coverage.take();
    if (!coverage.isNew(executed)) continue;
    for (const input of batch) {
      await failureOf(input);
      const alone = await coverage.take();
      if (!coverage.isNew(alone)) continue;
      coverage.add(alone);
      keep(input, true);
    }
    coverage.add(executed);
  }
  return { inputs, kept: corpus.length - given.length, code: [before, coverage.bytes], failure };
}

parentPort?.postMessage(await run(await Coverage.of(LIB)));
