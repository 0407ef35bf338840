import type { Readable, Writable } from 'node:stream';

/** A standard output of a run. It has a descriptor and is a terminal only if it is one of a process. */
export type Output = Writable & { isTTY?: boolean; columns?: number; fd?: number };

/** The standard input of a run. */
export type Input = Readable & { isTTY?: boolean; fd?: number };

/** The variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * All that a run has of the process around it; its events are signals, and errors that nothing caught. The process itself is one; a test has others, to run a command without
 * a process of its own.
 */
export interface Surroundings extends Pick<NodeJS.EventEmitter, 'on' | 'off'> {
  stdin: Input;
  stdout: Output;
  stderr: Output;
  env: Environment;
  /** The exit code of a run that ends by itself. */
  exitCode?: number | string | null | undefined;
  /** Ends the run at once, with the exit code that is set if none is given. */
  exit(code?: number): void;
  /** The terminal on which a password is asked for. Default `/dev/tty`. */
  terminal?: string;
}
