import { createWriteStream, fstatSync } from 'node:fs';
import { Writable } from 'node:stream';
import { messageOf, TntarError } from '../../lib/base/errors.js';
import { requireOutput } from './descriptors.js';
import type { Run } from './run.js';
import type { Output } from './surroundings.js';
import { visibleText } from './visible.js';

/** Ends the process when standard output fails, whichever command writes to it. Call once, at the start. */
export function watchOutput(run: Run): void {
  run.process.stdout.on('error', run.onOutputError);
}

/**
 * Returns standard output for text: tables, plans, rows, help.
 *
 * @throws TntarError of kind `usage` if it is closed
 */
export function textOutput({ process }: Run): Output {
  requireOutput(process);
  return process.stdout;
}

/**
 * Returns standard output as the end of a pipeline. Node writes to a file synchronously if that is its standard
 * output; a stream of ours does not. Anything else is not ended, because that would shut down a socket for every
 * process that shares it, such as the next command of a script.
 *
 * @throws TntarError of kind `usage` if it is closed
 */
function pipelineOutput(run: Run): Writable {
  const stdout = textOutput(run);
  const { fd } = stdout;
  if (fd !== undefined && fstatSync(fd).isFile()) return createWriteStream('', { fd });
  return new Writable({
    highWaterMark: stdout.writableHighWaterMark,
    write(chunk, _encoding, done) {
      stdout.write(chunk, done);
    },
  });
}

/**
 * Returns standard output as the end of a pipeline of text that somebody else wrote: on a terminal, control characters
 * in it are shown, and not obeyed. A file and a pipe get the bytes as they are.
 *
 * @throws TntarError of kind `usage` if it is closed
 */
export function rowOutput(run: Run): Writable {
  const stdout = textOutput(run);
  if (!stdout.isTTY) return pipelineOutput(run);
  const visible = visibleText();
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      stdout.write(visible(chunk), done);
    },
  });
}

/**
 * Returns standard output for an archive: if its reader goes away, the pipeline fails and says so.
 *
 * @throws TntarError of kind `usage` if it is closed
 */
export function archiveOutput(run: Run): Writable {
  run.process.stdout.off('error', run.onOutputError).on('error', () => {});
  return pipelineOutput(run);
}

/** Adds what an error of the output means for an archive. Returns any other error as it is. */
export function asArchiveError(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const cutShort = 'an archive that is cut short is not a backup';
  if (code === 'EPIPE') {
    return new TntarError('failure', 'the program that reads the output of tntar ended (EPIPE)', {
      hint: `${cutShort}; check why the next command in the pipe ended`,
      cause: error,
    });
  }
  if (code !== 'ENOSPC') return error;
  return new TntarError('failure', messageOf(error), {
    hint: `the disk is full: free some space; ${cutShort}`,
    cause: error,
  });
}
