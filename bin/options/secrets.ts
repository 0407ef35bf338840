import { openSync, readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { ReadStream, WriteStream } from 'node:tty';
import { messageOf, TntarError } from '../../lib/base/errors.js';
import type { Report } from '../../lib/base/report.js';
import { Interrupted } from '../output/exit.js';
import type { Surroundings } from '../output/surroundings.js';

/** Those who are neither the owner nor of the group may read. */
const READABLE_BY_ALL = 0o004;

/**
 * Reads a file that nobody else should be able to read, and warns where everybody can.
 *
 * @param what - for messages, e.g. `password file`
 */
export function readPrivate(file: string, what: string, report: Report): Buffer {
  try {
    const bytes = readFileSync(file);
    const stat = statSync(file);
    if (stat.isFile() && (stat.mode & READABLE_BY_ALL) !== 0) {
      report.warn(`every user of this machine can read the ${what} ${file}: chmod 600 it`);
    }
    return bytes;
  } catch (error) {
    throw new TntarError('usage', `cannot read the ${what}: ${messageOf(error)}`);
  }
}

/** The password in such a file: its first line. */
export function passwordIn(file: string, what: string, report: Report): string {
  return readPrivate(file, what, report).toString().split(/\r?\n/, 1)[0] ?? '';
}

/** Takes what a terminal echoes. */
const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });

/** One line from a terminal, not echoed. */
function readSecret(input: ReadStream, signal: AbortSignal): Promise<string> {
  const line = createInterface({ input, output: nowhere, terminal: true });
  return new Promise<string>((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    line.once('line', resolve);
    line.once('SIGINT', () => reject(new Interrupted('SIGINT')));
    line.once('close', () =>
      reject(new TntarError('access', 'no password was given', { refused: 'login' })),
    );
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  }).finally(() => line.close());
}

/**
 * Asks on the terminal device, for standard input and output carry the archive.
 *
 * @returns undefined if there is no terminal
 */
export async function ask(
  { terminal: device = '/dev/tty' }: Surroundings,
  question: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  let terminal: number;
  try {
    terminal = openSync(device, 'r+');
  } catch {
    return undefined; // nobody to ask
  }
  const input = new ReadStream(terminal);
  const output = new WriteStream(terminal);
  try {
    // Before the question: what is typed at once must not be shown either.
    input.setRawMode(true);
    output.write(question);
    return await readSecret(input, signal);
  } finally {
    output.write('\n');
    input.destroy();
    output.destroy();
  }
}
