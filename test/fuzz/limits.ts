import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnTntar } from '../support/cli.js';
import { startLiar } from '../support/liar.js';
import { tntarMeasured } from '../support/peak.js';
import { startServer } from '../support/server.js';
import { archiveAtLimit, type LimitArchive, pick } from './limit-archives.js';
import { lieAtLimit } from './limit-replies.js';
import { type Random, randomFrom } from './mutate.js';

/** What a run of this fuzzer did. */
export interface LimitsFuzzed {
  runs: number;
  /** A line for each run that broke a promise. */
  findings: string[];
}

const MIB = 1024 * 1024;
/** What a process may take, apart from one tuple. */
const PEAK_MIB = 256;
/** Generous: a machine that runs tests has other things to do. */
const TIMEOUT_MS = 120_000;
const SIGNAL_MS = 5000;

/** How long a server that got a lie may be silent. */
const SILENCE_S = '5';

const EXIT_CODES: readonly (number | null)[] = [0, 1, 2, 3, 4, 5, 6];
const FORMATS = ['ndjson', 'json', 'csv', 'tsv', 'sql', 'postgres', 'sqlite', 'msgpack'];

/** The commands that read an archive, by the file, the address of a server, and a folder that is empty. */
const COMMANDS: readonly ((file: string, uri: string, folder: string) => string[])[] = [
  (file) => ['list', '--schema', file],
  (file) => ['verify', file],
  (file) => ['diff', '--rows', file, `${file}.other`],
  (file) => ['diff', '--schema-only', file, `${file}.other`],
  (file, uri) => ['restore', uri, '-i', file, '--dry-run'],
  (file, _uri, folder) => ['extract', file, '-C', folder],
  (file) => ['cat', 'users', file, '--where', 'f1 == 1'],
  ...FORMATS.map((format) => (file: string) => ['cat', 'users', file, '--format', format]),
];

/** Runs a command to its end. Returns what is wrong with that. */
async function wrongWith(args: readonly string[], tupleBytes: number): Promise<string | undefined> {
  try {
    const { code, signal, stderr, peakMiB } = await tntarMeasured(args, { timeoutMs: TIMEOUT_MS });
    if (/defect of tntar|operation was aborted/.test(stderr)) return stderr.slice(0, 500);
    if (!EXIT_CODES.includes(code)) return `exit ${code ?? signal}: ${stderr.slice(0, 500)}`;
    const most = PEAK_MIB + tupleBytes / MIB;
    if (peakMiB > most) return `${Math.ceil(peakMiB)} MiB of memory, not ${Math.ceil(most)}`;
    return undefined;
  } catch (error) {
    return String(error).slice(0, 500);
  }
}

/** Stops a command after some time. Returns what is wrong with how it ends. */
async function wrongWithStop(
  args: readonly string[],
  afterMs: number,
): Promise<string | undefined> {
  const child = spawnTntar(args);
  child.stdin.end();
  child.stdout.resume();
  child.stderr.resume();
  const ended = once(child, 'close');
  const timer = setTimeout(() => child.kill('SIGTERM'), afterMs);
  const late = setTimeout(() => child.kill('SIGKILL'), afterMs + SIGNAL_MS);
  const [, signal] = await ended;
  clearTimeout(timer);
  clearTimeout(late);
  return signal === 'SIGKILL' ? `still runs ${SIGNAL_MS} ms after SIGTERM` : undefined;
}

/** Runs one command on one archive, to its end or to a signal. */
async function attempt(
  { title, tupleBytes }: Pick<LimitArchive, 'title' | 'tupleBytes'>,
  args: readonly string[],
  random: Random,
): Promise<string | undefined> {
  const isStopped = random(4) === 0;
  const wrong = isStopped
    ? await wrongWithStop(args, 300 + random(3000))
    : await wrongWith(args, tupleBytes);
  const shown = args.filter((arg) => !/[/:]/.test(arg)).join(' ');
  return wrong === undefined ? undefined : `${title}: ${shown}: ${wrong}`;
}

/**
 * Runs commands on archives and on replies at the limits, one after the other, and watches memory, exit codes and signals.
 *
 * @param seed - the same seed makes the same archives and commands
 * @param commands - commands for each archive
 * @param note - called with each finding at once
 */
export async function fuzzLimits(
  seconds: number,
  seed: number,
  commands: number,
  note: (finding: string) => void = () => {},
): Promise<LimitsFuzzed> {
  const random = randomFrom(seed);
  for (let i = 0; i < 8; i++) random(2); // the first numbers of small seeds are alike
  const folder = mkdtempSync(join(tmpdir(), 'tntar-limits-'));
  const server = await startServer();
  const findings: string[] = [];
  let runs = 0;
  const run = async (
    given: Pick<LimitArchive, 'title' | 'tupleBytes'>,
    args: readonly string[],
  ) => {
    runs++;
    const finding = await attempt(given, args, random);
    if (finding === undefined) return;
    findings.push(finding);
    note(finding);
  };
  try {
    const end = performance.now() + 1000 * seconds;
    do {
      const made = archiveAtLimit(random);
      const file = join(folder, 'archive.tar.zst');
      writeFileSync(file, made.bytes);
      writeFileSync(`${file}.other`, made.other);
      for (let i = 0; i < commands && (runs === 0 || performance.now() < end); i++) {
        const empty = join(folder, 'out');
        mkdirSync(empty);
        const args = COMMANDS[random(COMMANDS.length)]!(file, server.uri, empty);
        await run(made, args);
        rmSync(empty, { recursive: true });
      }
      if (performance.now() >= end) break;
      const [title, lie] = lieAtLimit(random);
      const liar = await startLiar(server, lie);
      const source = pick(['select', 'snapshot'], random);
      const args = ['dump', liar.address, '--source', source, '--timeout', SILENCE_S];
      await run({ title, tupleBytes: 0 }, args).finally(() => liar.stop());
    } while (performance.now() < end);
    return { runs, findings };
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
}
