import { setTimeout as sleep } from 'node:timers/promises';
import type { Running } from '../cli/running.js';
import type { Result } from '../support/cli.js';
import { startProxy } from '../support/proxy.js';
import type { TestServer } from '../support/server.js';

/** A run that something is going to happen to. */
interface Victim {
  server: TestServer;
  /** Starts it, with the server at this address. */
  start: (address: string) => Running;
  /** Whose bytes are the rows, and how many come, about. */
  rowsFrom: 'server' | 'client';
  bytes: number;
  /** Behind which of them it happens, from 0 to 1. */
  moment: number;
  /** How long after that, where it is nothing that happens to the bytes themselves. */
  pauseMs: number;
}

/** What became of it. */
interface Outcome {
  result: Result;
  /** False where the run was over before anything happened. */
  isHit: boolean;
}

/** One way of going wrong. */
interface Kind {
  attack: (victim: Victim) => Promise<Outcome>;
  /** Exit codes of a run that was hit; null for one that a signal ended. */
  codes: readonly (number | null)[];
}

/** How long a run may be silent: passed as --timeout, in seconds. */
export const SILENCE_S = 2;
/** No run may take longer, whatever happens to it. */
export const LIMIT_MS = 60_000;

/** A client that is stopped for less than its own timeout has to go on as if nothing had been. */
const LONGEST_PAUSE_MS = 1000;

/** A lost connection is a failure, or one of access where it was lost before the login. */
const LOST = [1, 5];

const afterOf = ({ moment, bytes }: Victim): number => Math.floor(moment * bytes);

/** Starts the run, does something to it at its moment, and waits for its end. */
async function hit(victim: Victim, blow: (run: Running) => Promise<void>): Promise<Outcome> {
  let isOver = false;
  let reach = (): void => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const onPassed = (passed: number): void => {
    if (passed >= afterOf(victim)) reach();
  };
  const proxy = await startProxy(victim.server, { of: victim.rowsFrom, onPassed });
  try {
    const run = victim.start(proxy.address);
    const ending = run.end(LIMIT_MS).finally(() => {
      isOver = true;
    });
    await Promise.race([reached.then(() => sleep(victim.pauseMs)), ending]);
    const isHit = !isOver;
    if (isHit) await blow(run);
    const result = await ending;
    return { result, isHit };
  } finally {
    await proxy.stop();
  }
}

function signalClient(signal: NodeJS.Signals): Kind['attack'] {
  return async (victim) => {
    const { result, isHit } = await hit(victim, async (run) => run.kill(signal));
    return { result, isHit: isHit && result.code !== 0 };
  };
}

function pauseClient(victim: Victim): Promise<Outcome> {
  return hit(victim, async (run) => {
    run.kill('SIGSTOP');
    await sleep(LONGEST_PAUSE_MS * victim.moment);
    run.kill('SIGCONT');
  });
}

async function killServer(victim: Victim): Promise<Outcome> {
  const { result, isHit } = await hit(victim, async () => victim.server.kill('SIGKILL'));
  if (isHit) await victim.server.restart();
  return { result, isHit: isHit && result.code !== 0 };
}

async function hangServer(victim: Victim): Promise<Outcome> {
  try {
    const { result, isHit } = await hit(victim, async () => victim.server.kill('SIGSTOP'));
    return { result, isHit: isHit && result.code !== 0 };
  } finally {
    victim.server.kill('SIGCONT');
  }
}

function breakConnection(fault: 'end' | 'reset' | 'stall'): Kind['attack'] {
  return async (victim) => {
    const behavior = { of: victim.rowsFrom, after: afterOf(victim), fault };
    const proxy = await startProxy(victim.server, behavior);
    try {
      const result = await victim.start(proxy.address).end(LIMIT_MS);
      return { result, isHit: result.code !== 0 };
    } finally {
      await proxy.stop();
    }
  };
}

/** All that happens to dumps and restores. */
export const FAULTS = {
  'client SIGKILL': { attack: signalClient('SIGKILL'), codes: [null] },
  'client SIGTERM': { attack: signalClient('SIGTERM'), codes: [143] },
  'client SIGSTOP': { attack: pauseClient, codes: [0] },
  'connection end': { attack: breakConnection('end'), codes: LOST },
  'connection reset': { attack: breakConnection('reset'), codes: LOST },
  'connection stall': { attack: breakConnection('stall'), codes: LOST },
  'server SIGKILL': { attack: killServer, codes: LOST },
  'server SIGSTOP': { attack: hangServer, codes: LOST },
} as const satisfies Record<string, Kind>;

export type Fault = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as Fault[];

/**
 * What is wrong with the way in which a run ended that a fault has hit; nothing where it ended as it
 * is promised.
 */
export function misconduct(fault: Fault, { code, signal, stderr }: Result): string | undefined {
  const codes: readonly (number | null)[] = FAULTS[fault].codes;
  if (!codes.includes(code)) return `exit code ${code ?? signal} where ${codes} was promised`;
  if (code === 0 || code === null) return undefined;
  const isExplained = /^tntar: \S/m.test(stderr) && !/^ +at |node:internal|Unhandled/m.test(stderr);
  return isExplained ? undefined : 'no line says what happened';
}
