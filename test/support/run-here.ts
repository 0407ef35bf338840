import { EventEmitter } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { main } from '../../bin/main.js';
import type { Surroundings } from '../../bin/output/surroundings.js';
import type { Result } from './cli.js';

/** Takes bytes as a pipe does whose reader is never behind. */
class Collector extends Writable {
  readonly chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

/** What a command has around it in place of a process. */
class Stage extends EventEmitter implements Surroundings {
  readonly stdin: Readable;
  readonly stdout = new Collector();
  readonly stderr = new Collector();
  readonly terminal = '/dev/no-terminal';
  readonly env: Surroundings['env'];
  exitCode: Surroundings['exitCode'];
  readonly #onExit: (code: number) => void;
  /** Resolves with the exit code when the command ends itself. */
  readonly exited: Promise<number>;

  constructor(input: Buffer | string | Readable) {
    super();
    this.stdin = input instanceof Readable ? input : Readable.from([Buffer.from(input)]);
    const { TT_CLI_USERNAME: _, TT_CLI_PASSWORD: __, ...env } = process.env;
    this.env = env;
    let onExit = (_code: number): void => {};
    this.exited = new Promise((resolve) => {
      onExit = resolve;
    });
    this.#onExit = onExit;
  }

  exit(code = Number(this.exitCode ?? 0)): void {
    this.#onExit(code);
  }
}

/**
 * Runs the command in this process, without a terminal and without descriptors.
 *
 * @param timeoutMs - after which the test fails; what the command does then is not stopped
 */
export async function runHere(
  args: readonly string[],
  input: Buffer | string | Readable = '',
  timeoutMs: number,
): Promise<Result> {
  const stage = new Stage(input);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const printed = `${stage.stdout.bytes.length} bytes on stdout, and on stderr:\n${stage.stderr.bytes}`;
      reject(new Error(`tntar ${args.join(' ')}: not over after ${timeoutMs} ms, ${printed}`));
    }, timeoutMs);
  });
  const ended = async (): Promise<number> => {
    const run = await main(args, stage);
    return run.isOver ? stage.exited : Number(stage.exitCode ?? 0);
  };
  try {
    const code = await Promise.race([ended(), stage.exited, late]);
    const [stdout, stderr] = [stage.stdout.bytes, String(stage.stderr.bytes)];
    return { code, signal: null, stdout, stderr };
  } finally {
    clearTimeout(timer);
    stage.stdin.destroy();
  }
}
