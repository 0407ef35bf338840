import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { runHere } from './run-here.js';

/** What a finished process left behind. */
export interface Result {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
}

/** How a process is run. */
export interface RunOptions {
  /** What it reads from stdin; by default nothing. */
  input?: Buffer | string | Readable;
  /** Variables over those of the test process. */
  env?: NodeJS.ProcessEnv;
  /** Its working folder; by default that of the test process. */
  cwd?: string;
  /** After how long it is killed, and the run fails. */
  timeoutMs?: number;
}

const COMMAND = fileURLToPath(new URL('../../bin/tntar.js', import.meta.url));
const TIMEOUT_MS = 30_000;

const running = new Set<ChildProcessWithoutNullStreams>();
let folder: string | undefined;
process.on('exit', () => {
  for (const child of running) killGroup(child);
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/**
 * Runs `tntar` to its end: in this process, which spares the start of another one, unless variables, a working folder or
 * the code of a filter need a process of their own.
 */
export function tntar(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  const { env, cwd, input, timeoutMs } = options;
  const isAlone = env !== undefined || cwd !== undefined || args.includes('--filter');
  return isAlone ? tntarProcess(args, options) : runHere(args, input, timeoutMs ?? TIMEOUT_MS);
}

/** Runs `tntar` to its end, in a process of its own. */
export function tntarProcess(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return finish(spawnTntar(args, options), `tntar ${args.join(' ')}`, options);
}

/** Starts `tntar` with a pipe at each of its standard streams. */
export function spawnTntar(
  args: readonly string[],
  options: Pick<RunOptions, 'env' | 'cwd'> = {},
): ChildProcessWithoutNullStreams {
  return start(process.execPath, [COMMAND, ...args], options);
}

/** Runs a line of bash that knows `tntar`; a pipe fails when any part of it does. */
export function shell(command: string, options: RunOptions = {}): Promise<Result> {
  const PATH = [commandFolder(), process.env['PATH']].join(delimiter);
  const env = { PATH, ...options.env };
  const child = start('bash', ['-o', 'pipefail', '-c', command], { ...options, env });
  return finish(child, command, options);
}

/** A folder for a PATH, with a program `tntar` in it; removed when the tests end. */
export function commandFolder(): string {
  if (!folder) {
    folder = mkdtempSync(join(tmpdir(), 'tntar-bin-'));
    const script = `#!/bin/sh\nexec '${process.execPath}' '${COMMAND}' "$@"\n`;
    writeFileSync(join(folder, 'tntar'), script, { mode: 0o755 });
  }
  return folder;
}

/** In a session of its own: without a terminal to ask for a password, and killed as a whole. */
function start(
  program: string,
  args: string[],
  { env, cwd = '.' }: Pick<RunOptions, 'env' | 'cwd'>,
): ChildProcessWithoutNullStreams {
  const { TT_CLI_USERNAME: _, TT_CLI_PASSWORD: __, ...inherited } = process.env;
  const child = spawn(program, args, { env: { ...inherited, ...env }, cwd, detached: true });
  running.add(child);
  child.once('close', () => running.delete(child));
  return child;
}

async function finish(
  child: ChildProcessWithoutNullStreams,
  title: string,
  { input = '', timeoutMs = TIMEOUT_MS }: RunOptions,
): Promise<Result> {
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const source = input instanceof Readable ? input : Readable.from(input);
  // a program may end before it has read all of its input
  pipeline(source, child.stdin).catch(() => {});

  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    killGroup(child);
  }, timeoutMs);
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);

  const result = { code, signal, stdout: Buffer.concat(stdout), stderr };
  if (!isLate) return result;
  const printed = `${result.stdout.length} bytes on stdout, and on stderr:\n${stderr}`;
  throw new Error(`${title}: killed after ${timeoutMs} ms with ${printed}`);
}

function killGroup(child: ChildProcessWithoutNullStreams): void {
  try {
    if (child.pid) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // gone already
  }
}
